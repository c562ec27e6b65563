from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.rollout.gate.gate import Confidence, Gate
from airflow_provider_tuya_ota.rollout.plan.build import plan_release
from airflow_provider_tuya_ota.rollout.plan.cohort import freeze_cohort
from airflow_provider_tuya_ota.rollout.plan.dry_run import list_dry_run
from airflow_provider_tuya_ota.rollout.plan.dry_run_text import render_dry_run
from airflow_provider_tuya_ota.rollout.plan.forecast import forecast_release
from airflow_provider_tuya_ota.rollout.plan.pace import Pace
from tests.rollout.plan.small import GATE, candidate, cohort, fleet, plan, rule, schedule

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.plan.release_plan import ReleasePlan

pytestmark = pytest.mark.usefixtures("few_courses")


def dry_run(of: ReleasePlan) -> dict[str, Any]:
    start = datetime(2026, 12, 1, 8, tzinfo=UTC)
    return list_dry_run(of, forecast_release(of, start=start, requests_per_second=10))


def small_plan() -> ReleasePlan:
    listed = [*fleet(1000), candidate("new", version="2.0.0"), candidate("busy", busy_job="77")]
    return plan_release(
        "release-1",
        freeze_cohort(listed, rule()),
        schedule(waves=["10%", "rest"], approve=["rest"], window="daily 06:00-20:00 UTC", timeout_in_minutes=60),
        GATE,
    )


def test_the_rows_hold_the_whole_plan_but_the_names() -> None:
    of = small_plan()
    values = dry_run(of)

    assert json.loads(json.dumps(values)) == values
    assert values["plan_digest"] == of.digest
    assert values["cohort"] == {
        "candidates": 1002,
        "excluded": {"already on the version": 1, "busy in another job": 1},
        "devices": 1000,
        "in_waves": 1000,
    }
    assert values["busy_jobs"] == {"77": 1}
    assert values["strata"] == [{"stratum": "1.0.0", "devices": 1000, "in_first_pulse": 50}]
    assert values["source_versions"] == {"1.0.0": 1000}
    assert values["gate"] == GATE.to_dict()
    assert values["schedule"] == of.schedule
    first = values["waves"][0]
    assert {name: first[name] for name in ("number", "wave", "adds", "total", "jobs", "is_paceable")} == {
        "number": 1,
        "wave": "10%",
        "adds": 100,
        "total": 100,
        "jobs": 2,
        "is_paceable": True,
    }
    assert (first["promotes_with"], first["halts_with"]) == (0, 13)
    assert [wave["needs_approval"] for wave in values["waves"]] == [False, True]
    assert first["pulses"] == [
        {
            "number": 1,
            "devices": 50,
            "jobs": 1,
            "starts_at": "2026-12-01T08:00:00Z",
            "closes_at": "2026-12-01T20:00:00Z",
        },
        {
            "number": 2,
            "devices": 50,
            "jobs": 1,
            "starts_at": "2026-12-01T09:00:00Z",
            "closes_at": "2026-12-01T20:00:00Z",
        },
    ]
    assert [risk["bad_percent"] for risk in values["devices_at_risk"]] == [5, 10, 20]
    assert values["requests"]["total"] == sum(values["requests"][name] for name in ("to_plan", "to_create", "to_watch"))
    assert values["assumptions"]["start"] == "2026-12-01T08:00:00Z"
    assert len(values["warnings"]) == 1
    assert "lamp-" not in json.dumps(values)


def test_the_rows_have_the_names_of_their_version() -> None:
    values = dry_run(small_plan())

    assert values["dry_run_version"] == 1
    assert " ".join(values) == (
        "dry_run_version release_id product_key module_name version plan_digest cohort_digest cohort busy_jobs strata"
        " source_versions schedule gate waves requests devices_at_risk assumptions warnings"
    )
    assert " ".join(values["waves"][0]) == (
        "number wave adds total jobs is_paceable needs_approval starts_at soaks_until promotes_with halts_with decides"
        " pulses"
    )
    assert " ".join(values["requests"]) == "to_plan to_create to_watch total requests_per_second minutes"
    assert " ".join(values["devices_at_risk"][0]) == "bad_percent all_at_once paced until_hold"
    assert " ".join(values["assumptions"]) == (
        "start devices_begin_after_seconds devices_take_seconds spread reaction_seconds"
    )


