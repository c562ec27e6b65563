"""Which jobs of a set are stopped when the time is over or the task is killed: the task's own, and only these."""

from __future__ import annotations

import asyncio
import logging
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin, TrackedJob
from airflow_provider_tuya_ota.core.model.job_results import JobEnd, assess_jobs
from airflow_provider_tuya_ota.core.model.states import JobType
from airflow_provider_tuya_ota.core.status.job_set_wait import WaitedJob
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime import kill as killing
from airflow_provider_tuya_ota.runtime.kill import RunningJobs, answer_kill
from airflow_provider_tuya_ota.runtime.late_stop import LateStop
from tests.provider.operators.test_verify_operator import fired
from tests.provider.triggers.job_sets import CONN, LOG, blocking, cancelled, trigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.triggers.job_set import TuyaOTAJobSetTrigger
    from tests.provider.conftest import FakeTask, Service
    from tests.provider.triggers.fake_triggerer import Line, Log


def test_the_triggerer_stops_only_those_late_jobs_that_are_the_task_s_own(
    service: Service, upgraded: Callable[..., list[WaitedJob]], log: Log
) -> None:
    jobs = upgraded("silent", "silent", "succeeds", kept=(1,))

    event = fired(trigger(*jobs, seconds=2.0))

    assert [one["status"] for one in event["jobs"]] == ["timeout", "timeout", "success"]
    assert ["stopped" in one for one in event["jobs"]] == [True, False, False]
    assert cancelled(service) == [jobs[0].job_id]


def late_results(jobs: list[WaitedJob], stopped: dict[str, str] | None = None) -> Any:
    stop = LateStop(CONN, jobs, stopped or {})
    return stop.wait(lambda: blocking(jobs, 2.0), lambda: blocking(jobs, 0.0), LOG)


def test_a_worker_stops_only_those_late_jobs_that_are_the_task_s_own(
    service: Service, upgraded: Callable[..., list[WaitedJob]]
) -> None:
    jobs = upgraded("silent", "silent", "succeeds", kept=(1,))

    results = late_results(jobs)

    assert cancelled(service) == [jobs[0].job_id]
    assert "1 device tasks cancelled, 0 are flashing" in str(results[jobs[0].job_id])
    assert "It goes on at the platform" in str(results[jobs[1].job_id])
    together = assess_jobs(results)
    assert list(together.ends.values()) == [JobEnd.TIMED_OUT, JobEnd.TIMED_OUT, JobEnd.SUCCEEDED]
    assert together.counts["CANCELED"] == together.counts["SUCCEEDED"] == 1


def test_what_the_triggerer_has_stopped_no_worker_stops_again(
    service: Service, upgraded: Callable[..., list[WaitedJob]]
) -> None:
    jobs = upgraded("silent", "silent")

    results = late_results(jobs, {jobs[0].job_id: "it was stopped before"})

    assert cancelled(service) == [jobs[1].job_id]
    assert str(results[jobs[0].job_id]).endswith("it was stopped before")
    assert "1 device tasks cancelled" in str(results[jobs[1].job_id])


def test_a_late_job_that_cannot_be_stopped_keeps_no_other_from_it(
    service: Service, upgraded: Callable[..., list[WaitedJob]]
) -> None:
    jobs = upgraded("silent", "silent")
    of_the_first = {"action": "CancelOTATaskByJob", "where": {"JobId": jobs[0].job_id}}
    service.emulator.faults.add({**of_the_first, "kind": "skew", "seconds": 7200.0})

    results = late_results(jobs)

    assert "Stopping it did not work either" in str(results[jobs[0].job_id])
    assert "1 device tasks cancelled" in str(results[jobs[1].job_id])


# --- killed ---


