from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import AlreadyUnderWayError
from airflow_provider_tuya_ota.core.flows.effects import StoredIntent
from airflow_provider_tuya_ota.core.jobs.intent import Stage
from airflow_provider_tuya_ota.core.jobs.target import Target
from tests.core.jobs.upgrades import ACTION, CREATED, JUST_NOW, NAMED, OF_NAMED, OWN, UPGRADE, jobs, script_for, start
from tests.core.script import NOW, Script, job, lost, ok, refused, task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob
    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.core.script import Sent

SPECIFIC = job("9", kind=UPGRADE, utcCreate=JUST_NOW, targetSelection="SPECIFIC")
GRAY = replace(ACTION, target_selection="GRAY", gray_percent="10")


def is_refused(script: Script, action: CreateOTAStaticUpgradeJob) -> bool:
    try:
        start(script, action=action)
    except AlreadyUnderWayError:
        return True
    return False


@pytest.mark.parametrize(
    ("other", "shown", "tasks", "action", "is_under_way"),
    [
        ({"targetSelection": "GRAY"}, {}, [], ACTION, False),
        ({"targetSelection": "ALL"}, {}, [], ACTION, True),
        ({"targetSelection": "ALL", "productKey": "pk2"}, {}, [], ACTION, False),
        ({"targetSelection": "SPECIFIC"}, {}, [task("d1", "QUEUED")], NAMED, True),
        ({"targetSelection": "SPECIFIC"}, {}, [task("d1", "QUEUED"), task("d3", "QUEUED")], NAMED, True),
        ({"targetSelection": "SPECIFIC"}, {}, [task("d3", "QUEUED")], NAMED, False),
        ({"targetSelection": "SPECIFIC"}, {}, [task("d1", "SUCCEEDED")], NAMED, False),
        ({"targetSelection": "SPECIFIC"}, {}, [], NAMED, False),
        ({"targetSelection": "ALL"}, {}, [task("d1", "QUEUED")], NAMED, True),
        ({"targetSelection": "GRAY"}, {}, [task("d3", "QUEUED")], NAMED, False),
        ({"targetSelection": "GRAY"}, {"targetSelection": "GRAY", "grayPercent": "10.00"}, [], GRAY, True),
        ({"targetSelection": "GRAY"}, {"targetSelection": "GRAY", "grayPercent": "20"}, [], GRAY, False),
        ({"targetSelection": "ALL", "jobType": "VERIFY_FIRMWARE"}, {}, [], ACTION, False),
    ],
)
def test_only_what_is_certainly_on_the_same_devices_is_under_way(
    other: dict[str, Any],
    shown: dict[str, Any],
    tasks: list[dict[str, Any]],
    action: CreateOTAStaticUpgradeJob,
    is_under_way: bool,
) -> None:
    script = script_for(
        ListOTAJobByFirmware=jobs(OWN | other),
        QueryOTAJob=ok(data=OWN | other | shown),
        ListOTATaskByJob=ok(data=tasks),
    )

    assert is_refused(script, action) is is_under_way


def test_a_job_with_more_devices_than_can_be_asked_for_at_once_is_asked_in_parts() -> None:
    names = [f"d{number}" for number in range(60)]
    script = script_for(
        ListOTAJobByFirmware=jobs(SPECIFIC), ListOTATaskByJob=[ok(data=[]), ok(data=[task("d59", "NOTIFIED")])]
    )

    assert is_refused(script, replace(NAMED, target_device_name=names))


def test_many_jobs_of_others_cost_no_more_than_a_request_for_each_device() -> None:
    many = [SPECIFIC | {"jobId": str(number)} for number in range(100, 150)]

    def ask(busy: str) -> Script:
        return script_for(
            ListOTAJobByFirmware=ok(data=many, total=len(many)),
            ListOTAUnfinishedTaskByDevice=lambda sent: ok(
                data=[task(sent.parameters["DeviceName"], "QUEUED", jobId=busy)]
            ),
        )

    free, busy = ask("77"), ask("120")
    assert (is_refused(free, NAMED), is_refused(busy, NAMED)) == (False, True)
    lists = ["ListOTAJobByFirmware"] * 2
    devices = ["ListOTAUnfinishedTaskByDevice"] * 2
    # The empty page behind the first listing has proven the total, so the second one ends with its first page.
    assert free.actions == [*lists, *devices, "CreateOTAStaticUpgradeJob", "QueryOTAJob", *lists[:1]]


