"""The results of a set of jobs together: which ended how, and every device task counted once."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import PollingFailedError, TriggerEventError
from airflow_provider_tuya_ota.core.model.failure_reasons import FailureReasons, ReasonCount
from airflow_provider_tuya_ota.core.model.job_results import (
    JobEnd,
    assess_jobs,
    devices_for_each,
    limit_devices,
)
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitEndedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.model.result_event import describe_result, rebuild_result
from airflow_provider_tuya_ota.core.model.verdict import DeviceState, Outcome, Verdict

LOST = PollingFailedError("job 4 could not be polled")


def verdict(job_id: str, outcome: Outcome = Outcome.SUCCEEDED, **counts: int) -> Verdict:
    return Verdict(
        job_id=job_id,
        firmware_id="178",
        job_type="UPGRADE_FIRMWARE",
        job_status="COMPLETED",
        firmware_status="",
        outcome=outcome,
        counts=counts,
    )


def failed(job_id: str, *reasons: str, others: int = 0, unread: int = 0, **counts: int) -> Verdict:
    table = FailureReasons(
        most_frequent=tuple(ReasonCount(reason, 1) for reason in reasons), others=others, unread=unread
    )
    values: dict[str, Any] = verdict(job_id, Outcome.FAILED, **counts).to_dict()
    return Verdict.from_dict(values | {"failure_reasons": table.to_dict()})


def named(job_id: str, number: int, outcome: Outcome = Outcome.FAILED) -> Verdict:
    values: dict[str, Any] = verdict(job_id, outcome, FAILED=number).to_dict()
    return Verdict.from_dict(
        values | {"devices": [DeviceState(f"d{one}", "FAILED").to_dict() for one in range(number)]}
    )


def test_each_job_is_listed_under_its_end_and_each_device_task_is_counted_once() -> None:
    together = assess_jobs(
        {
            "1": verdict("1", SUCCEEDED=40),
            "2": failed("2", "flash", "power", FAILED=2, SUCCEEDED=3),
            "3": WaitTimeoutError("late", verdict=verdict("3", Outcome.RUNNING, QUEUED=5, SUCCEEDED=1)),
            "4": LOST,
            "5": WaitEndedError("job 2 has failed", verdict=None),
            "6": JobFailedError("it contradicts itself", verdict=verdict("6", Outcome.SETTLING, SUCCEEDED=1)),
        }
    )

    assert {end: together.jobs(end) for end in JobEnd} == {
        JobEnd.SUCCEEDED: ("1",),
        JobEnd.FAILED: ("2", "6"),
        JobEnd.TIMED_OUT: ("3",),
        JobEnd.UNFINISHED: ("5",),
        JobEnd.UNKNOWN: ("4",),
    }
    assert together.counts == {"FAILED": 2, "QUEUED": 5, "SUCCEEDED": 45}
    assert together.failure_reasons.most_frequent == (ReasonCount("flash", 1), ReasonCount("power", 1))
    assert together.without_counts == ("4", "5")
    assert not together.has_succeeded
    assert together.line() == (
        "6 jobs: 1 succeeded, 2 failed (2, 6), 1 timed out (3), 1 unfinished (5), 1 unknown (4). Devices: 2 FAILED,"
        " 5 QUEUED, 45 SUCCEEDED; those of 2 jobs are not known. Reasons: 1 x flash; 1 x power"
    )


def test_a_set_succeeds_where_each_job_does() -> None:
    together = assess_jobs({"1": verdict("1", SUCCEEDED=1), "2": verdict("2", SUCCEEDED=2, FAILED=0)})

    assert together.has_succeeded
    assert together.line() == "2 jobs: 2 succeeded. Devices: 3 SUCCEEDED"


def test_no_jobs_are_no_success() -> None:
    assert not assess_jobs({}).has_succeeded


@pytest.mark.parametrize(
    ("result", "end", "counts"),
    [
        (verdict("1"), JobEnd.UNKNOWN, {}),
        (verdict("1", QUEUED=0), JobEnd.UNKNOWN, {}),
        (verdict("2", SUCCEEDED=1), JobEnd.UNKNOWN, {}),
        (verdict("1", Outcome.RUNNING, QUEUED=1), JobEnd.UNFINISHED, {"QUEUED": 1}),
        (verdict("1", Outcome.SETTLING, SUCCEEDED=1), JobEnd.UNFINISHED, {"SUCCEEDED": 1}),
        (JobFailedError("f", verdict=verdict("2", Outcome.SETTLING, SUCCEEDED=1)), JobEnd.UNKNOWN, {}),
        (WaitTimeoutError("late"), JobEnd.TIMED_OUT, {}),
    ],
    ids=["without tasks", "a count of zero", "another job", "running", "settling", "another job failed", "not polled"],
)
def test_what_proves_no_end_counts_as_none(result: Any, end: JobEnd, counts: dict[str, int]) -> None:
    together = assess_jobs({"1": result})

    assert together.ends == {"1": end}
    assert {status: number for status, number in together.counts.items() if number} == counts
    assert not together.has_succeeded


def test_reasons_are_added_up_and_the_rest_stays_counted() -> None:
    many = [f"reason {number:02}" for number in range(20)]
    together = assess_jobs(
        {
            "1": failed("1", *many, others=3, unread=1, FAILED=24),
            "2": failed("2", "reason 07", "another", others=1, unread=2, FAILED=5),
        }
    ).failure_reasons

    assert together.most_frequent[0] == ReasonCount("reason 07", 2)
    assert len(together.most_frequent) == 20
    assert (together.others, together.unread) == (5, 3)
    assert sum(one.number for one in together.most_frequent) + together.others + together.unread == 29


def test_undocumented_statuses_of_many_jobs_stay_bounded_and_counted() -> None:
    results = {str(job): verdict(str(job), Outcome.FAILED, **{f"ODD_{job}": 1, "OTHER": 1}) for job in range(30)}

    counts = assess_jobs(results).counts

    assert (len(counts), sum(counts.values())) == (11, 60)


def test_many_jobs_together_name_fifty_devices_or_one_each() -> None:
    assert [devices_for_each(jobs) for jobs in (1, 3, 50, 200)] == [50, 16, 1, 1]


@pytest.mark.parametrize(
    "result",
    [
        named("1", 5),
        JobFailedError("j" * 2000, verdict=named("1", 5)),
        WaitTimeoutError("j" * 2000, verdict=named("1", 5)),
        WaitEndedError("j" * 2000, verdict=named("1", 5)),
    ],
)
def test_a_result_that_travels_with_others_names_fewer_devices_and_keeps_its_counts(result: Any) -> None:
    limited: Any = limit_devices(result, 2)

    assert type(limited) is type(result)
    kept = limited if isinstance(limited, Verdict) else limited.verdict
    assert ([device.name for device in kept.devices], kept.counts) == (["d0", "d1"], {"FAILED": 5})
    assert len(str(limited)) <= 1000


@pytest.mark.parametrize("result", [LOST, WaitTimeoutError("late")])
def test_an_error_without_devices_stays_as_it_is(result: Any) -> None:
    assert limit_devices(result, 2) is result


@pytest.mark.parametrize(
    "result",
    [
        verdict("1", SUCCEEDED=1),
        failed("1", "flash", FAILED=1),
        JobFailedError("it contradicts itself", verdict=verdict("1", Outcome.SETTLING, SUCCEEDED=1)),
        JobFailedError("another version's words", verdict=failed("1", "flash", FAILED=1)),
        WaitTimeoutError("late", verdict=verdict("1", Outcome.RUNNING, QUEUED=1)),
        WaitTimeoutError("late"),
        WaitEndedError("job 2 has failed", verdict=verdict("1", Outcome.RUNNING, QUEUED=1)),
        WaitEndedError("job 2 has failed"),
        LOST,
    ],
)
def test_the_worker_goes_on_with_the_result_that_the_triggerer_had(result: Any) -> None:
    rebuilt: Any = rebuild_result(describe_result(result))

    assert (type(rebuilt), str(rebuilt)) == (type(result), str(result))
    assert getattr(rebuilt, "verdict", None) == getattr(result, "verdict", None)


@pytest.mark.parametrize("event", [None, {}, {"status": "success"}, {"status": "done", "message": ""}])
def test_an_event_of_another_version_is_refused(event: Any) -> None:
    with pytest.raises(TriggerEventError, match=rf"does not know \(status {(event or {}).get('status')!r}\)"):
        rebuild_result(event)
