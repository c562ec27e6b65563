"""The forecast of a plan: dates, requests, what the gate can decide, devices at risk, and warnings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.rollout.plan.decidability import Decidability, decide_with
from airflow_provider_tuya_ota.rollout.plan.device_timing import DeviceTiming
from airflow_provider_tuya_ota.rollout.plan.devices_at_risk import Risk, Start, forecast_risks
from airflow_provider_tuya_ota.rollout.plan.plan_warnings import list_warnings
from airflow_provider_tuya_ota.rollout.plan.request_budget import RequestBudget, estimate_requests
from airflow_provider_tuya_ota.rollout.plan.timetable import WaveDates, plan_dates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.plan.release_plan import ReleasePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a plan means if everything starts as early as it can.

    :param start: moment from which the first wave may start.
    :param timing: how long devices are taken to need.
    :param waves: dates of each wave.
    :param decidability: of each wave.
    :param budget: requests and minutes.
    :param risks: devices that a bad firmware reaches.
    :param warnings: one sentence each.
    """

    start: datetime
    timing: DeviceTiming
    waves: tuple[WaveDates, ...]
    decidability: tuple[Decidability, ...]
    budget: RequestBudget
    risks: tuple[Risk, ...]
    warnings: tuple[str, ...]


def forecast_release(
    plan: ReleasePlan,
    *,
    start: datetime,
    requests_per_second: float,
    timing: DeviceTiming | None = None,
) -> Forecast:
    """Forecast a plan. The same arguments give the same forecast.

    :param start: moment from which the first wave may start, with a zone.
    :param requests_per_second: that the connection allows.
    :param timing: how long devices need; the defaults of :class:`DeviceTiming` if left out.
    :raises InvalidParameterError: no window opens within 366 days.
    """
    timing = timing or DeviceTiming()
    boundaries = plan.read_gate().rules.boundaries
    report_seconds = timing.settled_after
    dates = plan_dates(plan, start, report_seconds=report_seconds)
    decidability = tuple(decide_with(wave.total, boundaries) for wave in plan.waves)
    budget = estimate_requests(plan, dates, requests_per_second=requests_per_second, report_seconds=report_seconds)
    return Forecast(
        start=start,
        timing=timing,
        waves=dates,
        decidability=decidability,
        budget=budget,
        risks=forecast_risks(_starts(dates), boundaries, timing),
        warnings=tuple(list_warnings(plan, dates, decidability, budget, start=start, report_seconds=report_seconds)),
    )


def _starts(waves: Sequence[WaveDates]) -> list[Start]:
    pulses = [pulse for wave in waves for pulse in wave.pulses]
    first = pulses[0].starts_at
    return [((pulse.starts_at - first).total_seconds(), pulse.devices) for pulse in pulses]
