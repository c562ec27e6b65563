"""Many triggers that are killed at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
from airflow_provider_tuya_ota.core.jobs import stop
from airflow_provider_tuya_ota.polling import stopper as stopping
from airflow_provider_tuya_ota.triggers import kill_answer
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from tests.provider.triggers.fake_triggerer import kill_as_airflow_does

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.provider.conftest import FakeTask, Service
    from tests.provider.triggers.fake_triggerer import Line, Log


def killed_together(watched: TuyaOTAJobTrigger, ti: FakeTask, number: int) -> list[TuyaOTAJobTrigger]:
    triggers = [TuyaOTAJobTrigger(**watched.serialize()[1]) for _ in range(number)]
    for trigger in triggers:
        trigger.task_instance = ti  # type: ignore[assignment] # all that the trigger asks of it
    return triggers


async def test_many_that_are_killed_at_once_share_one_client(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    ti: FakeTask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    supervisor("failed")
    opened: list[AsyncTuyaOTAClient] = []
    real = AsyncTuyaOTAClient.__init__

    def count(self: AsyncTuyaOTAClient, *args: Any, **more: Any) -> None:
        opened.append(self)
        real(self, *args, **more)

    monkeypatch.setattr(AsyncTuyaOTAClient, "__init__", count)
    triggers = killed_together(watched, ti, 20)
    await asyncio.gather(*(trigger.on_kill() for trigger in triggers))

    assert len(opened) == 1
    assert service.actions.count("CancelOTATaskByJob") == 20


async def test_a_job_that_may_still_begin_is_cancelled_again_although_many_are_killed_at_once(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    ti: FakeTask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    supervisor("failed")
    monkeypatch.setattr(stopping, "FEW", 0)
    monkeypatch.setattr(stop, "CANCEL_AGAIN_AFTER", (0.01,))
    (job,) = service.emulator.world.engine.jobs.values()
    monkeypatch.setattr(job, "tasks", [])
    monkeypatch.setattr(job, "status", "PLANNED")
    world = service.emulator.world
    monkeypatch.setattr(world, "quirks", replace(world.quirks, planned_cancel="nothing"))
    triggers = killed_together(watched, ti, 3)

    await asyncio.gather(*(trigger.on_kill() for trigger in triggers))

    # The last job is counted at once and then cancelled again; the others are polled, and cancelled before their count.
    assert service.actions.count("CancelOTATaskByJob") == 2 + 3 * 2


async def test_a_job_that_was_cancelled_is_not_called_unstopped_while_others_wait_for_their_cancel(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    ti: FakeTask,
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    supervisor("failed")
    monkeypatch.setattr(stopping, "FEW", 0)
    monkeypatch.setenv("AIRFLOW__TRIGGERER__ON_KILL_TIMEOUT", "1")
    service.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "delay", "nth": 2, "seconds": 2})

    await asyncio.gather(*(kill_as_airflow_does(trigger) for trigger in killed_together(watched, ti, 2)))

    (line,) = [line for line in log.lines if "is not stopped yet" in line]
    assert "is not stopped yet, because its cancel is not answered yet. This triggerer continues" in line
    await asyncio.gather(*kill_answer._ANSWERS)
    assert sum("its cancel was sent" in line for line in log.lines) == 1
