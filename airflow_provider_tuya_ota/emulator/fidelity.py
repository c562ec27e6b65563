"""How true the emulator is: for every behaviour whether it is documented, inferred or invented, and from what.

``docs/reference/fidelity.md`` is written from this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DOCUMENTED: Final = "documented"
INFERRED: Final = "inferred"
INVENTED: Final = "invented"
_VENDOR: Final = "vendor's page of the operation"
_ORIGINAL: Final = "Alibaba original's page of the operation"
_CONSOLE: Final = "Alibaba original's OTA console and device pages"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour.

    :param area: the operation it belongs to, or a part of the platform.
    :param what: what the emulator does.
    :param mark: documented, inferred or invented.
    :param source: where it is documented, or why it was chosen.
    """

    area: str
    what: str
    mark: str
    source: str


def _rows(area: str, *rows: tuple[str, str, str]) -> tuple[Behaviour, ...]:
    return tuple(Behaviour(area, *row) for row in rows)


BEHAVIOURS: Final[tuple[Behaviour, ...]] = (
    *_rows(
        "Requests",
        (
            "HMAC-SHA1 over every parameter that arrived, known or not; the trailing & of the key",
            DOCUMENTED,
            "vendor's signature page and the original's worked example",
        ),
        (
            "GET and POST on /, parameters of a POST in query or form",
            INFERRED,
            "vendor shows GET, the original documents POST",
        ),
        (
            "Format, Version and SignatureVersion may be missing",
            INFERRED,
            "in the vendor's table, in none of its examples",
        ),
        ("timestamps may differ by 15 minutes", DOCUMENTED, "Alibaba original's common parameters"),
        (
            "a nonce is remembered for 30 minutes, as long as a timestamp 15 minutes ahead stays good",
            INFERRED,
            "the original says not to repeat it in that window",
        ),
        (
            "parameters in the English tables' spelling (FirmwareID) are refused, naming the right one",
            INVENTED,
            "to catch clients that would fail elsewhere",
        ),
        (
            "a missing required parameter is Missing<Name> with HTTP 400, an empty one its Null… code",
            INFERRED,
            "the documents list both families",
        ),
        ("a parameter that stands twice, or a list with gaps, is refused", INVENTED, "nobody sends it on purpose"),
    ),
    *_rows(
        "Answers",
        ("lower-camel keys, code empty on success, lower-case request id", DOCUMENTED, "every example of the vendor"),
        ("gateway refusals with 4xx as RequestId, Code, Message", DOCUMENTED, "Alibaba original's common parameters"),
        ("refusals of operations with HTTP 200 and success false", INFERRED, "practice of the original"),
        (
            "JSON unless Format says XML; the root is the operation's name",
            INFERRED,
            "the vendor documents XML as default and shows JSON",
        ),
        (
            "XML of version 2022-01-01 has the root Response",
            INFERRED,
            "the operation's name is documented to be left out",
        ),
        ("Format in capitals or not; True and False beside true and false", INFERRED, "what the original's SDKs send"),
        ("every other reading is a quirk", DOCUMENTED, "docs/emulator.md"),
        (
            "where asked for: lists and queries late, in order or not; tasks later than their job",
            INVENTED,
            "the documents promise nothing of when something is shown",
        ),
        (
            "where asked for: no id, another one or an odd one; hostile texts; lists without an end; Retry-After",
            INVENTED,
            "what a client must survive",
        ),
    ),
    *_rows(
        "Quotas",
        (
            "requests per second of each operation, counted in a sliding second",
            DOCUMENTED,
            "Alibaba original; the vendor gives no figures",
        ),
        ("a throttled request is not carried out and does not count", INFERRED, "it is turned away at the door"),
    ),
    *_rows(
        "Object storage",
        (
            "form POST under a signed policy, file last, status by success_action_status, XML errors",
            DOCUMENTED,
            "Alibaba OSS, PostObject",
        ),
        ("a permission is good for one minute, a file without a firmware for an hour", DOCUMENTED, _ORIGINAL),
        (
            "uploads go to the emulator's own address and are told apart by their content type",
            INVENTED,
            "the platform has a host for them",
        ),
        (
            "writing over an uploaded file is possible and makes it no second firmware",
            INFERRED,
            "object storage overwrites",
        ),
        ("content is kept and served up to 16 MiB, of larger files size and digests", INVENTED, "to stay small"),
    ),
    *_rows(
        "Devices",
        ("a push reaches a device that is online; offline it stays QUEUED until it is back", DOCUMENTED, _CONSOLE),
        ("success is only the report of the new version, not 100 %", DOCUMENTED, _CONSOLE),
        ("steps -1 to -4 and another version fail the task; retries only where the job asks", DOCUMENTED, _CONSOLE),
        ("the timeout counts from the first progress report and through disconnections", DOCUMENTED, _CONSOLE),
        ("a device in another unfinished task fails at once", DOCUMENTED, _CONSOLE),
        ("a retried device keeps its shown status", DOCUMENTED, _CONSOLE),
        (
            "begin 0.5 to 1.5 s after a push, report five times over their flash time, restart in one second",
            INVENTED,
            "some time has to pass",
        ),
        ("without push a device must ask; how often is scripted", INFERRED, "vendor: not pushed, the device may ask"),
    ),
    *_rows("GenerateOTAUploadURL", ("gives form data for one file; eight suffixes", DOCUMENTED, _VENDOR)),
    *_rows(
        "CreateOTAFirmware",
        (
            "names, versions and texts within the vendor's limits; one firmware for a version of a module",
            DOCUMENTED,
            f"{_VENDOR}; error codes of the original",
        ),
        (
            "FirmwareUrl and FirmwareSign are needed and checked against the file",
            INFERRED,
            "the stricter of two readings",
        ),
        ("ProductKey is needed", INVENTED, "a firmware without product is described nowhere"),
        ("500 firmwares at most", DOCUMENTED, "error codes of the original"),
    ),
    *_rows(
        "ModifyOTAFirmware",
        ("changes description and Udi", DOCUMENTED, _VENDOR),
        ("another name than the present one is refused", INFERRED, "the name is required and cannot be changed"),
    ),
    *_rows(
        "DeleteOTAFirmware",
        ("forgets the firmware", DOCUMENTED, _VENDOR),
        ("refused while an unfinished job needs it", INVENTED, "the documents do not say"),
    ),
    *_rows(
        "ListOTAFirmware",
        ("up to 100 a page under FirmwareInfo, by product and version", DOCUMENTED, _VENDOR),
        ("the newest first", INVENTED, "no order is documented"),
    ),
    *_rows(
        "QueryOTAFirmware",
        ("the firmware with a presigned address", DOCUMENTED, _VENDOR),
        ("VerifyProgress is the share of ended device tasks", INFERRED, "0 to 100 at the original"),
    ),
    *_rows("CreateOTAModule", ("ten of one's own at most, default is reserved", DOCUMENTED, _VENDOR)),
    *_rows("UpdateOTAModule", ("changes alias and description", DOCUMENTED, _VENDOR)),
    *_rows(
        "DeleteOTAModule",
        ("refused for default and for a module with firmwares", DOCUMENTED, "error codes of the original"),
    ),
    *_rows("ListOTAModuleByProduct", ("a list under Data, times to the minute", DOCUMENTED, _VENDOR)),
    *_rows(
        "CreateOTAVerifyJob",
        ("up to ten devices of the product that can take the firmware", DOCUMENTED, _ORIGINAL),
        ("refused while the firmware is being verified", DOCUMENTED, _ORIGINAL),
        (
            "ids of 19 digits that begin with the time, so that no two worlds give the same",
            INVENTED,
            "no id comes twice",
        ),
        (
            "refused with VerifyFirmwareFailed once it is verified or needs no verification",
            INFERRED,
            "no code is documented",
        ),
        ("without names it takes ten online devices that can be upgraded", INVENTED, "the documents do not say which"),
        ("the firmware is verified when every device succeeded, failed otherwise", DOCUMENTED, _CONSOLE),
    ),
    *_rows(
        "CreateOTAStaticUpgradeJob",
        (
            "ALL, SPECIFIC, GRAY, GROUP with their cross-rules; a verified firmware",
            DOCUMENTED,
            f"{_VENDOR}; error codes of the original",
        ),
        ("devices on the new version are left out, named ones are refused", DOCUMENTED, _CONSOLE),
        (
            "a share is rounded down, to one at least, and takes the first devices",
            INFERRED,
            "rounding is the original's, which devices is open",
        ),
    ),
    *_rows("QueryOTAJob", ("the job with its settings, without counts", DOCUMENTED, _VENDOR)),
    *_rows(
        "CancelOTATaskByJob",
        (
            "at least one switch; CancelQueuedTask takes unconfirmed tasks along where their own is absent",
            DOCUMENTED,
            _ORIGINAL,
        ),
        ("a job is CANCELED when every task was cancelled, COMPLETED otherwise", INVENTED, "the documents do not say"),
        (
            "cancelling queued tasks ends a job that has none yet, or does nothing as a quirk",
            INVENTED,
            "PLANNED is in the list of statuses, and described nowhere",
        ),
        (
            "cancelling in a job that has ended is refused",
            INVENTED,
            "JobAlreadyCanceled is documented, the other case is not",
        ),
    ),
    *_rows(
        "CancelOTATaskByDevice",
        ("tasks in CONFIRM, QUEUED and NOTIFIED", DOCUMENTED, _VENDOR),
        ("all of a call or nothing", INVENTED, "the documents do not say"),
    ),
    *_rows(
        "ConfirmOTATask",
        ("ten tasks at most; CONFIRM becomes QUEUED", DOCUMENTED, _VENDOR),
        ("all of a call or nothing", INVENTED, "the documents do not say"),
    ),
    *_rows(
        "ListOTAJobByFirmware",
        ("up to 200 a page", DOCUMENTED, _VENDOR),
        ("the newest first", INVENTED, "no order is documented"),
    ),
    *_rows(
        "ListOTAJobByDevice",
        ("up to 100 a page", DOCUMENTED, _VENDOR),
        ("the newest first", INVENTED, "no order is documented"),
    ),
    *_rows(
        "ListOTATaskByJob",
        ("up to 100 a page, by status or device, to the 100,000th task", DOCUMENTED, _ORIGINAL),
        ("in the order of the devices", INVENTED, "no order is documented"),
    ),
    *_rows(
        "ListOTAUnfinishedTaskByDevice", ("by IotId, or product and name; IotId counts first", DOCUMENTED, _ORIGINAL)
    ),
    *_rows("ListOTAModuleVersionsByDevice", ("versions that the device has reported", DOCUMENTED, _VENDOR)),
    *_rows("QueryDevice", ("up to 50 a page, a token beyond the 10,000th, secrets included", DOCUMENTED, _VENDOR)),
    *_rows("BatchGetDeviceState", ("up to 50 devices", DOCUMENTED, _VENDOR)),
    *_rows("QueryProduct", ("one product", DOCUMENTED, _VENDOR)),
    *_rows("QueryProductList", ("up to 200 a page under Data.List", DOCUMENTED, _VENDOR)),
)
"""What the emulator does beside checking parameters."""

