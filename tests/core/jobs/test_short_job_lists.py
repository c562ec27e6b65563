from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob, CreateOTAVerifyJob
from airflow_provider_tuya_ota.core.errors import (
    AlreadyUnderWayError,
    AmbiguousOutcomeError,
    IncompleteListError,
    TransportError,
    TuyaOTAError,
)
from airflow_provider_tuya_ota.core.flows.eventually import GRACE_PAUSES
from airflow_provider_tuya_ota.core.jobs.intent import Attempt
from airflow_provider_tuya_ota.core.jobs.stop import stop_job
from airflow_provider_tuya_ota.core.jobs.stopped import NotCounted, Stopped
from airflow_provider_tuya_ota.core.jobs.target import Match, Target, match_job
from airflow_provider_tuya_ota.core.jobs.upgrade import start_upgrade
from airflow_provider_tuya_ota.core.jobs.verification import IfVerified, start_verification
from airflow_provider_tuya_ota.core.model.entities import Job
from airflow_provider_tuya_ota.core.model.states import JobStatus, JobType
from tests.core.script import NOW, SETTINGS, Script, firmware, job, lost
from tests.core.short_lists import GRAY, LOSING, NAMED, TOTALS, Platform, tasks, upgrade
from tests.core.test_upload import OURS, ensure, listing, script_for, ticket

if TYPE_CHECKING:
    from tests.core.script import Answer, Sent


def try_twice(way: str, action: CreateOTAStaticUpgradeJob) -> tuple[Platform, list[str]]:
    """Lose the answer to a create behind 25 older jobs, and run the task once more."""
    platform = Platform(way, jobs=[upgrade(f"old{number}") for number in range(25)], loses_creates=1)
    came_to: list[str] = []
    saved: Any = None
    for attempt in (Attempt(run_started_at=NOW), Attempt(is_retry=True, run_started_at=NOW)):
        script = Script(platform, saved=saved)
        try:
            came_to.append(script.run(start_upgrade(SETTINGS, action, attempt)).job_id)
        except TuyaOTAError as error:
            came_to.append(type(error).__name__)
        saved = script.saved
    return platform, came_to


@pytest.mark.parametrize("way", TOTALS)
@pytest.mark.parametrize("action", [GRAY, NAMED], ids=["gray", "named"])
def test_a_job_behind_a_short_page_is_found_and_none_is_created_for_it(
    way: str, action: CreateOTAStaticUpgradeJob
) -> None:
    platform, came_to = try_twice(way, action)

    assert (platform.creates, came_to) == (1, ["new1", "new1"])


@pytest.mark.parametrize("way", LOSING)
@pytest.mark.parametrize("action", [GRAY, NAMED], ids=["gray", "named"])
def test_where_the_list_of_jobs_is_incomplete_nothing_is_created(way: str, action: CreateOTAStaticUpgradeJob) -> None:
    platform, came_to = try_twice(way, action)

    assert (platform.creates, came_to) == (0, ["IncompleteListError"] * 2)


@pytest.mark.parametrize("way", LOSING)
def test_a_list_that_becomes_complete_in_time_is_waited_for(way: str) -> None:
    platform = Platform(way, jobs=[upgrade(f"old{number}") for number in range(25)])

    def answer(sent: Sent) -> Answer:
        platform.way = way if script.now < NOW + timedelta(seconds=10) else "true"
        return platform(sent)

    script = Script(answer)

    assert script.run(start_upgrade(SETTINGS, GRAY)).job_id == "new1"
    assert script.sleeps == list(GRACE_PAUSES[:3])
    assert script.warnings[0] == (
        "ListOTAJobByFirmware shows 5 items fewer than its Total counts. Reading the list again in 2 s."
    )


@pytest.mark.parametrize("way", LOSING)
@pytest.mark.parametrize("is_shown", [True, False])
def test_a_job_that_may_stand_on_a_page_that_is_not_shown_is_not_said_to_be_none(way: str, is_shown: bool) -> None:
    platform = Platform("true", jobs=[upgrade(f"old{number}") for number in range(25)], loses_creates=1)

    def answer(sent: Sent) -> Answer:
        given = platform(sent)
        if platform.creates and platform.way == "true":
            platform.way = way
            if is_shown:
                platform.jobs.insert(0, platform.jobs.pop())
        return given

    script = Script(answer)
    with pytest.raises(AmbiguousOutcomeError, match="6 more jobs") as caught:
        script.run(start_upgrade(SETTINGS, GRAY, Attempt(run_started_at=NOW)))
    assert ("Job new1 of firmware 178 could be the one" in str(caught.value)) is is_shown
    retry = Script(platform, saved=script.saved)
    with pytest.raises(AmbiguousOutcomeError, match="6 more jobs"):
        retry.run(start_upgrade(SETTINGS, GRAY, Attempt(is_retry=True, run_started_at=NOW)))
    assert platform.creates == 1


def test_a_verified_firmware_whose_newest_job_may_not_be_shown_names_none() -> None:
    old = [job(str(number), "COMPLETED", utcCreate="2026-02-01T12:00:00Z") for number in range(25)]
    action = CreateOTAVerifyJob(firmware_id="178", product_key="pk", target_device_name=["a"])
    found = {
        way: Script(Platform(way, jobs=old))
        .run(start_verification(SETTINGS, action, if_verified=IfVerified.SUCCEED))
        .job_id
        for way in ["true", *LOSING]
    }

    assert (bool(found["true"]), found["empty"], found["repeated"]) == (True, "", "")


