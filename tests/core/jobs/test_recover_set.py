from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import (
    AmbiguousOutcomeError,
    IncompleteListError,
    JobSetChangedError,
    OutcomeError,
)
from airflow_provider_tuya_ota.core.jobs.events import IntentMissing
from airflow_provider_tuya_ota.core.jobs.intent import Attempt
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.jobs.recover_set import own_jobs
from tests.core.jobs.job_sets import BEGUN, LISTS, RETRY, Fake, create, ids, other, request
from tests.core.jobs.upgrades import CREATED
from tests.core.script import NOW, Script, lost

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.jobs.job_set_request import JobSetRequest

CLEARED = Attempt(clear_number=1, cleared_after=1, run_started_at=BEGUN)
NEXT = (("d7",), ("d8",))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (request(LISTS[0], ("d3", "d6"), LISTS[2]), "list 2 has other devices than in the set"),
        (request(*LISTS[:2]), "2 lists are given, and there were 3 in the set"),
        (request(timeout_in_minutes=60), "firmware, product or options differ from those of the set"),
        (request(*NEXT), "list 1 has other devices than in the set"),
    ],
)
def test_other_lists_and_options_are_refused_with_what_differs(given: JobSetRequest, said: str) -> None:
    fake = Fake()
    script = Script(fake)
    create(script)
    script.sent.clear()

    with pytest.raises(JobSetChangedError, match=f"{said} .*of which 3 of 3 exist or may exist. Nothing was created"):
        create(script, RETRY, given)
    assert script.sent == []


def test_the_order_of_devices_in_a_list_is_no_change() -> None:
    fake = Fake()
    script = Script(fake)
    create(script)

    assert ids(create(script, RETRY, request(("d2", "d1"), *LISTS[1:]))) == ["101", "102", "103"]


def test_the_next_set_may_begin_when_the_last_one_is_complete_and_its_jobs_are_given_as_earlier_ones() -> None:
    fake = Fake()
    script = Script(fake)
    before = ids(create(script))

    with pytest.raises(JobSetChangedError):
        create(script, RETRY, request(*NEXT, earlier=JobSet.of(*before[:2])))
    assert ids(create(script, RETRY, request(*NEXT, earlier=JobSet.of(*before)))) == ["104", "105"]


def test_another_set_may_begin_where_nothing_was_requested() -> None:
    fake = Fake(extra=1)
    script = Script(fake)
    with pytest.raises(IncompleteListError):
        create(script)
    fake.extra = 0

    assert ids(create(script, RETRY, request(*NEXT))) == ["101", "102"]


def test_an_interrupted_set_is_never_replaced() -> None:
    fake = Fake(fates={2: lost()}, unseen={2})
    script = Script(fake)
    with pytest.raises(Exception, match="no answer"):
        create(script)

    with pytest.raises(JobSetChangedError, match="of which 2 of 3 exist or may exist"):
        create(script, RETRY, request(*NEXT, earlier=JobSet.of("101")))


def test_a_note_about_a_single_job_and_one_that_is_damaged_stop_the_set() -> None:
    script = Script(Fake(), saved=CREATED.to_dict())
    with pytest.raises(JobSetChangedError, match="is about a single job, not about a set"):
        create(script, RETRY)

    script.saved |= {"set": {"form": 0}}
    with pytest.raises(OutcomeError, match="note of this task's jobs cannot be read"):
        create(script, RETRY)


@pytest.mark.parametrize("attempt", [Attempt(), Attempt(is_retry=True), replace(CLEARED, cleared_after=0)])
def test_a_first_try_without_a_note_begins_at_once(attempt: Attempt) -> None:
    script = Script(Fake())

    assert ids(create(script, attempt)) == ["101", "102", "103"]
    assert script.sleeps == []


@pytest.mark.parametrize(
    ("job", "attempt", "is_stopped"),
    [
        ({"names": ["d3"]}, RETRY, True),
        ({"names": ["d3"], "status": "COMPLETED"}, RETRY, True),
        ({"names": ["d3"], "status": "COMPLETED"}, CLEARED, False),
        ({"names": []}, RETRY, True),
        ({"names": [], "status": "CANCELED"}, CLEARED, False),
        ({"names": ["d9"]}, RETRY, False),
        ({"names": ["d3"], "minutes": -20, "status": "COMPLETED"}, RETRY, False),
        ({"names": ["d3"], "jobType": "VERIFY_FIRMWARE"}, RETRY, False),
    ],
)
def test_a_retry_without_a_note_adopts_nothing_and_stops_at_a_job_that_may_be_the_tasks(
    job: dict[str, Any], attempt: Attempt, is_stopped: bool
) -> None:
    fake = Fake()
    fake.add("7", *job.pop("names"), **job)
    script = Script(fake)

    if not is_stopped:
        assert ids(create(script, attempt)) == ["101", "102", "103"]
        assert sum(script.sleeps) >= 65
        return
    with pytest.raises(AmbiguousOutcomeError, match=r"job 7 may be one that an earlier try .* clear this task"):
        create(script, attempt)
    assert (fake.creates, script.saved) == (0, None)


def test_jobs_of_other_tasks_and_of_the_release_are_none_of_an_earlier_try() -> None:
    fake = Fake()
    fake.add("6", "d3", status="COMPLETED")
    fake.add("7", "d4", status="COMPLETED")
    theirs = Script(Fake())
    create(theirs, of=request(*NEXT))
    note = theirs.saved | {"started_at": (NOW - timedelta(hours=1)).isoformat(), "entity_id": "6"}
    script = Script(fake, other_intents=lambda: [other(note)])

    assert ids(create(script, RETRY, request(earlier=JobSet.of("7")))) == ["101", "102", "103"]


def test_a_missing_note_is_told_where_notes_are_kept() -> None:
    for is_durable in (True, False):
        script = Script(Fake(), is_durable=is_durable)
        create(script, RETRY)
        assert any(isinstance(event, IntentMissing) for event in script.events) == is_durable


def test_a_retry_without_a_note_concludes_nothing_from_an_incomplete_list() -> None:
    fake = Fake(extra=1)

    with pytest.raises(IncompleteListError):
        create(Script(fake), RETRY)
    assert fake.creates == 0


def test_a_kill_stops_the_jobs_that_answers_named() -> None:
    script = Script(Fake(fates={1: lost()}))
    create(script)
    named = own_jobs(script.saved)
    script.saved["stage"] = "found"

    assert (named.job_ids, own_jobs(script.saved).job_ids) == (("102", "103"), ("102",))
    assert own_jobs(None).job_ids == own_jobs(CREATED.to_dict()).job_ids == ()
