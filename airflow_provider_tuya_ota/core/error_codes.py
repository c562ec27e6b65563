"""Which class and which advice belong to a platform code.

The vendor's own page of codes is not public; the codes are those of the Alibaba original
(https://help.aliyun.com/en/iot/developer-reference/error-codes), read by the longest matching prefix so that a code
nobody documented still lands where it belongs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from airflow_provider_tuya_ota.core.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    ThrottledError,
    UnavailableError,
)


class Meaning(NamedTuple):
    """What a code means to the reader of a task log."""

    kind: type[ApiError]
    advice: str = ""


_CHECK_KEY = "Check Login and Password of the connection against the console's key management."
_LATER = "The platform is busy; the request may be repeated later."
_SEND_COMMON = "Switch on send_common_parameters of the connection."

_MEANINGS: Final[dict[str, Meaning]] = {
    # gateway
    "SignatureDoesNotMatch": Meaning(AuthenticationError, f"The AccessKey secret is wrong. {_CHECK_KEY}"),
    "IncompleteSignature": Meaning(AuthenticationError, _CHECK_KEY),
    "InvalidAccessKeyId": Meaning(AuthenticationError, f"This AccessKey ID is not known. {_CHECK_KEY}"),
    "SignatureNonceUsed": Meaning(
        AuthenticationError, "A proxy may be replaying requests: each is signed with a nonce of its own."
    ),
    "InvalidTimeStamp": Meaning(AuthenticationError, "Set this machine's clock by NTP."),
    "IllegalTimestamp": Meaning(AuthenticationError, "Set this machine's clock by NTP."),
    "Forbidden": Meaning(PermissionDeniedError, "Ask the owner of the account to permit this operation."),
    "Missing": Meaning(InvalidRequestError),
    "MissingFormat": Meaning(InvalidRequestError, _SEND_COMMON),
    "MissingSignatureVersion": Meaning(InvalidRequestError, _SEND_COMMON),
    "MissingVersion": Meaning(InvalidRequestError, _SEND_COMMON),
    "InvalidParameter": Meaning(InvalidRequestError),
    "InvalidVersion": Meaning(InvalidRequestError, "Check api_version of the connection."),
    "InvalidAction": Meaning(InvalidRequestError, "Check the operation's name and api_version of the connection."),
    "UnsupportedOperation": Meaning(InvalidRequestError),
    "Throttling": Meaning(ThrottledError, "Lower requests_per_second of the connection."),
    "ServiceUnavailable": Meaning(UnavailableError, _LATER),
    "InternalError": Meaning(UnavailableError, _LATER),
    # system
    "iot.system.SystemException": Meaning(UnavailableError, _LATER),
    "iot.system": Meaning(InvalidRequestError),
    "iot.common.RamActionPermissionDeny": Meaning(PermissionDeniedError, "Ask the account's owner for permission."),
    "iot.common.AuthActionPermissionDeny": Meaning(
        PermissionDeniedError, "The resource belongs to another account: check the product key and the connection."
    ),
    "iot.common": Meaning(InvalidRequestError),
    "iot.check": Meaning(InvalidRequestError),
    # products and devices
    "iot.prod.NotExistedProduct": Meaning(NotFoundError, "Check the product key."),
    "iot.Prod.NotProductOwner": Meaning(PermissionDeniedError, "The product belongs to another account."),
    "iot.prod": Meaning(InvalidRequestError),
    "iot.device.NotExistedDevice": Meaning(NotFoundError, "Check the device names against the product."),
    "iot.device": Meaning(InvalidRequestError),
    "iot.group.NotExistedGroup": Meaning(NotFoundError, "Check the group id."),
    # over the air
    "iot.firmware.AlreadyExisted": Meaning(ConflictError, "Choose another name or version, or use that package."),
    "iot.firmware.CancelUpgradeTaskFailed": Meaning(
        ConflictError, "What has ended or is flashing cannot be cancelled; look at the job's device tasks."
    ),
    "iot.firmware.CreateFirmwareFailure": Meaning(UnavailableError, _LATER),
    "iot.firmware.CreateOTAUpgradeJobFailure": Meaning(UnavailableError, _LATER),
    "iot.firmware.DeviceUpgradeRecordNotFound": Meaning(NotFoundError, "The device has no upgrade running."),
    "iot.firmware.DeviceWithDestinationVersionInArray": Meaning(
        ConflictError, "Leave out the devices that already run this version."
    ),
    "iot.firmware.FirmwareAndProductKeyMismatch": Meaning(
        InvalidRequestError, "The package belongs to another product."
    ),
    "iot.firmware.FirmwareCountExceedMax": Meaning(ConflictError, "Delete packages that are no longer needed."),
    "iot.firmware.FirmwareNotFound": Meaning(NotFoundError, "Check the firmware id."),
    "iot.firmware.FirmwareNotVerified": Meaning(ConflictError, "Verify the package first."),
    "iot.firmware.InProgressVerifyJobExisted": Meaning(
        ConflictError, "Wait for the running verification, or cancel it."
    ),
    "iot.firmware.IncorrectDeviceUpgradeJobStatus": Meaning(
        ConflictError, "A device that is flashing cannot be stopped."
    ),
    "iot.firmware.JobAlreadyCanceled": Meaning(ConflictError, "Nothing is left to cancel."),
    "iot.firmware.InvalidOTAJobId": Meaning(NotFoundError, "Check the job id."),
    "iot.firmware.NoDeviceCanUpgrade": Meaning(
        ConflictError, "No device of the selection can take this package: check versions, module and online state."
    ),
    "iot.firmware.NonVersionedDeviceInArray": Meaning(
        ConflictError, "A device has never reported a version; let it report one first."
    ),
    "iot.firmware.SrcVersionMismatch": Meaning(ConflictError, "A device does not run the package's source version."),
    "iot.firmware.SystemBusy": Meaning(UnavailableError, _LATER),
    "iot.firmware.TooManyDeviceUpgrade": Meaning(UnavailableError, _LATER),
    "iot.firmware.VerifyFirmwareFailed": Meaning(ConflictError, "Look at the package's state in the console."),
    "iot.firmware.CancelOTATaskByJobFailed": Meaning(UnavailableError, _LATER),
    "iot.firmware.ListOTA": Meaning(UnavailableError, _LATER),
    "iot.firmware": Meaning(InvalidRequestError),
    "iot.ota.OTAModuleNotExist": Meaning(NotFoundError, "Create the module first, or check its name."),
    "iot.ota": Meaning(InvalidRequestError),
}

_BY_STATUS: Final[dict[int, Meaning]] = {
    401: Meaning(AuthenticationError, _CHECK_KEY),
    403: Meaning(PermissionDeniedError),
    404: Meaning(NotFoundError),
    429: Meaning(ThrottledError, "Lower requests_per_second of the connection."),
}


def meaning_of(code: str, http_status: int) -> Meaning:
    """Find the longest documented prefix of a code, or read the HTTP status where there is none.

    A server failure is never read as a bad request, whatever its code: the platform may have acted on it.
    """
    matches = [prefix for prefix in _MEANINGS if code.lower().startswith(prefix.lower())]
    documented = _MEANINGS[max(matches, key=len)] if matches else None
    if http_status >= 500 and (documented is None or documented.kind is InvalidRequestError):  # noqa: PLR2004 - HTTP's
        return Meaning(UnavailableError, _LATER)
    return documented or _BY_STATUS.get(http_status, Meaning(ApiError))


def api_error(*, action: str, code: str, message: str, request_id: str, http_status: int) -> ApiError:
    """Build the error that belongs to a refusal."""
    kind, advice = meaning_of(code, http_status)
    return kind(
        action=action,
        code=code,
        message=message,
        request_id=request_id,
        http_status=http_status,
        advice=advice,
    )
