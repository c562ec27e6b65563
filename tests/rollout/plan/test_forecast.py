from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.rollout.gate.boundaries import boundaries_for
from airflow_provider_tuya_ota.rollout.plan.build import plan_release
from airflow_provider_tuya_ota.rollout.plan.cohort import freeze_cohort
from airflow_provider_tuya_ota.rollout.plan.decidability import decide_with
from airflow_provider_tuya_ota.rollout.plan.device_timing import DeviceTiming
from airflow_provider_tuya_ota.rollout.plan.forecast import forecast_release
from airflow_provider_tuya_ota.rollout.plan.pace import Pace
from airflow_provider_tuya_ota.rollout.plan.request_budget import estimate_requests
from airflow_provider_tuya_ota.rollout.plan.timetable import plan_dates
from tests.rollout.plan.small import GATE, candidate, fleet, plan, rule, schedule

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.plan.forecast import Forecast
    from airflow_provider_tuya_ota.rollout.plan.release_plan import ReleasePlan

BOUNDARIES = boundaries_for(Fraction(1, 20), Fraction(1, 20), Fraction(1, 20))
pytestmark = pytest.mark.usefixtures("few_courses")
TUESDAY = datetime(2026, 12, 1, 8, tzinfo=UTC)
QUICK = DeviceTiming(begins_after=0, takes=600, spread=0)


def forecast(of: ReleasePlan, start: datetime = TUESDAY, requests_per_second: float = 10.0) -> Forecast:
    return forecast_release(of, start=start, requests_per_second=requests_per_second, timing=QUICK)


def warnings(of: ReleasePlan, **changes: Any) -> list[str]:
    return list(forecast(of, **changes).warnings)


def test_a_forecast_has_dates_decisions_requests_and_risks() -> None:
    found = forecast(plan(1000, soak="1h"))

    assert [f"{wave.starts_at:%H:%M}" for wave in found.waves] == ["08:00", "09:10", "11:20"]
    assert [one.devices for one in found.decidability] == [10, 100, 1000]
    assert [risk.bad_share for risk in found.risks] == [0.05, 0.1, 0.2]
    assert found.start == TUESDAY
    assert found.timing == QUICK


def test_a_pulse_that_a_window_holds_gives_time_for_reports() -> None:
    pace = Pace(first=50, every="1m")
    open_ = forecast(plan(100, waves=["rest"], pace=pace))
    held = forecast(plan(100, waves=["rest"], pace=pace, window="daily 08:00-08:01 UTC"))

    assert open_.risks[2].paced == 100
    assert held.risks[2].paced < 75


def test_the_default_timing_is_used_where_none_is_given() -> None:
    found = forecast_release(plan(100), start=TUESDAY, requests_per_second=10)

    assert found.timing == DeviceTiming()


@pytest.mark.parametrize(
    ("devices", "text"),
    [
        (1, "a person decides: promotes from 81 devices on; cannot halt"),
        (50, "a person decides: promotes from 81 devices on; halts at 9 failures"),
        (81, "promotes with at most 0 failures of 81; halts at 11 failures"),
        (1000, "promotes with at most 31 failures of 1,000; halts at 73 failures"),
    ],
)
def test_a_wave_says_what_it_can_decide(devices: int, text: str) -> None:
    assert str(decide_with(devices, BOUNDARIES)) == text


def test_requests_follow_from_pulses_and_jobs() -> None:
    of = plan(1001, waves=["50", "rest"], pace=Pace(first=350, every="1h"), devices_per_job=200)
    dates = plan_dates(of, TUESDAY, report_seconds=601)

    found = estimate_requests(of, dates, requests_per_second=2.0, report_seconds=601)

    # Pulses of 50; 350, 350, 251 devices: jobs of 50; 200 and 150, twice; 200 and 51.
    assert found.to_plan == 21 + 1001
    assert found.to_create == 3 * (1 + 2 + 2 + 2)
    assert found.to_watch == 11 * (1 + 4 + 4 + 3)
    assert found.requests == found.to_plan + found.to_create + found.to_watch
    assert found.minutes == 10
    assert found.busiest_poll_seconds == 2


def test_a_job_of_the_platform_costs_a_request_a_poll() -> None:
    of = plan(100, waves=["10%", "platform ALL"])

    found = estimate_requests(of, plan_dates(of, TUESDAY, report_seconds=60), requests_per_second=10, report_seconds=60)

    assert (found.to_create, found.to_watch, found.busiest_poll_seconds) == (6, 2, 1)


