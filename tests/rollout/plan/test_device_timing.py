from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.plan.device_timing import DeviceTiming

AT_ONCE = DeviceTiming(begins_after=0, takes=600, spread=0)


def test_devices_that_are_all_the_same_report_at_one_moment() -> None:
    assert [AT_ONCE.begun(at) for at in (-1, 0, 5)] == [0, 1, 1]
    assert [AT_ONCE.reported(at) for at in (0, 599, 600, 601)] == [0, 0, 1, 1]
    assert AT_ONCE.takes_at(0.01) == AT_ONCE.takes_at(0.99) == 600
    assert AT_ONCE.begins_at(0.9) == 0
    assert AT_ONCE.settled_after == 600


def test_half_of_the_devices_take_the_time_of_the_middle() -> None:
    timing = DeviceTiming(begins_after=0, takes=600, spread=0.5)

    assert timing.takes_at(0.5) == pytest.approx(600)
    assert timing.reported(600) == pytest.approx(0.5)
    assert timing.takes_at(0.8413) == pytest.approx(600 * 2.71828**0.5, rel=0.001)
    assert timing.reported(-5) == 0


def test_devices_begin_one_after_the_other() -> None:
    timing = DeviceTiming(begins_after=540)

    assert timing.begun(540) == pytest.approx(0.632, abs=0.001)
    assert timing.begun(timing.begins_at(0.3)) == pytest.approx(0.3)


def test_nearly_all_devices_have_reported_when_a_pulse_is_settled() -> None:
    timing = DeviceTiming()

    assert timing.reported(timing.settled_after - 1) < 0.99 <= timing.reported(timing.settled_after)
    assert timing.reported(timing.settled_after / 4) < 0.3


@pytest.mark.parametrize(
    "values", [{"takes": 0}, {"takes": -1}, {"begins_after": -1}, {"spread": True}, {"reaction": None}]
)
def test_a_time_that_is_none_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match=rf"^{next(iter(values))}: "):
        DeviceTiming(**values)
