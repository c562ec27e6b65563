"""Sets of upgrade jobs on the emulator, and the ways to wait for them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait, WaitedJob
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime.wait import wait_in_worker
from airflow_provider_tuya_ota.triggers.job_set import TuyaOTAJobSetTrigger

if TYPE_CHECKING:
    from tests.provider.conftest import Service

CONN = "tuya_ota_default"
LOG = logging.getLogger("test")


def options(seconds: float = 60.0) -> WaitOptions:
    return WaitOptions(deadline=datetime.now(UTC) + timedelta(seconds=seconds), poll_interval=0.1)


def trigger(*jobs: WaitedJob, seconds: float = 60.0, **more: Any) -> TuyaOTAJobSetTrigger:
    values: Any = [job.to_dict() for job in jobs]
    return TuyaOTAJobSetTrigger(jobs=values, tuya_ota_conn_id=CONN, options=options(seconds).to_dict(), **more)


def cancelled(service: Service) -> list[str]:
    """Name the jobs for which a cancel was sent, in order."""
    return [entry["parameters"]["JobId"] for entry in service.emulator.log if entry["action"] == "CancelOTATaskByJob"]


def blocking(jobs: list[WaitedJob], seconds: float = 60.0, **more: Any) -> Any:
    return wait_in_worker(TuyaOTAHook(CONN), JobSetWait(jobs, options(seconds), **more), LOG)
