from __future__ import annotations

import itertools
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.model.entities import DeviceTask, Firmware, Job
from airflow_provider_tuya_ota.core.model.states import FirmwareStatus, JobStatus, JobType, TaskStatus
from airflow_provider_tuya_ota.core.model.verdict import SAMPLE, DeviceState, Outcome, Verdict, assess_job
from airflow_provider_tuya_ota.core.wire.redaction import safe_name, safe_text

TASK_STATUSES = [status.value for status in TaskStatus] + ["ROLLED_BACK"]
JOB_STATUSES = [status.value for status in JobStatus] + ["PAUSED"]
FIRMWARE_STATUSES = [*(status.value for status in FirmwareStatus), 42, None]
ENDS = {"SUCCEEDED", "FAILED", "CANCELED"}
RUNNING, SETTLING, SUCCEEDED, FAILED = Outcome


def tasks(*statuses: str) -> list[DeviceTask]:
    return [
        DeviceTask(task_id=str(number), device_name=f"d{number}", status=TaskStatus(status))
        for number, status in enumerate(statuses, start=1)
    ]


def assess(
    statuses: list[str] | tuple[str, ...],
    job: str = "COMPLETED",
    firmware: int | None = 1,
    kind: str = "VERIFY_FIRMWARE",
    need_push: bool | None = None,
) -> Verdict:
    found_firmware = (
        firmware
        if firmware is None
        else Firmware(firmware_id="178", name="lamp", version="1.1", product_key="pk", status=FirmwareStatus(firmware))
    )
    found = Job(job_id="9", firmware_id="178", status=JobStatus(job), type=JobType(kind), need_push=need_push)
    return assess_job(found, tasks(*statuses), found_firmware if isinstance(found_firmware, Firmware) else None)


def states() -> st.SearchStrategy[Verdict]:
    return st.builds(
        assess,
        st.lists(st.sampled_from(TASK_STATUSES), max_size=6),
        st.sampled_from(JOB_STATUSES),
        st.sampled_from(FIRMWARE_STATUSES),
    )


@pytest.mark.parametrize("kind", ["VERIFY_FIRMWARE", "UPGRADE_FIRMWARE", "", "NEW_KIND"])
@pytest.mark.parametrize(
    "statuses", [c for n in range(3) for c in itertools.combinations_with_replacement(TASK_STATUSES, n)]
)
def test_success_means_that_every_device_and_for_a_verification_the_firmware_succeeded(
    statuses: tuple[str, ...], kind: str
) -> None:
    for job, firmware in itertools.product(JOB_STATUSES, FIRMWARE_STATUSES):
        verdict = assess(statuses, job, firmware, kind)

        if verdict.outcome is SUCCEEDED:
            assert set(statuses) == {"SUCCEEDED"}
            assert job != "CANCELED"
            is_good = firmware in {FirmwareStatus.VERIFIED, FirmwareStatus.NOT_NEEDED}
            assert is_good or kind == "UPGRADE_FIRMWARE"
        if verdict.outcome is RUNNING:
            assert job not in {"COMPLETED", "CANCELED"}
            assert not statuses or not set(statuses) <= ENDS
        assert (verdict.why == "") == (verdict.outcome in {SUCCEEDED, RUNNING})


@given(states())
def test_a_lost_device_never_ends_in_success(verdict: Verdict) -> None:
    if verdict.counts.get("FAILED") or verdict.counts.get("CANCELED"):
        assert verdict.outcome is not SUCCEEDED


@given(states())
def test_a_verdict_survives_json(verdict: Verdict) -> None:
    assert Verdict.from_dict(json.loads(json.dumps(verdict.to_dict()))) == verdict


def test_a_verdict_of_a_later_version_is_still_read() -> None:
    verdict = assess(["FAILED"])
    later = verdict.to_dict() | {"new": 1, "devices": [{"name": "d1", "status": "FAILED", "colour": "red"}]}

    assert Verdict.from_dict(later).devices == (DeviceState("d1", "FAILED"),)


