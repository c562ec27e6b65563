from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.plan.cohort import freeze_cohort
from airflow_provider_tuya_ota.rollout.plan.membership import assign_devices
from airflow_provider_tuya_ota.rollout.plan.rank import start_order
from airflow_provider_tuya_ota.rollout.plan.wave import parse_waves
from tests.rollout.plan.small import candidate, cohort, fleet, rule


def assign(waves: list[Any], number: int, **changes: Any) -> list[tuple[str, ...]]:
    frozen = cohort(number, **changes)
    return assign_devices(parse_waves(waves), frozen, start_order("r", frozen.strata))


def test_waves_count_those_before_them_in_start_order() -> None:
    members = assign(["1%", "10%", 250, "rest"], 1000)

    assert list(map(len, members)) == [10, 90, 150, 750]
    order = start_order("r", cohort(1000).strata)
    assert [name for devices in members for name in devices] == order


def test_a_named_device_waits_for_the_wave_that_names_it() -> None:
    order = start_order("r", cohort(100).strata)
    late, later = order[0], order[1]

    members = assign(["10%", [later, late], "rest"], 100)

    assert members[0] == tuple(order[2:12])
    assert members[1] == (later, late)
    assert members[2] == tuple(order[12:])


def test_a_share_counts_named_devices_that_have_started() -> None:
    names = [f"lamp-{at:04}" for at in range(8)]

    assert list(map(len, assign([names, "10%", "rest"], 100))) == [8, 2, 90]


@given(st.integers(1, 400), st.lists(st.integers(1, 100), min_size=1, max_size=5, unique=True))
def test_no_device_is_in_two_waves_and_each_total_is_the_share_rounded_up(size: int, percents: list[int]) -> None:
    waves = [f"{percent}%" for percent in sorted(percents)]
    totals = [-(-size * percent // 100) for percent in sorted(percents)]
    if len(set(totals)) < len(totals):
        with pytest.raises(InvalidParameterError, match="adds nobody"):
            assign(waves, size)
        return

    members = assign(waves, size)

    names = [name for devices in members for name in devices]
    assert len(set(names)) == len(names) == totals[-1]
    assert [sum(map(len, members[: at + 1])) for at in range(len(members))] == totals


@pytest.mark.parametrize(
    ("waves", "number", "problem"),
    [
        (["1%", "2%"], 20, r"wave 2 \(2%\) adds nobody: 1 of 20 devices have started before it, and 2% is 1 in total"),
        (["5 devices", "1%"], 100, r"wave 2 \(1%\) adds nobody: 5 of 100"),
        ([["lamp-0000", "lamp-0001"], "100%"], 2, r"wave 2 \(100%\) adds nobody: 2 of 2"),
        (["500 devices"], 300, r"wave 1 \(500 devices\) needs 500 more devices and 300 are left"),
        (["90%", ["lamp-0000", "lamp-0001"]], 10, r"wave 1 \(90%\) needs 9 more devices and 8 are left"),
        (["50%", "90%", ["lamp-0000", "lamp-0001"]], 10, r"wave 2 \(90%\) needs 4 more devices and 3 are left"),
        (["1%", ["ghost", "spook"]], 10, "'ghost' is no device .*; 1 more named devices are not"),
        (["1%", ["ghost"]], 10, "'ghost' is no device of the product"),
        (["1%", ["ghost", "spook", "wraith"]], 10, "'ghost' is no device .*; 2 more named devices are not"),
    ],
)
def test_what_depends_on_the_cohort_is_refused_when_it_is_known(waves: list[Any], number: int, problem: str) -> None:
    with pytest.raises(InvalidParameterError, match=rf"^waves: {problem}"):
        assign(waves, number)


def test_a_named_device_that_is_excluded_is_refused_with_its_reason() -> None:
    frozen = freeze_cohort([*fleet(5), candidate("busy-1", busy_job="9")], rule())

    with pytest.raises(InvalidParameterError, match=r"^waves: 'busy-1' is excluded: busy in another job"):
        assign_devices(parse_waves([["busy-1"], "rest"]), frozen, start_order("r", frozen.strata))


def test_a_wave_of_the_platform_has_no_devices_of_its_own() -> None:
    assert list(map(len, assign(["10%", "platform ALL"], 100))) == [10, 0]
    assert list(map(len, assign(["100%", "platform GRAY 5%"], 100, source_versions=["1.0.0"]))) == [100, 0]


def test_the_platform_may_not_take_what_the_author_keeps_out() -> None:
    with pytest.raises(InvalidParameterError, match=r"^waves: platform ALL may take the devices that exclude names"):
        assign(["10%", "platform ALL"], 100, exclude=["lamp-0001"])
    with pytest.raises(InvalidParameterError, match=r"^waves: platform GROUP g may take devices of any source version"):
        assign(["10%", "platform GROUP g"], 100, source_versions=["1.0.0"])
