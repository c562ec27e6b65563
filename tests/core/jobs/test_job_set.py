from __future__ import annotations

from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.model.entities import Job
from airflow_provider_tuya_ota.core.model.states import JobStatus, JobType


def listed(job_id: str) -> Job:
    return Job(job_id=job_id, firmware_id="178", status=JobStatus.COMPLETED, type=JobType.UPGRADE_FIRMWARE)


def test_a_set_keeps_each_job_once_in_the_order_given_and_leaves_out_what_names_none() -> None:
    jobs = JobSet.of("2", "", "1", "2")

    assert list(jobs) == ["2", "1"]
    assert ("1" in jobs, "3" in jobs, "" in jobs) == (True, False, False)
    assert jobs == JobSet.listed([listed("2"), listed("1")])


def test_a_set_takes_its_jobs_out_of_a_list() -> None:
    assert JobSet.of("2").exclude_from([listed("1"), listed("2"), listed("3")]) == [listed("1"), listed("3")]
