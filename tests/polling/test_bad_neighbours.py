"""The effect on a wait of other waits, of a list that does not work, and of answers at the wrong moment."""

from __future__ import annotations

import asyncio
import contextlib
import json
import traceback
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from airflow_provider_tuya_ota.core.errors import Delivery, NotFoundError, PollingFailedError, TransportError
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.core.model.verdict import Outcome
from airflow_provider_tuya_ota.core.status.condition_wait import ConditionWait
from airflow_provider_tuya_ota.core.status.conditions import DevicesCondition
from airflow_provider_tuya_ota.core.status.wait_state import WaitState
from airflow_provider_tuya_ota.core.wire.http import Response
from tests.contract.worlds import Quiet
from tests.polling.stage import RATE, Stage, play

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_provider_tuya_ota.core.wire.http import Request

REFUSED = Response(404, {}, b'{"Code":"InvalidAccessKeyId.NotFound","Message":"no"}')


def change(stage: Stage, answer: Callable[[Request], Awaitable[Response | None]]) -> None:
    """Let the platform answer some requests otherwise."""
    inner = stage.transport.send

    async def send(request: Request) -> Response:
        return await answer(request) or await inner(request)

    stage.transport.send = send  # type: ignore[method-assign] # a platform that behaves otherwise


def test_waits_of_another_kind_that_use_the_whole_budget_starve_no_job() -> None:
    async def scene(stage: Stage) -> None:
        deadline = datetime.fromtimestamp(stage.loop.wall(), UTC) + timedelta(days=1)
        # Each waits for a condition of its own, so none shares its polls.
        conditions = [
            DevicesCondition(
                product_key="k1demoproduct", device_names=[f"device-{number:04d}"], state="DISABLE", at_least=None
            )
            for number in range(1, 141)
        ]
        others = [
            asyncio.ensure_future(
                stage.poller.wait_for_condition(
                    ConditionWait(condition, deadline=deadline, poll_interval=15, state=WaitState()),
                    listener=Quiet(),
                    runtime=stage.world,
                )
            )
            for condition in conditions
        ]
        await asyncio.sleep(1)
        verdicts = await stage.wait_for_all()

        assert {verdict.outcome for verdict in verdicts} == {Outcome.SUCCEEDED}
        assert stage.loop.time() < 600
        for other in others:
            other.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    play(scene, 5)


def test_a_list_that_hangs_keeps_no_job_from_being_polled() -> None:
    async def scene(stage: Stage) -> None:
        async def answer(request: Request) -> Response | None:
            if "Action=ListOTAJobByFirmware" not in request.url:
                return None
            await asyncio.sleep(60)
            raise TransportError("no answer in time", endpoint="x", delivery=Delivery.UNKNOWN)

        change(stage, answer)
        verdicts = await stage.wait_for_all()

        assert {verdict.outcome for verdict in verdicts} == {Outcome.SUCCEEDED}
        assert stage.loop.time() < 900

    play(scene, 100, 20)


def test_jobs_of_no_known_firmware_that_hang_keep_no_list_from_being_read() -> None:
    strangers = [f"999{number}" for number in range(5)]

    async def scene(stage: Stage) -> None:
        async def answer(request: Request) -> Response | None:
            if not any(f"JobId={job_id}&" in request.url for job_id in strangers):
                return None
            await asyncio.sleep(60)
            raise TransportError("no answer in time", endpoint="x", delivery=Delivery.UNKNOWN)

        change(stage, answer)
        others = [asyncio.ensure_future(stage.wait(job_id, firmware_id="")) for job_id in strangers]
        known = [asyncio.ensure_future(stage.wait(job_id)) for job_id in stage.jobs]
        await asyncio.sleep(120)
        lists = stage.count("ListOTAJobByFirmware")
        for one in (*others, *known):
            one.cancel()
        await asyncio.gather(*others, *known, return_exceptions=True)

        assert lists > 10

    play(scene, 100, silent=True)


def test_a_refused_listing_is_tolerated_once_a_listing_succeeded() -> None:
    async def scene(stage: Stage) -> None:
        number = 0

        async def answer(request: Request) -> Response | None:
            nonlocal number
            number += "Action=ListOTAJobByFirmware" in request.url
            return REFUSED if number == 2 and "Action=ListOTAJobByFirmware" in request.url else None

        change(stage, answer)
        verdicts = await stage.wait_for_all()

        assert {type(verdict).__name__ for verdict in verdicts} == {"Verdict"}

    play(scene, 150)


