"""A set of jobs behind Airflow: deferred and blocking waits, a kill, and the end of the time."""

from __future__ import annotations

import asyncio
import json
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.serde import deserialize, serialize

from airflow_provider_tuya_ota.core.errors import InvalidParameterError, TriggerEventError, TuyaOTAError
from airflow_provider_tuya_ota.core.model.job_results import JobEnd, assess_jobs
from airflow_provider_tuya_ota.core.status.end_rule import first_failure
from airflow_provider_tuya_ota.core.status.job_set_wait import WaitedJob
from airflow_provider_tuya_ota.core.status.poll_events import JobWaitEnded
from airflow_provider_tuya_ota.core.status.poll_scheduler import PollScheduler
from airflow_provider_tuya_ota.polling import fallback
from airflow_provider_tuya_ota.runtime.wait import parse_event, parse_jobs
from airflow_provider_tuya_ota.triggers.job_set import TuyaOTAJobSetTrigger
from tests.provider.operators.test_verify_operator import fired
from tests.provider.triggers.job_sets import blocking, cancelled, trigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.provider.conftest import Service
    from tests.provider.triggers.fake_triggerer import Log

GOLDEN = Path(__file__).parent / "golden"


def test_it_is_rebuilt_from_what_it_serialises() -> None:
    path, kwargs = trigger(WaitedJob(job_id="1", on_cancel="stop"), WaitedJob(job_id="2")).serialize()

    assert path == "airflow_provider_tuya_ota.triggers.job_set.TuyaOTAJobSetTrigger"
    assert set(kwargs) == set(signature(TuyaOTAJobSetTrigger.__init__).parameters) - {"self"}
    stored: Any = deserialize(json.loads(json.dumps(serialize(kwargs))))
    assert TuyaOTAJobSetTrigger(**stored).serialize() == (path, kwargs)


@pytest.mark.parametrize("form", [1, 2])
def test_every_form_that_was_ever_stored_still_resumes(form: int) -> None:
    stored = json.loads((GOLDEN / f"job_set_trigger_{form}.json").read_text(encoding="utf-8"))

    jobs = [{"queried": None} | job for job in stored["jobs"]]
    assert TuyaOTAJobSetTrigger(**stored).serialize()[1] == stored | {"jobs": jobs}


@pytest.mark.parametrize(("jobs", "ends"), [((), "every_end"), (("1", "1"), "every_end"), (("1",), "some_day")])
def test_no_jobs_a_job_twice_and_an_unknown_rule_are_refused(jobs: tuple[str, ...], ends: str) -> None:
    with pytest.raises(InvalidParameterError):
        trigger(*(WaitedJob(job_id=job_id) for job_id in jobs), ends=ends)


def test_deferred_and_blocking_waits_come_to_the_same_results(
    service: Service, upgraded: Callable[..., list[WaitedJob]], log: Log
) -> None:
    jobs = [*upgraded("succeeds", "fails", "succeeds"), WaitedJob(job_id="404", on_cancel="stop")]

    event = json.loads(json.dumps(fired(trigger(*jobs))))
    waited = blocking(jobs)

    assert event["resume_state"] == {}
    assert [one["status"] for one in event["jobs"]] == ["success", "failure", "success", "error"]
    together = assess_jobs(parse_event(event))
    assert together == assess_jobs(waited)
    assert list(together.ends.values()) == [JobEnd.SUCCEEDED, JobEnd.FAILED, JobEnd.SUCCEEDED, JobEnd.UNKNOWN]
    assert together.counts == {"FAILED": 1, "SUCCEEDED": 2}
    assert together.line() in log.lines
    assert cancelled(service) == []
    found, stopped = parse_jobs(event)
    assert ([(job.job_id, job.on_cancel) for job in found], stopped) == (
        [(job.job_id, job.on_cancel) for job in jobs],
        {},
    )


