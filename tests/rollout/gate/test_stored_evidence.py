from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.gate.evidence import UNENDED, Evidence
from airflow_provider_tuya_ota.rollout.gate.outcomes import CODES, UNFINISHED, DeviceOutcome
from airflow_provider_tuya_ota.rollout.gate.stored_evidence import dump_evidence, load_evidence
from tests.rollout.gate.fleet import after, evidence_of, places, record, tasks

STRATA = ("eu", "us")


def used() -> Evidence:
    evidence = evidence_of("SFPGBC", STRATA)
    record(evidence, tasks("FFSS", job="1"), places(4, STRATA), after(hours=1))
    record(evidence, tasks("PP", first=4, job="2"), places(6, STRATA, wave=2), after(hours=2))
    evidence.correct(["d00002"], now=after(hours=3))
    evidence.exclude(["away"], DeviceOutcome.OFFLINE, {}, now=after(hours=4))
    return evidence


def test_evidence_comes_back_from_json() -> None:
    evidence = used()

    assert load_evidence(json.loads(json.dumps(dump_evidence(evidence)))) == evidence


def test_the_form_of_stored_evidence_does_not_change() -> None:
    assert dump_evidence(used()) == {
        "version": 1,
        "strata": ["eu", "us"],
        "rounds": [after(hours=hours).isoformat() for hours in range(5)],
        "jobs": ["1", "2", ""],
        "devices": ["d00000", "d00001", "d00002", "d00003", "d00004", "d00005", "d00004", "d00005", "away"],
        "outcomes": "sfwsbcppn",
        "stratum_of": [[0, 1], [1, 1], [0, 1], [1, 1], [0, 1], [1, 1], [0, 1], [1, 1], [255, 1]],
        "wave_of": [[1, 6], [2, 2], [0, 1]],
        "job_of": [[0, 6], [1, 2], [2, 1]],
        "started": [[0, 6], [2, 2], [4, 1]],
        "ended": [[0, 2], [1, 2], [0, 2], [-1, 2], [4, 1]],
        "corrected": [[2, 3]],
        "contradictions": {"d00000": "FAILED"},
    }


def test_evidence_with_every_outcome_comes_back() -> None:
    evidence = evidence_of("S" * len(DeviceOutcome))
    evidence.outcomes[:] = CODES.values()
    evidence.ended[:] = [UNENDED if outcome in UNFINISHED else 0 for outcome in DeviceOutcome]

    assert load_evidence(dump_evidence(evidence)) == evidence


def test_the_first_device_may_be_corrected_in_the_round_after_its_success() -> None:
    evidence = evidence_of("S")
    evidence.correct(["d00000"], now=after(hours=1))

    assert load_evidence(dump_evidence(evidence)) == evidence


@given(st.text("QPGSFBC", min_size=6, max_size=6), st.text("QPGSFBC", min_size=6, max_size=6))
def test_stored_evidence_goes_on_as_if_it_had_never_been_stored(first: str, second: str) -> None:
    kept, where = used(), places(6, STRATA)
    stored = load_evidence(json.loads(json.dumps(dump_evidence(kept))))
    for evidence in (kept, stored):
        record(evidence, [*tasks(first, job="2"), *tasks(second, job="1")], where, after(hours=5))
        record(evidence, [*tasks(second, job="3"), *tasks(first, job="1")], where, after(hours=50))

    assert stored == kept


def test_a_device_that_no_job_could_start_is_listed_once_for_each_job_also_after_a_restart() -> None:
    evidence = evidence_of("B")
    record(evidence, tasks("B", job="2"), places(1), after(hours=1))
    again = load_evidence(dump_evidence(evidence))
    record(again, [*tasks("B"), *tasks("B", job="2")], places(1), after(hours=2))

    assert again == evidence