@pytest.mark.parametrize("way", TOTALS)
@pytest.mark.parametrize("filters", [True, False])
def test_a_stop_counts_what_it_cancelled(way: str, filters: bool) -> None:
    platform = Platform(way, jobs=[upgrade("9", "IN_PROGRESS")], tasks=tasks(150, "QUEUED", "IN_PROGRESS", 30))
    platform.filters = filters

    stopped = Script(platform).run(stop_job(SETTINGS, "9"))

    assert isinstance(stopped, Stopped)
    assert (stopped.cancelled, stopped.flashing, stopped.waiting) == (120, 30, 0)


@pytest.mark.parametrize("way", LOSING)
def test_a_stop_whose_effect_cannot_be_counted_says_so(way: str) -> None:
    platform = Platform(way, jobs=[upgrade("9", "IN_PROGRESS")], tasks=tasks(150, "QUEUED", "IN_PROGRESS", 30))

    stopped = Script(platform).run(stop_job(SETTINGS, "9"))

    assert isinstance(stopped, NotCounted)


def start_beside(platform: Platform, devices: int = 30) -> str:
    names = [f"d{number}" for number in range(devices)]
    try:
        return Script(platform).run(start_upgrade(SETTINGS, replace(NAMED, target_device_name=names))).job_id
    except TuyaOTAError as error:
        return type(error).__name__


@pytest.mark.parametrize("way", [*TOTALS, *LOSING])
@pytest.mark.parametrize("filters", [True, False])
@pytest.mark.parametrize("busy", [25, 3])
def test_a_device_that_is_busy_behind_a_short_page_is_seen_or_nothing_is_created(
    way: str, filters: bool, busy: int
) -> None:
    platform = Platform(way, jobs=[upgrade("9", "IN_PROGRESS")], tasks=tasks(30, "SUCCEEDED"), filters=filters)
    platform.tasks[busy]["taskStatus"] = "IN_PROGRESS"
    is_hidden = way in LOSING and busy == 25

    assert start_beside(platform) == (IncompleteListError if is_hidden else AlreadyUnderWayError).__name__
    assert platform.creates == 0


def test_where_all_named_devices_are_seen_and_done_no_other_page_is_asked_for() -> None:
    platform = Platform("true", jobs=[upgrade("9", "IN_PROGRESS")], tasks=tasks(2, "SUCCEEDED"))
    for one in platform.tasks:
        one["jobId"] = "9"
    script = Script(platform)

    script.run(start_upgrade(SETTINGS, replace(NAMED, target_device_name=["d0", "d1"])))

    before = script.actions[: script.actions.index("CreateOTAStaticUpgradeJob")]
    assert before.count("ListOTATaskByJob") == 1


@pytest.mark.parametrize(("way", "warnings"), [("true", 0), ("repeated", 1)])
def test_whether_somebody_else_was_first_is_not_known_where_the_list_is_incomplete(way: str, warnings: int) -> None:
    platform = Platform("true", jobs=[upgrade(f"old{number}") for number in range(25)])

    def answer(sent: Sent) -> Answer:
        given = platform(sent)
        if platform.creates:
            platform.way = way
        return given

    script = Script(answer)
    script.run(start_upgrade(SETTINGS, GRAY))

    assert len(script.warnings) == warnings
    assert all("Whether another program created the same upgrade" in text for text in script.warnings)


def firmwares(way: str, count: int) -> Any:
    listed = [firmware(str(number), moduleName=f"m{number}") for number in range(count)]
    platform = Platform(way)
    return lambda sent: platform.page(sent.parameters, listed, "firmwareInfo")


@pytest.mark.parametrize("way", LOSING)
def test_a_version_that_may_stand_on_a_page_that_is_not_shown_is_not_uploaded(way: str) -> None:
    script = script_for(lists=[])
    script.answers = firmwares(way, 25)

    with pytest.raises(IncompleteListError, match=r"^ListOTAFirmware: .* Total counts 25 items, its pages show 20"):
        ensure(script)
    assert set(script.actions) == {"ListOTAFirmware"}


@pytest.mark.parametrize("way", TOTALS)
def test_a_firmware_behind_a_short_page_is_adopted(way: str) -> None:
    platform = Platform(way)
    listed = [*(firmware(str(number), moduleName=f"m{number}") for number in range(25)), OURS]
    script = Script(lambda sent: platform.page(sent.parameters, listed, "firmwareInfo"))

    assert ensure(script).firmware_id == "178"


@pytest.mark.parametrize("way", LOSING)
def test_a_lost_firmware_that_may_not_be_shown_leaves_the_doubt(way: str) -> None:
    script = script_for(lists=[], tickets=ticket(), create=[lost()])
    others = script.answers
    assert callable(others)
    listed = firmwares(way, 25)

    def answer(sent: Sent) -> Answer:
        if sent.action != "ListOTAFirmware":
            return others(sent)
        return listed(sent) if "CreateOTAFirmware" in script.actions else listing()

    script.answers = answer
    with pytest.raises(TransportError):
        ensure(script)
    assert script.sleeps == list(GRACE_PAUSES)


@pytest.mark.parametrize(
    ("way", "number", "match"), [("zero", 20, Match.YES), ("zero", 21, Match.NO), ("empty", 21, Match.UNKNOWN)]
)
def test_a_job_with_devices_behind_a_short_page_came_of_no_request_for_those_on_it(
    way: str, number: int, match: Match
) -> None:
    platform = Platform(way, jobs=[upgrade("9", "IN_PROGRESS")], tasks=tasks(number, "QUEUED"))
    target = Target.of(replace(NAMED, target_device_name=[f"d{at}" for at in range(20)]))
    listed = Job(job_id="9", firmware_id="178", status=JobStatus.IN_PROGRESS, type=JobType.UPGRADE_FIRMWARE)

    assert Script(platform).run(match_job(SETTINGS, listed, target)) is match
