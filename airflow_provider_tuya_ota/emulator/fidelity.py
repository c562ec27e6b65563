"""The source of every behaviour of the emulator: documented, inferred or invented.

``docs/reference/fidelity.md`` is generated from this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DOCUMENTED: Final = "documented"
INFERRED: Final = "inferred"
INVENTED: Final = "invented"
_VENDOR: Final = "vendor's page of the operation"
_UPSTREAM: Final = "upstream API's page of the operation"
_CONSOLE: Final = "upstream API's OTA console and device pages"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour.

    :param area: operation, or part of the platform, that it belongs to.
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
            "HMAC-SHA1 over every received parameter, known or not; the key ends with &",
            DOCUMENTED,
            "vendor's signature page and the upstream API's worked example",
        ),
        (
            "GET and POST on /, parameters of a POST in query or form",
            INFERRED,
            "the vendor shows GET, the upstream API documents POST",
        ),
        (
            "Format, Version and SignatureVersion may be missing",
            INFERRED,
            "in the vendor's table, in none of its examples",
        ),
        ("timestamps may differ by 15 minutes", DOCUMENTED, "upstream API's common parameters"),
        (
            "a used nonce is refused for 30 minutes, as long as a timestamp 15 minutes ahead stays valid",
            INFERRED,
            "the upstream API forbids a repetition in that window",
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
        ("a parameter given twice, or a list with gaps, is refused", INVENTED, "no client sends it on purpose"),
    ),
    *_rows(
        "Answers",
        ("lower-camel keys, code empty on success, lower-case request id", DOCUMENTED, "every example of the vendor"),
        ("gateway refusals with 4xx as RequestId, Code, Message", DOCUMENTED, "upstream API's common parameters"),
        ("refusals of operations with HTTP 200 and success false", INFERRED, "practice of the upstream API"),
        (
            "JSON unless Format says XML; the root is the operation's name",
            INFERRED,
            "the vendor documents XML as default and shows JSON",
        ),
        (
            "XML of version 2022-01-01 has the root Response",
            INFERRED,
            "the documents leave out the operation's name",
        ),
        (
            "Format in any case; True and False as well as true and false",
            INFERRED,
            "the upstream API's SDKs send these",
        ),
        ("every other reading is a quirk", DOCUMENTED, "docs/emulator.md"),
        (
            "on request: delayed lists and queries, in order or not; tasks later than their job",
            INVENTED,
            "the documents do not say when an entity is shown",
        ),
        (
            "on request: no id, another id or an odd one; hostile texts; endless lists; Retry-After",
            INVENTED,
            "a client must survive these",
        ),
    ),
    *_rows(
        "Quotas",
        (
            "requests per second of each operation, counted in a sliding second",
            DOCUMENTED,
            "upstream API; the vendor publishes no limits",
        ),
        ("a throttled request is not carried out and does not count", INFERRED, "the gateway refuses it"),
    ),
    *_rows(
        "Object storage",
        (
            "form POST under a signed policy, file last, status by success_action_status, XML errors",
            DOCUMENTED,
            "Alibaba OSS, PostObject",
        ),
        ("an upload permission is valid for one minute, a file without a firmware for an hour", DOCUMENTED, _UPSTREAM),
        (
            "uploads go to the emulator's own address and are recognised by their content type",
            INVENTED,
            "the platform uses another host",
        ),
        (
            "an uploaded file can be overwritten, and is never used for a second firmware",
            INFERRED,
            "object storage overwrites",
        ),
        ("content is kept up to 16 MiB; of larger files only size and digests", INVENTED, "to save memory"),
    ),
    *_rows(
        "Devices",
        (
            "a push reaches an online device; the task of an offline device stays QUEUED until it is online",
            DOCUMENTED,
            _CONSOLE,
        ),
        ("only the report of the new version is a success, not 100 %", DOCUMENTED, _CONSOLE),
        (
            "on request: a device runs the old version again after its success, and its task stays SUCCEEDED",
            INFERRED,
            "A/B devices of other platforms do so; no operation changes a task that has ended",
        ),
        ("on request: how an update ended is reported later, by outcome", INVENTED, "realistic evidence needs it"),
        ("steps -1 to -4 and another version fail the task; retries only if the job has them", DOCUMENTED, _CONSOLE),
        (
            "the timeout starts at the first progress report and continues while the device is offline",
            DOCUMENTED,
            _CONSOLE,
        ),
        ("a device with another unfinished task fails at once", DOCUMENTED, _CONSOLE),
        ("a retried device keeps its shown status", DOCUMENTED, _CONSOLE),
        (
            "devices begin 0.5 to 1.5 s after a push, report five times over their flash time, restart in one second",
            INVENTED,
            "the documents give no times",
        ),
        (
            "without push a device must poll, at a configured interval",
            INFERRED,
            "vendor: without a push, the device may ask",
        ),
    ),
    *_rows("GenerateOTAUploadURL", ("form data for one file; eight suffixes", DOCUMENTED, _VENDOR)),
    *_rows(
        "CreateOTAFirmware",
        (
            "names, versions and texts within the vendor's limits; one firmware for a version of a module",
            DOCUMENTED,
            f"{_VENDOR}; error codes of the upstream API",
        ),
        (
            "FirmwareUrl and FirmwareSign are required and compared with the file",
            INFERRED,
            "the stricter of two readings",
        ),
        ("ProductKey is required", INVENTED, "the documents do not describe a firmware without product"),
        ("at most 500 firmware entries", DOCUMENTED, "error codes of the upstream API"),
    ),
    *_rows(
        "ModifyOTAFirmware",
        ("changes description and Udi", DOCUMENTED, _VENDOR),
        ("a name other than the current one is refused", INFERRED, "the name is required and cannot be changed"),
    ),
    *_rows(
        "DeleteOTAFirmware",
        ("deletes the firmware", DOCUMENTED, _VENDOR),
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
        ("VerifyProgress is the share of ended device tasks", INFERRED, "0 to 100 in the upstream API"),
    ),
    *_rows("CreateOTAModule", ("at most ten besides default, which is reserved", DOCUMENTED, _VENDOR)),
    *_rows("UpdateOTAModule", ("changes alias and description", DOCUMENTED, _VENDOR)),
    *_rows(
        "DeleteOTAModule",
        ("refused for default and for a module with firmware", DOCUMENTED, "error codes of the upstream API"),
    ),
    *_rows("ListOTAModuleByProduct", ("a list under Data, times to the minute", DOCUMENTED, _VENDOR)),
    *_rows(
        "CreateOTAVerifyJob",
        ("up to ten devices of the product that can take the firmware", DOCUMENTED, _UPSTREAM),
        ("refused while the firmware is being verified", DOCUMENTED, _UPSTREAM),
        (
            "ids of 19 digits that begin with the time, so that a new scenario repeats none",
            INVENTED,
            "the platform repeats no id",
        ),
        (
            "refused with VerifyFirmwareFailed once it is verified or needs no verification",
            INFERRED,
            "no code is documented",
        ),
        ("without names: ten online devices that can be upgraded", INVENTED, "the documents do not say which"),
        ("the firmware is verified when every device succeeded, failed otherwise", DOCUMENTED, _CONSOLE),
    ),
    *_rows(
        "CreateOTAStaticUpgradeJob",
        (
            "ALL, SPECIFIC, GRAY, GROUP with their rules; a verified firmware",
            DOCUMENTED,
            f"{_VENDOR}; error codes of the upstream API",
        ),
        ("devices on the new version are skipped; named ones are refused", DOCUMENTED, _CONSOLE),
        (
            "a share is rounded down, to at least one device, and takes the first devices",
            INFERRED,
            "the upstream API's rounding; it does not say which devices",
        ),
    ),
    *_rows("QueryOTAJob", ("the job with its settings, without counts", DOCUMENTED, _VENDOR)),
    *_rows(
        "CancelOTATaskByJob",
        (
            "at least one switch; CancelQueuedTask includes unconfirmed tasks if their own switch is absent",
            DOCUMENTED,
            _UPSTREAM,
        ),
        ("a job is CANCELED when every task was cancelled, COMPLETED otherwise", INVENTED, "the documents do not say"),
        (
            "cancelling queued tasks ends a job that has none yet (a quirk: has no effect)",
            INVENTED,
            "PLANNED is in the list of statuses but not described",
        ),
        (
            "a cancel for a job that has ended is refused",
            INVENTED,
            "JobAlreadyCanceled is documented, the other case is not",
        ),
    ),
    *_rows(
        "CancelOTATaskByDevice",
        ("tasks in CONFIRM, QUEUED and NOTIFIED", DOCUMENTED, _VENDOR),
        ("all of a call or none", INVENTED, "the documents do not say"),
    ),
    *_rows(
        "ConfirmOTATask",
        ("ten tasks at most; CONFIRM becomes QUEUED", DOCUMENTED, _VENDOR),
        ("all of a call or none", INVENTED, "the documents do not say"),
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
        ("up to 100 a page, by status or device, to the 100,000th task", DOCUMENTED, _UPSTREAM),
        ("in the order of the devices", INVENTED, "no order is documented"),
    ),
    *_rows(
        "ListOTAUnfinishedTaskByDevice",
        ("by IotId, or product and name; IotId takes precedence", DOCUMENTED, _UPSTREAM),
    ),
    *_rows("ListOTAModuleVersionsByDevice", ("versions that the device has reported", DOCUMENTED, _VENDOR)),
    *_rows(
        "QueryDevice", ("up to 50 a page, a token beyond the 10,000th device, secrets included", DOCUMENTED, _VENDOR)
    ),
    *_rows("BatchGetDeviceState", ("up to 50 devices", DOCUMENTED, _VENDOR)),
    *_rows("QueryProduct", ("one product", DOCUMENTED, _VENDOR)),
    *_rows("QueryProductList", ("up to 200 a page under Data.List", DOCUMENTED, _VENDOR)),
)
"""What the emulator does besides checking parameters."""

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
    **dict.fromkeys(_GATEWAY.split(), (DOCUMENTED, "upstream API's gateway")),
    **dict.fromkeys(_STORAGE.split(), (DOCUMENTED, "Alibaba OSS, PostObject")),
    **dict.fromkeys(_OPERATIONS.split(), (DOCUMENTED, "error codes of the upstream API for exactly this case")),
    **dict.fromkeys(_CHOSEN.split(), (INFERRED, "a documented code, chosen as the nearest for a case that has none")),
}
"""Every code that the emulator refuses with; ``Missing<Name>`` stands for each required parameter."""
