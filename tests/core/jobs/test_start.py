from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.actions import CreateOTAVerifyJob
from airflow_provider_tuya_ota.core.errors import (
    AlreadyUnderWayError,
    ConflictError,
    JobMissingError,
    OutcomeError,
    ProtocolError,
    TransportError,
)
from airflow_provider_tuya_ota.core.jobs.intent import Attempt, Intent, OnFailedJob, Stage, young_ids
from airflow_provider_tuya_ota.core.jobs.target import digest_of
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin
from airflow_provider_tuya_ota.core.model.entities import Job
from airflow_provider_tuya_ota.core.model.states import JobStatus, JobType
from tests.core.script import NOW, Script, job, lasting, lost, ok, refused, task

if TYPE_CHECKING:
    from tests.core.script import Answer

from tests.core.jobs.upgrades import (
    CREATED,
    FOUND,
    JUST_NOW,
    NOTE,
    OF_NAMED,
    OWN,
    UPGRADE,
    creates,
    jobs,
    script_for,
    stage,
    start,
)


def test_the_intent_is_written_before_the_request_and_the_id_right_after_it() -> None:
    written: list[tuple[int, str, str]] = []

    class Watching(Script):
        def _answer(self, effect: object) -> object:
            answer = super()._answer(effect)
            if self.saved and written[-1:] != [(creates(self), *stage(self))]:
                written.append((creates(self), *stage(self)))
            return answer

    script = Watching(script_for(ListOTAJobByFirmware=jobs(job("1", "COMPLETED", UPGRADE, utcCreate=JUST_NOW))).answers)
    start(script, Attempt(run_started_at=NOW))

    assert written == [
        (0, "nothing", ""),
        (0, "preparing", ""),
        (0, "asking", ""),
        (1, "asking", ""),
        (1, "created", "10"),
    ]
    assert script.saved == replace(NOTE, stage=Stage.CREATED, entity_id="10").to_dict()


def test_a_try_that_died_before_it_asked_leaves_nothing_to_look_for() -> None:
    script = script_for(ListOTAJobByFirmware=jobs(OWN | {"jobStatus": "COMPLETED"}))
    script.saved = NOTE.at(Stage.PREPARING).to_dict()

    assert (start(script, Attempt(is_retry=True)).job_id, script.sleeps) == ("10", [])


def test_a_written_job_is_gone_on_with_and_none_is_created() -> None:
    script = script_for()
    script.saved = CREATED.to_dict()

    found = start(script)

    assert (found.job_id, found.origin, found.is_own, creates(script)) == ("9", JobOrigin.RESUMED, True, 0)


@pytest.mark.parametrize(
    "refusal",
    [
        refused("iot.firmware.InvalidOTAJobId"),
        ok(data=OWN | {"jobType": "VERIFY_FIRMWARE"}),
        ok(data=OWN | {"firmwareId": "999"}),
    ],
)
def test_a_written_job_that_the_platform_does_not_have_stops_and_is_never_created_again(refusal: Answer) -> None:
    script = script_for(QueryOTAJob=refusal)
    script.saved = CREATED.to_dict()

    with pytest.raises(JobMissingError, match=r"job 9, which this task stored, is not.*clear this task"):
        start(script)
    assert (creates(script), stage(script)) == (0, ("created", "9"))


def test_a_written_job_may_take_time_to_be_found() -> None:
    script = script_for(QueryOTAJob=[refused("iot.firmware.InvalidOTAJobId"), ok(data=OWN)])
    script.saved = CREATED.to_dict()

    assert start(script).job_id == "9"


def test_after_a_clear_a_written_job_that_is_gone_holds_nobody_up() -> None:
    script = script_for(QueryOTAJob=refused("iot.firmware.InvalidOTAJobId"))
    script.saved = CREATED.to_dict()

    assert start(script, Attempt(clear_number=1)).job_id == "10"
    assert "is not on the platform; the task was cleared" in script.warnings[0]


def test_an_intent_without_an_id_is_searched_for_and_what_fits_is_followed_without_certainty() -> None:
    script = script_for(ListOTAJobByFirmware=lasting(jobs(), jobs(OWN)))
    script.saved = NOTE.at(Stage.ASKING).to_dict()

    assert start(script) == FOUND
    assert (creates(script), stage(script)) == (0, ("found", "9"))


def test_an_intent_that_came_to_nothing_is_carried_out_after_every_list_had_time_to_show_it() -> None:
    script = script_for()
    script.saved = NOTE.to_dict()

    assert start(script).job_id == "10"
    assert sum(script.sleeps) >= 65


def test_what_the_platform_accepted_without_an_id_is_never_created_again() -> None:
    script = script_for(CreateOTAStaticUpgradeJob=ok(data={}))

    with pytest.raises(ProtocolError, match=r"its job is in no list\. Nothing is created again"):
        start(script)
    with pytest.raises(JobMissingError, match="is in no list"):
        start(script, Attempt(is_retry=True))
    assert (creates(script), stage(script)) == (1, ("accepted", ""))


def test_what_was_accepted_without_an_id_is_found_by_a_later_try_or_given_up_by_a_clear() -> None:
    found = script_for(ListOTAJobByFirmware=jobs(OWN))
    found.saved = NOTE.at(Stage.ACCEPTED).to_dict()
    cleared = script_for()
    cleared.saved = NOTE.at(Stage.ACCEPTED).to_dict()

    assert start(found).job_id == "9"
    assert start(cleared, Attempt(clear_number=1)).job_id == "10"


