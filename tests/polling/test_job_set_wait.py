"""A set of jobs ends in the same way in a worker and in the triggerer, and lists many jobs with one request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient, TuyaOTAClient
from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.model.job_results import JobEnd, JobResult, JobSetVerdict, assess_jobs
from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.status import job_set_wait as separately
from airflow_provider_tuya_ota.core.status.end_rule import EndRule, every_end, first_failure
from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait, WaitedJob
from airflow_provider_tuya_ota.core.status.poll_events import JobSetEnded
from airflow_provider_tuya_ota.core.status.poll_scheduler import PollScheduler
from airflow_provider_tuya_ota.core.status.wait_state import KeyRefusedError
from airflow_provider_tuya_ota.polling.job_set_wait import wait_for_jobs
from airflow_provider_tuya_ota.polling.poller import Poller, PollerBrokenError
from airflow_provider_tuya_ota.transports.limiter import RateLimiter
from tests.campaigns.virtual import BIRTH, LoopWorld, VirtualLoop
from tests.contract.worlds import Quiet, VirtualWorld, settings
from tests.core.script import gateway, job, lost, ok, task
from tests.polling.stage import Heard, Stage, play
from tests.polling.test_modes import Blocking, Waiting, options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_tuya_ota.core.flows.events import FlowEvent
    from airflow_provider_tuya_ota.core.wire.http import Request, Response

HOUR = 3600.0
GONE = gateway("iot.firmware.InvalidOTAJobId", 404)
REFUSED = gateway("SignatureDoesNotMatch", 403)
AWAY = lost()
IDS = ("1", "2", "3")
STATUSES = {"SUCCEEDED": "COMPLETED", "FAILED": "COMPLETED", "UNSETTLED": "COMPLETED"}

Plays = dict[str, list[tuple[float, Any]]]
QUIET: list[tuple[float, Any]] = [(0, "QUEUED")]


def done(after: float, status: str = "SUCCEEDED") -> list[tuple[float, Any]]:
    return [*QUIET, (after, status)]


PLAYS: dict[str, tuple[Plays, EndRule, dict[JobEnd, tuple[str, ...]]]] = {
    "all succeed": (
        {"1": done(100), "2": done(900), "3": done(300)},
        every_end,
        {JobEnd.SUCCEEDED: IDS},
    ),
    "one fails": (
        {"1": done(100), "2": done(200, "FAILED"), "3": done(900)},
        every_end,
        {JobEnd.SUCCEEDED: ("1", "3"), JobEnd.FAILED: ("2",)},
    ),
    "the first failure ends it": (
        {"1": done(100), "2": done(500, "FAILED"), "3": done(9000)},
        first_failure,
        {JobEnd.SUCCEEDED: ("1",), JobEnd.FAILED: ("2",), JobEnd.UNFINISHED: ("3",)},
    ),
    "a contradiction that stays ends it": (
        {"1": done(100), "2": done(500, "UNSETTLED"), "3": QUIET},
        first_failure,
        {JobEnd.SUCCEEDED: ("1",), JobEnd.FAILED: ("2",), JobEnd.UNFINISHED: ("3",)},
    ),
    "one was never there": (
        {"1": [(0, GONE)], "2": done(500), "3": done(600)},
        first_failure,
        {JobEnd.SUCCEEDED: ("2", "3"), JobEnd.UNKNOWN: ("1",)},
    ),
    "one goes away": (
        {"1": done(3000), "2": [*QUIET, (100, GONE)], "3": done(600)},
        every_end,
        {JobEnd.SUCCEEDED: ("1", "3"), JobEnd.UNKNOWN: ("2",)},
    ),
    "one never ends": (
        {"1": done(3000), "2": QUIET, "3": done(100, "FAILED")},
        every_end,
        {JobEnd.SUCCEEDED: ("1",), JobEnd.FAILED: ("3",), JobEnd.TIMED_OUT: ("2",)},
    ),
    "none ends": (dict.fromkeys(IDS, QUIET), every_end, {JobEnd.TIMED_OUT: IDS}),
    "the key is refused from the first": (
        {job_id: [(0, REFUSED)] for job_id in IDS},
        every_end,
        {JobEnd.UNKNOWN: IDS},
    ),
    "the key is refused for a moment": (
        {job_id: [*QUIET, (300, REFUSED), (500, "SUCCEEDED")] for job_id in IDS},
        every_end,
        {JobEnd.SUCCEEDED: IDS},
    ),
    "the key is refused for good": (
        {"1": done(100), "2": [*QUIET, (300, REFUSED)], "3": [*QUIET, (300, REFUSED)]},
        every_end,
        {JobEnd.SUCCEEDED: ("1",), JobEnd.UNKNOWN: ("2", "3")},
    ),
    "an outage without end": (
        {"1": done(100), "2": [*QUIET, (300, AWAY)], "3": [*QUIET, (300, AWAY)]},
        every_end,
        {JobEnd.SUCCEEDED: ("1",), JobEnd.UNKNOWN: ("2", "3")},
    ),
}


@dataclass
class Stand:
    """A platform that shows each upgrade job as its play says."""

    plays: Plays
    time: Callable[[], float]
    asked: list[str] = field(default_factory=list)

    def delay(self, _: Request) -> float:
        return 0.0

    def answer(self, request: Request) -> Response:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        self.asked.append(asked["Action"])
        if asked["Action"] == "ListOTAJobByFirmware":
            return ok(data=[self._job(job_id) for job_id in self.plays], total=len(self.plays))
        state = self._state(asked["JobId"])
        if isinstance(state, Exception):
            raise state
        if not isinstance(state, str):
            answer: Response = state
            return answer
        if asked["Action"] == "QueryOTAJob":
            return ok(data=self._job(asked["JobId"]))
        status = "QUEUED" if state == "UNSETTLED" else state
        found = [task(f"device-{asked['JobId']}", status, taskDesc="worn flash")]
        return ok(data=found if asked.get("CurrentPage") == "1" else [], total=1)

    def _state(self, job_id: str) -> Any:
        return [state for begin, state in self.plays[job_id] if begin <= self.time()][-1]

    def _job(self, job_id: str) -> dict[str, Any]:
        status = STATUSES.get(str(self._state(job_id)), "IN_PROGRESS")
        return job(job_id, kind="UPGRADE_FIRMWARE", status=status)


def of(plays: Plays, ends: EndRule = every_end) -> JobSetWait:
    jobs = [WaitedJob(job_id=job_id, firmware_id="178", expected=(f"device-{job_id}",)) for job_id in plays]
    return JobSetWait(jobs, options(3 * HOUR), ends=ends)


class Listened(Heard):
    def __init__(self) -> None:
        super().__init__()
        self.verdicts: list[JobSetVerdict] = []

    def event(self, event: FlowEvent) -> None:
        super().event(event)
        if isinstance(event, JobSetEnded):
            self.verdicts.append(event.verdict)


def blocking(plays: Plays, ends: EndRule) -> tuple[dict[str, JobResult], float, Listened]:
    world, heard = VirtualWorld(), Listened()
    stand = Stand(plays, lambda: world.now - BIRTH)
    wait = of(plays, ends)
    where = settings("http://127.0.0.1:1")
    transport: Any = Blocking(stand, world.sleep)  # type: ignore[arg-type] # all that it needs of a stand
    with TuyaOTAClient(where, transport=transport, listener=heard, runtime=world) as client:
        while wait.unfinished:
            try:
                client.run(separately.wait_for_jobs(client.settings, wait))
            except TuyaOTAError as error:
                for event in wait.give_up(error):
                    heard.event(event)
    return wait.results, stand.time(), heard


def deferred(plays: Plays, ends: EndRule) -> tuple[dict[str, JobResult], float, Listened]:
    loop, heard = VirtualLoop(), Listened()
    stand = Stand(plays, loop.time)
    wait = of(plays, ends)

    async def run() -> None:
        world = LoopWorld(loop)
        limiter = RateLimiter({RateLimitGroup.CALLS: 10.0, RateLimitGroup.CANCELS: 10.0}, clock=loop.time)
        where = replace(settings("http://127.0.0.1:1"), requests_per_second=10.0)
        transport: Any = Waiting(stand)  # type: ignore[arg-type] # all that it needs of a stand
        client = AsyncTuyaOTAClient(where, transport=transport, listener=Quiet(), runtime=world, limiter=limiter)
        async with Poller(client) as poller:
            while wait.unfinished:
                try:
                    await wait_for_jobs(poller, wait, listener=heard, runtime=world)
                except KeyRefusedError as refused:
                    await asyncio.sleep(refused.pause)
                except TuyaOTAError as error:
                    for event in wait.give_up(error):
                        heard.event(event)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    try:
        loop.run_until_complete(run())
        return wait.results, loop.time(), heard
    finally:
        loop.close()


@pytest.mark.parametrize("name", PLAYS)
def test_a_worker_and_the_triggerer_come_to_the_same_results(name: str) -> None:
    plays, ends, expected = PLAYS[name]

    modes = {mode.__name__: mode(plays, ends) for mode in (blocking, deferred)}

    assert [heard.verdicts for _, _, heard in modes.values()] == [
        [assess_jobs(results)] for results, _, _ in modes.values()
    ]
    one, other = (assess_jobs(results) for results, _, _ in modes.values())
    assert {end: one.jobs(end) for end in JobEnd if one.jobs(end)} == expected
    assert one == other
    kinds = [{job_id: type(result) for job_id, result in results.items()} for results, _, _ in modes.values()]
    assert kinds[0] == kinds[1]
    assert abs(modes["blocking"][1] - modes["deferred"][1]) <= 4 * 15 + 60


def test_a_rule_sees_the_jobs_that_go_on() -> None:
    def flashes(results: Mapping[str, JobResult]) -> str:
        running = results.get("2")
        return "2 flashes" if isinstance(running, Verdict) and "IN_PROGRESS" in running.counts else ""

    for mode in (blocking, deferred):
        results, seconds, _ = mode({"1": QUIET, "2": [*QUIET, (500, "IN_PROGRESS")]}, flashes)

        assert assess_jobs(results).jobs(JobEnd.UNFINISHED) == ("1", "2")
        assert "because 2 flashes" in str(results["1"])
        assert 500 <= seconds < 500 + 90


def set_of(stage: Stage, ends: EndRule = every_end, **how: Any) -> JobSetWait:
    jobs = [WaitedJob(job_id=job_id, firmware_id=firmware_id) for job_id, firmware_id in stage.jobs.items()]
    return JobSetWait(jobs, stage.options(**how), ends=ends)


def test_many_jobs_of_one_firmware_are_listed_with_one_request() -> None:
    async def scene(stage: Stage) -> None:
        heard, wait = Heard(), set_of(stage)
        await wait_for_jobs(stage.poller, wait, listener=heard, runtime=stage.world)

        assert assess_jobs(wait.results).has_succeeded
        assert list(wait.results) == list(stage.jobs)
        assert assess_jobs(wait.results).counts == {"SUCCEEDED": 100}
        assert {report.outcome for report in heard.reports} >= {Outcome.RUNNING, Outcome.SUCCEEDED}
        each_by_itself = len(stage.jobs) * stage.loop.time() / 15
        assert stage.count("ListOTAJobByFirmware") > 0
        assert stage.count("ListOTATaskByJob") < each_by_itself / 2

    play(scene, 100)


def test_a_set_that_is_left_leaves_no_subscription() -> None:
    async def scene(stage: Stage) -> None:
        waiting = asyncio.create_task(wait_for_jobs(stage.poller, set_of(stage), listener=Quiet(), runtime=stage.world))
        await asyncio.sleep(20)
        assert len(stage.poller._jobs) == 10
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert stage.poller._jobs == {}

    play(scene, 10, silent=True)


def test_a_poller_that_breaks_is_left_and_the_wait_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(stage: Stage) -> None:
        wait = set_of(stage)
        waiting = asyncio.create_task(wait_for_jobs(stage.poller, wait, listener=Quiet(), runtime=stage.world))
        await asyncio.sleep(200)
        before = wait.results

        def fail(scheduler: PollScheduler, now: float, **_: Any) -> float:
            raise RuntimeError("a mistake of ours")

        monkeypatch.setattr(PollScheduler, "next", fail)
        with pytest.raises(PollerBrokenError) as caught:
            await waiting

        assert 0 < len(before) < 10
        assert caught.value.waits == 10 - len(before)
        assert wait.results == before

    play(scene, 10)
