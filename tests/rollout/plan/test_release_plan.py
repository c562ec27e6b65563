from __future__ import annotations

import copy
import hashlib
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.errors import ConfigurationError, InvalidParameterError
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.plan.build import plan_release
from airflow_provider_tuya_ota.rollout.plan.canonical import canonical_json
from airflow_provider_tuya_ota.rollout.plan.cohort import freeze_cohort
from airflow_provider_tuya_ota.rollout.plan.pace import Pace
from airflow_provider_tuya_ota.rollout.plan.planned_wave import PlannedStratum
from airflow_provider_tuya_ota.rollout.plan.rank import start_order
from airflow_provider_tuya_ota.rollout.plan.release_plan import ReleasePlan
from tests.rollout.plan.small import GATE, candidate, cohort, fleet, plan, rule, schedule


def names(of: ReleasePlan) -> list[str]:
    return [name for wave in of.waves for pulse in wave.pulses for name in pulse.devices]


def test_a_plan_is_waves_of_pulses_of_jobs() -> None:
    found = plan(1000, devices_per_job=120, approve=["rest"])

    assert [(wave.text, wave.total, wave.size) for wave in found.waves] == [
        ("1%", 10, 10),
        ("10%", 100, 90),
        ("100%", 1000, 900),
    ]
    assert [[pulse.size for pulse in wave.pulses] for wave in found.waves] == [
        [10],
        [50, 40],
        [50, 100, 200, 400, 150],
    ]
    assert [list(map(len, pulse.jobs)) for pulse in found.waves[2].pulses] == [
        [50],
        [100],
        [120, 80],
        [120, 120, 120, 40],
        [120, 30],
    ]
    assert [pulse.number for pulse in found.waves[2].pulses] == [1, 2, 3, 4, 5]
    assert [wave.jobs for wave in found.waves] == [1, 2, 10]
    assert [wave.needs_approval for wave in found.waves] == [False, False, True]
    assert (found.interval, found.soak, found.timeout_in_minutes, found.devices_per_job) == (3600, 86400, None, 120)


def test_devices_start_in_the_order_of_their_rank() -> None:
    assert names(plan(300)) == start_order("release-1", cohort(300).strata)


@given(st.integers(1, 600), st.integers(1, 70), st.integers(1, 210), st.booleans())
def test_each_device_is_in_one_job_and_no_job_is_too_large(size: int, first: int, most: int, doubles: bool) -> None:
    growth: dict[str, Any] = {"double_every": "1h"} if doubles else {"every": "1h"}
    found = plan(size, waves=["rest"], pace=Pace(first=first, **growth), devices_per_job=most)

    assert Counter(names(found)) == Counter(f"lamp-{at:04}" for at in range(size))
    assert all(0 < len(job) <= most for wave in found.waves for pulse in wave.pulses for job in pulse.jobs)
    assert found.planned == found.cohort_size == size
    assert found.waves[0].pulses[0].size == min(first, size)


def test_the_same_arguments_give_the_same_plan_and_another_release_another_one() -> None:
    first, again = plan(200), plan(200)

    assert first == again
    assert first.digest == again.digest
    other = plan_release("release-2", cohort(200), schedule(), GATE)
    assert other.digest != first.digest
    assert names(other) != names(first)


@pytest.mark.parametrize(
    "changes",
    [
        {"soak": "23h"},
        {"window": "daily 09:00-16:00 UTC"},
        {"approve": ["10%"]},
        {"timeout_in_minutes": 60},
        {"pace": Pace(first=50, double_every="2h")},
        {"waves": ["1%", "10%", "99%"]},
        {"devices_per_job": 100},
    ],
)
def test_the_digest_covers_the_schedule(changes: dict[str, Any]) -> None:
    assert plan(200, **changes).digest != plan(200).digest


def test_the_digest_covers_gate_and_cohort() -> None:
    assert plan_release("release-1", cohort(200), schedule(), Gate(ceiling="1%")).digest != plan(200).digest
    frozen = freeze_cohort([*fleet(200), candidate("x", busy_job="1")], rule())
    assert plan_release("release-1", frozen, schedule(), GATE).digest != plan(200).digest


def test_a_plan_survives_its_way_through_json() -> None:
    found = plan(500, waves=["1%", ["lamp-0007"], "rest", "platform GRAY 5%"], blackout=["2026-12-24 UTC"])

    again = ReleasePlan.from_dict(json.loads(json.dumps(found.to_dict())))

    assert again == found
    assert again.digest == found.digest
    assert again.read_hours() == schedule(blackout=["2026-12-24 UTC"]).hours


