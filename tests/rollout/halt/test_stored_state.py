from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from airflow_provider_tuya_ota.rollout.halt.known import Known
from airflow_provider_tuya_ota.rollout.halt.scope import HaltScope
from airflow_provider_tuya_ota.rollout.halt.settlement import HaltOptions, Settlement
from airflow_provider_tuya_ota.rollout.halt.stored_state import dump_settlement, load_settlement

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
OPTIONS = HaltOptions(silent_after=600.0)
SCOPE = HaltScope(jobs={"1": ("a", "b"), "9": None, "2": ("c",)}, planned=("a", "b", "c"), before={}, rounds=3)


def begun(scope: HaltScope = SCOPE) -> Settlement:
    return Settlement.begin(scope, "ceiling 5 %", OPTIONS, NOW)


def stored(settlement: Settlement) -> Any:
    return json.loads(json.dumps(dump_settlement(settlement, NOW)))


def test_a_state_is_rebuilt_as_it_was() -> None:
    settlement = begun()
    settlement.letters["1"] = {"a": "C", "b": "f"}
    settlement.letters["9"] = {"x": "s"}
    settlement.settled_at, settlement.may_begin = NOW + timedelta(hours=1), False

    again = load_settlement(stored(settlement), SCOPE)

    assert again.letters == {"1": {"a": "C", "b": "f"}, "9": {}, "2": {"c": "."}}
    assert (again.reason, again.begun_at, again.deadline) == ("ceiling 5 %", NOW, NOW + timedelta(days=1))
    assert (again.settled_at, again.may_begin) == (NOW + timedelta(hours=1), False)
    assert stored(again) == stored(settlement)


def test_a_state_that_has_not_settled_says_so() -> None:
    again = load_settlement(stored(begun()), SCOPE)

    assert (again.settled_at, again.may_begin) == (None, True)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"version": 2}, "has version 2"),
        ({"scope": "0" * 64}, "is of other jobs or devices"),
        ({"letters": "nonsense"}, "cannot be read"),
        ({"letters": 7}, "cannot be read"),
        ({"deadline": "soon"}, "Invalid isoformat"),
        ({"deadline": "2026-03-02T09:00:00"}, "a time without a zone"),
        ({"begun_at": None}, "cannot be read"),
    ],
)
def test_what_is_no_such_state_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        load_settlement(stored(begun()) | changes, SCOPE)


@pytest.mark.parametrize("letters", ["..", "....", "..?"])
def test_letters_that_do_not_fit_the_devices_are_refused(letters: str) -> None:
    other = begun(HaltScope(jobs={"1": tuple(map(str, range(len(letters))))}, planned=(), before={}, rounds=3))
    other.letters["1"] = dict(zip(map(str, range(len(letters))), letters, strict=True))
    values = stored(begun()) | {"letters": stored(other)["letters"]}

    with pytest.raises(ValueError, match="does not fit its devices"):
        load_settlement(values, SCOPE)


@pytest.mark.parametrize("name", ["version", "scope", "letters", "settled_at", "may_begin", "quiet", "reason"])
def test_a_state_without_a_part_is_refused(name: str) -> None:
    values = stored(begun())
    del values[name]

    with pytest.raises(ValueError, match="cannot be read"):
        load_settlement(values, SCOPE)


def test_the_state_of_500_jobs_is_small_whatever_became_of_their_devices() -> None:
    random = Random(7)  # noqa: S311 - a mix of ends, repeatable by its seed
    names = [f"device-{number:06d}" for number in range(100_000)]
    jobs = {str(1836340779212660000 + job): tuple(names[job * 200 : job * 200 + 200]) for job in range(500)}
    settlement = begun(HaltScope(jobs=jobs, planned=tuple(names), before={}, rounds=3))
    ends = [Known.CANCELLED] * 60 + [Known.SUCCEEDED] * 25 + [Known.FAILED] * 13 + [Known.FLASHING] * 2
    for letters in settlement.letters.values():
        for name in letters:
            letters[name] = random.choice(ends).value

    assert len(json.dumps(stored(settlement))) < 32_000
