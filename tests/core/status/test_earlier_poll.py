"""What a poll takes from the poll before it, and when it may not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.errors import PollingFailedError
from airflow_provider_tuya_ota.core.model.verdict import Outcome
from airflow_provider_tuya_ota.core.status.job_snapshot import (
    REUSED,
    EarlierPoll,
    JobSnapshot,
    fetch_job_snapshot,
)
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from tests.core.one_job import wait_for_job
from tests.core.script import NOW, SETTINGS, Script, Sent, firmware, job, ok, refused, task

if TYPE_CHECKING:
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


def poll(platform: Platform, earlier: EarlierPoll | None = None) -> tuple[JobSnapshot, list[str]]:
    script = Script(platform)
    return script.run(fetch_job_snapshot(SETTINGS, "9001", earlier=earlier)), script.actions


@pytest.mark.parametrize(("kind", "whole"), [("UPGRADE_FIRMWARE", UPGRADE), ("VERIFY_FIRMWARE", VERIFICATION)])
def test_while_devices_go_on_one_poll_in_four_reads_more_than_the_device_tasks(kind: str, whole: list[str]) -> None:
    platform, earlier, polls = Platform(kind), None, []
    for number in range(2 * (REUSED + 1)):
        platform.devices["d2"] = f"{'NOTIFIED' if number % 2 else 'IN_PROGRESS'}"
        snapshot, actions = poll(platform, earlier)
        earlier = snapshot.poll
        polls.append(actions)
        assert snapshot.verdict.outcome is Outcome.RUNNING
        assert snapshot.verdict.counts[platform.devices["d2"]]

    assert polls == [whole, TASKS, TASKS, TASKS] * 2


@pytest.mark.parametrize("status", ["PLANNED", "CREATED", "COMPLETED", "CANCELED", "PAUSED_BY_A_PERSON"])
def test_a_job_in_any_other_status_is_read_at_each_poll(status: str) -> None:
    snapshot, _ = poll(Platform(status=status))

    assert poll(Platform(), snapshot.poll)[1] == UPGRADE


@pytest.mark.parametrize("devices", [{"d1": "SUCCEEDED"}, {"d1": "FAILED", "d2": "CANCELED"}, {}])
def test_job_and_firmware_are_read_anew_before_anything_is_concluded(devices: dict[str, str]) -> None:
    platform = Platform("VERIFY_FIRMWARE")
    earlier = poll(platform)[0].poll
    platform.status, platform.firmware_status, platform.devices = "COMPLETED", 1, devices

    snapshot, actions = poll(platform, earlier)

    assert actions[0] == "ListOTATaskByJob"
    assert actions[-2:] == ["QueryOTAJob", "QueryOTAFirmware"]
    assert (snapshot.verdict.job_status, snapshot.verdict.firmware_status) == ("COMPLETED", "VERIFIED")
    assert snapshot.poll.reused == 0


def test_a_large_job_goes_on_by_its_counts() -> None:
    platform = Platform(devices={f"d{number}": "SUCCEEDED" for number in range(150)} | {"last": "QUEUED"})
    first, _ = poll(platform)
    second, actions = poll(platform, first.poll)

    assert (first.poll.is_large, second.poll.is_large) == (True, True)
    assert set(actions) == {"ListOTATaskByJob"}
    assert second.verdict.outcome is Outcome.RUNNING


def test_a_job_that_only_its_own_status_shows_as_ended_is_noticed_after_three_polls_more() -> None:
    platform = Platform()
    snapshot, _ = poll(platform)
    platform.status = "COMPLETED"
    outcomes = []
    for _ in range(REUSED + 1):
        snapshot, _ = poll(platform, snapshot.poll)
        outcomes.append(snapshot.verdict.outcome)

    assert outcomes == [*[Outcome.RUNNING] * REUSED, Outcome.SETTLING]


def test_a_wait_saves_what_its_polls_save_and_hears_of_a_job_that_is_gone() -> None:
    platform = Platform()
    script = Script(platform)

    def answer(sent: Sent) -> Response:
        platform.is_gone = script.now >= NOW + timedelta(seconds=30)
        return platform(sent)

    script.answers = answer
    options = WaitOptions(deadline=NOW + timedelta(hours=1), poll_interval=10)
    with pytest.raises(PollingFailedError, match=r"could not be polled for 300 s.*InvalidOTAJobId"):
        script.run(wait_for_job(SETTINGS, "9001", options))

    assert script.actions[:6] == [*UPGRADE, *TASKS * 3, "QueryOTAJob"]
