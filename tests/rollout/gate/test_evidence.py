from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.gate.evidence import MOST_STRATA, Evidence, Place
from airflow_provider_tuya_ota.rollout.gate.outcomes import OUTCOMES, DeviceOutcome
from tests.rollout.gate.fleet import DAY, START, after, evidence_of, places, record, task, tasks

if TYPE_CHECKING:
    from collections.abc import Iterable


def letters(evidence: Evidence) -> str:
    return evidence.outcomes.decode()


def outcome_of(evidence: Evidence, device: str) -> list[str]:
    return [
        OUTCOMES[code].value for name, code in zip(evidence.devices, evidence.outcomes, strict=True) if name == device
    ]


def test_devices_that_one_round_finds_started_stand_in_the_order_of_their_rank() -> None:
    found = tasks("SFPG")
    where = places(4)

    for order in (found, found[::-1], [found[2], found[0], found[3], found[1]]):
        evidence = record(Evidence(), order, where)
        assert evidence.devices == ["d00000", "d00001", "d00002", "d00003"]
        assert letters(evidence) == "sfpg"


def test_devices_of_a_later_round_stand_behind_those_of_an_earlier_one_whatever_their_rank() -> None:
    evidence = record(Evidence(), tasks("PP", first=2), places(4))
    record(evidence, tasks("SF"), places(4), after(minutes=1))

    assert evidence.devices == ["d00002", "d00003", "d00000", "d00001"]
    assert evidence.rounds == [START, after(minutes=1)]


def test_devices_that_are_not_planned_stand_behind_all_others_by_name() -> None:
    found = [task("b", "SUCCEEDED"), task("a", "SUCCEEDED"), *tasks("S")]
    evidence = record(Evidence(), found, places(1))

    assert evidence.devices == ["d00000", "a", "b"]
    assert evidence.wave_of == [1, 0, 0]


def test_devices_that_wait_for_their_push_have_not_started() -> None:
    evidence = record(Evidence(), [task("a", "QUEUED"), task("b", "CONFIRM")], {})

    assert (evidence.devices, evidence.rounds) == ([], [])


def test_a_round_without_news_is_not_kept() -> None:
    evidence = evidence_of("PS")
    for status in "PG":
        record(evidence, tasks(f"{status}S"), places(2), after(hours=1))

    assert evidence.rounds == [START]
    assert letters(evidence) == "gs"


def test_the_first_outcome_stays_and_a_contradiction_is_kept_once() -> None:
    evidence = evidence_of("SF")
    record(evidence, tasks("FS"), places(2), after(hours=1))
    record(evidence, tasks("PS"), places(2), after(hours=2))

    assert letters(evidence) == "sf"
    assert evidence.contradictions == {"d00000": "FAILED", "d00001": "SUCCEEDED"}
    assert evidence.rounds == [START]


def test_a_device_that_failed_stays_failed_when_another_job_retries_it() -> None:
    evidence = evidence_of("F")
    record(evidence, tasks("P", job="2"), places(1), after(hours=1))
    record(evidence, tasks("S", job="2"), places(1), after(hours=2))

    assert (letters(evidence), evidence.contradictions) == ("f", {})
    assert evidence.rounds == [START]


def test_the_job_that_started_a_device_decides_and_no_later_one() -> None:
    evidence = evidence_of("P")
    record(evidence, tasks("S", job="2"), places(1), after(hours=1))
    assert letters(evidence) == "p"

    record(evidence, tasks("F"), places(1), after(hours=2))
    assert letters(evidence) == "f"


@pytest.mark.parametrize(("letter", "code"), [("B", "b"), ("C", "c")])
def test_a_device_that_did_not_start_may_start_with_another_job(letter: str, code: str) -> None:
    evidence = evidence_of(f"S{letter}")
    record(evidence, tasks(f"S{letter}"), places(2), after(hours=1))
    assert letters(evidence) == f"s{code}"

    record(evidence, tasks("P", first=1, job="2"), places(2), after(hours=2))
    record(evidence, [*tasks(f"S{letter}"), *tasks("F", first=1, job="2")], places(2), after(hours=3))

    assert evidence.devices == ["d00000", "d00001", "d00001"]
    assert letters(evidence) == f"s{code}f"
    assert evidence.contradictions == {}


