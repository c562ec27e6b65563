"""Check the arithmetic of the frozen plan, and that jobs stay inside it."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.percent import parse_percent
from airflow_provider_tuya_ota.rollout.plan.wave import WaveKind
from airflow_provider_tuya_ota.rollout.record.course import JobPurpose
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan, RecordedWave
    from airflow_provider_tuya_ota.rollout.record.course import JobCreated

_SAID: Final = {
    WaveKind.COUNT.value: re.compile(r"([0-9]{1,9}) devices?"),
    WaveKind.NAMED.value: re.compile(r"([0-9]{1,9}) named devices?"),
}


def check_plan(plan: FrozenPlan) -> Iterator[Finding]:
    """Find sums and shares of a plan that do not agree."""
    for text in _problems_of_plan(plan):
        yield Finding(kind=FindingKind.WRONG_PLAN, text=text)


def _problems_of_plan(plan: FrozenPlan) -> Iterator[str]:
    excluded = sum(plan.excluded.values())
    if plan.devices + excluded != plan.candidates:
        yield f"{plan.devices} devices and {excluded} excluded ones are not {plan.candidates} candidates"
    if plan.planned > plan.devices:
        yield f"the waves have {plan.planned} devices, and the cohort {plan.devices}"
    total = 0
    for place, wave in enumerate(plan.waves, start=1):
        name = f"wave {place} ({wave.text})"
        total += wave.size
        is_platform = wave.kind == WaveKind.PLATFORM
        if wave.number != place:
            yield f"{name} has the number {wave.number}"
        if wave.total != total:
            yield f"{name} says that {wave.total} devices have started at its end; its pulses say {total}"
        if not is_platform and 0 in (*wave.pulses, wave.size):
            yield f"{name} adds nobody, or has a pulse without a device"
        if is_platform and (wave.pulses or place < len(plan.waves)):
            yield f"{name} is the platform's, and so is the last one and has no pulse"
        yield from _problems_of_share(wave, name, plan.devices)
        if problem := _problem_of_text(wave):
            yield f"{name} {problem}"


def _problem_of_text(wave: RecordedWave) -> str:
    """Say what the text of a wave claims of its devices, where they are others."""
    if wave.kind not in set(WaveKind):
        return f"is of the kind {short_repr(wave.kind)}, which is not known"
    if wave.kind == WaveKind.PLATFORM:
        return "" if wave.text.startswith("platform ") else "is the platform's, and its text is not"
    said, number = _SAID.get(wave.kind), wave.size if wave.kind == WaveKind.NAMED else wave.total
    found = said.fullmatch(wave.text) if said else None
    if said is None or (found and int(found[1]) == number):
        return ""
    return f"is a wave of the kind {wave.kind}, and has {number} devices"


def _problems_of_share(wave: RecordedWave, name: str, devices: int) -> Iterator[str]:
    if wave.kind != WaveKind.SHARE:
        return
    try:
        share = parse_percent("share", wave.text)
    except ConfigurationError:
        yield f"{name} is no share"
        return
    wanted = -(-devices * share.numerator // share.denominator)
    if wave.total != wanted:
        yield f"{name} ends at {wave.total} of {devices} devices in total, and not at {wanted}"


def check_jobs(created: Iterable[tuple[int, JobCreated]], plan: FrozenPlan) -> Iterator[Finding]:
    """Find jobs that are there twice, and more or larger jobs than the plan has.

    :param created: each job with the number of its entry.
    """
    seen: set[str] = set()
    jobs: Counter[int] = Counter()
    devices: Counter[tuple[int, int]] = Counter()
    for place, job in created:
        text = ""
        if job.job_id in seen:
            text = f"job {job.job_id} was recorded before"
        seen.add(job.job_id)
        wave = plan.wave(job.wave)
        if job.purpose is JobPurpose.WAVE and wave is not None:
            jobs[job.wave] += 1
            devices[job.wave, job.pulse] += job.devices or 0
            text = text or _beyond(job, wave, jobs[job.wave], devices[job.wave, job.pulse])
        if text:
            yield Finding(kind=FindingKind.NOT_PLANNED, text=text, entry=place)


def _beyond(job: JobCreated, wave: RecordedWave, jobs: int, devices: int) -> str:
    name = f"job {job.job_id} of wave {wave.number}"
    if jobs > wave.jobs:
        return f"{name} is number {jobs} of {wave.jobs} planned ones"
    if wave.kind == WaveKind.PLATFORM:
        return "" if job.devices is None else f"{name} names devices, and the platform chooses those of this wave"
    if job.devices is None:
        return f"{name} does not say how many devices it has"
    if not 1 <= job.pulse <= len(wave.pulses):
        return f"{name} is of pulse {job.pulse}, which is not planned"
    planned = wave.pulses[job.pulse - 1]
    return (
        f"{name} brings pulse {job.pulse} to {devices} devices, and {planned} are planned" if devices > planned else ""
    )
