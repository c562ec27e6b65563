"""What the author of a Dag says about the course of a release, read once when the Dag is parsed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from airflow_provider_tuya_ota.rollout.plan.approval import Approvals, parse_approvals
from airflow_provider_tuya_ota.rollout.plan.duration import parse_duration
from airflow_provider_tuya_ota.rollout.plan.intent_text import NOT_GIVEN, NotGiven, require_whole
from airflow_provider_tuya_ota.rollout.plan.opening_hours import OpeningHours, parse_opening_hours
from airflow_provider_tuya_ota.rollout.plan.pace import Pace, require_pace
from airflow_provider_tuya_ota.rollout.plan.wave import Wave, parse_waves

DOCUMENTED_DEVICES: Final = 200
"""Devices of a job with SPECIFIC that Alibaba Cloud IoT, the upstream API, documents as the most."""
MOST_DEVICES_PER_JOB: Final = 1_000
LONGEST_TIMEOUT: Final = 1_440
"""Minutes, as the platform accepts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The course of a release.

    :param soak: seconds for which a wave is watched after its last pulse, before the next one starts.
    :param timeout_in_minutes: of a device, from its first progress report on; None where it may take any time.
    :param devices_per_job: devices of a job at most.
    """

    waves: tuple[Wave, ...]
    pace: Pace
    soak: int
    hours: OpeningHours
    approvals: Approvals
    timeout_in_minutes: int | None
    devices_per_job: int

    def to_dict(self) -> dict[str, Any]:
        """Give canonical values of all but the waves, which a plan holds with their devices."""
        return {
            "pace": self.pace.to_dict(),
            "soak": self.soak,
            "hours": self.hours.to_dict(),
            "approvals": self.approvals.to_dict(),
            "timeout_in_minutes": self.timeout_in_minutes,
            "devices_per_job": self.devices_per_job,
        }


def parse_schedule(
    *,
    waves: Any,
    pace: Any,
    soak: Any,
    window: Any | NotGiven = NOT_GIVEN,
    blackout: Any | NotGiven = NOT_GIVEN,
    approve: Any | NotGiven = NOT_GIVEN,
    approvers: Any | NotGiven = NOT_GIVEN,
    two_person: Any = False,
    timeout_in_minutes: Any | NotGiven = NOT_GIVEN,
    devices_per_job: Any = DOCUMENTED_DEVICES,
) -> Schedule:
    """Read the course of a release; nothing is sent, and no clock is read.

    :param soak: ``24h``; ``0h`` has to be written where a wave needs no time to be watched.
    :param timeout_in_minutes: 1 to 1440; none if left out.
    :param devices_per_job: 1 to 1,000; 200 by default, the most that Alibaba Cloud IoT documents.
    :raises InvalidParameterError: names the argument; see the function that reads it.
    """
    minutes = None
    if timeout_in_minutes is not NOT_GIVEN:
        minutes = require_whole("timeout_in_minutes", timeout_in_minutes, 1, LONGEST_TIMEOUT)
    read = parse_waves(waves)
    return Schedule(
        waves=read,
        pace=require_pace(pace),
        soak=parse_duration("soak", soak, or_zero=True),
        hours=parse_opening_hours(window, blackout, timeout_in_minutes=minutes),
        approvals=parse_approvals(read, approve, approvers, two_person=two_person),
        timeout_in_minutes=minutes,
        devices_per_job=require_whole("devices_per_job", devices_per_job, 1, MOST_DEVICES_PER_JOB),
    )