def test_a_device_that_did_not_start_may_start_with_a_job_that_others_started_with_before() -> None:
    evidence = evidence_of("B")
    record(evidence, tasks("S", first=1, job="2"), places(2), after(hours=1))
    record(evidence, tasks("F", job="2"), places(2), after(hours=2))

    assert letters(evidence) == "bsf"


def test_a_device_that_no_job_could_start_is_listed_once_for_each_job() -> None:
    evidence = evidence_of("B")
    for _ in range(3):
        record(evidence, [*tasks("B"), *tasks("B", job="2")], places(1), after(hours=1))

    assert (letters(evidence), evidence.jobs) == ("bb", ["1", "2"])


@pytest.mark.parametrize("swapped", [False, True])
def test_of_two_jobs_of_one_round_the_one_that_started_the_device_counts(*, swapped: bool) -> None:
    found = [*tasks("B"), *tasks("F", job="2")]
    evidence = record(Evidence(), found[::-1] if swapped else found, places(1))

    assert letters(evidence) == "f"


def test_a_cancelled_device_that_had_begun_is_a_failure_and_one_that_had_not_is_left_out() -> None:
    evidence = evidence_of("PG")
    record(evidence, tasks("CC"), places(2), after(hours=1))

    assert outcome_of(evidence, "d00000") == ["cancelled"]
    assert outcome_of(evidence, "d00001") == ["other"]


def test_a_device_is_silent_only_where_a_poll_shows_it_unfinished_after_its_time() -> None:
    evidence = evidence_of("PPG")
    late = after(seconds=DAY)
    record(evidence, tasks("P", first=1), places(3), late - timedelta(seconds=1))
    assert letters(evidence) == "ppg"

    # The first device is not read in this round, as while the platform is away.
    record(evidence, tasks("PG", first=1), places(3), late)
    assert letters(evidence) == "pxx"

    record(evidence, tasks("S"), places(3), after(days=3))
    assert letters(evidence) == "sxx"


def test_the_time_until_silence_begins_with_each_device_s_own_start() -> None:
    evidence = evidence_of("P")
    record(evidence, tasks("PP"), places(2), after(hours=20))
    record(evidence, tasks("PP"), places(2), after(hours=25))
    assert letters(evidence) == "xp"

    record(evidence, tasks("PP"), places(2), after(hours=44))
    assert letters(evidence) == "xx"


def test_a_late_success_of_a_silent_device_is_a_contradiction_and_its_late_failure_is_none() -> None:
    evidence = evidence_of("PP")
    record(evidence, tasks("PP"), places(2), after(days=2))
    record(evidence, tasks("SF"), places(2), after(days=3))

    assert letters(evidence) == "xx"
    assert evidence.contradictions == {"d00000": "SUCCEEDED"}


def test_a_clock_that_is_set_back_leaves_the_rounds_in_order() -> None:
    evidence = evidence_of("P")
    record(evidence, tasks("S"), places(1), after(hours=-2))
    evidence.exclude(["x"], DeviceOutcome.OFFLINE, {}, now=after(hours=-1))
    evidence.correct(["d00000"], now=after(hours=-1))

    assert evidence.rounds == [START] * 4


def test_a_landed_check_turns_a_success_into_a_failure_and_nothing_else() -> None:
    evidence = evidence_of("SPFS")
    evidence.correct(["d00000", "d00001", "d00002", "unknown"], now=after(hours=1))

    assert letters(evidence) == "wpfs"
    assert evidence.rounds == [START, after(hours=1)]

    evidence.correct(["d00000"], now=after(hours=2))
    assert len(evidence.rounds) == 2


def test_a_device_that_runs_another_version_does_not_contradict_its_reported_success() -> None:
    evidence = evidence_of("S")
    evidence.correct(["d00000"], now=after(hours=1))
    record(evidence, tasks("S"), places(1), after(hours=2))

    assert (letters(evidence), evidence.contradictions) == ("w", {})


def test_a_person_removes_a_device_only_before_its_outcome() -> None:
    evidence = evidence_of("PGSF")
    named = ["d00000", "d00001", "d00002", "d00003", "new", "new"]

    kept = evidence.exclude(named, DeviceOutcome.REMOVED, {"new": Place(9, 2)}, now=after(hours=1))

    assert kept == ["d00002", "d00003", "new"]
    assert letters(evidence) == "rrsfr"
    assert evidence.wave_of[-1] == 2

    record(evidence, [*tasks("SF"), task("new", "FAILED")], places(2), after(hours=2))
    assert letters(evidence) == "rrsfr"


