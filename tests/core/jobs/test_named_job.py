"""The job that the answer to a create names is compared with the request before it is taken for the task's own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import ProtocolError
from airflow_provider_tuya_ota.core.jobs.intent import Attempt
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin
from tests.core.jobs.upgrades import ACTION, NAMED, OWN, UPGRADE, creates, jobs, script_for, stage, start
from tests.core.script import Script, job, lasting, ok, refused, task

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob
    from tests.core.script import Answer

NAMED_JOB = job("77", kind=UPGRADE, targetSelection="SPECIFIC")


def named(tasks: Answer, action: CreateOTAStaticUpgradeJob = NAMED, **shown: Any) -> Script:
    """Name job 77 in the answer to a create."""
    theirs = NAMED_JOB | {"targetSelection": action.target_selection} | shown
    script = script_for(
        CreateOTAStaticUpgradeJob=ok(data={"jobId": "77"}), QueryOTAJob=ok(data=theirs), ListOTATaskByJob=tasks
    )
    start(script, action=action)
    return script


@pytest.mark.parametrize(
    ("devices", "said"),
    [
        (["x1", "x2"], r"names job 77, which has other devices \(x1, x2\) than the requested ones \(d1, d2\)"),
        (["d1", "d2", "x3"], r"has other devices \(x3\) than"),
        ([f"x{number}" for number in range(1, 8)], r"other devices \(x1, x2, x3, x4, x5, …\) than"),
    ],
)
def test_a_named_job_with_other_devices_stops_the_task_and_is_not_cancelled(devices: list[str], said: str) -> None:
    script = script_for(
        CreateOTAStaticUpgradeJob=ok(data={"jobId": "77"}),
        QueryOTAJob=ok(data=NAMED_JOB),
        ListOTATaskByJob=ok(data=[task(name, "QUEUED") for name in devices]),
    )

    with pytest.raises(ProtocolError, match=said):
        start(script, action=NAMED)
    assert "CancelOTATaskByJob" not in script.actions
    assert stage(script) == ("accepted", "")


GRAY = replace(ACTION, target_selection="GRAY", gray_percent="5")
REQUESTED = "requested was UPGRADE_FIRMWARE, firmware 178, product pk, devices "


@pytest.mark.parametrize(
    ("action", "shown", "said"),
    [
        (ACTION, {"firmwareId": "999"}, f"UPGRADE_FIRMWARE, firmware 999, product .*; {REQUESTED}ALL"),
        (ACTION, {"jobType": "VERIFY_FIRMWARE"}, f"VERIFY_FIRMWARE, firmware 178, product .*; {REQUESTED}ALL"),
        (GRAY, {"grayPercent": "100"}, f"devices GRAY, share 100; {REQUESTED}GRAY, share 5"),
        (ACTION, {"srcVersions": ["1.0", "1.1"]}, f"devices ALL, from 1.0, 1.1; {REQUESTED}ALL"),
    ],
)
def test_a_named_job_with_another_target_stops_the_task_and_both_targets_are_said(
    action: CreateOTAStaticUpgradeJob, shown: dict[str, Any], said: str
) -> None:
    with pytest.raises(ProtocolError, match=rf"names job 77, which has another target: .*{said} \(request id"):
        named(ok(data=[]), action, **shown)


def test_a_retry_searches_for_the_requested_job_and_follows_it_without_certainty() -> None:
    theirs = ok(data=OWN | {"jobId": "77", "firmwareId": "999"})
    script = script_for(
        CreateOTAStaticUpgradeJob=ok(data={"jobId": "77"}),
        QueryOTAJob=lambda sent: theirs if sent.parameters["JobId"] == "77" else ok(data=OWN),
        ListOTAJobByFirmware=lasting(jobs(), jobs(), jobs(OWN)),
    )
    with pytest.raises(ProtocolError, match="A retry searches for the requested job"):
        start(script)

    found = start(script, Attempt(is_retry=True))

    assert (found.job_id, found.origin, creates(script)) == ("9", JobOrigin.FOUND, 1)


@pytest.mark.parametrize(
    "tasks",
    [
        pytest.param(ok(data=[]), id="none is listed yet"),
        pytest.param(ok(data=[task("d2", "QUEUED")]), id="one runs the version already"),
        pytest.param(ok(data=[task("", "QUEUED")]), id="a device has no name"),
        pytest.param(refused("iot.firmware.InvalidOTAJobId"), id="it cannot be listed"),
    ],
)
def test_a_named_job_that_is_not_certainly_another_is_the_task_s_own(tasks: Answer) -> None:
    assert stage(named(tasks)) == ("created", "77")


def test_a_job_without_named_devices_is_not_asked_for_its_devices() -> None:
    script = named(ok(data=[]), replace(ACTION))

    assert "ListOTATaskByJob" not in script.actions
