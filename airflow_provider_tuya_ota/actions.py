"""The operations of the platform, one frozen dataclass each; build one and give it to a client.

They are loaded when the first one is asked for; importing this module costs a Dag file nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import (
        ALL_ACTIONS,
        Action,
        BatchGetDeviceState,
        CancelOTATaskByDevice,
        CancelOTATaskByJob,
        ConfirmOTATask,
        CreateOTAFirmware,
        CreateOTAModule,
        CreateOTAStaticUpgradeJob,
        CreateOTAVerifyJob,
        DeleteOTAFirmware,
        DeleteOTAModule,
        GenerateOTAUploadURL,
        ListOTAFirmware,
        ListOTAJobByDevice,
        ListOTAJobByFirmware,
        ListOTAModuleByProduct,
        ListOTAModuleVersionsByDevice,
        ListOTATaskByJob,
        ListOTAUnfinishedTaskByDevice,
        ModifyOTAFirmware,
        QueryDevice,
        QueryOTAFirmware,
        QueryOTAJob,
        QueryProduct,
        QueryProductList,
        UpdateOTAModule,
    )

__all__ = [
    "ALL_ACTIONS",
    "Action",
    "BatchGetDeviceState",
    "CancelOTATaskByDevice",
    "CancelOTATaskByJob",
    "ConfirmOTATask",
    "CreateOTAFirmware",
    "CreateOTAModule",
    "CreateOTAStaticUpgradeJob",
    "CreateOTAVerifyJob",
    "DeleteOTAFirmware",
    "DeleteOTAModule",
    "GenerateOTAUploadURL",
    "ListOTAFirmware",
    "ListOTAJobByDevice",
    "ListOTAJobByFirmware",
    "ListOTAModuleByProduct",
    "ListOTAModuleVersionsByDevice",
    "ListOTATaskByJob",
    "ListOTAUnfinishedTaskByDevice",
    "ModifyOTAFirmware",
    "QueryDevice",
    "QueryOTAFirmware",
    "QueryOTAJob",
    "QueryProduct",
    "QueryProductList",
    "UpdateOTAModule",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("airflow_provider_tuya_ota.core.actions"), name)


def __dir__() -> list[str]:
    return __all__