def test_the_removal_of_a_started_device_is_a_round() -> None:
    evidence = evidence_of("P")
    evidence.exclude(["d00000"], DeviceOutcome.REMOVED, {}, now=after(hours=1))

    assert (evidence.rounds, evidence.ended) == ([START, after(hours=1)], [1])


def test_a_started_device_is_not_listed_as_offline() -> None:
    evidence = evidence_of("P")

    assert evidence.exclude(["d00000"], DeviceOutcome.OFFLINE, {}, now=after(hours=1)) == ["d00000"]
    assert (letters(evidence), len(evidence.rounds)) == ("p", 1)


def test_a_device_that_was_offline_counts_once_it_starts() -> None:
    evidence = Evidence()
    evidence.exclude(["d00000"], DeviceOutcome.OFFLINE, places(1), now=START)
    record(evidence, tasks("Q"), places(1), after(hours=1))
    record(evidence, tasks("P"), places(1), after(hours=2))
    record(evidence, tasks("F"), places(1), after(hours=3))

    assert letters(evidence) == "nf"


def test_strata_that_the_plan_does_not_name_are_refused_before_anything_is_taken_in() -> None:
    evidence = Evidence(strata=("eu", "us"))
    where = {"a": Place(0, 1, "eu"), "b": Place(1, 1, "cn")}

    with pytest.raises(ConfigurationError, match="cn is not among eu, us"):
        record(evidence, [task("a", "NOTIFIED"), task("b", "NOTIFIED")], where)
    with pytest.raises(ConfigurationError, match="cn is not among eu, us"):
        evidence.exclude(["a", "b"], DeviceOutcome.OFFLINE, where, now=START)
    assert evidence == Evidence(strata=("eu", "us"))


@pytest.mark.parametrize("strata", [("eu", "eu"), tuple(map(str, range(MOST_STRATA + 1)))])
def test_strata_are_different_and_few(strata: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match="strata: give at most 64 different names"):
        Evidence(strata=strata)
    assert Evidence(strata=tuple(map(str, range(MOST_STRATA)))).devices == []


def test_news_are_starts_and_reported_outcomes_of_the_devices_asked_for() -> None:
    evidence = evidence_of("PPP")
    all_three, the_last = b"\1\1\1", b"\0\0\1"
    assert Evidence().last_news(b"") is None
    assert evidence.last_news(b"\0\0\0") is None
    assert evidence.last_news(all_three) == START

    record(evidence, tasks("S"), places(3), after(hours=1))
    assert evidence.last_news(all_three) == after(hours=1)
    assert evidence.last_news(the_last) == START

    record(evidence, tasks("SF"), places(3), after(hours=2))
    assert evidence.last_news(all_three) == after(hours=2)

    record(evidence, tasks("SFP"), places(3), after(days=2))
    record(evidence, tasks("B", first=3), places(4), after(days=2))
    assert evidence.last_news(all_three + b"\1") == after(hours=2)

    record(evidence, tasks("P", first=4), places(5), after(days=3))
    assert evidence.last_news(all_three + b"\1\1") == after(days=3)


def play(statuses: Iterable[str]) -> tuple[Evidence, list[Evidence]]:
    """Play rounds, one text each; give the evidence and what it was after each round."""
    evidence, snapshots = Evidence(strata=("eu", "us")), []
    for number, text in enumerate(statuses):
        now, where = after(hours=number * 7), places(len(text), ("eu", "us"), wave=number)
        if text.startswith("!"):
            evidence.correct([f"d{place:05}" for place, letter in enumerate(text[1:]) if letter == "W"], now=now)
        else:
            record(evidence, tasks(text, job=str(number // 2)), where, now)
        snapshots.append(deepcopy(evidence))
    return evidence, snapshots


@given(st.lists(st.text("QPGSFBC", min_size=5, max_size=5) | st.text("W.", min_size=5, max_size=5).map("!{}".format)))
def test_the_evidence_of_any_earlier_round_can_be_restored(statuses: list[str]) -> None:
    evidence, snapshots = play(statuses)

    for snapshot in snapshots:
        snapshot.jobs = evidence.jobs
        snapshot.outcomes = snapshot.outcomes.replace(b"g", b"p")
        snapshot.contradictions = {}
        assert evidence.as_of(len(snapshot.rounds)) == snapshot
