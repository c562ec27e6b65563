from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.plan.opening_hours import OpeningHours
from tests.rollout.plan.small import schedule


def test_what_is_left_out_has_a_default() -> None:
    found = schedule()

    assert found.soak == 86400
    assert found.timeout_in_minutes is None
    assert found.devices_per_job == 200
    assert found.hours == OpeningHours()
    assert schedule(soak="0h").soak == 0
    assert schedule(timeout_in_minutes=1440, devices_per_job=1).timeout_in_minutes == 1440
    assert schedule(timeout_in_minutes=1).timeout_in_minutes == 1


@pytest.mark.parametrize("value", [None, True, "60", 0, 1441, 60.0])
def test_a_timeout_that_the_platform_refuses_is_refused(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^timeout_in_minutes: "):
        schedule(timeout_in_minutes=value)


@pytest.mark.parametrize("value", [None, True, "200", 0, 1001])
def test_a_size_of_jobs_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^devices_per_job: .* Allowed: a whole number, 1 to 1,000"):
        schedule(devices_per_job=value)


@pytest.mark.parametrize("name", ["waves", "pace", "soak", "window", "blackout", "approve", "approvers"])
@pytest.mark.parametrize("value", [None, True, False, "", "None", "<leave out>", [], ()])
def test_a_missing_value_is_refused_by_the_name_of_its_argument(name: str, value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=rf"^{name}: "):
        schedule(**{name: value})


def test_a_window_is_held_against_the_timeout_of_a_device() -> None:
    with pytest.raises(InvalidParameterError, match=r"^window: .* shorter than a device's timeout of 90 minutes"):
        schedule(window="Mon 09:00-10:00 UTC", timeout_in_minutes=90)


def test_a_schedule_is_written_without_its_waves() -> None:
    found = schedule(window=["daily 09:00-16:00 UTC"], approve=["10%"], timeout_in_minutes=30)

    assert found.to_dict() == {
        "pace": {"first": 50, "interval": 3600, "doubles": True, "at_most": None},
        "soak": 86400,
        "hours": {"windows": ["daily 09:00-16:00 UTC"], "blackouts": []},
        "approvals": {"before": [2], "approvers": [], "two_person": False},
        "timeout_in_minutes": 30,
        "devices_per_job": 200,
    }
