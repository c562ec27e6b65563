from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import (
    AlreadyUnderWayError,
    AmbiguousOutcomeError,
    ConflictError,
    IncompleteListError,
    JobMissingError,
    JobSetTooLargeError,
    ProtocolError,
    TransportError,
)
from airflow_provider_tuya_ota.core.jobs import create_set
from airflow_provider_tuya_ota.core.jobs.events import RivalCheckFailed
from airflow_provider_tuya_ota.core.jobs.intent import Attempt, Stage
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin
from tests.core.jobs.job_sets import BEGUN, LISTS, RETRY, Fake, create, ids, request
from tests.core.script import Script, lost, ok, refused

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import Flow


def stage(script: Script) -> tuple[str, str, list[str]]:
    return script.saved["stage"], script.saved["entity_id"], script.saved["set"]["jobs"]


def interrupted_after(number: int, fake: Fake) -> Script:
    """Let a try be refused its create after some jobs."""
    fake.fates[number + 1] = refused("iot.firmware.NoDeviceCanUpgrade")
    fake.unseen.add(number + 1)
    script = Script(fake)
    with pytest.raises(ConflictError):
        create(script)
    return script


def test_each_list_becomes_one_job_in_order_with_three_requests() -> None:
    fake = Fake()
    script = Script(fake)

    jobs = create(script)

    assert (ids(jobs), [one.origin for one in jobs]) == (["101", "102", "103"], [JobOrigin.CREATED] * 3)
    assert fake.names == dict(zip(ids(jobs), map(list, LISTS), strict=True))
    assert stage(script) == ("created", "103", ["101", "102"])
    assert jobs[0].queried is not None
    others = [action for action in script.actions if action != "ListOTAJobByFirmware"]
    assert others == ["CreateOTAStaticUpgradeJob", "QueryOTAJob", "ListOTATaskByJob"] * 3
    assert script.lines[-1].startswith("Created upgrade job 103")


def test_the_note_is_written_before_each_request_and_right_after_it() -> None:
    written: list[tuple[int, Any]] = []
    fake = Fake()

    class Watching(Script):
        def _answer_of_memory(self, effect: object) -> object:
            answer = super()._answer_of_memory(effect)
            if self.saved and (not written or written[-1] != (fake.creates, stage(self))):
                written.append((fake.creates, stage(self)))
            return answer

    create(Watching(fake), of=request(*LISTS[:2]))

    assert written == [
        (0, ("nothing", "", [])),
        (0, ("preparing", "", [])),
        (0, ("asking", "", [])),
        (1, ("created", "101", [])),
        (1, ("preparing", "", ["101"])),
        (1, ("asking", "", ["101"])),
        (2, ("created", "102", ["101"])),
    ]


@pytest.mark.parametrize("attempt", [RETRY, Attempt(clear_number=1, cleared_after=1, run_started_at=BEGUN)])
def test_a_retry_and_a_clear_go_on_with_the_jobs_that_exist(attempt: Attempt) -> None:
    fake = Fake()
    script = interrupted_after(2, fake)
    assert script.lines[-1].startswith("Stopped at job 3 of 3 of firmware 178. The 2 jobs before it go on")
    assert stage(script) == ("nothing", "", ["101", "102"])

    jobs = create(script, attempt)

    assert (ids(jobs), len(fake.jobs)) == (["101", "102", "104"], 3)
    assert [one.origin for one in jobs] == [JobOrigin.RESUMED, JobOrigin.RESUMED, JobOrigin.CREATED]
    assert "2 of 3 upgrade jobs of firmware 178 exist from an earlier try" in script.lines


def test_a_complete_set_is_given_again_without_a_create() -> None:
    fake = Fake()
    script = Script(fake)
    create(script)
    script.sent.clear()

    jobs = create(script, RETRY)

    assert (ids(jobs), fake.creates) == (["101", "102", "103"], 3)
    assert jobs[0].utc_create.startswith("2026-03-01T12:00:00.6")
    # Only the last job is checked again: the try may have ended right after its answer.
    assert script.actions.count("QueryOTAJob") == 2


def test_a_lost_answer_is_searched_for_among_the_jobs_that_are_not_of_the_set() -> None:
    fake = Fake(fates={2: lost()})
    script = Script(fake)

    jobs = create(script)

    assert (ids(jobs), jobs[1].origin, fake.creates) == (["101", "102", "103"], JobOrigin.FOUND, 3)
    assert script.saved["set"]["found"] == [1]
    searched = [sent.parameters["JobId"] for sent in script.sent if sent.action == "QueryOTAJob"]
    # Neither its sibling nor an earlier job costs a request.
    assert searched.count("101") == 1
    again = create(script, RETRY)
    assert [one.origin for one in again] == [JobOrigin.RESUMED, JobOrigin.FOUND, JobOrigin.RESUMED]


def test_a_last_job_that_a_list_showed_is_gone_on_with() -> None:
    script = Script(Fake(fates={3: lost()}))
    create(script)

    jobs = create(script, RETRY)

    assert (ids(jobs), jobs[2].origin) == (["101", "102", "103"], JobOrigin.FOUND)


def test_a_lost_answer_of_a_request_that_never_arrived_leads_to_one_job() -> None:
    fake = Fake(fates={2: lost()}, unseen={2})
    script = Script(fake)
    with pytest.raises(TransportError):
        create(script)
    assert stage(script) == ("lost", "", ["101"])

    assert (ids(create(script, RETRY)), len(fake.jobs)) == (["101", "103", "104"], 3)


def test_a_try_that_died_while_it_asked_is_searched_for() -> None:
    fake = Fake()
    script = Script(fake)
    create(script)
    script.saved |= {"stage": "asking", "entity_id": ""}

    jobs = create(script, RETRY)

    assert (ids(jobs), jobs[2].origin, fake.creates) == (["101", "102", "103"], JobOrigin.FOUND, 3)