def test_an_answer_without_an_id_is_completed_by_the_list() -> None:
    script = script_for(
        CreateOTAStaticUpgradeJob=ok(data={"utcCreate": "then"}),
        ListOTAJobByFirmware=lasting(jobs(), jobs(), jobs(OWN)),
    )

    found = start(script)

    assert (found.job_id, found.utc_create, found.is_own) == ("9", "then", False)
    assert found.request_id


def test_an_answer_that_names_a_job_that_was_there_before_names_none() -> None:
    old = job("7", "COMPLETED", "VERIFY_FIRMWARE", utcCreate=JUST_NOW)
    script = script_for(
        CreateOTAStaticUpgradeJob=ok(data={"jobId": "7"}),
        ListOTAJobByFirmware=[jobs(old), jobs(old), *([jobs(old, OWN)] * 9)],
    )

    assert start(script).job_id == "9"


def test_a_refusal_is_forgotten_so_that_nobody_else_s_job_is_taken_for_ours_later() -> None:
    script = script_for(CreateOTAStaticUpgradeJob=refused("iot.firmware.NoDeviceCanUpgrade"))

    with pytest.raises(ConflictError):
        start(script)
    assert stage(script) == ("nothing", "")


def test_doubt_is_kept() -> None:
    script = script_for(CreateOTAStaticUpgradeJob=lost())

    with pytest.raises(TransportError):
        start(script)
    assert stage(script) == ("lost", "")


def test_a_lost_answer_is_found_in_the_list() -> None:
    script = script_for(CreateOTAStaticUpgradeJob=lost(), ListOTAJobByFirmware=lasting(jobs(), jobs(), jobs(OWN)))

    assert start(script) == FOUND


def test_a_failed_job_is_gone_on_with_unless_the_author_asks_for_a_new_one() -> None:
    failed = ok(data=OWN | {"jobStatus": "COMPLETED"})

    def again(on_failed_job: OnFailedJob, status: str) -> str:
        script = script_for(QueryOTAJob=failed, ListOTATaskByJob=ok(data=[task("d1", status)]))
        script.saved = CREATED.to_dict()
        return start(script, Attempt(on_failed_job=on_failed_job)).job_id

    assert again(OnFailedJob.FAIL, "FAILED") == "9"
    assert again(OnFailedJob.NEW_JOB, "FAILED") == "10"
    assert again(OnFailedJob.NEW_JOB, "SUCCEEDED") == "9"


def test_an_upgrade_that_somebody_else_has_under_way_is_named() -> None:
    script = script_for(ListOTAJobByFirmware=jobs(OWN, job("7", "COMPLETED", UPGRADE)))

    with pytest.raises(AlreadyUnderWayError, match=f"job 9, created at {JUST_NOW}"):
        start(script)
    assert (creates(script), stage(script)) == (0, ("nothing", ""))


def test_of_a_verification_the_platform_itself_permits_one() -> None:
    running = job("9", utcCreate=JUST_NOW)
    script = script_for(ListOTAJobByFirmware=jobs(running), CreateOTAVerifyJob=ok(data={"jobId": "10"}))

    assert start(script, action=CreateOTAVerifyJob(firmware_id="178", product_key="pk")).job_id == "10"


@pytest.mark.parametrize(
    "note",
    [
        "9",
        [],
        {},
        NOTE.to_dict() | {"form": 1},
        NOTE.to_dict() | {"started_at": "yesterday"},
        NOTE.to_dict() | {"target": None},
        NOTE.to_dict() | {"stage": "later"},
        NOTE.to_dict() | {"clear_number": "x"},
    ],
)
def test_a_note_that_cannot_be_read_stops_before_anything_is_sent(note: Any) -> None:
    script = script_for()
    script.saved = note

    with pytest.raises(OutcomeError, match="delete the entry"):
        start(script)
    assert script.sent == []


def test_a_note_survives_as_plain_values() -> None:
    note = replace(
        OF_NAMED,
        known=(digest_of("1"), digest_of("2")),
        entity_id="9",
        clear_number=3,
        cleared_after=2,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
    )

    assert Intent.from_dict(json.loads(json.dumps(note.to_dict()))) == note


def test_a_note_stays_small_however_many_jobs_there_are() -> None:
    def many(utc_create: str) -> list[Job]:
        return [
            Job(
                job_id=f"18363407792126{number:04d}",
                firmware_id="178",
                status=JobStatus.COMPLETED,
                type=JobType.UPGRADE_FIRMWARE,
                utc_create=utc_create,
            )
            for number in range(3000)
        ]

    assert young_ids(many("2026-03-01T11:00:00.000Z"), NOW) == ()
    note = replace(NOTE, known=young_ids(many("no date"), NOW))
    assert len(str(note.to_dict())) < 32_000
    assert not any(note.could_be(one) for one in many("no date"))


def test_a_job_that_the_platform_does_not_show_yet_is_given_time_to_appear() -> None:
    """A wait would end at its first poll, and the job would go on without anybody."""
    missing = refused("iot.firmware.InvalidOTAJobId")
    script = script_for(QueryOTAJob=[missing, missing, ok(data=OWN | {"jobId": "10"})])

    assert start(script).job_id == "10"
    assert script.sleeps == [2.0, 5.0]
    assert stage(script) == ("created", "10")
