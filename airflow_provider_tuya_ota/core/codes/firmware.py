"""Codes of OTA that begin with ``iot.firmware.``.

Source: https://help.aliyun.com/en/iot/developer-reference/error-codes .
"""

from __future__ import annotations

from typing import Final

from airflow_provider_tuya_ota.core.codes.meaning import LATER, Meaning
from airflow_provider_tuya_ota.core.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError

_FEATURE = "This platform has neither dynamic nor scheduled jobs; leave the parameter out."
_NAME = "Names take letters, digits, hyphens, underscores and brackets, begin with a letter or digit, 1 to 40 long."
_VERSION = "Versions take letters, digits, dots, underscores and hyphens, 1 to 64 long."
_DIGEST = "The uploaded bytes do not have the digest firmware_sign; upload the file again."
_UPLOAD = "Upload the file again: an address is valid for one firmware and one hour."
_GRAY = "gray_percent is a whole percent as text, 1 to 100."
_SELECTION = "target_selection is ALL, SPECIFIC, GRAY or GROUP."
_RETRY = "retry_interval is 0, 10, 30, 60 or 1440 minutes and needs retry_count 1, 2 or 5."
_JOB = "Check the job id; it is a text of about 19 digits, which spreadsheets and JavaScript round."
_TASK = "Check the task ids; ListOTATaskByJob gives them."
_MISSING = "Give the parameter that the message names."