def test_an_ordinary_plan_has_no_warning() -> None:
    assert warnings(plan(1000, waves=["10%", "rest"])) == []
    of = plan(1000, waves=["10%", "rest"], window="daily 00:00-24:00 UTC", timeout_in_minutes=60)
    assert warnings(of) == []


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        (
            {"window": "Tue 08:00-16:00 UTC", "blackout": ["2026-12-01..2026-12-08"], "timeout_in_minutes": 30},
            "No window opens within 8 days: the first pulse starts at 2026-12-15 08:00 UTC.",
        ),
        (
            {"blackout": ["2026-12-24 UTC"]},
            "Devices have no timeout_in_minutes, so they may go on for any time after a window has closed.",
        ),
        (
            {"window": "daily 08:00-09:30 UTC", "timeout_in_minutes": 60},
            "4 pulses start so late in a window that devices may go on for up to 40m after it has closed.",
        ),
        ({"waves": ["10%", "20%", "40%"]}, "600 of 1,000 devices of the cohort are in no wave: the last one is 40%."),
        (
            {"waves": ["5%", "rest"]},
            (
                "Wave 1 (5%) cannot promote by itself: 50 devices have started by then, and the gate needs 81 without a"
                " failure. A person has to decide."
            ),
        ),
        (
            {"devices_per_job": 201},
            "Jobs have up to 201 devices; Alibaba Cloud IoT documents 200 as the most.",
        ),
        (
            {"waves": ["10%", "platform GRAY 5%"]},
            (
                "Wave 2 (platform GRAY 5%) is one job whose devices the platform chooses and starts at once. It can be"
                " neither paced nor forecast, and may take devices that are not in the cohort."
            ),
        ),
        (
            {"waves": ["10%", "20%", "platform ALL"]},
            (
                "Wave 3 (platform ALL) is one job whose devices the platform chooses and starts at once. It can be"
                " neither paced nor forecast, and may take devices that are not in the cohort."
            ),
        ),
    ],
)
def test_a_plan_warns_of_what_is_allowed_and_surprises(changes: dict[str, Any], warning: str) -> None:
    assert warnings(plan(1000, **({"waves": ["10%", "rest"]} | changes))) == [warning]


def test_pulses_that_follow_before_the_reports_are_said() -> None:
    quick = Pace(first=50, every="9m59s")

    assert warnings(plan(100, waves=["rest"], pace=quick)) == [
        (
            "A pulse follows 9m59s after the one before, and most devices are taken to have reported after 10m: pulses"
            " start before the failures of earlier ones are known."
        )
    ]
    assert warnings(plan(50, waves=["rest"], pace=quick)) == []
    assert warnings(plan(100, waves=["rest"], pace=Pace(first=50, every="11m"))) == []
    assert warnings(plan(100, waves=["rest"], pace=Pace(first=50, every="10m"))) == []
    assert "A pulse follows 9m59s after" in warnings(plan(100, waves=["10", "rest"], pace=quick))[0]


def test_a_single_late_pulse_is_one() -> None:
    of = plan(
        100, waves=["100"], pace=Pace(first=100, every="1h"), window="daily 07:50-08:30 UTC", timeout_in_minutes=40
    )

    assert warnings(of) == [
        "1 pulse starts so late in a window that devices may go on for up to 10m after it has closed."
    ]


def test_the_week_of_a_window_is_no_surprise() -> None:
    week = {"window": "Tue 07:00-16:00 UTC", "blackout": ["2026-12-01"], "timeout_in_minutes": 30}

    assert warnings(plan(1000, waves=["10%", "rest"], **week)) == []


def test_a_last_wave_that_cannot_promote_needs_no_decision() -> None:
    assert warnings(plan(50, waves=["rest"])) == []


def test_a_stratum_that_the_first_pulse_misses_is_named() -> None:
    listed = [candidate(f"d{at:03}", version=f"1.{at // 100}") for at in range(300)]
    of = plan_release(
        "r", freeze_cohort(listed, rule()), schedule(waves=["90", "rest"], pace=Pace(first=2, every="1h")), GATE
    )

    assert warnings(of) == ["1 of 3 strata have no device in the first pulse, for example '1.0'."]


def test_devices_without_an_attribute_are_counted() -> None:
    listed = [*fleet(90, attributes={"region": "eu"}), candidate("x"), candidate("y")]
    of = plan_release("r", freeze_cohort(listed, rule(strata=["region"])), schedule(waves=["rest"]), GATE)

    assert warnings(of) == ["2 devices lack an attribute of their stratum, for example in 'not given'."]


def test_jobs_that_hold_devices_are_named_up_to_five() -> None:
    listed = [*fleet(90), *(candidate(f"x{at}", busy_job=f"job-{at % 6}") for at in range(7))]
    of = plan_release("r", freeze_cohort(listed, rule()), schedule(waves=["rest"]), GATE)

    assert warnings(of) == [
        (
            "Unfinished jobs hold devices that are therefore in no wave: job-0 (2 devices), job-1 (1 devices), job-2 (1"
            " devices), job-3 (1 devices), job-4 (1 devices) and 1 more."
        )
    ]
    fewer = plan_release("r", freeze_cohort(listed[:92], rule()), schedule(waves=["rest"]), GATE)
    assert warnings(fewer) == [
        "Unfinished jobs hold devices that are therefore in no wave: job-0 (1 devices), job-1 (1 devices)."
    ]


def test_a_poll_that_takes_longer_than_a_minute_is_said() -> None:
    of = plan(7000, waves=["rest"], pace=Pace(first=7000, every="1h"))

    assert warnings(of, requests_per_second=1.0) == [
        "One poll of the largest pulse takes 70 s at 1 requests a second, so a failure is read up to that late."
    ]
    assert warnings(of, requests_per_second=70 / 60) == []