def test_jobs_of_this_airflow_on_other_devices_cost_no_request_however_many_they_are() -> None:
    many = [SPECIFIC | {"jobId": str(number)} for number in range(100, 140)]
    names = [f"d{number}" for number in range(60)]
    action = replace(NAMED, target_device_name=names)
    notes = [other(f"k{item['jobId']}", Stage.CREATED, item["jobId"], target=DISJOINT) for item in many]
    alone = script_for(ListOTAJobByFirmware=jobs(SPECIFIC | {"jobStatus": "COMPLETED"}))
    beside = script_for(ListOTAJobByFirmware=jobs(*many))
    # As the ledger does, which reads only the notes of a mask where it is given one.
    beside.other_intents = lambda: notes if beside.asked_for[-1] is None else []

    assert (is_refused(alone, action), is_refused(beside, action)) == (False, False)
    assert sorted(beside.actions) == sorted(alone.actions)


def other(key: str, stage: Stage, entity_id: str = "", **changes: Any) -> StoredIntent:
    return StoredIntent("task u of run r", key, replace(OF_NAMED, **changes).at(stage, entity_id).to_dict())


def with_notes(
    *rounds: Sequence[StoredIntent], listed: Response | None = None, action: CreateOTAStaticUpgradeJob = NAMED
) -> tuple[Script, bool]:
    script = script_for(ListOTAJobByFirmware=listed or jobs())
    given = list(rounds)
    script.other_intents = lambda: given.pop(0) if len(given) > 1 else given[0]
    return script, is_refused(script, action)


RUNNING = jobs(SPECIFIC)
ENDED = jobs(SPECIFIC | {"jobStatus": "COMPLETED"})
OLD = NOW - timedelta(minutes=31)
DISJOINT = replace(OF_NAMED.target, devices=("00" * 5,))


@pytest.mark.parametrize(
    ("note", "listed", "is_under_way"),
    [
        (other("k1", Stage.CREATED, "9"), RUNNING, True),
        (other("k9", Stage.FOUND, "9"), RUNNING, True),
        (other("k1", Stage.CREATED, "9"), ENDED, False),
        (other("k1", Stage.CREATED, "9"), jobs(), True),
        (other("k1", Stage.CREATED, "9", started_at=OLD), jobs(), False),
        (other("k1", Stage.PREPARING), jobs(), True),
        (other("k9", Stage.ASKING), jobs(), True),
        (other("k1", Stage.LOST, started_at=OLD), jobs(), False),
        (other("k1", Stage.NOTHING), jobs(), False),
        (other("k1", Stage.CREATED, "9", target=DISJOINT), RUNNING, False),
    ],
)
def test_another_task_of_this_airflow_is_asked_by_its_note(
    note: StoredIntent, listed: Response, is_under_way: bool
) -> None:
    script, refused = with_notes([note], listed=listed)

    assert refused is is_under_way
    assert "ListOTATaskByJob" not in script.actions
    if refused:
        assert (script.actions.count("CreateOTAStaticUpgradeJob"), script.saved["stage"]) == (0, "nothing")


def test_the_first_of_two_that_are_about_to_create_the_same_goes_on_when_the_other_steps_back() -> None:
    script, refused = with_notes([other("k9", Stage.PREPARING)], [other("k9", Stage.PREPARING)], [])

    assert (refused, script.saved["entity_id"]) == (False, "10")
    assert script.sleeps == [1.0, 2.0]


def test_only_the_notes_of_those_are_read_that_may_share_a_device() -> None:
    script, _ = with_notes([])

    assert set(script.asked_for) == {Target.of(NAMED).mask}


def test_the_error_names_the_other_task() -> None:
    script = script_for()
    script.other_intents = lambda: [other("k1", Stage.PREPARING)]

    with pytest.raises(AlreadyUnderWayError, match="task u of run r is creating the same upgrade"):
        start(script, action=NAMED)


