from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import AuthenticationError, NotFoundError, PollingFailedError
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.model.verdict import Outcome
from airflow_provider_tuya_ota.core.status.poll_scheduler import PollScheduler
from airflow_provider_tuya_ota.core.wire.http import Response
from airflow_provider_tuya_ota.polling.poller import PollerBrokenError
from tests.polling.stage import Stage, play

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.wire.http import Request


def test_every_wait_ends_with_the_verdict_of_its_own_job() -> None:
    async def scene(stage: Stage) -> None:
        verdicts = await stage.wait_for_all()

        assert [verdict.job_id for verdict in verdicts] == list(stage.jobs)
        assert {verdict.outcome for verdict in verdicts} == {Outcome.SUCCEEDED}
        assert all(heard.reports[-1].outcome is Outcome.SUCCEEDED for heard in stage.heard.values())

    play(scene, 100, 4)


def test_a_single_wait_reports_every_step_of_its_job() -> None:
    async def scene(stage: Stage) -> None:
        (job,) = stage.jobs
        await stage.wait(job)

        seen = [report.line() for report in stage.heard[job].reports]
        assert len(set(seen)) > 2
        assert stage.count("ListOTAJobByFirmware") == 0

    play(scene, 1)


def test_two_waits_for_one_job_share_its_polls() -> None:
    async def scene(stage: Stage) -> None:
        (job,) = stage.jobs
        alone = asyncio.create_task(stage.wait(job))
        await asyncio.sleep(20)
        polls = stage.count("ListOTATaskByJob")
        other = asyncio.create_task(stage.wait(job))
        await asyncio.sleep(20)

        assert stage.count("ListOTATaskByJob") <= 2 * polls
        assert (await alone) == (await other)

    play(scene, 1)


def test_the_deadline_is_the_wait_s_own_and_has_a_last_poll() -> None:
    async def scene(stage: Stage) -> None:
        begun = stage.loop.time()
        polls = stage.count("ListOTATaskByJob")
        with pytest.raises(WaitTimeoutError, match="Last state: job") as caught:
            await stage.wait(next(iter(stage.jobs)), stage.options(seconds=40, poll_interval=3600))

        assert 40 <= stage.loop.time() - begun < 41
        assert stage.count("ListOTATaskByJob") == polls + 2
        assert caught.value.verdict is not None

    play(scene, 1, silent=True)


def test_a_thousand_waits_do_not_delay_a_last_poll() -> None:
    async def scene(stage: Stage) -> None:
        others = asyncio.ensure_future(stage.wait_for_all())
        await asyncio.sleep(60)
        begun = stage.loop.time()
        with pytest.raises(WaitTimeoutError):
            await stage.wait(next(iter(stage.jobs)), stage.options(seconds=20))
        assert stage.loop.time() - begun < 25
        others.cancel()
        await asyncio.gather(others, return_exceptions=True)

    play(scene, 300, 60, silent=True)


def test_a_platform_that_never_answers_holds_no_wait_past_its_deadline_for_long() -> None:
    async def scene(stage: Stage) -> None:
        async def send(request: Request) -> Response:
            await asyncio.sleep(100_000)
            raise AssertionError(request)

        stage.transport.send = send  # type: ignore[method-assign] # the test answers in place of the transport
        begun = stage.loop.time()
        waits = [stage.wait(job, stage.options(seconds=100)) for job in stage.jobs]
        results = await asyncio.gather(*waits, return_exceptions=True)

        assert {type(result) for result in results} == {WaitTimeoutError}
        assert stage.loop.time() - begun < 165

    play(scene, 50)


def test_an_outage_fails_no_wait_and_is_reported_to_each() -> None:
    async def scene(stage: Stage) -> None:
        waiting = asyncio.ensure_future(stage.wait_for_all())
        await asyncio.sleep(20)
        stage.fault("outage", seconds=3600, nth=1)
        verdicts = await waiting

        assert {verdict.outcome for verdict in verdicts} == {Outcome.SUCCEEDED}
        assert all(any("The wait for job" in note for note in heard.notes) for heard in stage.heard.values())

    play(scene, 100, 2)


def test_polls_that_fail_for_too_long_end_in_the_error_that_says_that_the_job_goes_on() -> None:
    async def scene(stage: Stage) -> None:
        (job,) = stage.jobs
        waiting = asyncio.create_task(stage.wait(job, stage.options(poll_error_tolerance=600)))
        await asyncio.sleep(30)
        stage.fault("status")
        begun = stage.loop.time()

        with pytest.raises(PollingFailedError, match="it goes on at the platform"):
            await waiting
        assert 600 <= stage.loop.time() - begun < 900

    play(scene, 1, silent=True)