@pytest.mark.parametrize(
    ("statuses", "job", "firmware", "outcome", "words"),
    [
        (["SUCCEEDED", "SUCCEEDED"], "COMPLETED", 1, SUCCEEDED, ""),
        (["SUCCEEDED"], "IN_PROGRESS", 1, SETTLING, "the job is IN_PROGRESS while every device task that is listed"),
        (["FAILED"], "PLANNED", 3, SETTLING, "the job is PLANNED while every device task that is listed has ended"),
        (["SUCCEEDED", "IN_PROGRESS"], "IN_PROGRESS", 2, RUNNING, ""),
        ([], "IN_PROGRESS", 2, RUNNING, ""),
        (["ROLLED_BACK"], "IN_PROGRESS", 2, RUNNING, ""),
        (["SUCCEEDED"], "COMPLETED", 2, SETTLING, "the firmware is VERIFYING"),
        (["SUCCEEDED"], "COMPLETED", 0, SETTLING, "the firmware is UNVERIFIED"),
        (["SUCCEEDED"], "COMPLETED", -1, SUCCEEDED, ""),
        (["SUCCEEDED"], "COMPLETED", 42, SETTLING, "the firmware is STATUS_42"),
        (["SUCCEEDED"], "COMPLETED", None, SETTLING, "the firmware is not known"),
        (["SUCCEEDED", "QUEUED"], "COMPLETED", 1, SETTLING, "the job is COMPLETED while devices are not done"),
        ([], "COMPLETED", 1, SETTLING, "COMPLETED without any device task"),
        (["FAILED", "SUCCEEDED"], "COMPLETED", 3, FAILED, "the firmware failed its verification (1 FAILED)"),
        (["SUCCEEDED"], "COMPLETED", 3, FAILED, "the firmware failed its verification (no device task did)"),
        (["FAILED", "SUCCEEDED"], "COMPLETED", 1, FAILED, "did not succeed on every device (1 FAILED)"),
        (["FAILED", "CANCELED"], "COMPLETED", 2, FAILED, "(1 FAILED, 1 CANCELED)"),
        (["CANCELED"], "CANCELED", 0, FAILED, "the job was cancelled (1 CANCELED)"),
        ([], "CANCELED", 0, FAILED, "the job was cancelled (no device task was lost)"),
    ],
)
def test_a_verification_is_judged_by_firmware_job_and_devices(
    statuses: list[str], job: str, firmware: int | None, outcome: Outcome, words: str
) -> None:
    verdict = assess(statuses, job, firmware)

    assert verdict.outcome is outcome
    assert words in verdict.why


@pytest.mark.parametrize(
    ("statuses", "job", "outcome", "words"),
    [
        (["SUCCEEDED"], "COMPLETED", SUCCEEDED, ""),
        (["SUCCEEDED", "NOTIFIED"], "IN_PROGRESS", RUNNING, ""),
        (["SUCCEEDED", "NOTIFIED"], "COMPLETED", SETTLING, "while devices are not done"),
        (["SUCCEEDED", "FAILED"], "COMPLETED", FAILED, "not every device was upgraded (1 FAILED)"),
        (["SUCCEEDED"], "CANCELED", FAILED, "the job was cancelled (no device task was lost)"),
        ([], "COMPLETED", SETTLING, "COMPLETED without any device task"),
    ],
)
def test_an_upgrade_is_judged_by_job_and_devices(statuses: list[str], job: str, outcome: Outcome, words: str) -> None:
    verdict = assess(statuses, job, None, "UPGRADE_FIRMWARE")

    assert verdict.outcome is outcome
    assert words in verdict.why


def test_failing_devices_are_named_with_progress_and_reason() -> None:
    lost = DeviceTask(task_id="1", device_name="d1", status=TaskStatus.FAILED, progress="30", reason="flash failed")
    job = Job(job_id="9", firmware_id="", status=JobStatus.COMPLETED, type=JobType.VERIFY_FIRMWARE)
    found_firmware = Firmware(firmware_id="178", name="l", version="1", product_key="p", status=FirmwareStatus.FAILED)

    verdict = assess_job(job, [lost, *tasks("SUCCEEDED")], found_firmware)

    assert verdict.firmware_id == "178"
    assert verdict.failure_text() == (
        "job 9: the firmware failed its verification (1 FAILED). Devices: d1 FAILED at 30 %: flash failed"
    )


