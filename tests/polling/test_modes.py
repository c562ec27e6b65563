"""Pokes, a blocking wait and a deferred one are shown the same, and end in the same way after the same time."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import pytest

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient, TuyaOTAClient
from airflow_provider_tuya_ota.core.errors import TransportError, TuyaOTAError
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.status.wait import LAST_POLL, LISTED_LATE, JobWait, WaitOptions, poll_once
from airflow_provider_tuya_ota.core.status.wait_state import KeyRefusedError, WaitState
from airflow_provider_tuya_ota.polling.poller import Poller
from airflow_provider_tuya_ota.transports.limiter import RateLimiter
from tests.campaigns.virtual import BIRTH, LoopWorld, VirtualLoop
from tests.contract.worlds import Quiet, VirtualWorld, settings
from tests.core.one_job import wait_for_job
from tests.core.script import firmware, gateway, job, lost, ok, task

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.wire.http import Request, Response

State: TypeAlias = "tuple[str, int, str] | Response | TransportError"
"""Status of the job, of the firmware (0 in an upgrade) and of the device; or what comes instead of any answer."""
Play: TypeAlias = "list[tuple[float, State]]"
"""From which second on the platform shows what."""
End: TypeAlias = tuple[str, float]
"""Outcome or kind of error, and after how many seconds."""

POLL = 15.0
LATER = 4 * POLL + 30.0
"""Seconds by which a deferred wait, which polls less often while nothing happens, may end later than the others."""
ONE_POLL = 3 * POLL
"""Seconds from one poll to the next where each repeats its requests for about a quarter of a minute."""
HOUR = 3600.0

RUNNING: State = ("IN_PROGRESS", 2, "NOTIFIED")
DONE: State = ("COMPLETED", 1, "SUCCEEDED")
FAILED: State = ("COMPLETED", 3, "FAILED")
UPGRADING: State = ("IN_PROGRESS", 0, "NOTIFIED")
UPGRADED: State = ("COMPLETED", 0, "SUCCEEDED")
UNSETTLED: State = ("COMPLETED", 2, "SUCCEEDED")
REFUSED: State = gateway("SignatureDoesNotMatch", 403)
GONE: State = gateway("iot.firmware.InvalidOTAJobId", 404)
AWAY: State = lost()
DRIPPING: State = lost()
ODD: State = ok(data=[1, 2])

PLAYS: dict[str, tuple[Play, str]] = {
    "it succeeds": ([(0, RUNNING), (300, DONE)], "succeeded"),
    "it fails": ([(0, RUNNING), (300, FAILED)], "failed"),
    "it never ends": ([(0, RUNNING)], "WaitTimeoutError"),
    "it settles": ([(0, RUNNING), (300, UNSETTLED), (500, DONE)], "succeeded"),
    "it never settles": ([(0, RUNNING), (300, UNSETTLED)], "JobFailedError"),
    "it settles twice": ([(0, UNSETTLED), (200, RUNNING), (400, UNSETTLED), (600, DONE)], "succeeded"),
    "the key is refused from the first": ([(0, REFUSED)], "AuthenticationError"),
    "the job is not there": ([(0, GONE)], "NotFoundError"),
    "the key is refused for a moment": ([(0, RUNNING), (300, REFUSED), (500, DONE)], "succeeded"),
    "the key is refused for good": ([(0, RUNNING), (300, REFUSED)], "PollingFailedError"),
    "the job goes away": ([(0, RUNNING), (300, GONE)], "PollingFailedError"),
    "an outage of an hour": ([(0, RUNNING), (300, AWAY), (300 + HOUR, DONE)], "succeeded"),
    "an outage without end": ([(0, RUNNING), (300, AWAY)], "PollingFailedError"),
    "an outage from the first": ([(0, AWAY)], "PollingFailedError"),
    "an outage that ends in a refusal": ([(0, RUNNING), (300, AWAY), (2000, REFUSED), (2100, DONE)], "succeeded"),
    "nothing but odd answers": ([(0, RUNNING), (300, ODD)], "PollingFailedError"),
    "while it settles nobody answers": ([(0, UNSETTLED), (60, AWAY), (1000, UNSETTLED)], "JobFailedError"),
}


DRIP = 70.0
"""Seconds after which the transports give up an answer that only drips, without a shorter limit of the request."""


@dataclass
class Stand:
    """A platform that shows one job as a play says, and any other as running."""

    play: Play
    time: Callable[[], float]
    asked: list[str] = field(default_factory=list)

    def now(self) -> State:
        return [state for begin, state in self.play if begin <= self.time()][-1]

    def delay(self, request: Request) -> float:
        """Seconds until the transport has an answer or gives up."""
        return min(DRIP, request.longest or DRIP) if self.now() is DRIPPING else 0.0

    def answer(self, request: Request) -> Response:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        action, job_id = asked["Action"], asked.get("JobId", "9001")
        self.asked.append(action)
        state = self.now()
        if action == "ListOTAJobByFirmware":
            return ok(data=[job(name) for name in ("9001", *OTHERS)], total=1 + len(OTHERS))
        if job_id != "9001":
            state = RUNNING
        if isinstance(state, Exception):
            raise state
        if not isinstance(state, tuple):
            return state
        status, firmware_status, device = state
        if action == "QueryOTAJob":
            kind = "VERIFY_FIRMWARE" if firmware_status else "UPGRADE_FIRMWARE"
            return ok(data=job(job_id, status=status, kind=kind))
        if action == "ListOTATaskByJob":
            return ok(data=[task("d1", device)], total=1)
        return ok(firmwareInfo=firmware(status=firmware_status))


OTHERS = [str(number) for number in range(60)]


class Blocking:
    def __init__(self, stand: Stand, sleep: Callable[[float], None] = lambda _: None) -> None:
        self._stand = stand
        self._sleep = sleep

    def send(self, request: Request) -> Response:
        self._sleep(self._stand.delay(request))
        return self._stand.answer(request)

    def close(self) -> None:
        pass


class Waiting(Blocking):
    async def send(self, request: Request) -> Response:  # type: ignore[override] # the same for event loops
        await asyncio.sleep(0.01 + self._stand.delay(request))
        return self._stand.answer(request)

    async def close(self) -> None:  # type: ignore[override] # the same for event loops
        pass


def options(seconds: float = 3 * HOUR) -> WaitOptions:
    return WaitOptions(deadline=datetime.fromtimestamp(BIRTH, UTC) + timedelta(seconds=seconds), poll_interval=POLL)


def ended(run: Callable[[], Any], time: Callable[[], float]) -> End:
    try:
        verdict = run()
    except TuyaOTAError as error:
        return type(error).__name__, time()
    return verdict.outcome.value, time()


def in_a_worker(play: Play, talk: Callable[[TuyaOTAClient, VirtualWorld], Any]) -> End:
    world = VirtualWorld()
    stand = Stand(play, lambda: world.now - BIRTH)
    where = settings("http://127.0.0.1:1")
    with TuyaOTAClient(where, transport=Blocking(stand, world.sleep), listener=Quiet(), runtime=world) as client:
        return ended(lambda: talk(client, world), stand.time)


def blocking(play: Play) -> End:
    return in_a_worker(play, lambda client, _: client.run(wait_for_job(client.settings, "9001", options())))


def poking(play: Play) -> End:
    """As a sensor does in the mode ``reschedule``: of each poke nothing is left but what was stored."""
    stored = json.dumps({})

    def talk(client: TuyaOTAClient, world: VirtualWorld) -> Any:
        nonlocal stored
        while True:
            state = WaitState.from_dict(json.loads(stored))
            watch = JobWait("9001", options(), state)
            begun = world.now
            snapshot = client.run(poll_once(client.settings, watch))
            stored = json.dumps(state.to_dict())
            if snapshot is not None and snapshot.verdict.outcome.has_ended:
                return snapshot.verdict
            if begun - BIRTH >= 3 * HOUR:
                # What Airflow does to a sensor.
                raise watch.timeout()
            world.sleep(min(POLL, 3 * HOUR - (begun - BIRTH)))

    return in_a_worker(play, talk)


def deferred(play: Play, others: int = 0) -> End:
    loop = VirtualLoop()
    stand = Stand(play, loop.time)
    world = LoopWorld(loop)

    async def wait() -> Any:
        limiter = RateLimiter({RateLimitGroup.CALLS: 10.0, RateLimitGroup.CANCELS: 10.0}, clock=loop.time)
        where = replace(settings("http://127.0.0.1:1"), requests_per_second=10.0)
        client = AsyncTuyaOTAClient(where, transport=Waiting(stand), listener=Quiet(), runtime=world, limiter=limiter)
        async with Poller(client) as poller:
            crowd = [
                asyncio.ensure_future(
                    poller.wait_for_job(name, options(9 * HOUR), firmware_id="178", listener=Quiet(), runtime=world)
                )
                for name in OTHERS[:others]
            ]
            try:
                state = WaitState()
                while True:
                    try:
                        return await poller.wait_for_job(
                            "9001", options(), firmware_id="178", listener=Quiet(), runtime=world, state=state
                        )
                    except KeyRefusedError as refused:
                        await asyncio.sleep(refused.pause)
            finally:
                for one in crowd:
                    one.cancel()
                await asyncio.gather(*crowd, return_exceptions=True)

    try:
        return ended(lambda: loop.run_until_complete(wait()), loop.time)
    finally:
        loop.close()


@pytest.mark.parametrize("name", PLAYS)
def test_all_modes_end_in_the_same_way_after_the_same_time(name: str) -> None:
    play, outcome = PLAYS[name]

    ends = {mode.__name__: mode(play) for mode in (poking, blocking, deferred)}

    assert {end for end, _ in ends.values()} == {outcome}, ends
    assert ends["poking"][1] == pytest.approx(ends["blocking"][1], abs=ONE_POLL)
    assert -ONE_POLL <= ends["deferred"][1] - ends["blocking"][1] <= LATER, ends


@pytest.mark.parametrize("before", [0.5, 20.0, 50.0, 90.0, 130.0, 300.0])
@pytest.mark.parametrize("mode", [blocking, deferred])
def test_an_answer_that_drips_holds_no_wait_for_more_than_a_minute(mode: Callable[[Play], End], before: float) -> None:
    end, after = mode([(0, RUNNING), (3 * HOUR - before, DRIPPING)])

    assert end == "WaitTimeoutError"
    assert 3 * HOUR <= after <= 3 * HOUR + LAST_POLL + 0.1


def test_what_ends_while_an_answer_drips_at_the_deadline_is_seen_by_the_last_poll() -> None:
    end, after = blocking([(0, RUNNING), (3 * HOUR - 20, DRIPPING), (3 * HOUR + 1, DONE)])

    assert end == "succeeded"
    assert after <= 3 * HOUR + LAST_POLL


@pytest.mark.parametrize("before", [0.5, 5.0, 20.0, 55.0, 90.0])
@pytest.mark.parametrize("mode", [blocking, deferred])
def test_an_upgrade_that_ends_just_before_the_deadline_is_a_success(mode: Callable[[Play], End], before: float) -> None:
    end, after = mode([(0, UPGRADING), (3 * HOUR - before, UPGRADED)])

    assert end == "succeeded"
    assert after <= 3 * HOUR + LISTED_LATE + LAST_POLL


@pytest.mark.parametrize("mode", [blocking, deferred])
def test_no_success_is_told_of_an_upgrade_that_stops_looking_like_one_behind_the_deadline(
    mode: Callable[[Play], End],
) -> None:
    end, after = mode([(0, UPGRADING), (3 * HOUR - 20, UPGRADED), (3 * HOUR + 10, UPGRADING)])

    assert end == "WaitTimeoutError"
    assert after <= 3 * HOUR + LISTED_LATE + LAST_POLL


@pytest.mark.parametrize("state", [AWAY, ODD, REFUSED, GONE])
def test_among_many_waits_sight_is_lost_too_though_listings_show_the_job(state: State) -> None:
    alone, _ = blocking([(0, RUNNING), (300, state)])

    end, after = deferred([(0, RUNNING), (300, state)], others=len(OTHERS))

    assert end == alone == "PollingFailedError"
    assert after < 300 + 2 * HOUR + 300
