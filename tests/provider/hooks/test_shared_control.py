from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.errors import StateUnavailableError
from airflow_provider_tuya_ota.hooks.control_store import ControlStore
from airflow_provider_tuya_ota.hooks.shared_control import FORGOTTEN, FRESH, KEPT, SharedControl, read_shared_control
from airflow_provider_tuya_ota.rollout.control.release_control import ControlState, ReleaseControl, merge_stored
from tests.rollout.control.notes import RELEASE, begun, reason, stored, stored_halt

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId
    from tests.provider.airflow_api import AirflowAPI

RUNS = merge_stored(RELEASE, stored(begun()), None)
HELD = merge_stored(RELEASE, stored(begun().hold(reason())), None)
HALTED = merge_stored(RELEASE, stored(begun()), stored_halt())


class Notes:
    """Notes that can be read, and a clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.answer: ReleaseControl | Exception = RUNS
        self.reads: list[ReleaseId] = []
        self.open = asyncio.Event()
        self.open.set()
        self.shared = SharedControl(self.read, lambda: self.now)

    async def read(self, release: ReleaseId) -> ReleaseControl:
        self.reads.append(release)
        await self.open.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def state(self, after: float = 0.0) -> ControlState:
        self.now += after
        return (await self.shared.get(RELEASE)).state


@pytest.fixture
async def notes() -> Notes:
    return Notes()


async def test_five_hundred_triggers_read_at_the_cost_of_one(notes: Notes) -> None:
    found = await asyncio.gather(*(notes.shared.get(RELEASE) for _ in range(500)))
    assert {control.state for control in found} == {ControlState.RUN}
    await asyncio.gather(*(notes.shared.get(RELEASE) for _ in range(500)))
    assert len(notes.reads) == 1


async def test_a_value_is_fresh_for_three_seconds(notes: Notes) -> None:
    assert await notes.state() is ControlState.RUN
    notes.answer = HELD
    assert await notes.state(after=FRESH - 0.1) is ControlState.RUN
    assert await notes.state(after=0.1) is ControlState.HOLD
    assert len(notes.reads) == 2


async def test_each_release_has_its_own_value(notes: Notes) -> None:
    other = replace(RELEASE, group="valves")
    await notes.shared.get(RELEASE)
    notes.answer = HELD
    assert (await notes.shared.get(other)).state is ControlState.HOLD
    assert await notes.state() is ControlState.RUN
    assert notes.reads == [RELEASE, other]


async def test_a_halt_stays_and_is_not_read_again(notes: Notes) -> None:
    notes.answer = HALTED
    assert await notes.state() is ControlState.HALT
    notes.answer = RUNS
    assert await notes.state(after=10 * KEPT) is ControlState.HALT
    assert len(notes.reads) == 1


@pytest.mark.parametrize("error", [StateUnavailableError("answer", reason="503"), RuntimeError("anything")])
async def test_the_last_value_counts_for_thirty_seconds_and_then_the_release_holds(
    notes: Notes, error: Exception
) -> None:
    assert await notes.state() is ControlState.RUN
    notes.answer = error
    assert await notes.state(after=FRESH) is ControlState.RUN
    assert await notes.state(after=KEPT - FRESH - 0.1) is ControlState.RUN
    assert await notes.state(after=FRESH) is ControlState.HOLD
    assert (await notes.shared.get(RELEASE)).problem == f"cannot be read: {error}"
    notes.answer = RUNS
    assert await notes.state(after=FRESH) is ControlState.RUN


async def test_without_a_last_value_the_release_holds_at_once(notes: Notes) -> None:
    notes.answer = StateUnavailableError("answer", reason="503")
    assert await notes.state() is ControlState.HOLD


async def test_failures_are_not_repeated_by_each_trigger(notes: Notes) -> None:
    notes.answer = StateUnavailableError("answer", reason="503")
    await asyncio.gather(*(notes.shared.get(RELEASE) for _ in range(500)))
    await notes.state(after=FRESH - 0.1)
    assert len(notes.reads) == 1


async def test_a_cancelled_trigger_does_not_end_the_request_of_the_others(notes: Notes) -> None:
    notes.open.clear()
    first, second = (asyncio.create_task(notes.shared.get(RELEASE)) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    notes.open.set()
    assert (await second).state is ControlState.RUN
    assert len(notes.reads) == 1


async def test_releases_that_nobody_asks_for_are_forgotten(notes: Notes) -> None:
    await notes.shared.get(RELEASE)
    notes.now += FORGOTTEN + 1
    await notes.shared.get(replace(RELEASE, run_id="another"))
    assert [release.run_id for release in notes.shared._entries] == ["another"]


async def test_triggers_of_one_event_loop_share(airflow_api: AirflowAPI) -> None:
    ControlStore().write(RELEASE.note_key, stored(begun()))
    airflow_api.sent.clear()
    found = await asyncio.gather(*(read_shared_control(RELEASE) for _ in range(500)))
    assert {control.state for control in found} == {ControlState.RUN}
    assert airflow_api.sent == ["GetAssetStateStoreByName"] * 2
