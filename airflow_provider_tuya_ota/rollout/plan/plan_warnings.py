"""What a person should know before a plan starts, though it is allowed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.plan.cohort import stratum_label
from airflow_provider_tuya_ota.rollout.plan.duration import render_duration
from airflow_provider_tuya_ota.rollout.plan.request_budget import POLL_INTERVAL
from airflow_provider_tuya_ota.rollout.plan.schedule import DOCUMENTED_DEVICES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.plan.decidability import Decidability
    from airflow_provider_tuya_ota.rollout.plan.release_plan import ReleasePlan
    from airflow_provider_tuya_ota.rollout.plan.request_budget import RequestBudget
    from airflow_provider_tuya_ota.rollout.plan.timetable import WaveDates

MOST_JOBS: Final = 5
"""Jobs that a warning names."""
SOON: Final = timedelta(days=8)
"""A window that opens each week opens within that time."""


def list_warnings(
    plan: ReleasePlan,
    dates: Sequence[WaveDates],
    decidability: Sequence[Decidability],
    budget: RequestBudget,
    *,
    start: datetime,
    report_seconds: float,
) -> Iterator[str]:
    """Give one sentence for each.

    :param report_seconds: after which the devices of a pulse are taken to have reported.
    """
    yield from _of_windows(plan, dates, start)
    if plan.interval < report_seconds and any(len(wave.pulses) > 1 for wave in plan.waves):
        yield (
            f"A pulse follows {render_duration(plan.interval)} after the one before, and most devices are taken to have"
            f" reported after {render_duration(round(report_seconds))}: pulses start before the failures of earlier"
            f" ones are known."
        )
    yield from _of_cohort(plan)
    yield from _of_gate(plan, decidability)
    yield from _of_platform(plan)
    if budget.busiest_poll_seconds > POLL_INTERVAL:
        yield (
            f"One poll of the largest pulse takes {budget.busiest_poll_seconds} s at {budget.requests_per_second:g}"
            f" requests a second, so a failure is read up to that late."
        )


def _of_windows(plan: ReleasePlan, dates: Sequence[WaveDates], start: datetime) -> Iterator[str]:
    if not plan.schedule["hours"]["windows"] and not plan.schedule["hours"]["blackouts"]:
        return
    first = dates[0].starts_at
    if first - start > SOON:
        yield f"No window opens within {SOON.days} days: the first pulse starts at {first:%Y-%m-%d %H:%M} UTC."
    if plan.timeout_in_minutes is None:
        yield "Devices have no timeout_in_minutes, so they may go on for any time after a window has closed."
        return
    late = [
        over
        for wave in dates
        for pulse in wave.pulses
        if (over := pulse.goes_on_after_closing(plan.timeout_in_minutes))
    ]
    if late:
        starts = "pulse starts" if len(late) == 1 else "pulses start"
        yield (
            f"{len(late)} {starts} so late in a window that devices may go on for up to"
            f" {render_duration(max(late))} after it has closed."
        )


def _of_cohort(plan: ReleasePlan) -> Iterator[str]:
    if plan.planned < plan.cohort_size and plan.waves[-1].is_paceable:
        left = plan.cohort_size - plan.planned
        size, last = plan.cohort_size, plan.waves[-1].text
        yield f"{left:,} of {size:,} devices of the cohort are in no wave: the last one is {last}."
    absent = [one for one in plan.strata if not one.in_first_pulse]
    if absent:
        yield (
            f"{len(absent)} of {len(plan.strata)} strata have no device in the first pulse, for example"
            f" {stratum_label(absent[0].values)!r}."
        )
    lacking = [one for one in plan.strata if not all(one.values)]
    if lacking:
        number, shown = sum(one.devices for one in lacking), stratum_label(lacking[0].values)
        yield f"{number:,} devices lack an attribute of their stratum, for example in {shown!r}."
    if plan.busy_jobs:
        jobs = ", ".join(f"{job} ({number:,} devices)" for job, number in plan.busy_jobs[:MOST_JOBS])
        more = f" and {len(plan.busy_jobs) - MOST_JOBS} more" if plan.busy_jobs[MOST_JOBS:] else ""
        yield f"Unfinished jobs hold devices that are therefore in no wave: {jobs}{more}."
    if plan.devices_per_job > DOCUMENTED_DEVICES:
        most = plan.devices_per_job
        yield f"Jobs have up to {most} devices; Alibaba Cloud IoT documents {DOCUMENTED_DEVICES} as the most."


def _of_gate(plan: ReleasePlan, decidability: Sequence[Decidability]) -> Iterator[str]:
    for wave, decides in zip(plan.waves, decidability, strict=True):
        # Nothing starts after the last wave, so nothing waits for its verdict.
        if decides.promotes_with is None and wave is not plan.waves[-1]:
            yield (
                f"Wave {wave.number} ({wave.text}) cannot promote by itself: {decides.devices:,} devices have started"
                f" by then, and the gate needs {decides.clean_devices:,} without a failure. A person has to decide."
            )


def _of_platform(plan: ReleasePlan) -> Iterator[str]:
    last = plan.waves[-1]
    if not last.is_paceable:
        yield (
            f"Wave {last.number} ({last.text}) is one job whose devices the platform chooses and starts at once. It can"
            f" be neither paced nor forecast, and may take devices that are not in the cohort."
        )
