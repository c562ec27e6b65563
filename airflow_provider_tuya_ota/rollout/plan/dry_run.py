"""The list of a dry run: plan and forecast as rows of plain JSON values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.rollout.plan.cohort import stratum_label

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.plan.decidability import Decidability
    from airflow_provider_tuya_ota.rollout.plan.forecast import Forecast
    from airflow_provider_tuya_ota.rollout.plan.planned_wave import PlannedWave
    from airflow_provider_tuya_ota.rollout.plan.release_plan import ReleasePlan
    from airflow_provider_tuya_ota.rollout.plan.timetable import WaveDates

VERSION = 1
"""Version of the form of this list."""


def list_dry_run(plan: ReleasePlan, forecast: Forecast) -> dict[str, Any]:
    """Give what a release would do; nothing of it depends on how it is shown.

    Moments are in UTC, in the form of RFC 3339. The names of devices are left out, because a plan may have a million.
    """
    budget = forecast.budget
    return {
        "dry_run_version": VERSION,
        "release_id": plan.release_id,
        "product_key": plan.rule.product_key,
        "module_name": plan.rule.module_name,
        "version": plan.rule.version,
        "plan_digest": plan.digest,
        "cohort_digest": plan.cohort_digest,
        "cohort": {
            "candidates": plan.candidates,
            "excluded": plan.excluded,
            "devices": plan.cohort_size,
            "in_waves": plan.planned,
        },
        "busy_jobs": dict(plan.busy_jobs),
        "strata": [
            {"stratum": stratum_label(one.values), "devices": one.devices, "in_first_pulse": one.in_first_pulse}
            for one in plan.strata
        ],
        "source_versions": dict(plan.source_versions),
        "schedule": plan.schedule,
        "gate": plan.gate,
        "waves": [_wave_row(*row) for row in zip(plan.waves, forecast.waves, forecast.decidability, strict=True)],
        "requests": {
            "to_plan": budget.to_plan,
            "to_create": budget.to_create,
            "to_watch": budget.to_watch,
            "total": budget.requests,
            "requests_per_second": budget.requests_per_second,
            "minutes": budget.minutes,
        },
        "devices_at_risk": [
            {
                "bad_percent": round(100 * risk.bad_share),
                "all_at_once": risk.at_once,
                "paced": risk.paced,
                "until_hold": risk.until_hold,
            }
            for risk in forecast.risks
        ],
        "assumptions": {
            "start": _moment(forecast.start),
            "devices_begin_after_seconds": forecast.timing.begins_after,
            "devices_take_seconds": forecast.timing.takes,
            "spread": forecast.timing.spread,
            "reaction_seconds": forecast.timing.reaction,
        },
        "warnings": list(forecast.warnings),
    }


def _wave_row(wave: PlannedWave, dates: WaveDates, decides: Decidability) -> dict[str, Any]:
    return {
        "number": wave.number,
        "wave": wave.text,
        "adds": wave.size,
        "total": wave.total,
        "jobs": wave.jobs,
        "is_paceable": wave.is_paceable,
        "needs_approval": wave.needs_approval,
        "starts_at": _moment(dates.starts_at),
        "soaks_until": _moment(dates.soaks_until),
        "promotes_with": decides.promotes_with,
        "halts_with": decides.halts_with,
        "decides": str(decides),
        "pulses": [
            {
                "number": pulse.number,
                "devices": pulse.devices,
                "jobs": pulse.jobs,
                "starts_at": _moment(pulse.starts_at),
                "closes_at": None if pulse.closes_at is None else _moment(pulse.closes_at),
            }
            for pulse in dates.pulses
        ],
    }


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