def test_the_evidence_of_a_large_wave_is_hardly_more_than_the_names_of_its_devices() -> None:
    evidence = evidence_of("S" * 5000)

    assert len(json.dumps(dump_evidence(evidence))) < 5000 * (len('"d00000", ') + 1) + 1000


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"version": 2}, "version 2 is not known"),
        ({"devices": ["a"]}, "columns that are not as long"),
        ({"wave_of": [[1, 3]]}, "columns that are not as long"),
        ({"outcomes": "sfpgbcss?"}, "outcomes that are not known"),
        ({"stratum_of": [[2, 9]]}, "strata that it does not name"),
        ({"started": [[9, 9]]}, "order of their start"),
        ({"started": [[-1, 9]]}, "order of their start"),
        ({"started": [[1, 1], [0, 8]]}, "order of their start"),
        ({"ended": [[-1, 9]]}, "end does not fit"),
        ({"ended": [[4, 9]]}, "end does not fit"),
        ({"ended": [[9, 9]]}, "end does not fit"),
        ({"rounds": ["2026-03-02T09:00:00+00:00", "2026-03-01T09:00:00+00:00"]}, "order of time"),
        ({"started": [[0, 6], [2, 2], [5, 1]]}, "order of their start"),
        ({"ended": [[0, 2], [1, 2], [0, 2], [-1, 2], [5, 1]]}, "end does not fit"),
        ({"ended": [[0, 2], [1, 2], [0, 2], [-1, 2], [3, 1]]}, "end does not fit"),
        ({"job_of": [[0, 6], [1, 2], [3, 1]]}, "jobs that it does not name"),
        ({"corrected": [[0, 1]]}, "corrections"),
        ({"corrected": [[2, 3], [0, 1]]}, "corrections"),
        ({"corrected": [[2, 1]]}, "corrections"),
        ({"corrected": [[2, 5]]}, "corrections"),
        ({"corrected": [[9, 3]]}, "corrections"),
        ({"corrected": [[-7, 3]]}, "corrections"),
        ({"corrected": [[2, 99]]}, "corrections"),
        ({"corrected": [[99, 1]]}, "corrections"),
        ({"corrected": 5}, "cannot be read"),
        ({"rounds": ["yesterday"]}, "cannot be read"),
        ({"job_of": [[9, 9]]}, "jobs that it does not name"),
        ({"job_of": [[-1, 9]]}, "jobs that it does not name"),
        ({"version": True}, "version True is not known"),
        ({"corrected": [["2", 3]]}, "cannot be read"),
        ({"started": [["0", 9]]}, "cannot be read"),
        ({"started": [[0.0, 9]]}, "cannot be read"),
        ({"started": [[0, 9, 1]]}, "cannot be read"),
        ({"wave_of": [["1", 9]]}, "cannot be read"),
        ({"wave_of": [[True, 9]]}, "cannot be read"),
        ({"wave_of": [[-1, 9]]}, "a wave below 0"),
        ({"wave_of": [[1, 10], [1, -1]]}, "columns that are not as long"),
        ({"wave_of": [[1, 10**15]]}, "columns that are not as long"),
        ({"stratum_of": [[10**9, 9]]}, "cannot be read"),
        ({"rounds": ["2026-03-02T09:00:00"] * 5}, "cannot be read .*has no zone"),
        ({"devices": list(range(9))}, "no list of texts"),
        ({"devices": "x" * 9}, "no list of texts"),
        ({"devices": ["a"] * 9}, "a device that was tried twice"),
        ({"strata": "ab"}, "no list of texts"),
        ({"strata": [1, 2]}, "no list of texts"),
        ({"jobs": [1, 2, 3]}, "no list of texts"),
        ({"contradictions": [["a", "b"]]}, "no object of texts"),
        ({"contradictions": {"a": 5}}, "no object of texts"),
    ],
)
def test_evidence_that_was_damaged_is_refused(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^evidence: .*{problem}"):
        load_evidence({**dump_evidence(used()), **changed})


@pytest.mark.parametrize("name", sorted(dump_evidence(Evidence())))
def test_evidence_of_which_a_part_is_missing_is_refused(name: str) -> None:
    values = dump_evidence(used())
    del values[name]

    with pytest.raises(ConfigurationError, match=r"^evidence: "):
        load_evidence(values)


@pytest.mark.parametrize("values", [None, 5, "x", [], ["version"]])
def test_what_is_no_object_is_no_evidence(values: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^evidence: version None is not known"):
        load_evidence(values)
