"""How a killed trigger goes on where Airflow does not wait for it, and how a triggerer ends that is killed itself."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.triggers import kill_answer
from tests.provider.triggers.fake_triggerer import kill_as_airflow_does, states

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
    from tests.provider.conftest import Service
    from tests.provider.triggers.fake_triggerer import Line, Log


def test_being_cancelled_again_does_not_break_off_the_stopping(
    service: Service, watched: TuyaOTAJobTrigger, supervisor: Callable[..., Line], log: Log
) -> None:
    supervisor("failed")
    service.emulator.faults.add({"action": "*", "kind": "delay", "seconds": 0.3})

    asyncio.run(kill_as_airflow_does(watched))

    assert states(service) == {"CANCELED"}
    assert "2 device tasks cancelled" in log.lines[-1]


def test_a_job_whose_cancel_was_accepted_is_not_said_to_be_unstopped_while_it_is_counted(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
) -> None:
    supervisor("failed")
    monkeypatch.setenv("AIRFLOW__TRIGGERER__ON_KILL_TIMEOUT", "1")
    service.emulator.faults.add({"action": "ListOTATaskByJob", "kind": "delay", "seconds": 2})

    async def kill_and_wait() -> None:
        await kill_as_airflow_does(watched, limit=1)
        assert "The platform accepted the cancel" in log.lines[-1]
        await asyncio.gather(*kill_answer._ANSWERS)

    asyncio.run(kill_and_wait())

    assert "2 device tasks cancelled" in log.lines[-1]


def test_what_airflow_does_not_wait_for_goes_on_and_is_reported(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
) -> None:
    supervisor("failed")
    monkeypatch.setenv("AIRFLOW__TRIGGERER__ON_KILL_TIMEOUT", "1")
    service.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "delay", "seconds": 2})

    async def kill_and_wait() -> None:
        before = time.monotonic()
        await kill_as_airflow_does(watched, limit=1)
        assert time.monotonic() - before < 2
        assert "is not stopped yet" in log.lines[-1]
        await asyncio.gather(*kill_answer._ANSWERS)

    asyncio.run(kill_and_wait())

    assert states(service) == {"CANCELED"}
    assert "2 device tasks cancelled" in log.lines[-1]


@pytest.mark.parametrize("again", [0.1, 60.0], ids=["cancelled again and again", "cancelled once"])
def test_airflow_is_not_kept_waiting_longer_than_it_grants(
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
    again: float,
) -> None:
    supervisor("silence")
    monkeypatch.setenv("AIRFLOW__TRIGGERER__ON_KILL_TIMEOUT", "0.3")

    async def kill_for_a_while() -> None:
        killing = asyncio.create_task(kill_as_airflow_does(watched, limit=0.2, again=again))
        await asyncio.sleep(2)
        assert "is not stopped yet" in log.lines[-1]
        killing.cancel()

    asyncio.run(kill_for_a_while())
    assert any("because its task's state or its connection is still being read. This" in line for line in log.lines)


def test_a_cancel_that_fails_again_and_again_is_reported_with_its_error(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
) -> None:
    supervisor("failed")
    monkeypatch.setenv("AIRFLOW__TRIGGERER__ON_KILL_TIMEOUT", "1")
    service.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "throttle"})

    async def kill_for_a_while() -> None:
        await kill_as_airflow_does(watched, limit=1)
        for answer in list(kill_answer._ANSWERS):
            answer.cancel()
        await asyncio.gather(*kill_answer._ANSWERS, return_exceptions=True)

    asyncio.run(kill_for_a_while())

    (line,) = [line for line in log.lines if "is not stopped yet" in line]
    assert "is not stopped yet, because its last cancel failed: CancelOTATaskByJob was refused: Throttling.User" in line


def test_what_ends_within_the_last_second_that_airflow_grants_is_waited_for(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
) -> None:
    supervisor(RuntimeError("no line"), "deferred")
    monkeypatch.setattr(kill_answer, "ASK_PAUSES", (0.3, None))
    monkeypatch.setenv("AIRFLOW__TRIGGERER__ON_KILL_TIMEOUT", "1")

    asyncio.run(kill_as_airflow_does(watched))

    assert [line.partition(",")[0] for line in log.lines] == [f"Job {watched.job.job_id} goes on at the platform"]


async def test_a_triggerer_that_ends_gets_no_clean_end_of_a_kill_that_has_none(
    watched: TuyaOTAJobTrigger, supervisor: Callable[..., Line]
) -> None:
    supervisor("silence")
    killing = asyncio.create_task(watched.on_kill())
    await asyncio.sleep(0.05)

    for answer in kill_answer._ANSWERS:
        answer.cancel()

    with pytest.raises(asyncio.CancelledError):
        await killing


def test_a_triggerer_that_ends_meanwhile_leaves_no_kill_unsaid(
    service: Service, watched: TuyaOTAJobTrigger, supervisor: Callable[..., Line], log: Log
) -> None:
    supervisor("failed")
    service.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "delay", "seconds": 5})

    async def kill_and_end() -> None:
        # Whatever still runs when this ends is cancelled, as when a triggerer ends.
        ending = asyncio.create_task(kill_as_airflow_does(watched, again=10))
        await asyncio.sleep(0.3)
        assert not ending.done()

    asyncio.run(kill_and_end())

    assert log.lines[-1].startswith(f"This triggerer has ended before it was known whether job {watched.job.job_id}")


def test_ending_in_another_way_than_by_a_kill_waits_for_nothing(watched: TuyaOTAJobTrigger) -> None:
    asyncio.run(watched.cleanup())
