"""Read the body of an answer into a record, whatever was sent.

The result can be encoded, has a bounded depth, and contains no number that an event or a database cannot store. The
body itself decides between JSON and XML: the documented default is XML, and every documented example is JSON.
"""

from __future__ import annotations

import json
import math
import re
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Any, Final, TypeVar

from airflow_provider_tuya_ota.core.errors import ProtocolError, TuyaOTAError
from airflow_provider_tuya_ota.core.secret import without_frames
from airflow_provider_tuya_ota.core.texts import LONGEST_NAME, cut, encodable, visible
from airflow_provider_tuya_ota.core.wire.record import Record
from airflow_provider_tuya_ota.core.wire.xml import DEEPEST, read_xml

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_tuya_ota.core.secret import Secret

Result = TypeVar("Result")

ODD: Final = (ValueError, ArithmeticError, LookupError, RecursionError)
"""Errors that unexpected values cause while an answer is read. Mistakes in the code mostly raise other errors, which
are not caught."""
MOST_SIGNS: Final = 200_000
"""Commas, brackets and tags of an answer; a page of 200 jobs has about 5,000. An empty object takes two bytes in an
answer and four hundred in memory, so that a limit on bytes alone is not enough."""
_WIDEST: Final = 2**63
_MISSING_COMMA: Final = re.compile(r'"(?:[^"\\]|\\[\s\S])*+(?:"|\\?\Z)|(?P<closing>[}\]])(?=\s*")')
"""A text, which is skipped, or the end of an object or list that a key follows without a comma."""


def safely(action: str, read: Callable[[], Result]) -> Result:
    """Read an answer or a part of it; an unexpected value becomes a typed error.

    :raises ProtocolError: for any error in ``ODD``, which is not chained because its text may quote the answer.
    :raises TuyaOTAError: the error of ``read`` itself, without its traceback.
    """
    try:
        return read()
    except TuyaOTAError as error:
        raise without_frames(error) from None
    except ODD as error:
        kind = type(error).__name__
    raise ProtocolError(f"{action}: the answer cannot be read ({kind})")


def read_body(body: bytes, secrets: Sequence[Secret] = ()) -> Record | None:
    """Read an object.

    :param body: JSON or XML.
    :param secrets: texts to remove where the answer is shown.
    :returns: None where the body is neither, or has more than 200,000 values or 32 levels, which no documented reply
        has.
    :raises ProtocolError: two keys are equal, or differ only in case, and have different values.
    """
    text = body.removeprefix(BOM_UTF8).strip()
    if len(text) > MOST_SIGNS and sum(map(text.count, (b",", b"{", b"[", b"<"))) > MOST_SIGNS:
        return None
    try:
        parsed = _harmless(read_xml(text) if text.startswith(b"<") else _read_json(text), DEEPEST)
    except ODD:
        return None
    return Record(parsed, secrets) if isinstance(parsed, dict) else None


def _read_json(body: bytes) -> Any:
    # Only UTF-8: in another encoding a secret would not be recognised and removed.
    text = body.decode()
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError:
        # In the vendor's example of ListOTAModuleByProduct the comma between the modules and the next key is missing.
        mended = _MISSING_COMMA.sub(lambda found: f"{found[0]}," if found["closing"] else found[0], text)
        return _DECODER.decode(mended)


def _one_value_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs) and any(found[key] != value for key, value in pairs):
        raise ProtocolError("the answer has one key with two values; nothing is concluded from it")
    return found


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_one_value_each)
"""json.loads would build one for each answer."""


def _harmless(value: Any, depth: int) -> Any:
    """Copy a parsed value so that it can be encoded: as UTF-8, JSON and MessagePack."""
    if type(value) is str:
        return encodable(value)
    if isinstance(value, (dict, list)):
        if not depth:
            raise ValueError
        if isinstance(value, list):
            return [_harmless(item, depth - 1) for item in value]
        # Nearly all keys and values are short printable texts: those cost no call each.
        return {
            key if len(key) <= LONGEST_NAME and key.isprintable() else cut(visible(key), LONGEST_NAME): item
            if type(item) is str and item.isprintable()
            else _harmless(item, depth - 1)
            for key, item in value.items()
        }
    if value is None or isinstance(value, bool):
        return value
    is_wide = isinstance(value, int) and not -_WIDEST <= value < _WIDEST
    return str(value) if is_wide or (isinstance(value, float) and not math.isfinite(value)) else value
