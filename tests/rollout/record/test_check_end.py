from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_tuya_ota.rollout.record.canonical import digest_of_devices
from airflow_provider_tuya_ota.rollout.record.course import (
    JobCreated,
    JobPurpose,
)
from airflow_provider_tuya_ota.rollout.record.finding import FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import (
    LandedCheck,
    ReleaseEnded,
    ReleaseOutcome,
)
from tests.rollout.record.forgery import changed, found, rewritten, texts
from tests.rollout.record.story import good, halted

GOOD, HALTED = good(200), halted(400)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"counts": {"succeeded": 200}}, "it says 200 succeeded; the evidence says 194 succeeded, 2 flash, 4 wrong"),
        ({"counts": {}}, "it says no device; the evidence says"),
        ({"planned": 201}, "planned devices: it says 201; the plan says 200"),
        ({"in_no_job": 1}, "planned devices in no job: it says 1; the entries say 0"),
        ({"succeeded_on_retry": 1}, "1 cannot have succeeded in a retry: nothing was retried"),
        ({"outcome": ReleaseOutcome.COMPLETE}, "it is complete, and there are devices that do not run the version: 6"),
        ({"outcome": ReleaseOutcome.NOT_STARTED}, "the outcome is not started, and a wave began"),
        ({"outcome": ReleaseOutcome.HALTED}, "the outcome is halted, and the release was not halted"),
    ],
)
def test_the_final_counts_are_those_of_the_evidence(fields: dict[str, Any], problem: str) -> None:
    said = texts(changed(GOOD, ReleaseEnded, **fields), FindingKind.WRONG_COUNTS)

    assert [text for text in said if text.startswith(problem)], said


def test_failed_devices_may_succeed_in_a_retry() -> None:
    retry = JobCreated(
        job_id="retry",
        firmware_id="178",
        purpose=JobPurpose.RETRY,
        wave=3,
        pulse=0,
        devices=6,
        devices_digest=digest_of_devices(["a", "b"]),
    )

    def change(contents: list[Any], succeeded: int, outcome: ReleaseOutcome) -> None:
        place = next(place for place, one in enumerate(contents) if isinstance(one, LandedCheck))
        contents.insert(place + 1, retry)
        contents[-1] = replace(contents[-1], succeeded_on_retry=succeeded, outcome=outcome)

    all_of_them = rewritten(GOOD, lambda contents: change(contents, 6, ReleaseOutcome.COMPLETE))
    too_many = rewritten(GOOD, lambda contents: change(contents, 7, ReleaseOutcome.COMPLETE))

    assert found(all_of_them) == []
    assert texts(too_many, FindingKind.WRONG_COUNTS) == [
        "7 cannot have succeeded in a retry: 6 failed, and 6 were tried again"
    ]
