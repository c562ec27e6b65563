from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
from airflow_provider_tuya_ota.rollout.gate.outcomes import DeviceOutcome
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart, join_parts, part_since
from airflow_provider_tuya_ota.rollout.record.values import read, write
from tests.rollout.gate.fleet import DAY, START, places, tasks

STRATA = ("1.0", "1.1")
PLACES = places(12, STRATA)
ROUNDS = st.lists(
    st.tuples(st.sampled_from(["poll", "correct", "exclude"]), st.text("QPGSFDBC", min_size=12, max_size=12)),
    max_size=8,
)


def grown(steps: list[tuple[str, str]]) -> tuple[Evidence, list[EvidencePart]]:
    """Let evidence grow, and give the part that each step has added."""
    evidence, parts = Evidence(strata=STRATA), list[EvidencePart]()
    for number, (what, letters) in enumerate(steps):
        rounds, jobs, known = len(evidence.rounds), len(evidence.jobs), list(evidence.contradictions)
        now = START + timedelta(hours=12 * number)
        names = [f"d{place:05}" for place, letter in enumerate(letters) if letter in "SF"]
        if what == "poll":
            evidence.record(tasks(letters, job=str(number % 3)), PLACES, now=now, silent_after=DAY)
        elif what == "correct":
            evidence.correct(names, now=now)
        else:
            evidence.exclude(names, DeviceOutcome.REMOVED, PLACES, now=now)
        parts.append(part_since(evidence, rounds=rounds, jobs=jobs, contradictions=known))
    return evidence, parts


@given(ROUNDS)
def test_parts_give_the_evidence_that_they_were_taken_from(steps: list[tuple[str, str]]) -> None:
    evidence, parts = grown(steps)
    expected = evidence.as_of(len(evidence.rounds))
    expected.contradictions = evidence.contradictions

    assert join_parts(parts or [part_since(evidence)]) == expected
    assert join_parts([part_since(evidence)]) == expected
    assert [read(EvidencePart, write(part), field="part") for part in parts] == parts


@given(ROUNDS, st.integers(0, 8))
def test_earlier_parts_give_the_evidence_of_that_time(steps: list[tuple[str, str]], number: int) -> None:
    earlier, _ = grown(steps[:number])
    _, parts = grown(steps)
    joined = join_parts(parts[:number])

    assert joined.outcomes == earlier.as_of(len(earlier.rounds)).outcomes
    assert joined.corrected == earlier.corrected


def test_a_part_of_many_devices_is_small() -> None:
    evidence = Evidence()
    letters = "S" * 19_800 + "F" * 200
    evidence.record(tasks("P" * 20_000), places(20_000), now=START, silent_after=DAY)
    evidence.record(tasks(letters), places(20_000), now=START + timedelta(hours=1), silent_after=DAY)
    part = part_since(evidence)

    assert len(part.started + part.wave_of + part.job_of + part.stratum_of + part.ended_in) == 5
    assert join_parts([part]).outcomes == evidence.outcomes


GOOD = EvidencePart(
    first_round=0,
    rounds=(START, START + timedelta(hours=1)),
    strata=("a",),
    jobs=("1",),
    devices=("x", "y"),
    started=((0, 2),),
    stratum_of=((0, 1), (255, 1)),
    wave_of=((1, 2),),
    job_of=((0, 2),),
    ended=(1,),
    ended_in=((1, 1),),
    outcomes="s",
    corrected=((1, 1),),
)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"first_round": 1}, "a round is missing between two parts"),
        ({"rounds": (START, START - timedelta(hours=1))}, "not in the order of time"),
        ({"strata": ("a", "a")}, "strata: give at most 64 different names"),
        ({"jobs": ()}, "a job without an id"),
        ({"devices": ("x",)}, "a column is not as long as its devices"),
        ({"started": ((0, 10**15),)}, "a column is not as long as its devices"),
        ({"started": ((1, 1), (0, 1))}, "starts are not in their rounds"),
        ({"started": ((0, 1), (2, 1))}, "starts are not in their rounds"),
        ({"stratum_of": ((1, 2),)}, "a stratum without a name"),
        ({"wave_of": ((101, 2),)}, "a wave has a number above 100"),
        ({"ended": (2,)}, "an outcome does not fit its device"),
        ({"ended_in": ((2, 1),)}, "an outcome does not fit its device"),
        ({"started": ((1, 2),), "ended_in": ((0, 1),)}, "an outcome does not fit its device"),
        ({"ended": (1, 1), "ended_in": ((1, 2),), "outcomes": "ss"}, "an outcome does not fit its device"),
        ({"outcomes": ""}, "not as many outcomes as devices"),
        ({"outcomes": "f"}, "a correction does not fit its device"),
        ({"corrected": ((2, 1),)}, "a correction does not fit its device"),
        ({"corrected": ((0, 1),)}, "a correction does not fit its device"),
        ({"corrected": ((1, 0),)}, "a correction does not fit its device"),
        ({"corrected": ((1, 2),)}, "a correction does not fit its device"),
    ],
)
def test_a_part_that_contradicts_itself_is_refused(fields: dict[str, Any], problem: str) -> None:
    assert join_parts([GOOD]).corrected == {1: 1}

    with pytest.raises(ValueError, match=problem):
        join_parts([replace(GOOD, **fields)])


def test_parts_with_other_strata_do_not_fit_together() -> None:
    later = EvidencePart(first_round=2, rounds=(), strata=("b",))

    with pytest.raises(ValueError, match="the strata of a part are not those of the first one"):
        join_parts([GOOD, later])


def test_no_part_is_no_evidence() -> None:
    assert join_parts([]) == Evidence()


def test_letters_that_stand_for_no_end_are_refused() -> None:
    with pytest.raises(ValueError, match="outcomes: 'p' is not a text like"):
        read(EvidencePart, write(GOOD) | {"outcomes": "p"}, field="part")
