"""Codes of the platform beside OTA: system, products, devices, groups.

Source: https://help.aliyun.com/en/iot/developer-reference/error-codes .
"""

from __future__ import annotations

from typing import Final

from airflow_provider_tuya_ota.core.codes.meaning import LATER, Meaning
from airflow_provider_tuya_ota.core.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
)

_INSTANCE = "Check API host of the connection: it belongs to another service instance, or to none."
_PAGE = "Page numbers begin at 1 and each list has a largest page; the iterators of the client keep to both."
_PRODUCT = "Check product_key against the console's list of products."
_DEVICES = "Check the device names against the product, letter by letter."

PLATFORM: Final[dict[str, Meaning]] = {
    "iot.system": Meaning(InvalidRequestError, "Report the request id to the vendor."),
    "iot.system.SystemException": Meaning(UnavailableError, LATER),
    "iot.system.InstanceNotFound": Meaning(NotFoundError, _INSTANCE),
    "iot.system.UidNotFound": Meaning(PermissionDeniedError, "The AccessKey belongs to no account of this instance."),
    "iot.system.IllegalRequest": Meaning(InvalidRequestError, "Compare the parameters with the vendor's page."),
    "iot.Sre.IotInstanceNotFound": Meaning(NotFoundError, _INSTANCE),
    "iot.common": Meaning(InvalidRequestError, "Compare the parameters with the vendor's page."),
    "iot.common.InvalidPageParams": Meaning(InvalidRequestError, _PAGE),
    "iot.common.InvalidTenant": Meaning(PermissionDeniedError, "The account is not open on this service instance."),
    "iot.common.QueryDeviceActionError": Meaning(UnavailableError, LATER),
    "iot.common.QueryProductActionError": Meaning(UnavailableError, LATER),
    "iot.common.RamActionPermissionDeny": Meaning(PermissionDeniedError, "Ask the account's owner for permission."),
    "iot.common.AuthActionPermissionDeny": Meaning(
        PermissionDeniedError, "The resource belongs to another account: check the product key and the connection."
    ),
    "iot.common.InvalidFormattedParameter": Meaning(
        InvalidRequestError, "Correct the parameter that the message names."
    ),
    "iot.common.APINotSupportedInInstance": Meaning(
        InvalidRequestError, "This service instance does not offer the operation."
    ),
    "iot.check": Meaning(InvalidRequestError, "Correct the parameter that the message names."),
    "iot.check.InvalidFormattedParameter": Meaning(
        InvalidRequestError, "Correct the parameter that the message names."
    ),
    "iot.check.ParameterIsNotLessThanMax": Meaning(InvalidRequestError, "Give fewer items in one call."),
    "iot.prod": Meaning(InvalidRequestError, _PRODUCT),
    "iot.prod.NotExistedProduct": Meaning(NotFoundError, _PRODUCT),
    "iot.prod.NullProductKey": Meaning(InvalidRequestError, "Give product_key."),
    "iot.prod.InvalidFormattedProductkey": Meaning(InvalidRequestError, _PRODUCT),
    "iot.prod.QueryProductListActionError": Meaning(UnavailableError, LATER),
    "iot.Prod.NotProductOwner": Meaning(PermissionDeniedError, "The product belongs to another account."),
    "iot.device": Meaning(InvalidRequestError, _DEVICES),
    "iot.device.NotExistedDevice": Meaning(NotFoundError, _DEVICES),
    "iot.device.NullDeviceName": Meaning(InvalidRequestError, "A device name is empty; leave it out."),
    "iot.device.InvalidFormattedDeviceName": Meaning(InvalidRequestError, _DEVICES),
    "iot.device.InvalidIoTId": Meaning(NotFoundError, "Check iot_id, or name the device by product and name instead."),
    "iot.device.InactiveDevice": Meaning(ConflictError, "The device has never been online; let it connect once."),
    "iot.device.NoneDeviceNameElement": Meaning(InvalidRequestError, "Give at least one device name."),
    "iot.device.QueryDeviceListActionError": Meaning(UnavailableError, LATER),
    "iot.device.QueryDeviceStatusFailed": Meaning(UnavailableError, LATER),
    "iot.group": Meaning(InvalidRequestError, "Check group_id against the console's list of groups."),
    "iot.group.NotExistedGroup": Meaning(NotFoundError, "Check group_id against the console's list of groups."),
    "iot.group.NullGroupId": Meaning(InvalidRequestError, "target_selection GROUP needs group_id."),
}
