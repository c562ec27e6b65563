"""One frozen dataclass for each operation of the platform; building one checks its parameters."""

from __future__ import annotations

from typing import Any, Final

from airflow_provider_tuya_ota.core.actions.base import Action
from airflow_provider_tuya_ota.core.actions.device import (
    BatchGetDeviceState,
    ListOTAModuleVersionsByDevice,
    QueryDevice,
    QueryProduct,
    QueryProductList,
)
from airflow_provider_tuya_ota.core.actions.firmware import (
    CreateOTAFirmware,
    DeleteOTAFirmware,
    GenerateOTAUploadURL,
    ListOTAFirmware,
    ModifyOTAFirmware,
    QueryOTAFirmware,
)
from airflow_provider_tuya_ota.core.actions.job import (
    CreateOTAVerifyJob,
    ListOTAJobByDevice,
    ListOTAJobByFirmware,
    QueryOTAJob,
)
from airflow_provider_tuya_ota.core.actions.module import (
    CreateOTAModule,
    DeleteOTAModule,
    ListOTAModuleByProduct,
    UpdateOTAModule,
)
from airflow_provider_tuya_ota.core.actions.task import (
    CancelOTATaskByDevice,
    CancelOTATaskByJob,
    ConfirmOTATask,
    ListOTATaskByJob,
    ListOTAUnfinishedTaskByDevice,
)
from airflow_provider_tuya_ota.core.actions.upgrade import CreateOTAStaticUpgradeJob

_ACTIONS: Final[tuple[type[Action[Any]], ...]] = (
    GenerateOTAUploadURL,
    CreateOTAFirmware,
    ModifyOTAFirmware,
    DeleteOTAFirmware,
    ListOTAFirmware,
    QueryOTAFirmware,
    CreateOTAModule,
    UpdateOTAModule,
    DeleteOTAModule,
    ListOTAModuleByProduct,
    CreateOTAVerifyJob,
    CreateOTAStaticUpgradeJob,
    QueryOTAJob,
    CancelOTATaskByJob,
    CancelOTATaskByDevice,
    ConfirmOTATask,
    ListOTAJobByFirmware,
    ListOTAJobByDevice,
    ListOTATaskByJob,
    ListOTAUnfinishedTaskByDevice,
    ListOTAModuleVersionsByDevice,
    QueryDevice,
    BatchGetDeviceState,
    QueryProduct,
    QueryProductList,
)
ALL_ACTIONS: Final[dict[str, type[Action[Any]]]] = {action.name: action for action in _ACTIONS}
"""Every operation by its name on the wire, in the order of the vendor's pages."""

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
