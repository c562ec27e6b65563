"""What the ledger keeps of a task that creates a set of jobs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.jobs.intent import Stage, parse_other_intents
from airflow_provider_tuya_ota.core.jobs.set_note import SetNote
from airflow_provider_tuya_ota.runtime import ledger
from tests.core.jobs.upgrades import NOTE, OF_NAMED
from tests.provider.runtime.test_ledger import Variables, task


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    Variables.values = {}
    monkeypatch.setattr(ledger, "Variable", Variables)


def set_note(job_id: str, *earlier: str, stage: Stage = Stage.CREATED, minutes: int = 0) -> dict[str, Any]:
    started_at = NOTE.started_at + timedelta(minutes=minutes)
    intent = replace(OF_NAMED, started_at=started_at).at(stage, job_id)
    part = SetNote(options="0" * 12, lists=("1" * 12,) * 3, began_at=NOTE.started_at, jobs=earlier)
    return part.stored_with(intent.to_dict())


def test_the_note_of_a_set_names_its_earlier_jobs_once() -> None:
    first, second = task("a"), task("b")
    first.write(set_note("101"))
    first.write(set_note("", "101", stage=Stage.ASKING, minutes=1))
    first.write(set_note("102", "101", minutes=1))

    (text,) = Variables.values.values()
    (seen,) = second.other_intents(None).intents
    (parsed,) = parse_other_intents([seen])

    assert (json.loads(text)["had"], seen.past_jobs) == ({}, ())
    assert sorted(parsed.jobs) == ["101", "102"]


def test_a_set_that_was_refused_its_next_job_keeps_its_note() -> None:
    first = task("a")
    refused = set_note("", "101", stage=Stage.NOTHING, minutes=1)
    first.write(set_note("101"))
    first.write(refused)

    assert task("a").read() == refused


def test_a_set_of_which_nothing_was_requested_has_no_note() -> None:
    first = task("a")
    first.write(set_note("", stage=Stage.NOTHING))

    assert (task("a").read(), Variables.values) == (None, {})


def test_the_last_job_of_a_set_stays_marked_when_another_set_begins() -> None:
    first = task("a")
    first.write(set_note("102", "101"))
    first.write(set_note("", stage=Stage.NOTHING, minutes=9))

    (text,) = Variables.values.values()
    assert list(json.loads(text)["had"]) == ["102"]
