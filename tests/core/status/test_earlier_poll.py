"""What a poll takes from the poll before it, and when it may not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.model.verdict import Outcome
from airflow_provider_tuya_ota.core.status.job_snapshot import EarlierPoll, JobSnapshot, fetch_job_snapshot
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from tests.core.one_job import wait_for_job
from tests.core.script import NOW, SETTINGS, Script, Sent, firmware, job, lost, ok, refused, task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_tuya_ota.core.wire.http import Response

TASKS = ["ListOTATaskByJob"]
UPGRADE = ["QueryOTAJob", *TASKS]
VERIFICATION = [*UPGRADE, "QueryOTAFirmware"]


@dataclass
class Platform:
    """One job, as the platform shows it now."""

    kind: str = "UPGRADE_FIRMWARE"
    status: str = "IN_PROGRESS"
    firmware_status: int = 2
    devices: dict[str, str] = field(default_factory=lambda: {"d1": "NOTIFIED"})
    is_gone: bool = False
    is_out: bool = False

    def __call__(self, sent: Sent) -> Response:
        if sent.action == "QueryOTAJob":
            return (
                refused("iot.firmware.InvalidOTAJobId")
                if self.is_gone
                else ok(data=job(status=self.status, kind=self.kind))
            )
        if sent.action == "QueryOTAFirmware":
            return ok(firmwareInfo=firmware(status=self.firmware_status))
        wanted = sent.parameters.get("TaskStatus")
        begin = (int(sent.parameters["CurrentPage"]) - 1) * (size := int(sent.parameters["PageSize"]))
        tasks = [task(*device) for device in self.devices.items() if wanted in {None, device[1]}]
        return ok(data=tasks[begin : begin + size], total=len(tasks))


def poll(
    platform: Platform, earlier: EarlierPoll | None = None, *, seconds: float = 0.0
) -> tuple[JobSnapshot, list[str]]:
    script = Script(platform)
    script.now = NOW + timedelta(seconds=seconds)
    return script.run(fetch_job_snapshot(SETTINGS, "9001", earlier=earlier)), script.actions


@pytest.mark.parametrize(("kind", "whole"), [("UPGRADE_FIRMWARE", UPGRADE), ("VERIFY_FIRMWARE", VERIFICATION)])
def test_while_devices_go_on_job_and_firmware_are_read_once_a_minute(kind: str, whole: list[str]) -> None:
    platform, earlier, polls = Platform(kind), None, []
    for number in range(8):
        platform.devices["d2"] = "NOTIFIED" if number % 2 else "IN_PROGRESS"
        snapshot, actions = poll(platform, earlier, seconds=15 * number)
        earlier = snapshot.poll
        polls.append(actions)
        assert snapshot.verdict.outcome is Outcome.RUNNING
        assert snapshot.verdict.counts[platform.devices["d2"]]
        assert snapshot.verdict.job_status == "IN_PROGRESS"
        assert bool(snapshot.verdict.firmware_status) is (kind == "VERIFY_FIRMWARE")

    assert polls == [whole, TASKS, TASKS, TASKS] * 2


@pytest.mark.parametrize("status", ["PLANNED", "COMPLETED", "CANCELED", "PAUSED_BY_A_PERSON"])
def test_a_job_in_any_other_status_is_read_at_each_poll(status: str) -> None:
    snapshot, _ = poll(Platform(status=status))

    assert poll(Platform(), snapshot.poll)[1] == UPGRADE


@pytest.mark.parametrize("devices", [{"d1": "SUCCEEDED"}, {"d1": "FAILED", "d2": "CANCELED"}, {}])
def test_before_anything_is_concluded_the_job_is_read_and_its_tasks_after_it(devices: dict[str, str]) -> None:
    platform = Platform("VERIFY_FIRMWARE")
    earlier = poll(platform)[0].poll
    platform.status, platform.firmware_status, platform.devices = "COMPLETED", 1, devices

    snapshot, actions = poll(platform, earlier)

    last_query = actions.index("QueryOTAJob")
    assert set(actions[:last_query]) == {"ListOTATaskByJob"}
    assert set(actions[last_query + 1 : -1]) == {"ListOTATaskByJob"}
    assert actions[-1] == "QueryOTAFirmware"
    assert (snapshot.verdict.job_status, snapshot.verdict.firmware_status) == ("COMPLETED", "VERIFIED")


def test_a_device_that_is_listed_while_the_job_ends_is_no_part_of_a_success_before_it_was_read() -> None:
    platform = Platform("VERIFY_FIRMWARE", devices={"d1": "IN_PROGRESS"})
    earlier = poll(platform)[0].poll
    platform.devices = {"d1": "SUCCEEDED"}

    def answer(sent: Sent) -> Response:
        if sent.action == "QueryOTAJob":
            platform.status, platform.firmware_status = "COMPLETED", 1
            platform.devices["d2"] = "FAILED"
        return platform(sent)

    snapshot = Script(answer).run(fetch_job_snapshot(SETTINGS, "9001", earlier=earlier))

    assert snapshot.verdict.outcome is Outcome.FAILED


def test_a_large_job_goes_on_by_its_counts() -> None:
    platform = Platform(devices={f"d{number}": "SUCCEEDED" for number in range(150)} | {"last": "QUEUED"})
    first, _ = poll(platform)
    second, actions = poll(platform, first.poll)

    assert (first.poll.is_large, second.poll.is_large) == (True, True)
    assert set(actions) == {"ListOTATaskByJob"}
    assert second.verdict.outcome is Outcome.RUNNING


def test_a_job_that_only_its_own_status_shows_as_ended_is_noticed_within_a_minute() -> None:
    platform = Platform()
    snapshot, _ = poll(platform)
    platform.status = "COMPLETED"
    outcomes = {}
    for seconds in (20, 59, 60):
        snapshot, _ = poll(platform, snapshot.poll, seconds=seconds)
        outcomes[seconds] = snapshot.verdict.outcome

    assert outcomes == {20: Outcome.RUNNING, 59: Outcome.RUNNING, 60: Outcome.SETTLING}


def change(platform: Platform, **values: Any) -> None:
    for name, value in values.items():
        setattr(platform, name, value)


def fail_to_wait(
    platform: Platform, after: Mapping[int, Callable[[], None]], *, seconds: float
) -> tuple[str, list[str]]:
    """Wait with a poll each ten seconds, and give the error and the requests.

    :param after: what changes at the platform after so many seconds.
    """
    script, left = Script(), dict(after)

    def answer(sent: Sent) -> Response | Exception:
        for second in [second for second in left if script.now >= NOW + timedelta(seconds=second)]:
            left.pop(second)()
        return lost() if platform.is_out and sent.action == "ListOTATaskByJob" else platform(sent)

    script.answers = answer
    options = WaitOptions(deadline=NOW + timedelta(seconds=seconds), poll_interval=10)
    with pytest.raises(TuyaOTAError) as caught:
        script.run(wait_for_job(SETTINGS, "9001", options))
    return str(caught.value), script.actions


def test_a_wait_hears_of_a_job_that_is_gone_within_a_minute() -> None:
    platform = Platform()

    error, actions = fail_to_wait(platform, {5: partial(change, platform, is_gone=True)}, seconds=3600)

    assert "could not be polled for 300 s" in error
    assert "InvalidOTAJobId" in error
    assert actions[:8] == [*UPGRADE, *TASKS * 5, "QueryOTAJob"]


def test_the_last_poll_of_a_wait_takes_nothing_from_an_earlier_one() -> None:
    platform = Platform()

    error, actions = fail_to_wait(platform, {21: partial(change, platform, status="CANCELED")}, seconds=30)

    assert "Last state: job 9001 CANCELED" in error
    assert actions == [*UPGRADE, *TASKS * 2, *UPGRADE]


def test_a_poll_after_one_that_failed_takes_nothing_from_an_earlier_one() -> None:
    platform = Platform()

    # The poll after ten seconds fails after its last repetition, 17.5 seconds after the first one began.
    changes = {
        9: partial(change, platform, is_out=True),
        20: partial(change, platform, is_out=False, status="CANCELED"),
    }
    _, actions = fail_to_wait(platform, changes, seconds=3600)

    assert actions[:9] == [*UPGRADE, *TASKS * 5, *UPGRADE]