def test_the_first_failure_ends_a_wait_that_says_so_and_stops_nothing(
    service: Service, upgraded: Callable[..., list[WaitedJob]], log: Log
) -> None:
    jobs = upgraded("silent", "fails", "silent")

    event = fired(trigger(*jobs, ends="first_failure", resume_state={"step": "wave"}))
    deferred = assess_jobs(parse_event(event))
    waited = assess_jobs(blocking(jobs, ends=first_failure))

    assert event["resume_state"] == {"step": "wave"}
    assert deferred.ends == waited.ends
    assert list(deferred.ends.values()) == [JobEnd.UNFINISHED, JobEnd.FAILED, JobEnd.UNFINISHED]
    assert cancelled(service) == []


def test_a_triggerer_whose_poller_breaks_waits_for_each_job_by_itself(
    service: Service, upgraded: Callable[..., list[WaitedJob]], log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(scheduler: PollScheduler, now: float, **_: Any) -> float:
        raise RuntimeError("a mistake of ours")

    jobs = upgraded("succeeds", "fails")
    monkeypatch.setattr(PollScheduler, "next", fail)
    monkeypatch.setattr(fallback, "interval_of_single_polls", lambda interval, **_: 3 * interval)
    waiting = trigger(*jobs)
    waits = waiting._wait.unfinished

    async def first() -> Any:
        return (await anext(aiter(waiting.run()))).payload

    together = assess_jobs(parse_event(asyncio.run(first())))

    assert list(together.ends.values()) == [JobEnd.SUCCEEDED, JobEnd.FAILED]
    assert [wait.options.poll_interval for wait in waits] == [pytest.approx(0.3)] * 2
    assert any("polling 2 jobs:" in line for line in log.lines)


@pytest.mark.parametrize("key", ["refused", "missing"])
def test_a_connection_that_cannot_be_used_ends_the_wait_for_each_job(
    service: Service, upgraded: Callable[..., list[WaitedJob]], log: Log, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = upgraded("silent", "silent")
    service.connect(password="of somebody else")
    if key == "missing":
        monkeypatch.delenv("AIRFLOW_CONN_TUYA_OTA_DEFAULT")

    event = fired(trigger(*jobs))
    waited = blocking(jobs)

    assert set(assess_jobs(parse_event(event)).ends.values()) == {JobEnd.UNKNOWN}
    kinds = [type(result) for result in waited.values()]
    assert kinds == [type(result) for result in parse_event(event).values()]
    assert len(kinds) == 2
    assert [line for line in log.lines if line.startswith("The wait for job")] == [
        JobWaitEnded(job_id, result.sentence).line()
        for job_id, result in parse_event(event).items()
        if isinstance(result, TuyaOTAError)
    ]
    assert cancelled(service) == []


def test_the_job_of_an_event_that_an_earlier_version_sent_is_kept() -> None:
    event = {"status": "timeout", "verdict": None, "message": "", "job_id": "1"}

    assert parse_jobs(event) == ([WaitedJob(job_id="1", on_cancel="keep")], {})


def test_what_the_triggerer_has_cancelled_is_known_by_job() -> None:
    late = {"status": "timeout", "verdict": None, "message": "", "on_cancel": "stop"}
    events = [late | {"job_id": "1", "stopped": "2 device tasks cancelled"}, late | {"job_id": "2"}]

    jobs, stopped = parse_jobs({"jobs": events})

    assert [job.job_id for job in jobs] == ["1", "2"]
    assert stopped == {"1": "2 device tasks cancelled"}


@pytest.mark.parametrize(
    "jobs",
    [
        [],
        ["1"],
        [{"status": "success"}],
        [{"job_id": "1", "status": "error", "error": {}}, {"job_id": "1", "status": "error", "error": {}}],
        "1",
    ],
)
def test_an_event_that_names_no_job_or_one_twice_is_refused(jobs: Any) -> None:
    with pytest.raises(TriggerEventError, match="does not know"):
        parse_event({"jobs": jobs})
    assert parse_jobs({"jobs": jobs}) == ([], {})
