"""Codes of OTA modules, which begin with ``iot.ota.``.

Source: https://help.aliyun.com/en/iot/developer-reference/error-codes .
"""

from __future__ import annotations

from typing import Final

from airflow_provider_tuya_ota.core.codes.meaning import LATER, Meaning
from airflow_provider_tuya_ota.core.errors import ConflictError, InvalidRequestError, NotFoundError, UnavailableError

_CORRECT = "Correct the module's name, alias or description: 64 characters, and 100 for the description."

_ROWS: Final[dict[str, Meaning]] = {
    "": Meaning(InvalidRequestError, "Compare the parameters with the vendor's page."),
    "tag.KeyDuplicated": Meaning(InvalidRequestError, "This platform has no tags; leave them out."),
    "CreateOTAModuleFailure": Meaning(UnavailableError, LATER),
    "CreateOTAModuleParamError": Meaning(InvalidRequestError, _CORRECT),
    "CreateOTAModuleExceedLimit": Meaning(ConflictError, "A product has ten modules of its own at most; delete one."),
    "CreateOTAModuleNameExist": Meaning(ConflictError, "The product has a module of this name; use it."),
    "UpdateOTAModuleFailure": Meaning(UnavailableError, LATER),
    "UpdateOTAModuleParamError": Meaning(InvalidRequestError, _CORRECT),
    "DeleteOTAModuleParamError": Meaning(InvalidRequestError, _CORRECT),
    "DeleteOTAModuleFailure": Meaning(UnavailableError, LATER),
    "DeleteOTAModulePackageExist": Meaning(ConflictError, "Delete the firmwares of the module first."),
    "DeleteOtaDefaultModule": Meaning(ConflictError, "The module default stands for the whole device and stays."),
    "ListOTAModuleParamError": Meaning(InvalidRequestError, "Check product_key in the console."),
    "ListOTAModuleFailure": Meaning(UnavailableError, LATER),
    "OTAModuleNotExist": Meaning(NotFoundError, "Create the module first, or check its name."),
}
MODULE: Final = {f"iot.ota.{code}".removesuffix("."): meaning for code, meaning in _ROWS.items()}
"""By the whole code."""
