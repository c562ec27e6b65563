"""The body of an answer to a record, and the one guard against answers that nobody thought of.

What is read here is encodable, of bounded depth, and has no number that an event or a database could not hold, whatever
was sent. Format follows the answer itself, because the documented default is XML and every documented example is JSON.
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
"""What reading raises over a value that nobody expects; mistakes in the code mostly raise other kinds, which pass."""
MOST_SIGNS: Final = 200_000
"""Commas, brackets and tags of an answer; a page of 200 jobs has some 5,000. An empty object has two bytes in an answer
and four hundred in memory, so that a bound on bytes alone bounds little."""
_WIDEST: Final = 2**63
_MISSING_COMMA: Final = re.compile(r'"(?:[^"\\]|\\[\s\S])*+(?:"|\\?\Z)|(?P<closing>[}\]])(?=\s*")')
"""A text, to be skipped whole, or the end of an object or list that a key follows at once."""


def safely(action: str, read: Callable[[], Result]) -> Result:
    """Read an answer, or a part of it: whatever is odd about it comes out as a typed error.

    :raises ProtocolError: instead of any error in ``ODD``; the original may quote the answer and is not chained.
    :raises TuyaOTAError: as the reading itself, without its frames.
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
    :param secrets: texts to remove from what is shown of the answer.
    :returns: None where it is neither, or has more than 200,000 values or 32 levels, which no documented reply has.
    :raises ProtocolError: two keys differ in nothing but case, if in that, and disagree.
    """
    text = body.removeprefix(BOM_UTF8).strip()
    if sum(map(text.count, (b",", b"{", b"[", b"<"))) > MOST_SIGNS:
        return None
    try:
        parsed = _harmless(read_xml(text) if text.startswith(b"<") else _read_json(text), DEEPEST)
    except ODD:
        return None
    return Record(parsed, secrets) if isinstance(parsed, dict) else None


def _read_json(body: bytes) -> Any:
    # Read as UTF-8 and nothing else: other encodings would be shown where nothing secret is found in them.
    text = body.decode()
    try:
        return json.loads(text, object_pairs_hook=_one_value_each)
    except json.JSONDecodeError:
        # As the vendor shows ListOTAModuleByProduct, there is no comma between the modules and the next key.
        mended = _MISSING_COMMA.sub(lambda found: f"{found[0]}," if found["closing"] else found[0], text)
        return json.loads(mended, object_pairs_hook=_one_value_each)


def _one_value_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs) and any(found[key] != value for key, value in pairs):
        raise ProtocolError("the answer has one key with two values; nothing is concluded from it")
    return found


def _harmless(value: Any, depth: int) -> Any:
    """Copy a parsed value so that it can be encoded: as UTF-8, JSON and MessagePack."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict | list):
        if not depth:
            raise ValueError
        if isinstance(value, list):
            return [_harmless(item, depth - 1) for item in value]
        return {cut(visible(key), LONGEST_NAME): _harmless(item, depth - 1) for key, item in value.items()}
    is_wide = isinstance(value, int) and not -_WIDEST <= value < _WIDEST
    return str(value) if is_wide or (isinstance(value, float) and not math.isfinite(value)) else value
