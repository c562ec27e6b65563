from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError, OutcomeError
from airflow_provider_tuya_ota.core.flows.effects import LoadState, SavedState, SaveState, StoredIntent
from airflow_provider_tuya_ota.core.jobs.carried_note import carry
from airflow_provider_tuya_ota.core.jobs.intent import Intent, parse_other_intents
from airflow_provider_tuya_ota.core.jobs.set_note import LARGEST_NOTE, SetNote, jobs_in_set
from airflow_provider_tuya_ota.core.jobs.target import Target, digest_of, fingerprint_of
from tests.core.jobs.job_sets import LISTS, request
from tests.core.jobs.upgrades import CREATED, OF_NAMED
from tests.core.script import NOW, Script

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import Flow

NOTE = SetNote(
    options="0" * 12, lists=("1" * 12, "2" * 12), began_at=NOW, known=("3" * 10,), jobs=("101", "102"), found=(1,)
)


def test_a_note_survives_being_stored_beside_the_intent_of_the_current_job() -> None:
    stored = json.loads(json.dumps(NOTE.stored_with(OF_NAMED.to_dict())))

    assert SetNote.stored_in(stored) == NOTE
    assert Intent.from_dict(stored) == replace(OF_NAMED, known=())


@pytest.mark.parametrize("value", [None, 1, {}, CREATED.to_dict()])
def test_what_is_no_note_of_a_set_has_none(value: Any) -> None:
    assert (SetNote.stored_in(value), jobs_in_set(value)) == (None, ())


@pytest.mark.parametrize(
    "damage", [{"form": 2}, {"began_at": "soon"}, {"jobs": None}, {"found": ["x"]}, {"began_at": "0001-01-01T00:00:00"}]
)
def test_a_damaged_note_is_no_other_one(damage: dict[str, Any]) -> None:
    stored = NOTE.stored_with(OF_NAMED.to_dict())
    stored["set"] |= damage
    if damage == {"began_at": "0001-01-01T00:00:00"}:
        stored["set"]["began_at"] += "+14:00"

    with pytest.raises(
        OutcomeError, match=r"Look at the firmware's jobs in the vendor's console\. Nothing was created"
    ):
        SetNote.stored_in(stored)
    assert jobs_in_set(stored) == ()


def test_another_task_takes_no_job_of_a_set() -> None:
    stored = NOTE.stored_with(CREATED.to_dict())

    (seen,) = parse_other_intents([StoredIntent("task", "k", stored, ("99",))])

    assert seen.jobs.job_ids == ("9", "99", "101", "102")


def test_the_note_of_five_hundred_jobs_of_two_hundred_devices_stays_below_32_kb() -> None:
    lists = tuple(tuple(f"device-{number:03d}-{index:03d}" for index in range(200)) for number in range(500))
    whole = request(*lists)
    action = whole.action(499)
    intent = Intent(
        fingerprint=fingerprint_of(action),
        target=Target.of(action),
        stage=OF_NAMED.stage,
        started_at=datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
        entity_id="1836340779212669999",
    )
    jobs = tuple(str(1836340779212660000 + number) for number in range(499))
    known = tuple(digest_of(str(number)) for number in range(500))
    note = SetNote(options=whole.options, lists=whole.list_digests, began_at=NOW, known=known, jobs=jobs)

    size = note.size(intent.to_dict())

    assert 20_000 < size < 29_000 < LARGEST_NOTE < 32_768


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        ((("d1", "d2"), ("d1",)), "list 2 names 'd1', which list 1 names already"),
        ((("d1",), ()), "list 2 names 0 devices"),
        ((tuple(f"d{number}" for number in range(201)),), "list 1 names 201 devices"),
        (tuple((f"d{number}",) for number in range(501)), "has 501 lists"),
        ((("d1", "d1"),), "d1"),
        ((("d1", "None"),), "None"),
    ],
)
def test_lists_that_would_give_a_device_two_jobs_or_are_too_long_are_refused(lists: Any, said: str) -> None:
    with pytest.raises(InvalidParameterError, match=said):
        request(*lists)


def test_an_empty_set_and_wrong_options_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match="has 0 lists"):
        replace(request(), device_lists=())
    with pytest.raises(InvalidParameterError, match="retry_count"):
        request(retry_interval=10)


def test_the_options_do_not_depend_on_the_devices() -> None:
    assert request().options == request(*LISTS[1:]).options != request(need_push=False).options


def test_a_carried_flow_gets_its_intent_back_unless_another_try_has_gone_on() -> None:
    intent = replace(OF_NAMED, known=("4" * 10, "5" * 10))

    def flow() -> Flow[tuple[bool, bool]]:
        yield SaveState(intent.to_dict())
        same: SavedState = yield LoadState()
        script.saved = replace(NOTE, jobs=("101", "102", "103")).stored_with(intent.to_dict())
        other: SavedState = yield LoadState()
        return same.value == intent.to_dict(), other.value == intent.to_dict()

    script = Script()

    assert script.run(carry(flow(), NOTE, intent.known)) == (True, False)


def test_a_carried_flow_gets_what_the_driver_throws_in_and_is_closed_with_the_one_around_it() -> None:
    seen: list[str] = []

    def flow() -> Flow[str]:
        try:
            yield LoadState()
        except ValueError as error:
            seen.append(str(error))
        try:
            yield LoadState()
        finally:
            seen.append("closed")
        return ""

    around = carry(flow(), NOTE, ())
    next(around)
    around.throw(ValueError("no"))
    around.close()

    assert seen == ["no", "closed"]
