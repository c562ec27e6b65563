"""A retry whose job has failed, where a failed job is to be followed by a new one."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.jobs.intent import Attempt, OnFailedJob, Stage
from tests.core.jobs.upgrades import NAMED, OF_NAMED, OWN, script_for, start
from tests.core.script import ok, task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.core.script import Answer, Sent


def new_job_after(status: str, tasks: Answer | Sequence[Answer] | Callable[[Sent], Answer]) -> tuple[str, float]:
    """Retry where the first try's job is of two devices and a failed job is to be followed by a new one."""
    script = script_for(
        QueryOTAJob=ok(data=OWN | {"jobStatus": status, "targetSelection": "SPECIFIC"}), ListOTATaskByJob=tasks
    )
    script.saved = replace(OF_NAMED, stage=Stage.CREATED, entity_id="9").to_dict()
    found = start(script, Attempt(is_retry=True, on_failed_job=OnFailedJob.NEW_JOB), NAMED)
    return found.job_id, sum(script.sleeps)


@pytest.mark.parametrize("devices", [["d1"], ["d1", "d2", "d3"], []])
def test_a_job_that_ended_without_exactly_its_devices_is_followed_by_a_new_one_once_that_stays_so(
    devices: list[str],
) -> None:
    job_id, waited = new_job_after("COMPLETED", ok(data=[task(name, "SUCCEEDED") for name in devices]))

    assert job_id == "10"
    assert 300 <= waited < 330


def test_a_job_whose_last_device_is_listed_late_is_gone_on_with() -> None:
    some, all_of_them = (ok(data=[task(name, "SUCCEEDED") for name in names]) for names in (["d1"], ["d1", "d2"]))

    asked = count()

    job_id, waited = new_job_after("COMPLETED", lambda _: some if next(asked) < 5 else all_of_them)

    assert job_id == "9"
    assert 0 < waited < 300


@pytest.mark.parametrize(("status", "device"), [("IN_PROGRESS", "SUCCEEDED"), ("COMPLETED", "IN_PROGRESS")])
def test_a_job_of_which_anything_may_go_on_is_followed_by_none(status: str, device: str) -> None:
    assert new_job_after(status, ok(data=[task("d1", device)])) == ("9", 0)