def test_an_odd_answer_about_one_job_ends_nobody_else_s_wait() -> None:
    async def scene(stage: Stage) -> None:
        odd = next(iter(stage.jobs))

        async def answer(request: Request) -> Response | None:
            if f"JobId={odd}" in request.url:
                raise RuntimeError("an answer that nobody thought of")
            return None

        change(stage, answer)
        first, *others = await stage.wait_for_all()

        assert isinstance(first, PollingFailedError)
        assert "an answer could not be processed (RuntimeError)" in str(first)
        assert {verdict.outcome for verdict in others} == {Outcome.SUCCEEDED}

    play(scene, 5)


def test_a_poll_that_began_before_the_deadline_is_not_the_last_one() -> None:
    async def scene(stage: Stage) -> None:
        async def answer(request: Request) -> Response | None:
            # So late that the poll which is under way at the deadline began before the device was done.
            await asyncio.sleep(4)
            return None

        change(stage, answer)
        (job,) = stage.jobs
        polls = stage.count("ListOTATaskByJob")
        with contextlib.suppress(WaitTimeoutError):
            await stage.wait(job, stage.options(seconds=6, poll_interval=5.0))

        # The first poll ended after the deadline, and one was asked for then.
        assert stage.count("ListOTATaskByJob") == polls + 2

    play(scene, 1, silent=True)


@pytest.mark.parametrize("mistake", [RuntimeError("odd"), RecursionError("deep"), OverflowError("a year of 9,999,999")])
def test_an_odd_answer_in_a_listing_ends_no_wait_and_costs_no_more_requests(mistake: Exception) -> None:
    async def scene(stage: Stage) -> None:
        async def answer(request: Request) -> Response | None:
            if "Action=ListOTAJobByFirmware" in request.url:
                raise mistake
            return None

        change(stage, answer)
        verdicts = await stage.wait_for_all()

        assert {verdict.outcome for verdict in verdicts} == {Outcome.SUCCEEDED}
        assert not stage.poller.is_broken
        assert stage.transport.most_in_a_second <= RATE

    play(scene, 100, 2)


def test_an_odd_answer_about_one_of_the_jobs_that_are_asked_for_by_themselves_is_reported_to_its_wait_alone() -> None:
    async def scene(stage: Stage) -> None:
        odd = next(iter(stage.jobs))

        async def answer(request: Request) -> Response | None:
            if f"JobId={odd}" in request.url:
                return Response(404, {}, b'{"code":"iot.firmware.InvalidOTAJobId","success":false}')
            if "Action=ListOTAJobByFirmware" in request.url:
                return Response(200, {}, b"<html>not for you</html>")
            return None

        change(stage, answer)
        first, *others = await stage.wait_for_all()

        assert isinstance(first, NotFoundError)
        assert {verdict.outcome for verdict in others} == {Outcome.SUCCEEDED}

    play(scene, 100)


def test_a_poll_that_never_ends_is_a_poll_that_failed_and_keeps_nobody_waiting() -> None:
    async def scene(stage: Stage) -> None:
        stuck = list(stage.jobs)[:8]

        async def answer(request: Request) -> Response | None:
            if any(f"JobId={job}" in request.url for job in stuck):
                await asyncio.sleep(1_000_000)
            return None

        change(stage, answer)
        waits = [stage.wait(job, stage.options(poll_error_tolerance=1800)) for job in stage.jobs]
        results: list[Any] = await asyncio.gather(*waits, return_exceptions=True)

        # All who look were stuck at the same time, until the bound of a poll had passed.
        assert {type(result) for result in results[:8]} == {PollingFailedError}
        assert all("could not be polled within 600 s" in str(result) for result in results[:8])
        assert {result.outcome for result in results[8:]} == {Outcome.SUCCEEDED}

    play(scene, 12)


async def hang(_: Request) -> Response:
    await asyncio.sleep(1_000_000)
    raise AssertionError("nobody waits so long")


