from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.emulator import emulator as emulators
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.control import MOST_TASKS
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from tests.emulator.plain_client import PlainClient, in_memory

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = 600.0


class Wall:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def computing_takes_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a moment pass for whoever waits, whenever it is looked at."""
    passing = itertools.count(0.0, 1e-6)
    monkeypatch.setattr(Clock, "outside", lambda _: next(passing))


@pytest.fixture
def upgrade(wall: Wall) -> Callable[..., tuple[Emulator, PlainClient, str]]:
    def start(devices: int, **product: Any) -> tuple[Emulator, PlainClient, str]:
        document = {"quotas": {"enabled": False}, "products": [{"devices": devices, **product}]}
        made = Emulator(clock=Clock(wall), scenario=read(document))
        client = PlainClient(in_memory(made), now=wall)
        firmware_id = client.create_firmware(NeedToVerify="false")
        _, answer = client.ask(
            "CreateOTAStaticUpgradeJob", FirmwareId=firmware_id, ProductKey="k1demoproduct", TargetSelection="ALL"
        )
        return made, client, answer["data"]["jobId"]

    return start


def test_a_hundred_thousand_devices_are_in_one_job_whose_last_page_is_reached(
    upgrade: Callable[..., tuple[Emulator, PlainClient, str]],
) -> None:
    _, client, job = upgrade(100_000, versions={"0.9.0": 0.3}, offline=0.02)

    _, answer = client.ask("ListOTATaskByJob", JobId=job, CurrentPage="1000", PageSize="100")

    assert (answer["total"], len(answer["data"])) == (100_000, 100)
    assert answer["data"][-1]["deviceName"] == "device-100000"


@pytest.mark.usefixtures("computing_takes_time")
def test_a_request_does_not_wait_for_a_hurried_world(
    upgrade: Callable[..., tuple[Emulator, PlainClient, str]], wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, client, job = upgrade(50)
    monkeypatch.setattr(emulators, "CATCH_UP_SECONDS", 0.0)
    wall.now += LONG

    client.ask("QueryOTAJob", JobId=job)

    behind = wall.now - made.clock.world()
    assert 0 < behind < LONG
    assert made.world.engine.now == made.clock.world()


@pytest.mark.usefixtures("computing_takes_time")
def test_a_world_that_was_held_back_goes_through_the_same_in_the_end(
    upgrade: Callable[..., tuple[Emulator, PlainClient, str]], wall: Wall
) -> None:
    def ended(options: float) -> list[dict[str, Any]]:
        wall.now = 1_800_000_000.0
        made, _, job = upgrade(50, flash={"distribution": "uniform", "seconds": 10, "spread": 5})
        wall.now += LONG
        while made.world.engine.jobs[job].unfinished:
            made.world.engine.run(options)
            wall.now += 0.01
        return [task.describe() for task in made.world.engine.tasks.values()]

    assert ended(0.0) == ended(60.0)


@pytest.mark.usefixtures("computing_takes_time")
def test_the_last_event_that_is_due_holds_nothing_back(
    upgrade: Callable[..., tuple[Emulator, PlainClient, str]], wall: Wall
) -> None:
    made, _, job = upgrade(1, silent=1.0)
    wall.now += LONG

    made.world.engine.run(0.0)

    assert made.world.engine.jobs[job].counts["NOTIFIED"] == 1
    assert made.clock.world() == wall.now


@pytest.mark.usefixtures("computing_takes_time")
def test_time_that_was_stepped_passes_in_full(
    upgrade: Callable[..., tuple[Emulator, PlainClient, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, client, job = upgrade(50)
    monkeypatch.setattr(emulators, "CATCH_UP_SECONDS", 0.0)

    client.advance(LONG)

    assert made.world.engine.jobs[job].status == "COMPLETED"


def test_a_world_for_which_no_time_passes_while_it_computes_is_never_held_back(
    upgrade: Callable[..., tuple[Emulator, PlainClient, str]], wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, client, job = upgrade(50)
    monkeypatch.setattr(emulators, "CATCH_UP_SECONDS", 0.0)
    wall.now += LONG

    client.ask("QueryOTAJob", JobId=job)

    assert made.world.engine.jobs[job].status == "COMPLETED"
    assert made.clock.world() == wall.now


def test_the_state_shows_the_first_tasks_of_a_large_job_and_counts_all(
    upgrade: Callable[..., tuple[Emulator, PlainClient, str]],
) -> None:
    _, client, _ = upgrade(MOST_TASKS + 5)

    state = client.control("GET", "state")

    assert (len(state["tasks"]), state["jobs"][0]["counts"]) == (MOST_TASKS, {"QUEUED": MOST_TASKS + 5})