def test_a_failure_of_nobody_names_nobody() -> None:
    assert assess([], "CANCELED").failure_text().endswith("(no device task was lost)")


def test_of_many_devices_those_that_matter_most_are_named_and_all_are_counted() -> None:
    verdict = assess(["SUCCEEDED"] * 200 + ["QUEUED"] + ["FAILED"] * 60 + ["ROLLED_BACK"])

    assert verdict.counts == {"FAILED": 60, "QUEUED": 1, "SUCCEEDED": 200, "ROLLED_BACK": 1}
    assert list(verdict.counts) == ["FAILED", "QUEUED", "SUCCEEDED", "ROLLED_BACK"]
    assert len(verdict.devices) == SAMPLE
    assert {device.status for device in verdict.devices} == {"FAILED"}
    assert "; and 10 more" in verdict.failure_text()


def test_the_line_shows_firmware_job_counts_and_the_devices_that_move() -> None:
    verdict = assess(["SUCCEEDED", "IN_PROGRESS", "QUEUED"], "IN_PROGRESS", 2)

    assert verdict.line() == (
        "job 9 IN_PROGRESS; firmware 178 VERIFYING; devices: 1 IN_PROGRESS, 1 QUEUED, 1 SUCCEEDED; d2 IN_PROGRESS"
    )


def test_the_line_of_an_upgrade_leaves_the_firmware_out() -> None:
    assert assess([], "PLANNED", None, "UPGRADE_FIRMWARE").line() == "job 9 PLANNED; devices: none yet"


def test_devices_that_wait_for_confirmation_are_named() -> None:
    assert assess(["CONFIRM", "CONFIRM"], "IN_PROGRESS", 2).hint == "waiting for confirmation (ConfirmOTATask): d1, d2"
    assert assess(["CONFIRM"] * 12, "IN_PROGRESS", 2).hint.endswith(" and 2 more")


def test_of_a_large_job_all_devices_that_wait_for_confirmation_are_counted_and_not_those_alone_that_were_read() -> None:
    found = Job(job_id="9", firmware_id="178", status=JobStatus.IN_PROGRESS, type=JobType.UPGRADE_FIRMWARE)

    verdict = assess_job(found, tasks(*["CONFIRM"] * 12), None, {"CONFIRM": 300})

    assert verdict.hint.endswith(" and 290 more")


@pytest.mark.parametrize(("need_push", "is_said"), [(False, True), (True, False), (None, False)])
def test_devices_that_must_ask_are_counted(need_push: bool | None, is_said: bool) -> None:
    hint = assess(["QUEUED", "NOTIFIED"], "IN_PROGRESS", 2, need_push=need_push).hint

    assert ("1 queued must ask" in hint) is is_said


def test_what_travels_through_the_triggerer_stays_small_whatever_devices_say() -> None:
    wide = "\U0001f4a1"
    crowd = [
        DeviceTask(
            task_id=str(number),
            device_name=safe_name(wide * 1000),
            status=TaskStatus(safe_name(f"{number}{wide * 1000}")),
            progress=safe_name(wide * 1000),
            reason=safe_text(wide * 1000),
        )
        for number in range(1000)
    ]
    found = Job(job_id="9", firmware_id="178", status=JobStatus.IN_PROGRESS, type=JobType.UPGRADE_FIRMWARE)

    verdict = assess_job(found, crowd, None)

    assert len(msgspec.msgpack.encode(verdict.to_dict())) < 150_000
    assert len(verdict.line()) < 10_000


def test_statuses_that_nobody_documented_are_named_up_to_ten_and_counted_all() -> None:
    verdict = assess([*(f"X{number:03}" for number in range(500)), *["SUCCEEDED"] * 3, "OTHER"])

    assert verdict.counts == {"SUCCEEDED": 3, "OTHER": 1, **{f"X{number:03}": 1 for number in range(9)}} | {
        "OTHER": 492
    }
    assert verdict.outcome is SETTLING
