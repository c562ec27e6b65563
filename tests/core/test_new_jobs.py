from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob, CreateOTAVerifyJob
from airflow_provider_tuya_ota.core.errors import (
    AlreadyUnderWayError,
    AmbiguousOutcomeError,
    ConflictError,
    OutcomeError,
    TransportError,
)
from airflow_provider_tuya_ota.core.intents import Attempt, Intent, OnFailedJob
from airflow_provider_tuya_ota.core.new_jobs import JobToCreate, NewJob, start_job
from airflow_provider_tuya_ota.core.states import JobType
from airflow_provider_tuya_ota.core.targets import fingerprint_of
from tests.core.script import NOW, SETTINGS, Script, by_action, job, lost, ok, refused, task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.http import Response
    from tests.core.script import Answer

UPGRADE = "UPGRADE_FIRMWARE"
ACTION = CreateOTAStaticUpgradeJob(firmware_id="178", product_key="pk", target_selection="ALL")
NAMED = replace(ACTION, target_selection="SPECIFIC", target_device_name=["d1", "d2"])
JUST_NOW = "2026-03-01T12:00:00.000Z"
OWN = job("9", kind=UPGRADE, utcCreate=JUST_NOW)
NOTE = Intent(fingerprint=fingerprint_of(ACTION), known_ids=("1",), started_at=NOW)


def jobs(*items: dict[str, Any]) -> Response:
    return ok(data=list(items))


def script_for(**answers: Answer | Sequence[Answer]) -> Script:
    usual: dict[str, Answer | Sequence[Answer]] = {
        "ListOTAJobByFirmware": jobs(),
        "QueryOTAJob": ok(data=OWN),
        "ListOTATaskByJob": ok(data=[]),
        "CreateOTAStaticUpgradeJob": ok(data={"jobId": "10"}),
        "CancelOTATaskByJob": ok(),
    }
    return Script(by_action(usual | answers))


def start(
    script: Script, attempt: Attempt | None = None, action: CreateOTAStaticUpgradeJob | CreateOTAVerifyJob = ACTION
) -> NewJob:
    kind = JobType.UPGRADE_FIRMWARE if isinstance(action, CreateOTAStaticUpgradeJob) else JobType.VERIFY_FIRMWARE
    return script.run(start_job(JobToCreate(SETTINGS, action, kind), attempt or Attempt()))


def creates(script: Script) -> int:
    return script.actions.count("CreateOTAStaticUpgradeJob")


def test_the_intent_is_written_before_the_request_and_the_id_right_after_it() -> None:
    written: list[Any] = []

    class Watching(Script):
        def _answer(self, effect: object) -> object:
            answer = super()._answer(effect)
            written.append((self.actions[-1] if self.sent else "", self.memo))
            return answer

    script = Watching(script_for(ListOTAJobByFirmware=jobs(job("1", "COMPLETED", UPGRADE))).answers)
    start(script)

    before = [note for action, note in written if action == "ListOTAJobByFirmware" and note]
    after = [note for action, note in written if action == "CreateOTAStaticUpgradeJob"]
    assert before[0] == replace(NOTE, known_ids=("1",)).to_dict()
    assert after[-1] == before[0] | {"entity_id": "10"}


def test_a_written_job_is_gone_on_with_and_none_is_created() -> None:
    script = script_for()
    script.memo = replace(NOTE, entity_id="9").to_dict()

    found = start(script)

    assert (found.job_id, found.is_new, creates(script)) == ("9", False, 0)


@pytest.mark.parametrize(
    "told",
    [
        refused("iot.firmware.InvalidOTAJobId"),
        ok(data=OWN | {"jobId": "wrong", "jobType": "VERIFY_FIRMWARE"}),
        ok(data=OWN | {"jobId": "wrong", "firmwareId": "999"}),
    ],
)
def test_a_written_id_is_held_against_the_platform_and_searched_for_where_it_is_wrong(told: Answer) -> None:
    script = script_for(QueryOTAJob=told, ListOTAJobByFirmware=jobs(OWN, job("1", kind=UPGRADE)))
    script.memo = replace(NOTE, entity_id="wrong").to_dict()

    assert start(script).job_id == "9"
    assert "wrong, which was written down" in script.warnings[0]
    assert (creates(script), script.memo["entity_id"]) == (0, "9")


