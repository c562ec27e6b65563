"""Wait for a job that was started elsewhere: the sensor.

What: succeeds when every device of the job has the new version, fails naming those that have not, and says how it
went. Why: jobs that a person starts in the vendor's console can gate what follows in Airflow. When: the job's id is
known. Needs the connection `tuya_ota_default`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import DAG, Param, get_current_context, task

from airflow_provider_tuya_ota import forms
from airflow_provider_tuya_ota.notifications import last_report
from airflow_provider_tuya_ota.sensors.job import TuyaOTAJobSensor

if TYPE_CHECKING:
    from airflow.sdk import Context

with DAG(
    dag_id="watch_job",
    schedule=None,
    catchup=False,
    tags=["ota"],
    doc_md=__doc__,
    params={
        "job_id": Param(
            None,
            type="string",
            pattern=forms.JOB_ID,
            title="Job",
            description="Id of a verification or upgrade job, as the console shows it.",
        ),
    },
):
    wait = TuyaOTAJobSensor(
        task_id="wait_for_job",
        job_id="{{ params.job_id }}",
        timeout=24 * 60 * 60,
        deferrable=True,
    )

    @task(retries=0)
    def notify() -> str:
        """Report the result."""
        context: Context = get_current_context()
        release = last_report(context, ["wait_for_job"])
        context["task"].log.info("%s", release["text"])
        return str(release["text"])

    # A teardown runs however the task before it ended, and does not turn a failed run into a successful one.
    wait >> notify().as_teardown()