@pytest.mark.parametrize("answer", [ok(data={}), ok(data={"jobId": "101"}), ok(data={"jobId": "7"})])
def test_an_answer_that_names_no_new_job_is_searched_for(answer: Any) -> None:
    fake = Fake(fates={2: answer})
    fake.add("7", "d9", status="COMPLETED", minutes=-60)

    jobs = create(Script(fake), of=request(earlier=JobSet.of("7")))

    assert (ids(jobs), jobs[1].origin) == (["101", "102", "103"], JobOrigin.FOUND)


def test_an_accepted_job_that_no_list_shows_stops_every_try_until_a_clear() -> None:
    fake = Fake(fates={2: ok(data={})}, unseen={2})
    script = Script(fake)
    with pytest.raises(ProtocolError, match="its job is in no list"):
        create(script)
    with pytest.raises(JobMissingError, match="the platform named no id for it"):
        create(script, RETRY)

    assert ids(create(script, replace(RETRY, clear_number=1))) == ["101", "103", "104"]


def test_a_job_with_other_devices_stops_the_set_and_is_not_taken() -> None:
    fake = Fake(fates={2: ok(data={"jobId": "8"})}, unseen={2})
    fake.after_create = lambda number: fake.add("8", "x1", minutes=1) if number == 2 else None
    script = Script(fake)

    with pytest.raises(ProtocolError, match=r"names job 8, which has other devices \(x1\)"):
        create(script)
    assert stage(script) == ("accepted", "", ["101"])


def test_a_retry_checks_the_devices_of_the_job_that_was_answered_last() -> None:
    fake = Fake()
    script = Script(fake)
    create(script)
    fake.names["103"] = ["x1"]

    with pytest.raises(ProtocolError, match=r"which has other devices \(x1\).*request id of an earlier try"):
        create(script, RETRY)
    assert stage(script) == ("accepted", "", ["101", "102"])


def test_another_programs_job_on_a_device_of_a_later_list_stops_the_set_there() -> None:
    fake = Fake()
    fake.add("7", "d3", minutes=-60)
    script = Script(fake)

    with pytest.raises(AlreadyUnderWayError, match=r"job 7, created at .* is upgrading the same devices"):
        create(script)
    assert (stage(script), fake.cancelled) == (("nothing", "", ["101"]), [])
    fake.jobs["7"]["jobStatus"] = "COMPLETED"
    assert ids(create(script, RETRY)) == ["101", "102", "103"]


def test_an_earlier_job_of_the_release_costs_no_request() -> None:
    fake = Fake()
    fake.add("7", "d9", minutes=-1)
    script = Script(fake)

    create(script, of=request(earlier=JobSet.of("7")))

    assert "7" not in [sent.parameters.get("JobId") for sent in script.sent]
    assert script.saved["set"]["known"] == ""


def test_a_permit_is_asked_right_before_each_create_and_can_end_the_set() -> None:
    fake = Fake()
    script = Script(fake)
    asked: list[tuple[int, str]] = []

    def permit() -> Flow[None]:
        asked.append((fake.creates, script.saved["stage"]))
        if fake.creates == 1:
            raise AmbiguousOutcomeError("held by a person")
        yield from ()

    with pytest.raises(AmbiguousOutcomeError, match="held by a person"):
        create(script, permit=permit)
    assert (asked, stage(script)) == ([(0, "asking"), (1, "asking")], ("nothing", "", ["101"]))
    assert ids(create(script, RETRY)) == ["101", "102", "103"]


def test_a_process_that_stood_still_sends_nothing() -> None:
    fake = Fake()

    class Frozen(Script):
        def _answer_of_memory(self, effect: object) -> object:
            answer = super()._answer_of_memory(effect)
            if self.saved and self.saved["stage"] == Stage.ASKING and fake.creates == 1:
                self.set_by = timedelta(minutes=15)
            return answer

    script = Frozen(fake)
    with pytest.raises(TransportError, match=r"stood still for minutes before it\); it was not delivered"):
        create(script)
    assert (fake.creates, stage(script)) == (1, ("nothing", "", ["101"]))


def test_the_jobs_are_listed_again_after_some_minutes() -> None:
    fake = Fake()
    script = Script(fake)

    def rival(number: int) -> None:
        script.now += timedelta(minutes=6)
        if number == 3:
            fake.add("7", "d4", minutes=15)

    fake.after_create = rival
    with pytest.raises(AlreadyUnderWayError, match="job 7, created at"):
        create(script, of=request(*LISTS[:2], ("d9",), LISTS[2]))
    assert len(fake.jobs) == 4


def test_a_note_without_room_for_the_set_stops_before_anything_is_created(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake()
    fake.add("7", "d9", minutes=-1)
    monkeypatch.setattr(create_set, "LARGEST_NOTE", 700)

    with pytest.raises(JobSetTooLargeError, match=r"the note of job 1 of 3 .* of which 1 young jobs .* take 10\)"):
        create(Script(fake))
    assert fake.creates == 0


def test_a_list_that_is_incomplete_for_long_stops_before_anything_is_created() -> None:
    fake = Fake(extra=1)

    with pytest.raises(IncompleteListError):
        create(Script(fake))
    assert fake.creates == 0


def test_a_check_for_rivals_that_fails_stops_nothing() -> None:
    fake = Fake()

    def hide(number: int) -> None:
        fake.extra = int(number == 1)

    fake.after_create = hide
    script = Script(fake)

    assert ids(create(script)) == ["101", "102", "103"]
    failed = [event for event in script.events if isinstance(event, RivalCheckFailed)]
    assert [event.job_id for event in failed] == ["101"]
