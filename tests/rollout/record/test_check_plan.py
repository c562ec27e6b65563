from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan, RecordedWave
from airflow_provider_tuya_ota.rollout.record.check_plan import check_jobs, check_plan
from airflow_provider_tuya_ota.rollout.record.course import JobCreated, JobPurpose
from airflow_provider_tuya_ota.rollout.record.finding import FindingKind
from tests.rollout.record.forgery import changed, first, found, places, with_entry
from tests.rollout.record.story import SHOWN, good

GOOD = good(200)
SHARE, COUNT, PLATFORM = (
    RecordedWave(number=1, text="5%", kind="share", total=5, needs_approval=False, pulses=(2, 3), jobs=2),
    RecordedWave(number=2, text="20 devices", kind="count", total=20, needs_approval=False, pulses=(15,), jobs=1),
    RecordedWave(number=3, text="platform ALL", kind="platform", total=20, needs_approval=True, pulses=(), jobs=1),
)
PLAN = FrozenPlan(
    plan_digest=SHOWN,
    cohort_digest=SHOWN,
    names_digest=SHOWN,
    candidates=101,
    devices=100,
    excluded={"busy in another job": 1},
    waves=(SHARE, COUNT, PLATFORM),
)


def test_nothing_is_wrong_with_a_true_plan() -> None:
    named = replace(COUNT, text="15 named devices", kind="named")

    assert list(check_plan(PLAN)) == []
    assert list(check_plan(replace(PLAN, waves=(SHARE, named)))) == []


@pytest.mark.parametrize(
    ("plan", "problem"),
    [
        (replace(PLAN, excluded={}), "100 devices and 0 excluded ones are not 101 candidates"),
        (replace(PLAN, devices=19, candidates=20), "the waves have 20 devices, and the cohort 19"),
        (replace(PLAN, waves=(COUNT, SHARE)), "wave 1 (20 devices) has the number 2"),
        (
            replace(PLAN, waves=(SHARE, replace(COUNT, total=21))),
            "wave 2 (20 devices) says that 21 devices have started at its end; its pulses say 20",
        ),
        (
            replace(PLAN, waves=(SHARE, replace(COUNT, total=5, pulses=()))),
            "wave 2 (20 devices) adds nobody, or has a pulse without a device",
        ),
        (
            replace(PLAN, waves=(replace(SHARE, pulses=(5, 0)),)),
            "wave 1 (5%) adds nobody, or has a pulse without a device",
        ),
        (
            replace(PLAN, waves=(replace(PLATFORM, number=1, total=0), replace(COUNT, total=15))),
            "wave 1 (platform ALL) is the platform's, and so is the last one and has no pulse",
        ),
        (
            replace(PLAN, waves=(SHARE, COUNT, replace(PLATFORM, pulses=(1,), total=21))),
            "wave 3 (platform ALL) is the platform's, and so is the last one and has no pulse",
        ),
        (
            replace(PLAN, waves=(replace(SHARE, text="6%"),)),
            "wave 1 (6%) ends at 5 of 100 devices in total, and not at 6",
        ),
        (replace(PLAN, waves=(replace(SHARE, text="five"),)), "wave 1 (five) is no share"),
        (
            replace(PLAN, waves=(replace(SHARE, text="1%", kind="shares"),)),
            "wave 1 (1%) is of the kind 'shares', which is not known",
        ),
        (
            replace(PLAN, waves=(SHARE, replace(COUNT, text="1 device"))),
            "wave 2 (1 device) is a wave of the kind count, and has 20 devices",
        ),
        (
            replace(PLAN, waves=(SHARE, replace(COUNT, text="twenty"))),
            "wave 2 (twenty) is a wave of the kind count, and has 20 devices",
        ),
        (
            replace(PLAN, waves=(SHARE, replace(COUNT, text="2 named devices", kind="named"))),
            "wave 2 (2 named devices) is a wave of the kind named, and has 15 devices",
        ),
        (
            replace(PLAN, waves=(SHARE, COUNT, replace(PLATFORM, text="1 device"))),
            "wave 3 (1 device) is the platform's, and its text is not",
        ),
    ],
)
def test_sums_and_shares_of_a_plan_have_to_agree(plan: FrozenPlan, problem: str) -> None:
    findings = list(check_plan(plan))

    assert problem in [one.text for one in findings]
    assert {one.kind for one in findings} == {FindingKind.WRONG_PLAN}


def test_a_share_is_rounded_up() -> None:
    wave = replace(SHARE, total=6, pulses=(6,))

    assert list(check_plan(replace(PLAN, devices=101, candidates=102, waves=(wave,)))) == []


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"job_id": "verification"}, "job verification was recorded before"),
        ({"devices": 41}, "job 1-1-1 of wave 1 brings pulse 1 to 41 devices, and 40 are planned"),
        ({"pulse": 2}, "job 1-1-1 of wave 1 is of pulse 2, which is not planned"),
        ({"pulse": 0}, "job 1-1-1 of wave 1 is of pulse 0, which is not planned"),
        ({"devices": None, "devices_digest": ""}, "job 1-1-1 of wave 1 does not say how many devices it has"),
    ],
)
def test_a_job_stays_inside_its_plan(fields: dict[str, Any], problem: str) -> None:
    assert (FindingKind.NOT_PLANNED, problem) in found(changed(GOOD, JobCreated, which=1, **fields))


def test_there_are_no_more_jobs_than_planned() -> None:
    more = replace(first(GOOD, JobCreated, 1), job_id="more", devices=0)

    assert len(places(GOOD, JobCreated)) == 6
    assert (FindingKind.NOT_PLANNED, "job more of wave 1 is number 2 of 1 planned ones") in found(
        with_entry(GOOD, more, before=JobCreated, which=2)
    )


def test_the_platform_chooses_the_devices_of_its_wave() -> None:
    def problems(devices: int | None) -> list[str]:
        job = JobCreated(
            job_id="p", firmware_id="1", purpose=JobPurpose.WAVE, wave=3, pulse=0, devices=devices, devices_digest=""
        )
        return [one.text for one in check_jobs([(9, job)], PLAN)]

    assert problems(None) == []
    assert problems(5) == ["job p of wave 3 names devices, and the platform chooses those of this wave"]


def test_a_verification_and_a_retry_are_no_part_of_the_plan() -> None:
    for purpose in (JobPurpose.VERIFICATION, JobPurpose.RETRY):
        job = JobCreated(
            job_id="v", firmware_id="1", purpose=purpose, wave=1, pulse=9, devices=900, devices_digest=SHOWN
        )
        assert list(check_jobs([(9, job)], PLAN)) == []
