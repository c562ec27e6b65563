from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob, CreateOTAVerifyJob
from airflow_provider_tuya_ota.core.jobs.target import Match, Target, fingerprint_of, match_job, may_overlap
from airflow_provider_tuya_ota.core.model.entities import Job
from airflow_provider_tuya_ota.core.model.states import JobStatus, JobType
from tests.core.jobs.upgrades import ACTION, NAMED, OWN
from tests.core.script import SETTINGS, Script, by_action, ok, refused, task

GRAY = replace(ACTION, target_selection="GRAY", gray_percent="10")
OLD_ONES = replace(ACTION, src_version=["1.0", "1.1"])
GROUP = replace(ACTION, target_selection="GROUP", group_id="g1")
VERIFY = CreateOTAVerifyJob(firmware_id="178", product_key="pk", target_device_name=["d1", "d2"])
LISTED = Job(job_id="9", firmware_id="178", status=JobStatus.IN_PROGRESS, type=JobType.UPGRADE_FIRMWARE)


def matched(
    action: CreateOTAStaticUpgradeJob | CreateOTAVerifyJob,
    shown: dict[str, Any] | None = None,
    devices: tuple[str, ...] = (),
    listed: Job = LISTED,
    status: str = "QUEUED",
    total: int | None = None,
) -> Match:
    if isinstance(action, CreateOTAVerifyJob):
        listed = replace(listed, type=JobType.VERIFY_FIRMWARE)
        shown = {"jobType": "VERIFY_FIRMWARE"} | (shown or {})
    script = Script(
        by_action(
            {
                "QueryOTAJob": ok(data=OWN | {"targetSelection": ""} | (shown or {})),
                "ListOTATaskByJob": ok(data=[task(name, status) for name in devices], total=total or len(devices)),
            }
        )
    )
    return script.run(match_job(SETTINGS, listed, Target.of(action)))


@pytest.mark.parametrize("action", [NAMED, VERIFY])
@pytest.mark.parametrize(
    ("devices", "match"),
    [
        (("d1", "d2"), Match.YES),
        (("d1",), Match.SOME),
        ((), Match.UNKNOWN),
        (("d1", "d2", "d3"), Match.NO),
        (("d3",), Match.NO),
    ],
)
def test_a_job_is_recognised_by_exactly_its_devices(
    action: CreateOTAStaticUpgradeJob | CreateOTAVerifyJob, devices: tuple[str, ...], match: Match
) -> None:
    assert matched(action, devices=devices) is match


@pytest.mark.parametrize(
    ("job_status", "status", "total", "match"),
    [
        pytest.param("IN_PROGRESS", "QUEUED", 1, Match.SOME, id="goes on with what it lists"),
        pytest.param("COMPLETED", "FAILED", 1, Match.SOME, id="has ended"),
        pytest.param("IN_PROGRESS", "FAILED", 1, Match.UNKNOWN, id="goes on, and nothing that it lists does"),
        pytest.param("CANCELED", "IN_PROGRESS", 1, Match.UNKNOWN, id="was cancelled, and a device flashes"),
        pytest.param("COMPLETED", "FAILED", 2, Match.UNKNOWN, id="counts more tasks than it lists"),
    ],
)
def test_a_job_on_some_of_the_devices_may_only_be_the_requested_one_while_more_can_be_listed(
    job_status: str, status: str, total: int, match: Match
) -> None:
    assert matched(NAMED, {"jobStatus": job_status}, ("d1",), status=status, total=total) is match


@pytest.mark.parametrize(
    ("action", "shown", "match"),
    [
        (ACTION, {"targetSelection": "ALL"}, Match.YES),
        (ACTION, {}, Match.UNKNOWN),
        (ACTION, {"targetSelection": "GRAY"}, Match.NO),
        (GRAY, {"targetSelection": "GRAY", "grayPercent": "10.00"}, Match.YES),
        (GRAY, {"targetSelection": "GRAY"}, Match.UNKNOWN),
        (GROUP, {"targetSelection": "GROUP"}, Match.UNKNOWN),
        (OLD_ONES, {"targetSelection": "ALL"}, Match.UNKNOWN),
        (OLD_ONES, {"targetSelection": "ALL", "srcVersions": {"SrcVersion": ["1.1", "1.0"]}}, Match.YES),
        (OLD_ONES, {"targetSelection": "ALL", "srcVersions": ["1.0"]}, Match.NO),
        (ACTION, {"targetSelection": "ALL", "srcVersions": "1.0"}, Match.NO),
        (GRAY, {"targetSelection": "GRAY", "grayPercent": "20"}, Match.NO),
        (GRAY, {"targetSelection": "GRAY", "grayPercent": "few"}, Match.NO),
        (GROUP, {"targetSelection": "GROUP", "groupId": "g1"}, Match.YES),
        (GROUP, {"targetSelection": "GROUP", "groupId": "g2"}, Match.NO),
        (ACTION, {"targetSelection": "ALL", "productKey": "other"}, Match.NO),
        (ACTION, {"targetSelection": "ALL", "firmwareId": "9"}, Match.NO),
        (ACTION, {"targetSelection": "ALL", "jobType": "VERIFY_FIRMWARE"}, Match.NO),
        (CreateOTAVerifyJob(firmware_id="178", product_key="pk"), {}, Match.YES),
    ],
)
def test_a_job_without_named_devices_is_recognised_by_what_the_platform_shows_of_it(
    action: CreateOTAStaticUpgradeJob | CreateOTAVerifyJob, shown: dict[str, Any], match: Match
) -> None:
    assert matched(action, shown) is match