_GATEWAY: Final = """
    IllegalTimestamp IncompleteSignature InvalidAccessKeyId.NotFound InvalidAction.NotFound
    InvalidTimeStamp.Expired InvalidVersion SignatureDoesNotMatch SignatureNonceUsed Throttling.User
"""
_STORAGE: Final = """
    AccessDenied EntityTooLarge InvalidAccessKeyId InvalidArgument InvalidPolicyDocument MalformedPOSTRequest
"""
_OPERATIONS: Final = """
    iot.check.ParameterIsNotLessThanMax iot.common.InvalidPageParams iot.device.InvalidFormattedDeviceName
    iot.device.InvalidIoTId iot.device.NoneDeviceNameElement iot.device.NotExistedDevice
    iot.device.NullDeviceName iot.firmware.AlreadyExistedFirmwareName iot.firmware.AlreadyExistedFirmwareVersion
    iot.firmware.BlankFirmwareName iot.firmware.CancelOptionIsMandatory
    iot.firmware.DeviceWithDestinationVersionInArray iot.firmware.EmptyFirmwareFile
    iot.firmware.FirmwareAndProductKeyMismatch iot.firmware.FirmwareCountExceedMax
    iot.firmware.FirmwareDescriptionExceedMaxLength iot.firmware.FirmwareNotFound
    iot.firmware.FirmwareNotVerified iot.firmware.InProgressVerifyJobExisted
    iot.firmware.IncorrectDeviceUpgradeJobStatus iot.firmware.IncorrectFormattedFirmwareName
    iot.firmware.IncorrectFormattedFirmwareVersion iot.firmware.IncorrectFormattedModuleName
    iot.firmware.IncorrectFormattedSrcVersion iot.firmware.InvalidFirmwareId iot.firmware.InvalidFirmwareSign
    iot.firmware.InvalidFirmwareSignMethod iot.firmware.InvalidFirmwareSize iot.firmware.InvalidFirmwareType
    iot.firmware.InvalidFirmwareUrl iot.firmware.InvalidGenerateOTAUploadURLParam
    iot.firmware.InvalidGrayPercent iot.firmware.InvalidOTAJobId iot.firmware.InvalidOTATaskId
    iot.firmware.InvalidProductKey iot.firmware.InvalidRetryInterval iot.firmware.InvalidTargetSelection
    iot.firmware.InvalidTimeoutSetting iot.firmware.JobAlreadyCanceled iot.firmware.MalformedFirmwareUrl
    iot.firmware.ModuleNameReserved iot.firmware.NoDeviceCanUpgrade iot.firmware.NonVersionedDeviceInArray
    iot.firmware.NullFirmwareId iot.firmware.NullFirmwareName iot.firmware.NullFirmwareUrl
    iot.firmware.NullFirmwareVersion iot.firmware.NullGrayPercent iot.firmware.NullOTAJobId
    iot.firmware.NullTargetDeviceNames iot.firmware.NullTargetSelection iot.firmware.NullTaskId
    iot.firmware.SrcDestVersionMatched iot.firmware.SrcVersionMismatch iot.firmware.SrcVersionsNotAllowed
    iot.firmware.SrcVersionsSizeExceedMax iot.firmware.TargetDeviceNamesNotAllowed iot.group.NotExistedGroup
    iot.group.NullGroupId iot.ota.CreateOTAModuleExceedLimit iot.ota.CreateOTAModuleNameExist
    iot.ota.CreateOTAModuleParamError iot.ota.DeleteOTAModulePackageExist iot.ota.DeleteOTAModuleParamError
    iot.ota.DeleteOtaDefaultModule iot.ota.OTAModuleNotExist iot.ota.UpdateOTAModuleParamError
    iot.prod.NotExistedProduct iot.prod.NullProductKey
"""
_CHOSEN: Final = """
    EntityTooSmall InvalidParameter NoSuchKey NotImplemented ServiceUnavailable UnsupportedHTTPMethod
    iot.common.InvalidFormattedParameter iot.firmware.CancelUpgradeTaskFailed iot.firmware.DeleteFirmwareFailure
    iot.firmware.DeviceUpgradeRecordNotFound iot.firmware.InvalidFirmware iot.firmware.InvalidRetryCount
    iot.firmware.InvalidTaskStatus iot.firmware.ParameterSizeExceedMax iot.firmware.VerifyFirmwareFailed
"""
REFUSALS: Final[dict[str, tuple[str, str]]] = {
    **dict.fromkeys(_GATEWAY.split(), (DOCUMENTED, "Alibaba original's gateway")),
    **dict.fromkeys(_STORAGE.split(), (DOCUMENTED, "Alibaba OSS, PostObject")),
    **dict.fromkeys(_OPERATIONS.split(), (DOCUMENTED, "error codes of the original, for this very case")),
    **dict.fromkeys(_CHOSEN.split(), (INFERRED, "a documented code, chosen as the nearest for a case that has none")),
}
"""Every code that the emulator refuses with; ``Missing<Name>`` stands for each required parameter."""