def test_the_digest_can_be_recomputed_by_anybody() -> None:
    of = plan(3, waves=["1 device", ["lamp-0001"], "platform GRAY 5%"], approve=["wave 2"])
    last, first = (name for name in start_order("release-1", cohort(3).strata)[::-1] if name != "lamp-0001")

    values = json.loads(json.dumps(of.to_dict()))

    assert values.pop("digest") == of.digest
    assert values == {
        "plan_version": 1,
        "release_id": "release-1",
        "rule": rule().to_dict(),
        "cohort_digest": cohort(3).digest,
        "candidates": 3,
        "excluded": {},
        "busy_jobs": [],
        "strata": [[["1.0.0"], 3, 1]],
        "source_versions": [["1.0.0", 3]],
        "waves": [
            _wave(1, "1 device", "count", 1, pulses=[[[first]]]),
            _wave(2, "1 named device", "named", 2, pulses=[[["lamp-0001"]]], needs_approval=True),
            _wave(3, "platform GRAY 5%", "platform", 2, selection="GRAY", gray_percent="5"),
        ],
        "schedule": schedule(waves=["1", "2"], approve=["2"]).to_dict(),
        "gate": GATE.to_dict(),
    }
    assert last not in json.dumps(values["waves"])
    assert of.digest == hashlib.sha256(canonical_json(values)).hexdigest()


def _wave(number: int, text: str, kind: str, total: int, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"number": number, "text": text, "kind": kind, "total": total, "pulses": []}
    values |= {"needs_approval": False, "selection": "", "gray_percent": "", "group_id": ""}
    return values | changes


CHANGES: dict[str, Any] = {
    "a device more": lambda values: values["waves"][0]["pulses"][0][0].append("lamp-9999"),
    "a device moved": lambda values: values["waves"][1]["pulses"][0][0].reverse(),
    "a threshold": lambda values: values["gate"].update(ceiling="50%"),
    "a soak": lambda values: values["schedule"].update(soak=0),
    "the version": lambda values: values["rule"].update(version="6.6.6"),
    "the digest": lambda values: values.update(digest="0" * 64),
    "no digest": lambda values: values.pop("digest"),
    "another form": lambda values: values.update(plan_version=2),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_plan_that_was_changed_is_refused(change: Any) -> None:
    values = copy.deepcopy(json.loads(json.dumps(plan(100).to_dict())))
    change(values)

    with pytest.raises(ConfigurationError, match=r"^The plan of release release-1 was changed"):
        ReleasePlan.from_dict(values)


@pytest.mark.parametrize("values", [{}, {"release_id": "r"}, plan(100).to_dict() | {"waves": [{}]}])
def test_what_is_no_plan_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"^This is no plan of a release"):
        ReleasePlan.from_dict(values)


def test_the_first_pulse_holds_each_stratum() -> None:
    listed = [
        candidate(f"{version}-{at}", version=version)
        for version, number in (("1.0", 900), ("1.1", 90), ("1.2", 9), ("1.3", 1))
        for at in range(number)
    ]

    found = plan_release("r", freeze_cohort(listed, rule()), schedule(waves=["5%", "rest"]), GATE)

    assert [(one.values, one.devices) for one in found.strata] == [
        (("1.0",), 900),
        (("1.1",), 90),
        (("1.2",), 9),
        (("1.3",), 1),
    ]
    assert sum(one.in_first_pulse for one in found.strata) == 50
    assert all(one.in_first_pulse for one in found.strata)
    assert found.strata[0] == PlannedStratum(values=("1.0",), devices=900, in_first_pulse=43)
    assert found.source_versions == (("1.0", 900), ("1.1", 90), ("1.2", 9), ("1.3", 1))


def test_exclusions_and_busy_jobs_are_in_the_plan() -> None:
    frozen = freeze_cohort([*fleet(10), candidate("x", busy_job="7"), candidate("y", version="2.0.0")], rule())
    found = plan_release("r", frozen, schedule(waves=["rest"]), GATE)

    assert found.excluded == {"already on the version": 1, "busy in another job": 1}
    assert found.busy_jobs == (("7", 1),)
    assert ReleasePlan.from_dict(found.to_dict()) == found
    assert (found.candidates, found.cohort_size, found.planned) == (12, 10, 10)
    assert found.cohort_digest == frozen.digest


def test_a_wave_of_the_platform_is_one_job_without_names() -> None:
    last = plan(100, waves=["10%", "platform GROUP g-7"]).waves[-1]

    assert (last.selection, last.group_id, last.gray_percent) == ("GROUP", "g-7", "")
    assert (last.pulses, last.size, last.jobs, last.total) == ((), 0, 1, 10)
    assert not last.is_paceable


def test_an_empty_cohort_is_refused_with_its_exclusions() -> None:
    everyone = freeze_cohort(fleet(3, version="2.0.0"), rule())
    with pytest.raises(InvalidParameterError, match=r"^cohort: none of 3 devices is left \(3 already on the version\)"):
        plan_release("r", everyone, schedule(), GATE)
    with pytest.raises(InvalidParameterError, match=r"^cohort: none of 0 devices is left\. "):
        plan_release("r", freeze_cohort([], rule()), schedule(), GATE)


@pytest.mark.parametrize("value", [None, "", "None", 7, "{{ run_id }}"])
def test_a_release_without_a_name_is_refused(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^release_id: "):
        plan_release(value, cohort(10), schedule(), GATE)
