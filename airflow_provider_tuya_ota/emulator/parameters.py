"""The parameters of each operation, as the documents list them, and how they are read off the wire.

Where vendor and original differ, the stricter reading counts: what passes here passes there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.emulator.messages import BusinessError, GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable

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
_LETTERS = r"A-Za-z0-9\u3040-\u30ff\u4e00-\u9fff\u3005\u31f0-\u31ff\u3400-\u4dbf"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    :param kind: text, whole, flag or list.
    :param code: answered when the value is not acceptable.
    :param empty_code: answered when the value, or an entry of a list, is empty; by default as ``code``.
    :param blank_code: answered when a text is only blanks; by default as ``code``.
    :param pattern: whole text, or each entry of a list.
    :param most: characters of a text, entries of a list, or the largest number.
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


def _page(largest: int, *, required: bool = True) -> tuple[Parameter, ...]:
    code = "iot.common.InvalidPageParams"
    return (
        Parameter("CurrentPage", "whole", required, code, least=1, most=2**31 - 1),
        Parameter("PageSize", "whole", required, code, least=1, most=largest),
    )


def _id(name: str, code: str, empty_code: str) -> Parameter:
    return Parameter(name, required=True, code=code, pattern=r"[0-9A-Za-z]+", empty_code=empty_code)


def _product(*, required: bool = True) -> Parameter:
    code = "iot.firmware.InvalidProductKey"
    return Parameter("ProductKey", required=required, code=code, empty_code="iot.prod.NullProductKey")


def _device_names(name: str, most: int) -> Parameter:
    code = "iot.firmware.ParameterSizeExceedMax"
    return Parameter(name, "list", code=code, most=most, empty_code="iot.device.NullDeviceName")


_FIRMWARE_ID = _id("FirmwareId", "iot.firmware.InvalidFirmwareId", "iot.firmware.NullFirmwareId")
_JOB_ID = _id("JobId", "iot.firmware.InvalidOTAJobId", "iot.firmware.NullOTAJobId")
_VERSION = r"[A-Za-z0-9._-]{1,64}"
_SUFFIXES = ("bin", "dav", "apk", "tar", "gz", "tar.gz", "zip", "gzip")
_TASK_STATES = ("CONFIRM", "QUEUED", "NOTIFIED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "CANCELED")

ACTIONS: dict[str, tuple[Parameter, ...]] = {
    "GenerateOTAUploadURL": (
        Parameter("FileSuffix", code="iot.firmware.InvalidGenerateOTAUploadURLParam", choices=_SUFFIXES),
    ),
    "CreateOTAFirmware": (
        Parameter(
            "DestVersion",
            required=True,
            code="iot.firmware.IncorrectFormattedFirmwareVersion",
            pattern=_VERSION,
            empty_code="iot.firmware.NullFirmwareVersion",
        ),
        Parameter(
            "FirmwareName",
            required=True,
            code="iot.firmware.IncorrectFormattedFirmwareName",
            pattern=rf"[{_LETTERS}][{_LETTERS}_()-]{{0,39}}",
            empty_code="iot.firmware.NullFirmwareName",
            blank_code="iot.firmware.BlankFirmwareName",
        ),
        Parameter(
            "FirmwareUrl",
            required=True,
            code="iot.firmware.MalformedFirmwareUrl",
            pattern=r"https?://\S+",
            empty_code="iot.firmware.NullFirmwareUrl",
        ),
        Parameter("FirmwareSign", required=True, code="iot.firmware.InvalidFirmwareSign", pattern=r"[0-9a-fA-F]+"),
        Parameter("SignMethod", code="iot.firmware.InvalidFirmwareSignMethod", choices=("MD5", "SHA256")),
        Parameter("FirmwareSize", "whole", code="iot.firmware.InvalidFirmwareSize", least=1, most=1_048_576_000),
        _product(),
        Parameter("FirmwareDesc", code="iot.firmware.FirmwareDescriptionExceedMaxLength", most=100),
        Parameter("Type", "whole", code="iot.firmware.InvalidFirmwareType", most=0),
        Parameter("SrcVersion", code="iot.firmware.IncorrectFormattedSrcVersion", pattern=_VERSION),
        Parameter("ModuleName", code="iot.firmware.IncorrectFormattedModuleName", pattern=_VERSION),
        Parameter("NeedToVerify", "flag"),
        Parameter("Udi", most=4096),
    ),
    "QueryOTAFirmware": (_FIRMWARE_ID,),
    "ListOTAFirmware": (
        *_page(100),
        _product(required=False),
        Parameter("DestVersion", code="iot.firmware.IncorrectFormattedFirmwareVersion", pattern=_VERSION),
    ),
    "CreateOTAVerifyJob": (
        _FIRMWARE_ID,
        _product(),
        Parameter("TimeoutInMinutes", "whole", code="iot.firmware.InvalidTimeoutSetting", least=1, most=1440),
        _device_names("TargetDeviceName", 10),
        Parameter("NeedPush", "flag"),
        Parameter("NeedConfirm", "flag"),
        Parameter("DownloadProtocol", choices=("HTTPS",)),
    ),
    "QueryOTAJob": (_JOB_ID,),
    "ListOTAJobByFirmware": (*_page(200), _FIRMWARE_ID),
    "ListOTATaskByJob": (
        *_page(100, required=False),
        _JOB_ID,
        Parameter("TaskStatus", code="iot.firmware.InvalidTaskStatus", choices=_TASK_STATES),
        _device_names("DeviceNames", 50),
    ),
    "CancelOTATaskByJob": (
        _JOB_ID,
        Parameter("CancelQueuedTask", "flag"),
        Parameter("CancelNotifiedTask", "flag"),
        Parameter("CancelUnconfirmedTask", "flag"),
    ),
}


def read_parameters(action: str, wire: dict[str, str]) -> dict[str, Any]:
    """Read an operation's own parameters.

    :returns: values by name; absent ones are left out.
    :raises GatewayError: something required is missing, misspelt or of the wrong form.
    :raises BusinessError: a value is not acceptable.
    """
    known = {parameter.name: parameter for parameter in ACTIONS[action]}
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


def _refuse_respelled(action: str, known: dict[str, Parameter], wire: dict[str, str]) -> None:
    """Name the right spelling: the English tables respell what the wire calls otherwise."""
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
    if value not in {"true", "false"}:
        raise BusinessError(parameter.code, f"{parameter.name} is true or false.")
    return value == "true"


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
