"""Stop a job: cancel what its devices have not begun.

What: cancels the device tasks of a job that are in the chosen statuses; the log says what was there before and what is
left. Why: the quickest way to hold back a firmware that turns out to be bad, for those who have Airflow at hand and not
the vendor's console. When: a job is under way and should not be. A device that is flashing cannot be stopped. Running
it again does no harm. Needs the connection `tuya_ota_default`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import DAG, Param, get_current_context, task

from airflow_provider_tuya_ota import forms
from airflow_provider_tuya_ota.notifications import last_report
from airflow_provider_tuya_ota.operators.task import TuyaOTACancelJobOperator
from airflow_provider_tuya_ota.retry_policy import tuya_ota_retry_policy

if TYPE_CHECKING:
    from airflow.sdk import Context

with DAG(
    dag_id="stop_job",
    schedule=None,
    catchup=False,
    tags=["ota"],
    doc_md=__doc__,
    default_args={"retries": 3, "retry_policy": tuya_ota_retry_policy()},
    params={
        "job_id": Param(
            None,
            type="string",
            pattern=forms.JOB_ID,
            title="Job",
            description="Id of a verification or upgrade job, as the console shows it.",
        ),
        "queued": Param(
            default=True,
            type="boolean",
            title="Queued",
            description="Devices that were not notified yet: they are offline.",
        ),
        "notified": Param(
            default=True,
            type="boolean",
            title="Notified",
            description="Devices that were notified and have reported nothing yet.",
        ),
        "unconfirmed": Param(
            default=True, type="boolean", title="Unconfirmed", description="Devices whose task waits to be confirmed."
        ),
    },
):
    cancel = TuyaOTACancelJobOperator(
        task_id="cancel",
        job_id="{{ params.job_id }}",
        cancel_queued="{{ params.queued }}",
        cancel_notified="{{ params.notified }}",
        cancel_unconfirmed="{{ params.unconfirmed }}",
    )

    @task(retries=0)
    def notify() -> str:
        """Report the result."""
        context: Context = get_current_context()
        release = last_report(context, ["cancel"])
        context["task"].log.info("%s", release["text"])
        return str(release["text"])

    # A teardown runs however the task before it ended, and does not turn a failed run into a successful one.
    cancel >> notify().as_teardown()