def test_a_job_that_is_not_there_ends_its_own_wait_and_no_other() -> None:
    async def scene(stage: Stage) -> None:
        others = asyncio.ensure_future(stage.wait_for_all())
        with pytest.raises(NotFoundError):
            await stage.wait("404", firmware_id=next(iter(stage.jobs.values())))

        assert {verdict.outcome for verdict in await others} == {Outcome.SUCCEEDED}

    play(scene, 60)


def test_a_key_that_is_refused_ends_a_wait_that_has_seen_nothing() -> None:
    async def scene(stage: Stage) -> None:
        async def send(request: Request) -> Response:
            return Response(404, {}, b'{"Code":"InvalidAccessKeyId.NotFound","Message":"no"}')

        stage.transport.send = send  # type: ignore[method-assign] # the test answers in place of the transport
        results = await stage.wait_for_all()

        assert {type(result) for result in results} == {AuthenticationError}

    play(scene, 60)


def test_a_platform_that_lists_no_jobs_is_asked_for_each() -> None:
    async def scene(stage: Stage) -> None:
        inner = stage.transport.send

        async def send(request: Request) -> Response:
            answer = await inner(request)
            if "Action=ListOTAJobByFirmware" in request.url:
                return replace(answer, status=403, body=b'{"Code":"Forbidden.NoPermission","Message":"no"}')
            return answer

        stage.transport.send = send  # type: ignore[method-assign] # the platform refuses this one operation
        verdicts = await stage.wait_for_all()

        assert {verdict.outcome for verdict in verdicts} == {Outcome.SUCCEEDED}
        assert stage.count("ListOTAJobByFirmware") < 20

    play(scene, 100, 2)


def test_a_list_that_lags_behind_delays_a_verdict_and_changes_none() -> None:
    async def scene(stage: Stage) -> None:
        inner = stage.transport.send

        async def send(request: Request) -> Response:
            answer = await inner(request)
            if "Action=ListOTAJobByFirmware" in request.url:
                return replace(answer, body=answer.body.replace(b"COMPLETED", b"IN_PROGRESS"))
            return answer

        stage.transport.send = send  # type: ignore[method-assign] # the platform refuses this one operation
        verdicts = await stage.wait_for_all()

        assert {verdict.outcome for verdict in verdicts} == {Outcome.SUCCEEDED}

    play(scene, 60)


def test_a_device_that_fails_fails_its_job_alone() -> None:
    async def scene(stage: Stage) -> None:
        device = stage.emulator.world.products["k1demoproduct"].devices["device-0007"]
        device.behaviour = replace(device.behaviour, outcome="fails", at_progress=60, reason="bad block")

        verdicts = await stage.wait_for_all()

        failed = [verdict for verdict in verdicts if verdict.outcome is Outcome.FAILED]
        assert [verdict.failing[0].name for verdict in failed] == ["device-0007"]
        assert len(verdicts) == 100

    play(scene, 100, 5)


def test_a_contradiction_that_stays_is_no_success() -> None:
    async def scene(stage: Stage) -> None:
        inner = stage.transport.send

        async def send(request: Request) -> Response:
            answer = await inner(request)
            if "Action=ListOTATaskByJob" in request.url:
                return answer
            return replace(answer, body=answer.body.replace(b"IN_PROGRESS", b"COMPLETED"))

        stage.transport.send = send  # type: ignore[method-assign] # the platform refuses this one operation
        results = await stage.wait_for_all()

        assert {type(result) for result in results} == {JobFailedError}
        assert all("The platform has reported this for 300 s" in str(result) for result in results)

    play(scene, 60, silent=True)


def test_an_error_of_its_own_lets_every_wait_look_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(stage: Stage) -> None:
        waiting = asyncio.ensure_future(stage.wait_for_all())
        await asyncio.sleep(20)

        def mistaken(*_: Any) -> None:
            raise RuntimeError("a mistake of ours")

        monkeypatch.setattr(PollScheduler, "job_polled", mistaken)
        results = await waiting

        assert {type(result) for result in results} == {PollerBrokenError}
        assert stage.poller.is_broken
        with pytest.raises(PollerBrokenError, match="RuntimeError: a mistake of ours"):
            await stage.wait(next(iter(stage.jobs)))

    play(scene, 30)


def test_it_runs_in_no_wait_s_context() -> None:
    whose: ContextVar[str] = ContextVar("whose", default="nobody's")
    seen = set()

    async def scene(stage: Stage) -> None:
        inner = stage.transport.send

        async def send(request: Request) -> Response:
            seen.add(whose.get())
            return await inner(request)

        stage.transport.send = send  # type: ignore[method-assign] # listens in
        whose.set("the first wait's")
        await stage.wait(next(iter(stage.jobs)))

    whose.set("the test's")
    play(scene, 1)

    assert seen == {"nobody's"}