async def ask_for_a_long_pause(_: Request) -> Response:
    return Response(503, {"retry-after": "60"}, b"{}")


async def list_without_end(request: Request) -> Response:
    asked = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
    if asked["Action"] == "QueryOTAJob":
        data: Any = {"jobId": asked["JobId"], "jobStatus": "IN_PROGRESS", "jobType": "UPGRADE_FIRMWARE"}
    else:
        status, page = asked.get("TaskStatus", "QUEUED"), asked["CurrentPage"]
        data = [
            {"taskId": f"{page}-{number}", "deviceName": f"d{page}-{number}", "taskStatus": status}
            for number in range(int(asked["PageSize"]))
        ]
    return Response(200, {}, json.dumps({"code": "", "success": True, "requestId": "r", "data": data}).encode())


@pytest.mark.parametrize("misbehave", [hang, ask_for_a_long_pause, list_without_end])
def test_a_job_is_looked_at_however_many_others_are_looked_at_without_end(
    misbehave: Callable[[Request], Awaitable[Response]],
) -> None:
    async def scene(stage: Stage) -> None:
        good, *others = stage.jobs
        asked: list[float] = []

        async def answer(request: Request) -> Response | None:
            if any(f"JobId={job}&" in request.url for job in others):
                return await misbehave(request)
            asked.append(stage.loop.time())
            return None

        change(stage, answer)
        waits = [asyncio.ensure_future(stage.wait(job)) for job in others]
        await asyncio.sleep(10)
        verdict = await stage.wait(good, stage.options(seconds=240))

        assert asked[0] < 15
        assert verdict.outcome is Outcome.SUCCEEDED
        assert stage.transport.most_in_a_second <= RATE
        for one in waits:
            one.cancel()
        await asyncio.gather(*waits, return_exceptions=True)

    play(scene, 16)


def test_each_wait_gets_an_error_object_of_its_own_for_a_failure() -> None:
    async def scene(stage: Stage) -> None:
        async def answer(request: Request) -> Response | None:
            return REFUSED

        change(stage, answer)
        errors = await stage.wait_for_all()

        assert len({id(error) for error in errors}) == 50
        assert max(len(traceback.extract_tb(error.__traceback__)) for error in errors) < 10

    play(scene, 50)


def test_a_wait_that_is_over_no_longer_sets_the_poll_interval_of_others() -> None:
    async def scene(stage: Stage) -> None:
        (job,) = stage.jobs
        slow = asyncio.ensure_future(stage.wait(job, stage.options(poll_interval=60.0)))
        with contextlib.suppress(WaitTimeoutError):
            await stage.wait(job, stage.options(seconds=10, poll_interval=1.0))
        before = stage.count("QueryOTAJob")
        await asyncio.sleep(300)

        assert stage.count("QueryOTAJob") - before <= 300 / 20 + 1
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)

    play(scene, 1, silent=True)


@pytest.mark.parametrize("listed_status", ["COMPLETED", "CANCELED"])
def test_a_list_that_shows_an_end_too_early_decides_on_no_job(listed_status: str) -> None:
    async def scene(stage: Stage) -> None:
        async def answer(request: Request) -> Response | None:
            if "Action=ListOTAJobByFirmware" not in request.url:
                return None
            firmware_id = parse_qs(urlsplit(request.url).query)["FirmwareId"][0]
            data = [
                {"jobId": job, "firmwareId": firmware_id, "jobStatus": listed_status, "jobType": "UPGRADE_FIRMWARE"}
                for job, its_firmware in stage.jobs.items()
                if its_firmware == firmware_id
            ]
            body = {"code": "", "success": True, "requestId": "r", "data": data, "total": len(data)}
            return Response(200, {}, json.dumps(body).encode())

        change(stage, answer)
        verdicts = await stage.wait_for_all()

        reports = [report for heard in stage.heard.values() for report in heard.reports]
        assert {verdict.job_status for verdict in verdicts} == {"COMPLETED"}
        # A success is held for a minute, because device tasks may be listed later.
        ends = {report.outcome for report in reports if report.job_status == listed_status}
        assert ends <= {Outcome.SETTLING, Outcome.SUCCEEDED}
        # Nobody is kept from being polled by those that are asked for again and again.
        assert stage.loop.time() < 900

    play(scene, 100, 2)
