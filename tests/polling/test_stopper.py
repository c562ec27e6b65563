"""Stopping many jobs at once: every one of them, within the limit that the account has."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
from airflow_provider_tuya_ota.core.errors import AuthenticationError, ThrottledError, TransportError
from airflow_provider_tuya_ota.core.jobs import stop as cancelling
from airflow_provider_tuya_ota.core.jobs.cancel import cancel_job
from airflow_provider_tuya_ota.core.jobs.stopped import NotCounted, Stopped
from airflow_provider_tuya_ota.core.policy.rate import SECOND, RateLimitGroup
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.gateway.quotas import Quotas
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from airflow_provider_tuya_ota.polling import stopper as stopping
from airflow_provider_tuya_ota.polling.paced import LONGEST_QUEUE
from airflow_provider_tuya_ota.polling.stopper import _STOPPERS, AT_ONCE, FEW, Stopper, shared_stopper
from airflow_provider_tuya_ota.transports.limiter import RateLimiter, limiter_of
from tests.contract.worlds import Quiet, settings
from tests.emulator.plain_client import PlainClient, over_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.core.jobs.stopped import StopResult
    from airflow_provider_tuya_ota.core.settings import Settings

RATE = 20
MANY = 40


@pytest.fixture
def server() -> Iterator[EmulatorServer]:
    scenario = read({"products": [{"devices": MANY, "silent": 1.0}]})
    with EmulatorServer(Emulator(scenario=replace(scenario, quotas=Quotas(enabled=False)))) as server:
        yield server


def connected(server: EmulatorServer) -> Settings:
    return replace(settings(server.url), cancels_per_second=float(RATE), requests_per_second=1000.0)


def jobs(server: EmulatorServer, number: int) -> list[str]:
    plain_client = PlainClient(over_socket(server.url))
    firmware_id = plain_client.create_firmware(NeedToVerify="false")
    return [plain_client.upgrade(firmware_id, f"device-{place:03d}") for place in range(1, number + 1)]


def statuses(server: EmulatorServer) -> set[str]:
    return {task.status for task in server.emulator.world.engine.tasks.values()}


def asked(server: EmulatorServer, action: str) -> list[dict[str, Any]]:
    return [entry for entry in server.emulator.log if entry["action"] == action]


async def stop_all(stopper: Stopper, job_ids: list[str]) -> list[StopResult]:
    return await asyncio.gather(*(stopper.stop(job_id, listener=Quiet()) for job_id in job_ids))


async def test_a_single_job_is_stopped_and_counted(server: EmulatorServer) -> None:
    (job_id,) = jobs(server, 1)
    async with shared_stopper(connected(server)) as stopper:
        stopped = await stopper.stop(job_id, listener=Quiet())

    assert stopped == Stopped(cancelled=1, waiting=0, flashing=0)
    assert _STOPPERS[asyncio.get_running_loop()] == {}
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_two_processes_that_share_an_account_stop_every_job_of_many(server: EmulatorServer) -> None:
    job_ids = jobs(server, MANY)
    server.emulator.world.quotas = Quotas(
        figures=Quotas().figures | {"CancelOTATaskByJob": RATE, "ListOTATaskByJob": 1000}
    )
    where = connected(server)
    rates = {RateLimitGroup.CALLS: where.requests_per_second, RateLimitGroup.CANCELS: where.cancels_per_second}
    # Processes know nothing of each other's requests, so each has a budget of its own.
    one, other = (Stopper(AsyncTuyaOTAClient(where, listener=Quiet(), limiter=RateLimiter(rates))) for _ in range(2))
    try:
        outcomes = await asyncio.gather(stop_all(one, job_ids[::2]), stop_all(other, job_ids[1::2]))
    finally:
        await one.close()
        await other.close()

    assert statuses(server) == {"CANCELED"}
    assert {outcome == NotCounted() for outcome in outcomes[0]} == {True, False}
    assert len(asked(server, "CancelOTATaskByJob")) >= MANY


async def test_cancels_go_before_counts(server: EmulatorServer) -> None:
    job_ids = jobs(server, MANY)
    async with shared_stopper(connected(server)) as stopper:
        outcomes = await stop_all(stopper, job_ids)

    actions = [entry["action"] for entry in server.emulator.log]
    left_at_the_first_count = actions[actions.index("ListOTATaskByJob") :].count("CancelOTATaskByJob")
    assert left_at_the_first_count <= FEW
    assert outcomes.count(NotCounted()) >= MANY - FEW - 1


async def test_a_job_of_many_that_may_still_begin_is_cancelled_again(
    server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cancelling, "CANCEL_AGAIN_AFTER", ())
    world = server.emulator.world
    world.quirks = replace(world.quirks, task_delay=300.0, planned_cancel="nothing")
    job_ids = jobs(server, FEW + 5)

    async with shared_stopper(connected(server)) as stopper:
        outcomes = await stop_all(stopper, job_ids)
        uncounted = [job_id for job_id, outcome in zip(job_ids, outcomes, strict=True) if outcome == NotCounted()]
        later = await asyncio.gather(*(stopper.poll_stopped(job_id, listener=Quiet()) for job_id in uncounted))

    assert later
    assert all(isinstance(outcome, Stopped) and outcome.is_planned for outcome in later)


async def test_polls_after_many_cancels_leave_other_requests_their_turn(server: EmulatorServer) -> None:
    where = replace(connected(server), requests_per_second=5.0)
    job_ids = jobs(server, MANY)

    async with shared_stopper(where) as stopper:
        await stopper.stop(job_ids[0], listener=Quiet())
        polls = [asyncio.ensure_future(stopper.poll_stopped(job_id, listener=Quiet())) for job_id in job_ids]
        await asyncio.sleep(0.1)
        with limiter_of(where).reserve(RateLimitGroup.CALLS) as pause:
            pass
        for poll in polls:
            poll.cancel()
        await asyncio.gather(*polls, return_exceptions=True)

    assert pause <= LONGEST_QUEUE + SECOND * 2 / where.requests_per_second


async def test_jobs_whose_cancels_are_always_throttled_hold_up_no_other(server: EmulatorServer) -> None:
    job_ids = jobs(server, 20)
    throttled, others = job_ids[: AT_ONCE + 1], job_ids[AT_ONCE + 1 :]
    for job_id in throttled:
        server.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "throttle", "where": {"JobId": job_id}})

    async with shared_stopper(connected(server)) as stopper:
        endless = asyncio.gather(*(stopper.cancel(job_id, listener=Quiet()) for job_id in throttled))
        await asyncio.wait_for(asyncio.gather(*(stopper.cancel(job_id, listener=Quiet()) for job_id in others)), 60)
        endless.cancel()
        await asyncio.gather(endless, return_exceptions=True)

    cancelled = {task.job.job_id for task in server.emulator.world.engine.tasks.values() if task.status == "CANCELED"}
    assert cancelled == set(others)


async def test_jobs_whose_cancels_are_not_answered_hold_up_no_other(
    server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "SLOW", 0.2)
    job_ids = jobs(server, 20)
    hanging, others = job_ids[: AT_ONCE + 1], job_ids[AT_ONCE + 1 :]
    for job_id in hanging:
        server.emulator.faults.add(
            {"action": "CancelOTATaskByJob", "kind": "delay", "seconds": 60.0, "where": {"JobId": job_id}}
        )

    async with shared_stopper(connected(server)) as stopper:
        endless = [asyncio.ensure_future(stopper.cancel(job_id, listener=Quiet())) for job_id in hanging]
        await asyncio.sleep(0)
        await asyncio.wait_for(asyncio.gather(*(stopper.cancel(job_id, listener=Quiet()) for job_id in others)), 30)
        assert not any(one.done() for one in endless)
        for one in endless:
            one.cancel()
        await asyncio.gather(*endless, return_exceptions=True)

    cancelled = {task.job.job_id for task in server.emulator.world.engine.tasks.values() if task.status == "CANCELED"}
    assert cancelled >= set(others)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_jobs_whose_cancels_always_fail_hold_up_no_other(server: EmulatorServer) -> None:
    job_ids = jobs(server, 20)
    failing, others = job_ids[: AT_ONCE + 1], job_ids[AT_ONCE + 1 :]
    for job_id in failing:
        server.emulator.faults.add(
            {"action": "CancelOTATaskByJob", "kind": "status", "status": 503, "where": {"JobId": job_id}}
        )

    async with shared_stopper(connected(server)) as stopper:
        endless = [asyncio.ensure_future(stopper.cancel(job_id, listener=Quiet())) for job_id in failing]
        await asyncio.gather(*(stopper.cancel(job_id, listener=Quiet()) for job_id in others))
        tried = [entry["parameters"]["JobId"] for entry in asked(server, "CancelOTATaskByJob")]
        for one in endless:
            one.cancel()
        await asyncio.gather(*endless, return_exceptions=True)

    # None of those that fail was tried again before the last of the others.
    assert tried[: len(failing)] == failing
    assert set(tried[len(failing) :]) == set(others)


async def test_cancels_that_wait_for_their_turn_are_no_slow_ones(
    server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "SLOW", 0.01)
    job_ids = jobs(server, 2 * AT_ONCE)
    where = replace(connected(server), cancels_per_second=2.0)
    async with shared_stopper(where) as stopper:
        waiting = [asyncio.ensure_future(stopper.cancel(job_id, listener=Quiet())) for job_id in job_ids]
        await asyncio.sleep(0.3)
        backlog = limiter_of(where).backlog(RateLimitGroup.CANCELS)
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    # One is sent, and so many others have their turns.
    assert backlog <= (AT_ONCE + 1) * SECOND / where.cancels_per_second


async def test_a_refusal_after_a_lost_answer_leaves_a_cancel_in_doubt(
    server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "PAUSE", 0.0)
    (job_id,) = jobs(server, 1)
    server.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "drop_after", "nth": 1})
    server.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "skew", "seconds": 7200.0, "nth": 2})

    async with shared_stopper(connected(server)) as stopper:
        with pytest.raises(AuthenticationError) as refused:
            await stopper.cancel(job_id, listener=Quiet())

    assert refused.value.in_doubt


async def test_why_a_job_is_not_cancelled_yet_is_explained(server: EmulatorServer) -> None:
    job_ids = jobs(server, AT_ONCE + 1)
    slow = {"action": "CancelOTATaskByJob", "kind": "delay", "seconds": 0.5}
    server.emulator.faults.add(slow)
    async with shared_stopper(connected(server)) as stopper:
        waiting = [asyncio.create_task(stopper.cancel(job_id, listener=Quiet())) for job_id in job_ids]
        await asyncio.sleep(0.2)

        assert stopper.explain(job_ids[0]) == "its cancel is not answered yet"
        assert stopper.explain(job_ids[-1]) == f"{len(job_ids)} jobs are being stopped at once"
        await asyncio.gather(*waiting)


async def test_an_outage_is_waited_out(server: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "PAUSE", 0.05)
    job_ids = jobs(server, 3)
    server.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "outage", "seconds": 0.3, "nth": 1})

    async with shared_stopper(connected(server)) as stopper:
        await stop_all(stopper, job_ids)

    assert statuses(server) == {"CANCELED"}


async def test_a_refusal_after_a_lost_answer_may_come_from_the_cancel_before(
    server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "PAUSE", 0.05)
    (job_id,) = jobs(server, 1)
    server.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "drop_after", "nth": 1})

    async with shared_stopper(connected(server)) as stopper:
        stopped = await stopper.stop(job_id, listener=Quiet())

    assert stopped == Stopped(cancelled=1, waiting=0, flashing=0, is_taken=True)
    assert len(asked(server, "CancelOTATaskByJob")) == 2


async def test_the_last_of_many_failures_says_that_an_earlier_cancel_may_have_been_accepted(
    server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "PAUSE", 0.05)
    monkeypatch.setattr(stopping, "RETRY_SECONDS", 0.01)
    (job_id,) = jobs(server, 1)
    server.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "drop_after", "nth": 1})
    server.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "throttle"})

    async with shared_stopper(connected(server)) as stopper:
        with pytest.raises(ThrottledError) as failure:
            await stopper.stop(job_id, listener=Quiet())

    assert failure.value.in_doubt


async def test_an_outage_without_end_is_reported(server: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "PAUSE", 0.05)
    monkeypatch.setattr(stopping, "RETRY_SECONDS", 0.2)
    (job_id,) = jobs(server, 1)
    server.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "drop_before"})

    async with shared_stopper(connected(server)) as stopper:
        with pytest.raises(TransportError):
            await stopper.stop(job_id, listener=Quiet())


async def test_a_refusal_that_no_time_mends_is_reported_at_once(server: EmulatorServer) -> None:
    (job_id,) = jobs(server, 1)
    where = connected(server)
    wrong = replace(where, credentials=replace(where.credentials, access_key_secret=Secret("another-secret")))

    async with shared_stopper(wrong) as stopper:
        with pytest.raises(AuthenticationError):
            await stopper.stop(job_id, listener=Quiet())


async def test_an_own_mistake_is_reported_to_every_wait_and_hurts_no_other(
    server: EmulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_ids = jobs(server, 2)
    monkeypatch.setattr(
        stopping, "cancel_job", lambda where, job, retry: 1 / 0 if job == job_ids[0] else cancel_job(where, job, retry)
    )

    async with shared_stopper(connected(server)) as stopper:
        first, second = await asyncio.gather(
            *(stopper.stop(job_id, listener=Quiet()) for job_id in job_ids), return_exceptions=True
        )

    assert isinstance(first, ZeroDivisionError)
    assert isinstance(second, Stopped)


async def test_a_stop_that_nobody_waits_for_any_more_is_not_sent(server: EmulatorServer) -> None:
    job_ids = jobs(server, 6)
    server.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "delay", "seconds": 0.3})
    async with shared_stopper(connected(server)) as stopper:
        waiting = [asyncio.create_task(stopper.stop(job_id, listener=Quiet())) for job_id in job_ids]
        await asyncio.sleep(0)
        waiting[-1].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    assert job_ids[-1] not in {entry["parameters"]["JobId"] for entry in asked(server, "CancelOTATaskByJob")}
    assert stopper.unfinished == 0
