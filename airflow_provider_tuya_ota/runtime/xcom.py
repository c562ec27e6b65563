"""What tasks push to XCom for later tasks, notifications and people, and under which keys.

Airflow's XCom page shows a text of digits as a rounded number, so each id is pushed once more inside a sentence, which
the page shows unchanged.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import StateUnavailableError
from airflow_provider_tuya_ota.hooks.airflow_api import repeat
from airflow_provider_tuya_ota.links import LINK_KEY

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.status.report import ReleaseReport
    from airflow_provider_tuya_ota.core.upload import EnsuredFirmware

REPORT_KEY: Final = "ota_release"
JOB_ID_KEY: Final = "job_id"
LANDED_KEY: Final = "landed_check"


def push_firmware(ti: Any, firmware: EnsuredFirmware, *, version: str, size: int) -> None:
    """Push the firmware that an upload created or found.

    :param size: of the file, in bytes.
    """
    values = {
        "firmware_id": firmware.firmware_id,
        "firmware": f"firmware {firmware.firmware_id}, version {version}",
        "sha256": firmware.digests["SHA256"],
        "size": size,
        "utc_create": firmware.utc_create,
        "request_id": firmware.request_id,
    }
    _push_all(ti, values, outcome=f"firmware {firmware.firmware_id} is uploaded, and a retry finds it")


def push_job(ti: Any, job: TrackedJob, *, link: str) -> None:
    """Push the job of a task.

    :param link: the job's page in the vendor's console.
    """
    values = {
        JOB_ID_KEY: job.job_id,
        "job": f"job {job.job_id} of firmware {job.firmware_id}",
        "firmware_id": job.firmware_id,
        "utc_create": job.utc_create,
        "request_id": job.request_id,
        LINK_KEY: link,
    }
    outcome = f"job {job.job_id} goes on, and a retry resumes it" if job.job_id else ""
    _push_all(ti, values, outcome=outcome, job_id=job.job_id)


def push_landed(ti: Any, summary: dict[str, Any]) -> None:
    """Push which versions devices run; a task that fails for them returns nothing."""
    _push_all(ti, {LANDED_KEY: summary}, outcome="nothing was changed")


def _push_all(ti: Any, values: dict[str, Any], *, outcome: str = "", job_id: str = "") -> None:
    for key, value in values.items():
        try:
            repeat(partial(ti.xcom_push, key=key, value=value), f"take the XCom {key}")
        except StateUnavailableError as error:
            raise StateUnavailableError(error.problem, reason=error.reason, outcome=outcome, job_id=job_id) from None


def pull_job_id(ti: Any, *, task_id: str, map_index: int | None) -> str:
    """Read which job a step of this run has pushed; empty where it pushed none.

    :raises StateUnavailableError: Airflow's API did not give it.
    """
    return str(pull(ti, JOB_ID_KEY, task_id=task_id, map_index=map_index) or "")


def push_report(ti: Any, report: ReleaseReport) -> None:
    """Push the report of a step, in place of the one that it left before."""
    _push_all(ti, {REPORT_KEY: report.to_dict()})


def pull_report(ti: Any, *, task_id: str, map_index: int | None) -> Any:
    """Read the report that a step of this run left, as it was pushed; None where it left none.

    :raises StateUnavailableError: Airflow's API did not give it.
    """
    return pull(ti, REPORT_KEY, task_id=task_id, map_index=map_index)


def pull(ti: Any, key: str, *, task_id: str, map_index: int | None) -> Any:
    """Read an XCom of a step of this run; None where there is none.

    :raises StateUnavailableError: Airflow's API did not give it.
    """
    read = partial(ti.xcom_pull, task_ids=task_id, key=key, map_indexes=map_index)
    return repeat(read, f"give the XCom {key} of step {task_id}")
