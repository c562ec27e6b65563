"""Encode parameters as a canonical query: forms of lists and booleans, RFC 3986, byte order.

Source: https://www.alibabacloud.com/help/en/marketplace/untitled-document-1740984134232 (encoding) and the curl
examples of CancelOTATaskByDevice and ConfirmOTATask (lists).
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.core.texts import is_writable

Scalar: TypeAlias = str | int | bool | Secret
Value: TypeAlias = "Scalar | Sequence[Scalar] | None"
Wire: TypeAlias = "Mapping[str, str | Secret]"
"""Parameters as they are sent; secrets stay wrapped until they are encoded."""


def to_wire(parameters: Mapping[str, Value]) -> dict[str, str | Secret]:
    """Flatten parameters: lists become ``Name.1…N``, booleans ``true``/``false``, None is left out.

    :raises InvalidParameterError: a name or a value cannot be sent.
    """
    if not isinstance(parameters, Mapping):
        raise InvalidParameterError(
            field="params", problem=f"{short_repr(parameters)} is no mapping", allowed=_PARAMETERS
        )
    wire: dict[str, str | Secret] = {}
    for name, value in parameters.items():
        _require_name(name)
        if isinstance(value, list | tuple):
            wire.update({f"{name}.{place}": _text(name, item) for place, item in enumerate(value, start=1)})
        elif value is not None:
            wire[name] = _text(name, value)
    return wire


_PARAMETERS: Final = "parameters by their names on the wire"


def _require_name(name: Any) -> None:
    if not (isinstance(name, str) and name and is_writable(name)):
        raise InvalidParameterError(field="params", problem=f"{short_repr(name)} is no name", allowed=_PARAMETERS)


def _text(name: str, value: Any) -> str | Secret:
    if isinstance(value, Secret) and is_writable(value.reveal()):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and is_writable(value):
        return str.__str__(value)
    if isinstance(value, int) and value.bit_length() <= _LARGEST:
        return int.__repr__(value)
    # The value is not shown: a parameter without rules may be secret.
    kinds = {True: "a text with surrogates or control characters", False: f"a value of type {type(value).__name__}"}
    raise InvalidParameterError(
        field=name if len(name) <= _LONGEST_NAME else short_repr(name),
        problem=f"{kinds[isinstance(value, str)]} cannot be sent",
        allowed=f"a text, a whole number of {_LARGEST} bits, True or False, or a list of them",
    )


_LARGEST: Final = 64
"""Bits of a whole number; the platform's are integers and longs."""
_LONGEST_NAME: Final = 60


_UNRESERVED: Final = frozenset(string.ascii_letters + string.digits + "-_.~")
_ESCAPES: Final = {code: chr(code) if chr(code) in _UNRESERVED else f"%{code:02X}" for code in range(128)}


def percent_encode(text: str) -> str:
    """Encode by RFC 3986: only ``A-Z a-z 0-9 - _ . ~`` stay, a space becomes ``%20``."""
    # Most texts need little encoding or none, and quote takes several times as long for them.
    if not text.isascii():
        return quote(text, safe="")
    return text if text.isalnum() else text.translate(_ESCAPES)


def percent_encode_query(query: str) -> str:
    """Encode a canonical query once more: of reserved characters it contains only ``%``, ``=`` and ``&``."""
    return query.replace("%", "%25").replace("=", "%3D").replace("&", "%26")


def canonical_query(wire: Wire) -> str:
    """Join the parameters sorted by name in byte order, so that ``X.10`` stands before ``X.2``."""
    pairs = []
    for name in sorted(wire):
        value = wire[name]
        text = value if isinstance(value, str) else value.reveal()
        pairs.append(f"{_encoded_name(name)}={percent_encode(text)}")
    return "&".join(pairs)


@lru_cache(maxsize=1024)
def _encoded_name(name: str) -> str:
    # Names repeat from call to call; values may be secret and are never kept.
    return percent_encode(name)
