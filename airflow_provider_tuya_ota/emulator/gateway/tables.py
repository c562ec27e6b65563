"""The parameters of each operation, as the documents list them.

Where the vendor and the upstream API differ, the stricter rule counts.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_provider_tuya_ota.emulator.gateway.parameters import Parameter

_LETTERS = r"A-Za-z0-9\u3040-\u30ff\u4e00-\u9fff\u3005\u31f0-\u31ff\u3400-\u4dbf"


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

_ALIAS = r"[A-Za-z0-9\u3400-\u4dbf\u4e00-\u9fff._-]{1,64}"
_UNFINISHED = ("CONFIRM", "QUEUED", "NOTIFIED", "IN_PROGRESS")
_NAME = Parameter(
    "FirmwareName",
    required=True,
    code="iot.firmware.IncorrectFormattedFirmwareName",
    pattern=rf"[{_LETTERS}][{_LETTERS}_()-]{{0,39}}",
    empty_code="iot.firmware.NullFirmwareName",
    blank_code="iot.firmware.BlankFirmwareName",
)
_DESC = Parameter("FirmwareDesc", code="iot.firmware.FirmwareDescriptionExceedMaxLength", most=100)
_TIMEOUT = Parameter("TimeoutInMinutes", "whole", code="iot.firmware.InvalidTimeoutSetting", least=1, most=1440)
_DELIVERY = (
    Parameter("NeedPush", "flag"),
    Parameter("NeedConfirm", "flag"),
    Parameter("DownloadProtocol", choices=("HTTPS",)),
)
_ONE_DEVICE = (
    Parameter("DeviceName", code="iot.device.InvalidFormattedDeviceName", empty_code="iot.device.NullDeviceName"),
    Parameter("IotId", code="iot.device.InvalidIoTId"),
)


def _module(code: str) -> Parameter:
    return Parameter("ModuleName", required=True, code=code, pattern=_VERSION)


def _module_text(code: str) -> tuple[Parameter, ...]:
    return (Parameter("AliasName", code=code, pattern=_ALIAS), Parameter("Desc", code=code, most=100))


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
        _NAME,
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
        _DESC,
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
        _TIMEOUT,
        _device_names("TargetDeviceName", 10),
        *_DELIVERY,
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
    "ModifyOTAFirmware": (_FIRMWARE_ID, _NAME, _product(required=False), _DESC, Parameter("Udi", most=4096)),
    "DeleteOTAFirmware": (_FIRMWARE_ID,),
    "CreateOTAModule": (
        _module("iot.ota.CreateOTAModuleParamError"),
        _product(),
        *_module_text("iot.ota.CreateOTAModuleParamError"),
    ),
    "UpdateOTAModule": (
        _module("iot.ota.UpdateOTAModuleParamError"),
        _product(),
        *_module_text("iot.ota.UpdateOTAModuleParamError"),
    ),
    "DeleteOTAModule": (_module("iot.ota.DeleteOTAModuleParamError"), _product()),
    "ListOTAModuleByProduct": (_product(),),
    "CreateOTAStaticUpgradeJob": (
        _FIRMWARE_ID,
        _product(),
        Parameter(
            "TargetSelection",
            required=True,
            code="iot.firmware.InvalidTargetSelection",
            choices=("ALL", "SPECIFIC", "GRAY", "GROUP"),
            empty_code="iot.firmware.NullTargetSelection",
        ),
        Parameter("SrcVersion", "list", code="iot.firmware.SrcVersionsSizeExceedMax", most=10),
        Parameter("RetryInterval", code="iot.firmware.InvalidRetryInterval", choices=("0", "10", "30", "60", "1440")),
        Parameter("RetryCount", code="iot.firmware.InvalidRetryCount", choices=("1", "2", "5")),
        _TIMEOUT,
        Parameter(
            "GrayPercent",
            code="iot.firmware.InvalidGrayPercent",
            pattern=r"[1-9][0-9]?|100",
            empty_code="iot.firmware.NullGrayPercent",
        ),
        _device_names("TargetDeviceName", 200),
        *_DELIVERY,
        Parameter("GroupId", code="iot.group.NullGroupId"),
    ),
    "CancelOTATaskByDevice": (
        _product(),
        _FIRMWARE_ID,
        replace(_device_names("DeviceName", 200), required=True),
        replace(_JOB_ID, required=False),
    ),
    "ConfirmOTATask": (
        Parameter(
            "TaskId",
            "list",
            required=True,
            code="iot.firmware.ParameterSizeExceedMax",
            most=10,
            empty_code="iot.firmware.NullTaskId",
        ),
    ),
    "ListOTAJobByDevice": (*_page(100), _product(), replace(_ONE_DEVICE[0], required=True), _FIRMWARE_ID),
    "ListOTAUnfinishedTaskByDevice": (
        Parameter("ModuleName", code="iot.firmware.IncorrectFormattedModuleName", pattern=_VERSION),
        Parameter("TaskStatus", code="iot.firmware.InvalidTaskStatus", choices=_UNFINISHED),
        Parameter("TaskStatusList", "list", code="iot.firmware.InvalidTaskStatus", most=len(_UNFINISHED)),
        _product(required=False),
        *_ONE_DEVICE,
    ),
    "ListOTAModuleVersionsByDevice": (*_page(200), _product(required=False), *_ONE_DEVICE),
    "QueryDevice": (*_page(50, required=False), _product(), Parameter("NextToken")),
    "BatchGetDeviceState": (
        _product(required=False),
        Parameter(
            "DeviceName",
            "list",
            code="iot.check.ParameterIsNotLessThanMax",
            most=50,
            empty_code="iot.device.NullDeviceName",
        ),
        Parameter("IotId", "list", code="iot.check.ParameterIsNotLessThanMax", most=50),
    ),
    "QueryProduct": (_product(),),
    "QueryProductList": _page(200),
}
"""By the operation's name."""
