"""How many requests a release sends, and how many minutes they take under the rate limit of its connection."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_provider_tuya_ota.rollout.plan.release_plan import ReleasePlan
    from airflow_provider_tuya_ota.rollout.plan.timetable import PulseDate, WaveDates

DEVICES_PER_PAGE: Final = 50
"""Of QueryDevice."""
TASKS_PER_PAGE: Final = 100
"""Of ListOTATaskByJob."""
TO_CREATE_A_JOB: Final = 3
"""Requests for one job: a listing before it, the job, and a listing of its device tasks."""
POLL_INTERVAL: Final = 60.0
"""Seconds between two polls of a job, on which the estimate rests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBudget:
    """Requests of a release, estimated.

    :param to_plan: pages of devices, and one request for the versions of each device. Jobs that run need a few more.
    :param to_create: for the jobs of all waves.
    :param to_watch: polls of all jobs, each minute, from the start of a pulse until its devices have reported.
    :param requests_per_second: that the connection allows.
    :param busiest_poll_seconds: how long the rate limit takes for one poll of the largest pulse.
    """

    to_plan: int
    to_create: int
    to_watch: int
    requests_per_second: float
    busiest_poll_seconds: int

    @property
    def requests(self) -> int:
        """All of them together."""
        return self.to_plan + self.to_create + self.to_watch

    @property
    def minutes(self) -> int:
        """Minutes that the rate limit needs for all of them, rounded up."""
        return math.ceil(self.requests / self.requests_per_second / 60)


def estimate_requests(
    plan: ReleasePlan, waves: Sequence[WaveDates], *, requests_per_second: float, report_seconds: float
) -> RequestBudget:
    """Estimate the requests of a release from its pulses.

    :param report_seconds: after which the devices of a pulse are taken to have reported.
    """
    polls = math.ceil(report_seconds / POLL_INTERVAL)
    a_poll = [_requests_a_poll(pulse, plan.devices_per_job) for pulse in _pulses(waves)]
    return RequestBudget(
        to_plan=math.ceil(plan.candidates / DEVICES_PER_PAGE) + plan.candidates,
        to_create=TO_CREATE_A_JOB * sum(pulse.jobs for pulse in _pulses(waves)),
        to_watch=polls * sum(a_poll),
        requests_per_second=requests_per_second,
        busiest_poll_seconds=math.ceil(max(a_poll) / requests_per_second),
    )


def _pulses(waves: Sequence[WaveDates]) -> Iterator[PulseDate]:
    return (pulse for wave in waves for pulse in wave.pulses)


def _requests_a_poll(pulse: PulseDate, devices_per_job: int) -> int:
    whole, rest = divmod(pulse.devices, devices_per_job)
    pages = whole * math.ceil(devices_per_job / TASKS_PER_PAGE) + math.ceil(rest / TASKS_PER_PAGE)
    # A wave of the platform has one job, whose devices are not known.
    return max(1, pages)