def test_a_selection_that_the_list_shows_counts_where_the_job_itself_does_not() -> None:
    assert matched(ACTION, listed=replace(LISTED, target_selection="ALL")) is Match.YES


def test_what_a_list_shows_may_speak_against_a_job_without_a_request() -> None:
    script = Script([])

    assert script.run(match_job(SETTINGS, replace(LISTED, product_key="pk2"), Target.of(ACTION))) is Match.NO


def test_a_job_that_can_be_listed_and_not_queried_yet_is_not_known() -> None:
    script = Script([refused("iot.firmware.InvalidOTAJobId")])

    assert script.run(match_job(SETTINGS, LISTED, Target.of(ACTION))) is Match.UNKNOWN


def test_more_devices_than_a_page_shows_are_all_read() -> None:
    names = [f"d{number}" for number in range(150)]
    pages = [names[:100], names[:100], names[100:]]
    script = Script(
        [ok(data=OWN | {"targetSelection": "SPECIFIC"})]
        + [ok(data=[task(name, "QUEUED") for name in page], total=150) for page in pages]
    )
    action = replace(NAMED, target_device_name=names)

    assert script.run(match_job(SETTINGS, LISTED, Target.of(action))) is Match.YES


def test_a_target_survives_as_plain_values() -> None:
    for action in (NAMED, GRAY, GROUP, VERIFY, ACTION):
        assert Target.from_dict(Target.of(action).to_dict()) == Target.of(action)


@pytest.mark.parametrize(
    ("other", "overlaps", "is_same"),
    [
        (NAMED, True, True),
        (replace(NAMED, target_device_name=["d2"]), True, True),
        (replace(NAMED, target_device_name=["d3"]), False, False),
        (replace(NAMED, product_key="pk2"), False, False),
        (ACTION, False, False),
        (VERIFY, False, False),
    ],
)
def test_two_targets_overlap_where_they_share_a_device(
    other: CreateOTAStaticUpgradeJob | CreateOTAVerifyJob, overlaps: bool, is_same: bool
) -> None:
    ours, theirs = Target.of(NAMED), Target.of(other)

    assert (ours.overlaps(theirs), ours.is_the_same_as(theirs)) == (overlaps, is_same)
    assert may_overlap(ours.mask, theirs.mask) or not set(ours.devices) & set(theirs.devices)


def test_two_shares_may_be_taken_for_each_other_and_only_equal_ones_are_the_same() -> None:
    ten, twenty = Target.of(GRAY), Target.of(replace(GRAY, gray_percent="20"))

    old = Target.of(OLD_ONES)
    assert not old.is_the_same_as(Target.of(ACTION))
    assert (ten.overlaps(twenty), ten.is_the_same_as(twenty), ten.is_the_same_as(ten)) == (True, False, True)


@pytest.mark.parametrize(
    ("ours", "theirs", "may"),
    [
        (GRAY, GRAY, True),
        (GRAY, replace(GRAY, gray_percent="20"), False),
        (GROUP, replace(GROUP, group_id="another"), False),
        (OLD_ONES, replace(OLD_ONES, src_version=["0.1"]), False),
        (OLD_ONES, ACTION, True),
        (NAMED, replace(NAMED, target_device_name=["d3"]), False),
        (NAMED, replace(NAMED, target_device_name=["d2"]), False),
        (NAMED, replace(NAMED, target_device_name=["d2", "d1"]), True),
        (VERIFY, replace(VERIFY, target_device_name=["d1"]), False),
        (VERIFY, replace(VERIFY, target_device_name=None), True),
    ],
)
def test_one_job_is_not_that_of_two_requests_whose_devices_shares_groups_or_versions_differ(
    ours: CreateOTAStaticUpgradeJob | CreateOTAVerifyJob,
    theirs: CreateOTAStaticUpgradeJob | CreateOTAVerifyJob,
    may: bool,
) -> None:
    assert Target.of(ours).may_share_a_job_with(Target.of(theirs)) is may
    assert Target.of(theirs).may_share_a_job_with(Target.of(ours)) is may


def test_masks_of_different_devices_differ_and_never_hide_one() -> None:
    masks = [Target.of(replace(NAMED, target_device_name=[f"device-{number}"])).mask for number in range(100)]
    apart = sum(not may_overlap(masks[0], other) for other in masks[1:])

    assert apart > 90
    assert all(may_overlap(mask, mask) and may_overlap(mask, Target.of(GRAY).mask) for mask in masks)
    assert may_overlap(masks[0], "no mask")


def test_the_same_request_has_the_same_fingerprint_in_whatever_order_devices_are_named() -> None:
    swapped = replace(NAMED, target_device_name=("d2", "d1"))

    assert fingerprint_of(NAMED) == fingerprint_of(swapped)
    assert Target.of(NAMED) == Target.of(swapped)
    assert len({fingerprint_of(action) for action in (NAMED, ACTION, replace(NAMED, need_confirm=True))}) == 3