_ROWS: Final[dict[str, Meaning]] = {
    "": Meaning(InvalidRequestError, "Compare the parameters with the vendor's page."),
    "AlreadyExisted": Meaning(ConflictError, "Choose another name or version, or use that firmware."),
    "AlreadyExistedFirmwareName": Meaning(ConflictError, "Choose another firmware_name, or use that firmware."),
    "AlreadyExistedFirmwareVersion": Meaning(
        ConflictError, "Give the new file a version of its own, or use the firmware that has this one."
    ),
    "BadlyFormattedGrayPercent": Meaning(InvalidRequestError, _GRAY),
    "BatchCancelDeviceUpgradeFailed": Meaning(UnavailableError, LATER),
    "BlankFirmwareName": Meaning(InvalidRequestError, _NAME),
    "CancelOTAStrategyByJobFailed": Meaning(UnavailableError, LATER),
    "CancelOTATaskByJobFailed": Meaning(UnavailableError, LATER),
    "CancelOptionIsMandatory": Meaning(InvalidRequestError, "Say which device tasks to cancel: at least one switch."),
    "CancelUpgradeTaskFailed": Meaning(
        ConflictError, "What has ended or is flashing cannot be cancelled; check the job's device tasks."
    ),
    "CreateFirmwareFailure": Meaning(UnavailableError, LATER),
    "CreateOTAUpgradeJobFailure": Meaning(UnavailableError, LATER),
    "DeleteFirmwareFailure": Meaning(ConflictError, "Wait until no job needs the firmware, then delete it."),
    "DeviceUpgradeRecordNotFound": Meaning(NotFoundError, "The device has no upgrade of this firmware running."),
    "DeviceWithDestinationVersionInArray": Meaning(
        ConflictError, "Leave out the devices that already run this version."
    ),
    "DynamicGrayNotSupported": Meaning(InvalidRequestError, _FEATURE),
    "DynamicSpecificNotSupported": Meaning(InvalidRequestError, _FEATURE),
    "EmptyFirmwareFile": Meaning(InvalidRequestError, "The uploaded file is empty; upload the right one."),
    "FireTime": Meaning(InvalidRequestError, _FEATURE),
    "FireTimeMustLargeThanCurrentTime": Meaning(InvalidRequestError, _FEATURE),
    "FireTimeTooLate": Meaning(InvalidRequestError, _FEATURE),
    "FireTimeTooShort": Meaning(InvalidRequestError, _FEATURE),
    "FirmwareAndProductKeyMismatch": Meaning(
        InvalidRequestError, "The firmware belongs to another product; check firmware_id and product_key."
    ),
    "FirmwareCountExceedMax": Meaning(ConflictError, "Delete firmwares that are no longer needed; 500 is the limit."),
    "FirmwareDescriptionExceedMaxLength": Meaning(InvalidRequestError, "Shorten the description to 100 characters."),
    "FirmwareNotFound": Meaning(NotFoundError, "Check firmware_id; the firmware may have been deleted."),
    "FirmwareNotVerified": Meaning(
        ConflictError, "Verify the firmware first, with TuyaOTACreateVerifyJobOperator before this task."
    ),
    "GenerateOTAUploadURLFailure": Meaning(UnavailableError, LATER),
    "GrayAppliesToStaticOnly": Meaning(InvalidRequestError, _FEATURE),
    "InProgressDynamicJobExisted": Meaning(ConflictError, "Wait for the running job, or cancel it in the console."),
    "InProgressVerifyJobExisted": Meaning(ConflictError, "Wait for the running verification, or cancel it."),
    "IncorrectDeviceUpgradeJobStatus": Meaning(ConflictError, "A device that is flashing cannot be stopped."),
    "IncorrectFormattedFirmwareName": Meaning(InvalidRequestError, _NAME),
    "IncorrectFormattedFirmwareVersion": Meaning(InvalidRequestError, _VERSION),
    "IncorrectFormattedModuleName": Meaning(InvalidRequestError, f"Module names are like versions. {_VERSION}"),
    "IncorrectFormattedSrcVersion": Meaning(InvalidRequestError, _VERSION),
    "InvalidDynamicMode": Meaning(InvalidRequestError, _FEATURE),
    "InvalidFirmware": Meaning(InvalidRequestError, "Check firmware_id and firmware_name; a name cannot be changed."),
    "InvalidFirmwareId": Meaning(InvalidRequestError, "Check firmware_id; it is a short text of digits."),
    "InvalidFirmwareSign": Meaning(InvalidRequestError, _DIGEST),
    "InvalidFirmwareSignMethod": Meaning(InvalidRequestError, "sign_method is MD5 or SHA256."),
    "InvalidFirmwareSize": Meaning(InvalidRequestError, "The uploaded file has another size; upload it again."),
    "InvalidFirmwareType": Meaning(InvalidRequestError, "Only full firmwares (type 0) exist here."),
    "InvalidFirmwareUrl": Meaning(InvalidRequestError, _UPLOAD),
    "InvalidGenerateOTAUploadURLParam": Meaning(
        InvalidRequestError, "Name the file with one of the suffixes bin, dav, apk, tar, gz, tar.gz, zip, gzip."
    ),
    "InvalidGrayPercent": Meaning(InvalidRequestError, _GRAY),
    "InvalidMaximumPerMinute": Meaning(InvalidRequestError, _FEATURE),
    "InvalidOTAJobId": Meaning(NotFoundError, _JOB),
    "InvalidOTATaskId": Meaning(NotFoundError, _TASK),
    "InvalidOverwriteMode": Meaning(InvalidRequestError, _FEATURE),
    "InvalidProductKey": Meaning(InvalidRequestError, "Check product_key against the console's list of products."),
    "InvalidRetryCount": Meaning(InvalidRequestError, _RETRY),
    "InvalidRetryInterval": Meaning(InvalidRequestError, _RETRY),
    "InvalidSelectionType": Meaning(InvalidRequestError, _SELECTION),
    "InvalidTargetSelection": Meaning(InvalidRequestError, _SELECTION),
    "InvalidTaskStatus": Meaning(ConflictError, "The device task is in another state; list the tasks again."),
    "InvalidTimeoutSetting": Meaning(InvalidRequestError, "timeout_in_minutes is 1 to 1440."),
    "JobAlreadyCanceled": Meaning(ConflictError, "Nothing is left to cancel."),
    "JobHasNoScheduleTime": Meaning(InvalidRequestError, _FEATURE),
    "ListOTA": Meaning(UnavailableError, LATER),
    "ListOTAFirmwareFailed": Meaning(UnavailableError, LATER),
    "ListOTAJobFailed": Meaning(UnavailableError, LATER),
    "ListOTAModuleFailed": Meaning(UnavailableError, LATER),
    "ListOTAModuleNameByProductFailed": Meaning(UnavailableError, LATER),
    "ListOTATaskByDeviceFailed": Meaning(UnavailableError, LATER),
    "ListOTATaskByJobFailed": Meaning(UnavailableError, LATER),
    "MalformedFirmwareUrl": Meaning(InvalidRequestError, _UPLOAD),
    "ModuleCountLimitExceeded": Meaning(ConflictError, "A product has ten modules of its own at most; delete one."),
    "ModuleNameReserved": Meaning(ConflictError, "The name default stands for the whole device; choose another."),
    "MoreThanOneSrcVersion": Meaning(InvalidRequestError, "Give one source version."),
    "NoDeviceCanUpgrade": Meaning(
        ConflictError, "No device of the selection can take this firmware: check versions, module and online state."
    ),
    "NonVersionedDeviceInArray": Meaning(
        ConflictError, "A device has never reported a version; let it report one first."
    ),
    "NotDynamicJob": Meaning(InvalidRequestError, _FEATURE),
    "NullFirmwareId": Meaning(InvalidRequestError, "Give firmware_id."),
    "NullFirmwareName": Meaning(InvalidRequestError, "Give firmware_name."),
    "NullFirmwareUrl": Meaning(InvalidRequestError, "Upload the file first; TuyaOTAUploadFirmwareOperator does both."),
    "NullFirmwareVersion": Meaning(InvalidRequestError, "Give the version."),
    "NullGrayPercent": Meaning(InvalidRequestError, f"target_selection GRAY needs it: {_GRAY}"),
    "NullOTAJobId": Meaning(InvalidRequestError, "Give the job id."),
    "NullSelectionType": Meaning(InvalidRequestError, _SELECTION),
    "NullSrcVersions": Meaning(InvalidRequestError, _MISSING),
    "NullTargetDeviceNames": Meaning(InvalidRequestError, "target_selection SPECIFIC needs device names."),
    "NullTargetSelection": Meaning(InvalidRequestError, _SELECTION),
    "NullTaskId": Meaning(InvalidRequestError, _TASK),
    "ParameterSizeExceedMax": Meaning(InvalidRequestError, "Give fewer items in one call."),
    "ReUpgradeFailedFirmwareNotVerified": Meaning(ConflictError, "Verify the firmware first."),
    "ScheduleFinishTime": Meaning(InvalidRequestError, _FEATURE),
    "ScheduleFinishTimeEarlierThanStartTime": Meaning(InvalidRequestError, _FEATURE),
    "ScheduleFinishTimeTooEarly": Meaning(InvalidRequestError, _FEATURE),
    "ScheduleFinishTimeTooLate": Meaning(InvalidRequestError, _FEATURE),
    "ScheduleFinishTimeWithoutStartTime": Meaning(InvalidRequestError, _FEATURE),
    "SrcDestVersionMatched": Meaning(InvalidRequestError, "Source and new version are the same; correct one of them."),
    "SrcVersionIsMandatory": Meaning(InvalidRequestError, "Give the source version."),
    "SrcVersionMismatch": Meaning(ConflictError, "A device does not run the firmware's source version; leave it out."),
    "SrcVersionsNotAllowed": Meaning(InvalidRequestError, "Source versions go with ALL and GRAY only."),
    "SrcVersionsSizeExceedMax": Meaning(InvalidRequestError, "Give ten source versions at most."),
    "SystemBusy": Meaning(UnavailableError, LATER),
    "SystemBusyForScheduleTime": Meaning(UnavailableError, LATER),
    "TargetDeviceNamesNotAllowed": Meaning(InvalidRequestError, "Device names go with target_selection SPECIFIC only."),
    "TooManyDeviceUpgrade": Meaning(UnavailableError, "Too many devices are upgrading at once; wait, or choose fewer."),
    "TooManyDeviceUpgradeForScheduleTime": Meaning(InvalidRequestError, _FEATURE),
    "UpgradeSrcVersionMismatch": Meaning(ConflictError, "Devices do not run the source version; choose others."),
    "VerifyFirmwareFailed": Meaning(ConflictError, "Check the firmware's state in the console."),
}
FIRMWARE: Final = {f"iot.firmware.{code}".removesuffix("."): meaning for code, meaning in _ROWS.items()}
"""By the whole code."""