def section(text: str, title: str) -> list[str]:
    lines = text.splitlines()
    at = lines.index(title)
    return [line.strip() for line in lines[at + 1 : lines.index("", at) if "" in lines[at:] else None]]


def test_the_text_is_a_table_for_people() -> None:
    text = render_dry_run(dry_run(small_plan()))

    assert text.startswith("Release release-1: 2.0.0 for product k1demoproduct\n")
    assert text.endswith("\n")
    assert "Nothing was created or changed." in text
    assert section(text, "Course") == [
        "pace            50 first, doubling every 1h",
        "soak            1d",
        "window          daily 06:00-20:00 UTC",
        "device timeout  1h",
        "gate            ceiling 5%, confidence 95%",
    ]
    assert section(text, "Cohort") == [
        "candidates              1,002",
        "already on the version  -1",
        "busy in another job     -1",
        "in the cohort           1,000",
        "in waves                1,000",
    ]
    assert section(text, "Strata") == ["stratum  devices  first pulse", "1.0.0    1,000    50"]
    waves = section(text, "Waves (earliest dates, UTC)")
    assert waves[1].startswith("1  10%   100   100    2     2026-12-01 08:00  2026-12-02 09:5")
    assert waves[2].endswith("after approval")
    assert waves[3] == "1 promotes with at most 0 failures of 100; halts at 13 failures"
    assert (
        section(text, "Pulses (earliest dates, UTC)")[1]
        == "1     1      50       1     2026-12-01 08:00  2026-12-01 20:00"
    )
    assert section(text, "Requests")[3].startswith("at 10 a second")
    risks = section(text, "Devices that a bad firmware reaches")
    assert risks[0].split("  ")[0] == "fails on"
    assert risks[4] == "Means, if a device begins 9m after its job was created on average, and takes 12m."
    assert section(text, "Warnings")[0].startswith("- Unfinished jobs hold devices")
    assert all(line == line.rstrip() for line in text.splitlines())


def test_long_waves_are_cut_and_open_windows_never_close() -> None:
    of = plan(900, waves=["rest"], pace=Pace(first=50, every="1h"))
    text = render_dry_run(dry_run(of))

    pulses = section(text, "Pulses (earliest dates, UTC)")
    assert len(pulses) == 1 + 12 + 1
    assert pulses[1].endswith("never")
    assert pulses[-1].split() == ["1", "...", "6", "more"]
    assert "Warnings" not in text
    whole = render_dry_run(dry_run(plan(600, waves=["rest"], pace=Pace(first=50, every="1h"))))
    assert "more" not in "".join(section(whole, "Pulses (earliest dates, UTC)"))


def test_a_wave_of_the_platform_shows_no_number() -> None:
    text = render_dry_run(dry_run(plan(1000, waves=["10%", "platform ALL"])))

    assert section(text, "Waves (earliest dates, UTC)")[2].split()[:6] == ["2", "platform", "ALL", "?", "?", "1"]
    assert section(text, "Pulses (earliest dates, UTC)")[3].split()[:4] == ["2", "1", "?", "1"]


def test_the_course_shows_what_was_written() -> None:
    gate = Gate(ceiling="1%", confidence=Confidence(halt="99%", promote="90%"))
    wanted = schedule(
        waves=["rest"], pace=Pace(first=50, every="30m", at_most=1000), soak="90m", blackout=["2026-12-24 UTC"]
    )
    text = render_dry_run(dry_run(plan_release("r", cohort(10), wanted, gate)))

    assert section(text, "Course") == [
        "pace            50 first, as many every 30m, at most 1,000",
        "soak            1h30m",
        "window          always",
        "blackout        2026-12-24 UTC",
        "device timeout  none",
        "gate            ceiling 1%, confidence 99% / 90%",
    ]


def test_a_module_other_than_the_whole_device_is_named() -> None:
    listed = [candidate(f"d{at}", module_name="radio") for at in range(100)]
    of = plan_release("r", freeze_cohort(listed, rule(module_name="radio")), schedule(waves=["rest"]), GATE)

    assert render_dry_run(dry_run(of)).startswith("Release r: 2.0.0 for product k1demoproduct, module radio\n")
