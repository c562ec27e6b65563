"""What tasks push to XCom, and under which keys: later tasks, notifications and people read it there.

Airflow's XCom page reads a text of digits as a number and rounds it, so each id is pushed once more inside a sentence,
which the page shows as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.links import LINK_KEY

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.status.report import ReleaseReport
    from airflow_provider_tuya_ota.core.upload import EnsuredFirmware

REPORT_KEY: Final = "ota_release"


def push_firmware(ti: Any, firmware: EnsuredFirmware, *, version: str, size: int) -> None:
    """Push the firmware that an upload created or found.

    :param size: of the file, in bytes.
    """
    ti.xcom_push(key="firmware_id", value=firmware.firmware_id)
    ti.xcom_push(key="firmware", value=f"firmware {firmware.firmware_id}, version {version}")
    ti.xcom_push(key="sha256", value=firmware.digests["SHA256"])
    ti.xcom_push(key="size", value=size)
    ti.xcom_push(key="utc_create", value=firmware.utc_create)
    ti.xcom_push(key="request_id", value=firmware.request_id)


def push_job(ti: Any, job: TrackedJob, *, link: str) -> None:
    """Push the job that a task goes on with.

    :param link: the job's page in the vendor's console.
    """
    ti.xcom_push(key="job_id", value=job.job_id)
    ti.xcom_push(key="job", value=f"job {job.job_id} of firmware {job.firmware_id}")
    ti.xcom_push(key="firmware_id", value=job.firmware_id)
    ti.xcom_push(key="utc_create", value=job.utc_create)
    ti.xcom_push(key="request_id", value=job.request_id)
    ti.xcom_push(key=LINK_KEY, value=link)


def push_report(ti: Any, report: ReleaseReport) -> None:
    """Push the report of a step, in place of the one that it left before."""
    ti.xcom_push(key=REPORT_KEY, value=report.to_dict())


def pull_report(ti: Any, *, task_id: str, map_index: int | None) -> Any:
    """Read the report that a step of this run left, as it was pushed; None where it left none."""
    return ti.xcom_pull(task_ids=task_id, key=REPORT_KEY, map_indexes=map_index)