def test_the_error_names_the_other_task_s_job() -> None:
    script = script_for()
    script.other_intents = lambda: [other("k1", Stage.CREATED, "77")]

    with pytest.raises(AlreadyUnderWayError, match="job 77 of task u of run r is upgrading the same devices"):
        start(script, action=NAMED)


LATER = job("10", kind=UPGRADE, utcCreate="2026-03-01T12:00:00.500Z", targetSelection="ALL")


def test_of_two_that_create_the_same_at_the_same_moment_the_later_one_is_taken_back() -> None:
    script = script_for(ListOTAJobByFirmware=[jobs(), jobs(OWN, LATER)])

    with pytest.raises(AlreadyUnderWayError, match=r"job 9, created at .* same time as job 10 of this task"):
        start(script)

    (cancel,) = [sent for sent in script.sent if sent.action == "CancelOTATaskByJob"]
    assert cancel.parameters["JobId"] == "10"
    assert script.saved["stage"] == "nothing"


def test_of_two_jobs_of_the_same_millisecond_the_one_with_the_lower_number_is_first() -> None:
    """Ids count up; as texts 10 would stand before 9."""
    script = script_for(ListOTAJobByFirmware=[jobs(), jobs(OWN | {"utcCreate": LATER["utcCreate"]}, LATER)])

    with pytest.raises(AlreadyUnderWayError, match="job 9, created at"):
        start(script)


def test_a_job_that_could_not_be_taken_back_is_said_and_stays_in_the_note() -> None:
    planned = job("10", kind=UPGRADE, utcCreate=LATER["utcCreate"], targetSelection="ALL", jobStatus="PLANNED")

    def query(sent: Sent) -> Response:
        return ok(data=planned if sent.parameters["JobId"] == "10" else OWN)

    script = script_for(ListOTAJobByFirmware=[jobs(), jobs(OWN, planned)], QueryOTAJob=query)

    with pytest.raises(
        AlreadyUnderWayError, match=r"job 10 of this task, which was cancelled for that \(job 10 may still begin"
    ):
        start(script)

    assert script.actions.count("CancelOTATaskByJob") == 4
    assert (script.saved["stage"], script.saved["entity_id"]) == ("created", "10")


def test_a_retry_names_the_job_that_was_first_and_not_the_one_that_this_task_took_back() -> None:
    script = script_for(ListOTAJobByFirmware=jobs(LATER, OWN), ListOTATaskByJob=ok(data=[task("d1", "IN_PROGRESS")]))
    script.saved = replace(CREATED, stage=Stage.NOTHING, entity_id="").to_dict()

    with pytest.raises(AlreadyUnderWayError, match=r"job 9, created at .* and this try did not create it"):
        start(script)


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


def test_an_earlier_job_whose_devices_are_not_listed_yet_stops_nobody_s() -> None:
    named = job("10", kind=UPGRADE, utcCreate="2026-03-01T12:00:00.500Z", targetSelection="SPECIFIC")
    script = script_for(ListOTAJobByFirmware=[jobs(), jobs(SPECIFIC, named)])

    assert start(script, action=NAMED).job_id == "10"
    assert "CancelOTATaskByJob" not in script.actions


def test_not_seeing_whether_there_is_another_is_no_reason_to_fail() -> None:
    script = script_for(ListOTAJobByFirmware=[jobs(), *[lost()] * 5])

    assert start(script).job_id == "10"
    assert "Whether another program created the same upgrade" in script.warnings[-1]


def test_a_listed_job_is_not_tracked_before_it_can_be_queried() -> None:
    ours = job("10", kind=UPGRADE)
    unknown = refused("iot.firmware.InvalidOTAJobId")
    script = script_for(
        ListOTAJobByFirmware=[jobs(), *[jobs(ours)] * 30], QueryOTAJob=[unknown, unknown, ok(data=ours)]
    )

    assert start(script).job_id == "10"
    assert script.actions.count("QueryOTAJob") == 3


def test_a_job_that_does_not_filter_devices_is_read_whole() -> None:
    script = script_for(
        ListOTAJobByFirmware=jobs(SPECIFIC),
        ListOTATaskByJob=[ok(data=[task("d7", "QUEUED")]), ok(data=[task("d7", "QUEUED"), task("d2", "QUEUED")])],
    )

    assert is_refused(script, NAMED)
