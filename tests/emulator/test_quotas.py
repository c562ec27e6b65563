from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.gateway.quotas import UPSTREAM_QUOTAS
from airflow_provider_tuya_ota.emulator.scenario import Scenario, read
from tests.emulator.plain_client import PlainClient, in_memory

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = {"CurrentPage": "1", "PageSize": "10"}


class Wall:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


def throttled(emulator: Emulator, wall: Wall, action: str = "ListOTAFirmware", **own: str) -> Callable[[], bool]:
    client = PlainClient(in_memory(emulator), now=wall)
    return lambda: b"Throttling.User" in client.ask_raw(action, **(own or PAGE))


def test_the_figures_of_the_original_are_in_force_by_default(wall: Wall) -> None:
    asked = throttled(Emulator(clock=Clock(wall)), wall)

    assert [asked() for _ in range(11)] == [False] * 10 + [True]


@pytest.mark.parametrize(
    ("action", "figure"),
    [("CreateOTAStaticUpgradeJob", 20), ("CancelOTATaskByJob", 5), ("BatchGetDeviceState", 50), ("QueryOTAJob", 10)],
)
def test_each_operation_has_its_figure(action: str, figure: int) -> None:
    assert UPSTREAM_QUOTAS[action] == figure


def test_a_refused_call_counts_too_but_one_that_was_throttled_does_not(wall: Wall) -> None:
    asked = throttled(Emulator(clock=Clock(wall)), wall, "CancelOTATaskByJob", JobId="1", CancelQueuedTask="true")

    assert [asked() for _ in range(7)] == [False] * 5 + [True] * 2
    wall.now += 1.0
    assert [asked() for _ in range(6)] == [False] * 5 + [True]


def test_operations_have_budgets_of_their_own_in_a_sliding_second(wall: Wall) -> None:
    emulator = Emulator(clock=Clock(wall))
    lists, products = throttled(emulator, wall), throttled(emulator, wall, "QueryProductList", **PAGE)
    for _ in range(5):
        lists()
    wall.now += 0.6
    for _ in range(5):
        lists()
    assert (lists(), products()) == (True, False)

    wall.now += 0.5

    assert [lists() for _ in range(6)] == [False] * 5 + [True]


def test_quotas_can_be_switched_off_and_on(wall: Wall) -> None:
    emulator = Emulator(scenario=read({"quotas": {"enabled": False, "ListOTAFirmware": 2}}), clock=Clock(wall))
    asked = throttled(emulator, wall)
    assert not any(asked() for _ in range(50))
    wall.now += 2

    PlainClient(in_memory(emulator)).control("POST", "quotas", {"enabled": True})

    assert [asked() for _ in range(3)] == [False, False, True]


def test_a_speeded_up_world_is_not_asked_faster(wall: Wall) -> None:
    asked = throttled(Emulator(clock=Clock(wall, speed=1000)), wall)

    assert sum(asked() for _ in range(20)) == 10


def test_a_clock_that_is_set_back_does_not_lock_callers_out(wall: Wall) -> None:
    emulator = Emulator(clock=Clock(wall))
    asked = throttled(emulator, wall)
    for _ in range(10):
        asked()

    wall.now -= 3600

    assert not asked()


@pytest.mark.parametrize(
    "quotas", [{"ListOTAFirmware": 0}, {"ListOTAFirmware": 1.5}, {"CreateOTADynamicUpgradeJob": 1}, {"enabled": 1}]
)
def test_a_quota_that_makes_no_sense_is_refused(quotas: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="quotas"):
        read({"quotas": quotas})


def test_a_scenario_without_a_word_on_them_has_quotas() -> None:
    assert Scenario().quotas.enabled
