"""Make the plan of a release from its cohort and its schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.plan.intent_text import require_text
from airflow_provider_tuya_ota.rollout.plan.membership import assign_devices
from airflow_provider_tuya_ota.rollout.plan.planned_wave import PlannedStratum, PlannedWave, Pulse
from airflow_provider_tuya_ota.rollout.plan.rank import start_order
from airflow_provider_tuya_ota.rollout.plan.release_plan import ReleasePlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.rollout.gate.gate import Gate
    from airflow_provider_tuya_ota.rollout.plan.cohort import Cohort
    from airflow_provider_tuya_ota.rollout.plan.pace import Pace
    from airflow_provider_tuya_ota.rollout.plan.schedule import Schedule


def plan_release(release_id: str, cohort: Cohort, schedule: Schedule, gate: Gate) -> ReleasePlan:
    """Make the plan of a release. The same arguments give the same plan, device by device.

    :param release_id: names the release, for example the id of the Dag run.
    :param gate: decides from wave to wave; the plan freezes its thresholds too.
    :raises InvalidParameterError: the cohort is empty, a wave adds nobody or cannot be filled, or the pace cuts it into
        too many pulses.
    """
    require_text("release_id", release_id, "a text that names the release")
    if not cohort.size:
        counts = ", ".join(f"{number:,} {reason}" for reason, number in cohort.excluded_counts.items())
        raise InvalidParameterError(
            field="cohort",
            problem=f"none of {cohort.candidates:,} devices is left{f' ({counts})' if counts else ''}",
            allowed="at least one device",
        )
    order = start_order(release_id, cohort.strata)
    members = assign_devices(schedule.waves, cohort, order)
    waves: list[PlannedWave] = []
    started = 0
    for wave, devices in zip(schedule.waves, members, strict=True):
        started += len(devices)
        waves.append(
            PlannedWave(
                number=wave.number,
                text=wave.text,
                kind=wave.kind.value,
                total=started,
                needs_approval=wave.number in schedule.approvals.before,
                pulses=_cut(devices, schedule.pace, schedule.devices_per_job),
                selection=wave.selection,
                gray_percent=wave.gray_percent,
                group_id=wave.group_id,
            )
        )
    return ReleasePlan(
        release_id=release_id,
        rule=cohort.rule,
        cohort_digest=cohort.digest,
        candidates=cohort.candidates,
        excluded=cohort.excluded_counts,
        busy_jobs=tuple(cohort.busy_jobs.items()),
        strata=_strata(cohort, waves[0].pulses[0]),
        source_versions=tuple(cohort.source_versions.items()),
        waves=tuple(waves),
        schedule=schedule.to_dict(),
        gate=gate.to_dict(),
    )


def _strata(cohort: Cohort, first: Pulse) -> tuple[PlannedStratum, ...]:
    names = frozenset(first.devices)
    return tuple(
        PlannedStratum(values=stratum, devices=len(devices), in_first_pulse=len(names.intersection(devices)))
        for stratum, devices in cohort.strata.items()
    )


def _cut(devices: Sequence[str], pace: Pace, devices_per_job: int) -> tuple[Pulse, ...]:
    pulses: list[Pulse] = []
    start = 0
    for number, size in enumerate(pace.pulse_sizes(len(devices)), start=1):
        end = start + size
        jobs = tuple(
            tuple(devices[first : min(first + devices_per_job, end)]) for first in range(start, end, devices_per_job)
        )
        pulses.append(Pulse(number=number, jobs=jobs))
        start = end
    return tuple(pulses)
