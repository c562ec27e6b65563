from __future__ import annotations

from datetime import timedelta

import pytest

from airflow_provider_tuya_ota.core.jobs.drain import StillDrainingError, wait_until_drained
from airflow_provider_tuya_ota.core.jobs.stop_events import OldJobUnfinished
from tests.core.script import NOW, SETTINGS, Script, Sent, by_action, job, ok, refused, task

DEADLINE = NOW + timedelta(hours=1)


def flashing(rounds: int) -> Script:
    """Play an old job of which one device is flashed for some polls."""
    polls = 0

    def listed(sent: Sent) -> object:
        nonlocal polls
        polls += sent.parameters.get("TaskStatus") == "CONFIRM"
        is_flashing = polls <= rounds and sent.parameters.get("TaskStatus") == "IN_PROGRESS"
        return ok(data=[task("d1", "IN_PROGRESS")] if is_flashing else [])

    return Script(by_action({"ListOTATaskByJob": listed, "QueryOTAJob": ok(data=job("9", "COMPLETED"))}))  # type: ignore[dict-item] # the answer is a response


def test_the_flow_itself_waits_unless_it_is_asked_to_leave_that_to_others() -> None:
    script = flashing(2)

    script.run(wait_until_drained(SETTINGS, "9", may_cancel=False, deadline=DEADLINE, poll_interval=20.0))

    assert script.sleeps == [20.0, 20.0]
    assert script.events == [OldJobUnfinished("9", "has 1 unfinished device tasks")] * 2
    with pytest.raises(StillDrainingError, match="waiting for job 9"):
        flashing(2).run(
            wait_until_drained(SETTINGS, "9", may_cancel=False, deadline=DEADLINE, poll_interval=20.0, here=False)
        )


def test_a_job_that_is_gone_and_has_no_device_tasks_is_not_waited_for() -> None:
    gone = refused("iot.firmware.InvalidOTAJobId")
    script = Script(by_action({"ListOTATaskByJob": ok(data=[]), "QueryOTAJob": gone}))

    script.run(wait_until_drained(SETTINGS, "9", may_cancel=False, deadline=DEADLINE, poll_interval=20.0))

    assert script.sleeps == []