def test_without_a_connection_a_late_job_is_said_to_go_on_and_what_was_stopped_stays_said(
    service: Service, upgraded: Callable[..., list[WaitedJob]], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = upgraded("silent", "silent")

    def wait_and_lose_the_connection() -> Any:
        results = blocking(jobs, 1.0)
        monkeypatch.delenv("AIRFLOW_CONN_TUYA_OTA_DEFAULT")
        return results

    stop = LateStop(CONN, jobs, {jobs[0].job_id: "it was stopped before"})
    results = stop.wait(wait_and_lose_the_connection, wait_and_lose_the_connection, LOG)

    assert cancelled(service) == []
    assert str(results[jobs[0].job_id]).endswith("it was stopped before")
    assert "Stopping it did not work either" in str(results[jobs[1].job_id])


def killed(waiting: TuyaOTAJobSetTrigger, ti: FakeTask) -> None:
    waiting.task_instance = ti  # type: ignore[assignment] # all that the trigger asks of it
    asyncio.run(waiting.on_kill())


def test_a_person_s_kill_stops_each_job_of_the_task_s_own(
    service: Service,
    upgraded: Callable[..., list[WaitedJob]],
    log: Log,
    ti: FakeTask,
    supervisor: Callable[..., Line],
) -> None:
    jobs = upgraded("silent", "silent", "silent", kept=(1,))

    line = supervisor("failed")
    killed(trigger(*jobs), ti)

    assert sorted(cancelled(service)) == [jobs[0].job_id, jobs[2].job_id]
    assert len(line.asked) == 1
    assert f"Job {jobs[1].job_id} goes on at the platform, because on_cancel is 'keep'" in log.lines


def test_a_wait_that_goes_on_elsewhere_stops_none_of_its_jobs(
    service: Service,
    upgraded: Callable[..., list[WaitedJob]],
    log: Log,
    ti: FakeTask,
    supervisor: Callable[..., Line],
) -> None:
    jobs = upgraded("silent", "silent")

    supervisor("deferred")
    killed(trigger(*jobs), ti)

    assert cancelled(service) == []
    assert len([line for line in log.lines if "its task is deferred" in line]) == 2


def test_a_kill_leaves_a_job_alone_that_has_ended_and_stops_one_whose_state_is_not_known(
    service: Service,
    upgraded: Callable[..., list[WaitedJob]],
    log: Log,
    ti: FakeTask,
    supervisor: Callable[..., Line],
) -> None:
    jobs = upgraded("succeeds", "silent")
    lost = WaitedJob(job_id="404", on_cancel="stop")
    waiting = trigger(*jobs, lost)

    async def until_two_have_results() -> None:
        running = asyncio.ensure_future(anext(aiter(waiting.run())))
        while len(waiting._wait.results) < 2:  # noqa: ASYNC110 - the emulator runs in another thread
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(until_two_have_results())
    supervisor("failed")
    killed(waiting, ti)

    assert sorted(cancelled(service)) == sorted(["404", jobs[1].job_id])
    assert any(
        line.startswith("Job 404 was not stopped; cancel its device tasks in the vendor's console")
        for line in log.lines
    )


def test_a_triggerer_that_ends_meanwhile_names_only_jobs_whose_stop_is_not_known_yet(
    service: Service,
    upgraded: Callable[..., list[WaitedJob]],
    log: Log,
    ti: FakeTask,
    supervisor: Callable[..., Line],
) -> None:
    jobs = upgraded("silent", "silent", "silent", kept=(2,))
    of_the_second = {"action": "CancelOTATaskByJob", "where": {"JobId": jobs[1].job_id}}
    service.emulator.faults.add({**of_the_second, "kind": "delay", "seconds": 5.0})
    supervisor("failed")

    async def kill_and_end() -> None:
        waiting = trigger(*jobs)
        waiting.task_instance = ti  # type: ignore[assignment] # all that the trigger asks of it
        # Whatever still runs when this ends is cancelled, as when a triggerer ends.
        killing = asyncio.create_task(waiting.on_kill())
        while not any("1 device tasks cancelled" in line for line in log.lines):  # noqa: ASYNC110 - the emulator runs in another thread
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert not killing.done()

    asyncio.run(kill_and_end())

    (line,) = (line for line in log.lines if line.startswith("This triggerer has ended"))
    assert f"whether job {jobs[1].job_id} was stopped" in line


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect what the task logs."""
    said: list[str] = []
    for level in ("info", "warning", "error"):
        monkeypatch.setattr(logging.Logger, level, lambda _, text, *values, **__: said.append(text % values))
    return said


def killed_worker(jobs: list[WaitedJob], *origins: JobOrigin, state: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", staticmethod(lambda **_: {"run": {"task": state}}))
    tracked = [
        TrackedJob(job_id=job.job_id, firmware_id=job.firmware_id, kind=JobType.UPGRADE_FIRMWARE, origin=origin)
        for job, origin in zip(jobs, origins, strict=True)
    ]
    context: Any = {"ti": SimpleNamespace(dag_id="dag", run_id="run", task_id="task", map_index=-1)}
    return answer_kill(RunningJobs.of(context, TuyaOTAHook(CONN).get_settings(), *tracked), LOG)


@pytest.mark.parametrize("is_asked", [True, False])
def test_a_killed_worker_stops_each_job_of_its_own_and_counts_it(
    service: Service,
    upgraded: Callable[..., list[WaitedJob]],
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
    is_asked: bool,
) -> None:
    jobs = upgraded("silent", "silent", "silent")
    monkeypatch.setattr(killing, "KILLED_SECONDS", 30.0)
    origins = (JobOrigin.CREATED, JobOrigin.FOLLOWED, JobOrigin.RESUMED)

    assert killed_worker(jobs, *origins, state="failed" if is_asked else "running", monkeypatch=monkeypatch) is is_asked

    own = [jobs[0].job_id, jobs[2].job_id] if is_asked else []
    assert cancelled(service) == own
    assert all(any(line.startswith(f"job {job_id}: 1 device tasks cancelled") for line in said) for job_id in own)
    assert any(f"Job {jobs[1].job_id} goes on at the platform, because it is not certain" in line for line in said)


def test_a_killed_worker_names_the_job_that_it_could_not_stop_and_stops_the_others(
    service: Service, upgraded: Callable[..., list[WaitedJob]], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = upgraded("silent", "silent")
    monkeypatch.setattr(killing, "KILLED_SECONDS", 30.0)
    of_the_first = {"action": "CancelOTATaskByJob", "where": {"JobId": jobs[0].job_id}}
    service.emulator.faults.add({**of_the_first, "kind": "skew", "seconds": 7200.0})

    killed_worker(jobs, JobOrigin.CREATED, JobOrigin.CREATED, state="failed", monkeypatch=monkeypatch)

    assert len([line for line in said if f"Job {jobs[0].job_id} was not stopped" in line]) == 1
    assert any(line.startswith(f"job {jobs[1].job_id}: 1 device tasks cancelled") for line in said)


def test_a_killed_worker_says_of_each_job_what_is_known_when_its_time_is_over(
    service: Service, upgraded: Callable[..., list[WaitedJob]], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = upgraded("silent", "silent", "silent")
    monkeypatch.setattr(killing, "KILLED_SECONDS", 1.0)
    service.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "delay", "seconds": 3.0, "nth": 1})
    origins = (JobOrigin.FOLLOWED, JobOrigin.CREATED, JobOrigin.CREATED)

    killed_worker(jobs, *origins, state="failed", monkeypatch=monkeypatch)
    unknown = [line for line in said if line.startswith("Whether job")]
    # The thread goes on as long as the process lives, which is no task that dies here.
    for thread in threading.enumerate():
        if thread.name == "tuya-ota-kill":
            thread.join()

    assert [job.job_id in line for job, line in zip(jobs[1:], unknown, strict=True)] == [True, True]
    assert set(cancelled(service)) == {jobs[1].job_id, jobs[2].job_id}
