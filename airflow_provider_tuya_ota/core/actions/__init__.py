"""One frozen dataclass for each operation of the platform; building one checks it, before anything is sent."""

from __future__ import annotations

from typing import Any, Final

from airflow_provider_tuya_ota.core.actions.base import Action
from airflow_provider_tuya_ota.core.actions.firmware import (
    CreateOTAFirmware,
    GenerateOTAUploadURL,
    ListOTAFirmware,
    QueryOTAFirmware,
)
from airflow_provider_tuya_ota.core.actions.job import CreateOTAVerifyJob, ListOTAJobByFirmware, QueryOTAJob
from airflow_provider_tuya_ota.core.actions.task import CancelOTATaskByJob, ListOTATaskByJob

__all__ = [
    "ALL_ACTIONS",
    "Action",
    "CancelOTATaskByJob",
    "CreateOTAFirmware",
    "CreateOTAVerifyJob",
    "GenerateOTAUploadURL",
    "ListOTAFirmware",
    "ListOTAJobByFirmware",
    "ListOTATaskByJob",
    "QueryOTAFirmware",
    "QueryOTAJob",
]

ALL_ACTIONS: Final[dict[str, type[Action[Any]]]] = {
    action.name: action
    for action in (
        GenerateOTAUploadURL,
        CreateOTAFirmware,
        QueryOTAFirmware,
        ListOTAFirmware,
        CreateOTAVerifyJob,
        QueryOTAJob,
        ListOTAJobByFirmware,
        ListOTATaskByJob,
        CancelOTATaskByJob,
    )
}
"""Every operation by its name on the wire."""
