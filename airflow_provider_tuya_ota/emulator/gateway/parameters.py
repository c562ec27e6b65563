"""The rules for a parameter, and the reader for an operation's parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.emulator.messages import BusinessError, GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

COMMON = frozenset(
    {
        "Action",
        "AccessKeyId",
        "Format",
        "Signature",
        "SignatureMethod",
        "SignatureNonce",
        "SignatureVersion",
        "Timestamp",
        "Version",
    }
)
_INDEXED = re.compile(r"(?P<name>[A-Za-z]+)\.(?P<place>\d+)")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    :param kind: text, whole, flag or list.
    :param code: error code for a value that is not allowed.
    :param empty_code: error code for an empty value or list entry; ``code`` by default.
    :param blank_code: error code for a text of blanks only; ``code`` by default.
    :param pattern: must match the whole text, or each entry of a list.
    :param most: largest number of characters or entries, or the largest number.
    """

    name: str
    kind: str = "text"
    required: bool = False
    code: str = "iot.common.InvalidFormattedParameter"
    pattern: str = r"[\s\S]+"
    least: int = 0
    most: int = 4096
    choices: tuple[str, ...] = ()
    empty_code: str = ""
    blank_code: str = ""


def read_parameters(
    action: str, parameters: Iterable[Parameter], wire: dict[str, str], *, lenient: bool = False
) -> dict[str, Any]:
    """Read an operation's own parameters.

    :param action: name of the operation.
    :param parameters: the operation's parameters.
    :param wire: all received parameters.
    :param lenient: accept names in any case instead of the exact spelling only.
    :returns: values by name, without absent ones.
    :raises GatewayError: a required parameter is missing, or one is misspelt or of the wrong form.
    :raises BusinessError: a value is not allowed.
    """
    known = {parameter.name: parameter for parameter in parameters}
    if lenient:
        wire = _respelled(known, wire)
    _refuse_respelled(action, known, wire)
    values: dict[str, Any] = {}
    for parameter in known.values():
        value = _list(parameter, wire) if parameter.kind == "list" else wire.get(parameter.name)
        if value is None:
            if parameter.required:
                raise GatewayError(f"Missing{parameter.name}", f"{parameter.name} is mandatory for this action.")
            continue
        values[parameter.name] = _value(parameter, value)
    return values


def _respelled(known: dict[str, Parameter], wire: dict[str, str]) -> dict[str, str]:
    spellings = {name.lower(): name for name in known}
    respelled: dict[str, str] = {}
    for given, value in wire.items():
        name, dot, place = given.partition(".")
        right = f"{spellings.get(name.lower(), name)}{dot}{place}"
        if right in respelled:
            raise GatewayError("InvalidParameter", f"{right} is given twice.")
        respelled[right] = value
    return respelled


def _refuse_respelled(action: str, known: dict[str, Parameter], wire: dict[str, str]) -> None:
    """Refuse another spelling and name the right one; the English tables spell some names differently from the wire."""
    spellings = {name.lower(): name for name in (*known, *COMMON)}
    for given in wire:
        indexed = _INDEXED.fullmatch(given)
        name = indexed["name"] if indexed else given
        right = spellings.get(name.lower())
        if right and right != name:
            raise GatewayError(
                "InvalidParameter", f"{action} has no parameter {given}; the name on the wire is {right}."
            )
        if right in known and bool(indexed) != (known[right].kind == "list"):
            form = f"{right}.1, {right}.2, …" if known[right].kind == "list" else right
            raise GatewayError("InvalidParameter", f"{given} is not the form of this parameter; write {form}.")


def _list(parameter: Parameter, wire: dict[str, str]) -> list[str] | None:
    found = {
        int(match["place"]): value
        for given, value in wire.items()
        if (match := _INDEXED.fullmatch(given)) and match["name"] == parameter.name
    }
    if not found:
        return None
    if sorted(found) != list(range(1, len(found) + 1)):
        raise GatewayError("InvalidParameter", f"{parameter.name}.N counts from 1 without gaps.")
    return [found[place] for place in sorted(found)]


def _value(parameter: Parameter, value: Any) -> Any:
    return _READERS[parameter.kind](parameter, value)


def _names(parameter: Parameter, value: list[str]) -> list[str]:
    if not all(value):
        raise BusinessError(parameter.empty_code, f"{parameter.name} has an empty name.")
    if len(value) > parameter.most:
        raise BusinessError(parameter.code, f"{parameter.name} takes 1 to {parameter.most} names.")
    if len(set(value)) != len(value):
        raise BusinessError("iot.common.InvalidFormattedParameter", f"{parameter.name} has a name twice.")
    return value


def _flag(parameter: Parameter, value: str) -> bool:
    # The vendor's own SDKs for Python send Python's words.
    if value not in {"true", "false", "True", "False"}:
        raise BusinessError(parameter.code, f"{parameter.name} is true or false.")
    return value in {"true", "True"}


def _whole(parameter: Parameter, value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", value) or not parameter.least <= int(value) <= parameter.most:
        raise BusinessError(parameter.code, f"{parameter.name} is from {parameter.least} to {parameter.most}.")
    return int(value)


def _text(parameter: Parameter, value: str) -> str:
    if not value and parameter.empty_code:
        raise BusinessError(parameter.empty_code, f"{parameter.name} is empty.")
    if parameter.blank_code and value.isspace():
        raise BusinessError(parameter.blank_code, f"{parameter.name} has nothing but blanks.")
    if parameter.choices:
        if value not in parameter.choices:
            raise BusinessError(parameter.code, f"{parameter.name} is one of {', '.join(parameter.choices)}.")
    elif len(value) > parameter.most or not re.fullmatch(parameter.pattern, value):
        raise BusinessError(parameter.code, f"{parameter.name} is empty, too long or has forbidden characters.")
    return value


_READERS: dict[str, Callable[[Parameter, Any], Any]] = {"list": _names, "flag": _flag, "whole": _whole, "text": _text}