def test_an_intent_without_an_id_is_searched_for_and_adopted() -> None:
    script = script_for(ListOTAJobByFirmware=[jobs(), jobs(OWN)])
    script.memo = NOTE.to_dict()

    assert start(script) == NewJob(job_id="9", utc_create=JUST_NOW, is_new=False)
    assert creates(script) == 0


def test_an_intent_that_came_to_nothing_is_carried_out_after_the_platform_had_time_to_show_it() -> None:
    script = script_for()
    script.memo = NOTE.to_dict()

    assert start(script).job_id == "10"
    assert sum(script.sleeps) >= 15


def test_a_new_job_that_is_aimed_at_others_is_none_of_it() -> None:
    script = script_for(ListOTAJobByFirmware=jobs(OWN), ListOTATaskByJob=ok(data=[task("d7", "QUEUED")]))
    script.memo = replace(NOTE, fingerprint=fingerprint_of(NAMED)).to_dict()

    assert start(script, action=NAMED).job_id == "10"


def test_a_job_that_is_older_than_the_intent_is_none_of_it() -> None:
    script = script_for(ListOTAJobByFirmware=jobs(job("8", "COMPLETED", UPGRADE, utcCreate="2026-03-01T11:44:59.000Z")))
    script.memo = NOTE.to_dict()

    assert start(script).job_id == "10"


def test_several_that_could_be_it_stop_for_a_person() -> None:
    script = script_for(ListOTAJobByFirmware=jobs(OWN, job("8", kind=UPGRADE, utcCreate="no date")))
    script.memo = NOTE.to_dict()

    with pytest.raises(AmbiguousOutcomeError, match=r"8, 9|9, 8"):
        start(script)
    assert creates(script) == 0


def test_a_refusal_is_forgotten_so_that_nobody_else_s_job_is_taken_for_ours_later() -> None:
    script = script_for(CreateOTAStaticUpgradeJob=refused("iot.firmware.NoDeviceCanUpgrade"))

    with pytest.raises(ConflictError):
        start(script)
    assert script.memo is None


def test_doubt_is_kept() -> None:
    script = script_for(CreateOTAStaticUpgradeJob=lost())

    with pytest.raises(TransportError):
        start(script)
    assert script.memo["entity_id"] == ""


def test_a_failed_job_is_gone_on_with_unless_the_author_asks_for_a_new_one() -> None:
    failed = ok(data=OWN | {"jobStatus": "COMPLETED"})

    def again(on_failed_job: OnFailedJob, status: str) -> str:
        script = script_for(QueryOTAJob=failed, ListOTATaskByJob=ok(data=[task("d1", status)]))
        script.memo = replace(NOTE, entity_id="9").to_dict()
        return start(script, Attempt(on_failed_job=on_failed_job)).job_id

    assert again(OnFailedJob.FAIL, "FAILED") == "9"
    assert again(OnFailedJob.NEW_JOB, "FAILED") == "10"
    assert again(OnFailedJob.NEW_JOB, "SUCCEEDED") == "9"


def test_an_upgrade_that_somebody_else_has_under_way_is_named() -> None:
    script = script_for(ListOTAJobByFirmware=jobs(OWN, job("7", "COMPLETED", UPGRADE)))

    with pytest.raises(AlreadyUnderWayError, match=f"job 9, created at {JUST_NOW}"):
        start(script)
    assert (creates(script), script.memo) == (0, None)


@pytest.mark.parametrize(
    ("other", "told", "tasks", "action", "is_same"),
    [
        ({"targetSelection": "GRAY"}, {}, [], ACTION, False),
        ({"targetSelection": "ALL"}, {}, [], ACTION, True),
        ({}, {}, ["d1"], NAMED, True),
        ({}, {}, ["d1", "d3"], NAMED, False),
        ({}, {"grayPercent": "10.00"}, [], replace(ACTION, target_selection="GRAY", gray_percent="10"), True),
        ({}, {"grayPercent": "20"}, [], replace(ACTION, target_selection="GRAY", gray_percent="10"), False),
        ({}, {"grayPercent": "few"}, [], replace(ACTION, target_selection="GRAY", gray_percent="10"), False),
        ({}, {}, [], replace(ACTION, target_selection="GRAY", gray_percent="10"), True),
        ({}, {"groupId": "g2"}, [], replace(ACTION, target_selection="GROUP", group_id="g1"), False),
        ({}, {"groupId": "g1"}, [], replace(ACTION, target_selection="GROUP", group_id="g1"), True),
    ],
)
def test_a_job_is_recognised_by_what_it_is_aimed_at(
    other: dict[str, Any], told: dict[str, Any], tasks: list[str], action: CreateOTAStaticUpgradeJob, is_same: bool
) -> None:
    script = script_for(
        ListOTAJobByFirmware=jobs(OWN | other),
        QueryOTAJob=ok(data=OWN | told),
        ListOTATaskByJob=ok(data=[task(name, "QUEUED") for name in tasks]),
    )

    if is_same:
        with pytest.raises(AlreadyUnderWayError):
            start(script, action=action)
    else:
        assert start(script, action=action).job_id == "10"


LATER = job("10", kind=UPGRADE, utcCreate="2026-03-01T12:00:00.500Z")


def test_of_two_that_create_the_same_at_the_same_moment_the_later_one_is_taken_back() -> None:
    script = script_for(ListOTAJobByFirmware=[jobs(), jobs(OWN, LATER), jobs(OWN, LATER)])

    with pytest.raises(AlreadyUnderWayError, match=r"job 9, created at .* same moment as job 10 of this task"):
        start(script)

    (cancel,) = [sent for sent in script.sent if sent.action == "CancelOTATaskByJob"]
    assert cancel.parameters["JobId"] == "10"
    assert script.memo is None


@pytest.mark.parametrize(
    "listed",
    [
        jobs(OWN | {"utcCreate": "2026-03-01T12:00:01.000Z"}, LATER),
        jobs(OWN | {"jobStatus": "COMPLETED"}, LATER),
        jobs(OWN | {"jobId": "99", "utcCreate": LATER["utcCreate"]}, LATER | {"jobId": "10"}),
        jobs(OWN),
        jobs(LATER),
    ],
)
def test_the_first_of_them_and_one_that_sees_no_other_go_on(listed: Response) -> None:
    script = script_for(ListOTAJobByFirmware=[jobs(), listed, listed])

    assert start(script).job_id == "10"
    assert "CancelOTATaskByJob" not in script.actions


def test_not_seeing_whether_there_is_another_is_no_reason_to_fail() -> None:
    script = script_for(ListOTAJobByFirmware=[jobs(), *[lost()] * 5])

    assert start(script).job_id == "10"
    assert "Whether another run has created the same is not known" in script.warnings[-1]


def test_of_a_verification_the_platform_itself_permits_one() -> None:
    running = job("9", utcCreate=JUST_NOW)
    script = script_for(ListOTAJobByFirmware=jobs(running), CreateOTAVerifyJob=ok(data={"jobId": "10"}))

    assert start(script, action=CreateOTAVerifyJob(firmware_id="178", product_key="pk")).job_id == "10"


def test_the_same_request_has_the_same_fingerprint_in_whatever_order_devices_are_named() -> None:
    swapped = replace(NAMED, target_device_name=("d2", "d1"))

    assert fingerprint_of(NAMED) == fingerprint_of(swapped)
    assert len({fingerprint_of(action) for action in (NAMED, ACTION, replace(NAMED, need_confirm=True))}) == 3


@pytest.mark.parametrize(
    "note",
    [
        "9",
        [],
        {},
        NOTE.to_dict() | {"form": 2},
        NOTE.to_dict() | {"started_at": "yesterday"},
        NOTE.to_dict() | {"known_ids": None},
        NOTE.to_dict() | {"clear_number": "x"},
    ],
)
def test_a_note_that_cannot_be_read_stops_before_anything_is_sent(note: Any) -> None:
    script = script_for()
    script.memo = note

    with pytest.raises(OutcomeError, match="delete the entry"):
        start(script)
    assert script.sent == []


def test_a_note_survives_as_plain_values() -> None:
    note = replace(NOTE, entity_id="9", clear_number=3, started_at=datetime(2026, 1, 1, tzinfo=UTC))

    assert Intent.from_dict(note.to_dict()) == note
