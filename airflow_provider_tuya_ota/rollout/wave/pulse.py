"""Creating the jobs of a pulse: which devices they take, when to stop, and what is stored afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.control.release_control import ControlState
from airflow_provider_tuya_ota.rollout.gate.outcomes import OUTCOMES, UNFINISHED
from airflow_provider_tuya_ota.rollout.wave.change import Changed, Changes
from airflow_provider_tuya_ota.rollout.wave.events import PulseStarted
from airflow_provider_tuya_ota.rollout.wave.state import LeftOut

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.control.release_control import ReleaseControl
    from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
    from airflow_provider_tuya_ota.rollout.wave.state import PulseStart, WaveState
    from airflow_provider_tuya_ota.rollout.wave.terms import WaveTerms


def devices_to_start(terms: WaveTerms, start: PulseStart, stratum_of: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Give the devices of each job that is to be created, in order; a job without any is not created.

    :param stratum_of: the stratum of each device; a device without one has none.
    :returns: one entry for each planned job from the first one that is missing; none for a wave of the platform.
    """
    if not terms.wave.pulses:
        return ()
    jobs = terms.wave.pulses[start.pulse - 1].jobs[start.first_job :]
    return tuple(_taken(job, start.strata, start.devices, stratum_of) for job in jobs)


def devices_started(terms: WaveTerms, state: WaveState, stratum_of: Mapping[str, str]) -> Iterator[str]:
    """Give the devices of all created jobs of a wave, from the plan and from what the state says was left out."""
    entries, at = state.left_out, 0
    for pulse in terms.wave.pulses[: state.pulse + 1]:
        jobs = pulse.jobs if pulse.number <= state.pulse else pulse.jobs[: state.job]
        for place, job in enumerate(jobs):
            while at < len(entries) and (entries[at].pulse, entries[at].job) <= (pulse.number, place):
                at += 1
            left = entries[at - 1] if at else LeftOut(pulse=0, job=0)
            yield from _taken(job, left.strata, left.devices, stratum_of)


def reason_to_stop(
    terms: WaveTerms, start: PulseStart, control: ReleaseControl | None, *, job: int, now: datetime
) -> str:
    """Say why the next job of a pulse may not be created; an empty text where it may.

    It is asked before each job. What was created until then is reported, and the next turn goes on from there.

    :param control: read just now; None where the note could not be read.
    :param job: place of the job in the pulse.
    """
    if control is None:
        return "the control note could not be read"
    if control.state is not ControlState.RUN:
        return (
            f"{'halted' if control.state is ControlState.HALT else 'held'} by {control.who or 'nobody'}: {control.why}"
        )
    if not terms.hours.is_open(now):
        return "the window has closed"
    if control.excluded and not terms.wave.is_paceable:
        return "a person has excluded devices, and the platform chooses those of this wave"
    excluded = frozenset(control.excluded).difference(start.devices)
    if excluded and excluded.intersection(terms.devices_in(start.pulse, job)):
        return "a person has excluded devices of this pulse"
    return ""


def pulse_started(state: WaveState, terms: WaveTerms, *, jobs: int, devices: int | None, at: datetime) -> Changed:
    """Report how many jobs of the pulse exist that was begun, and give the state to store.

    The end of the soak and all other times follow from ``at``. They are set once, and no retry moves them.

    :param jobs: how many planned jobs are done, from the first one that was missing; those for which no device was left
        are among them.
    :param devices: how many devices the new jobs have; None for a wave of the platform.
    :param at: when the last of them was created.
    :raises ConfigurationError: no pulse was begun, or it has fewer jobs.
    """
    start = state.starting
    if start is None:
        raise ConfigurationError(f"wave {state.wave}: no pulse was begun, so none has started.")
    done = start.first_job + jobs
    if jobs < 0 or done > terms.jobs_in(start.pulse):
        raise ConfigurationError(f"wave {state.wave}: pulse {start.pulse} has fewer than {done} jobs.")
    changes = Changes(state, at)
    changes.set(starting=None)
    if jobs:
        _add(changes, start, terms, done)
        if devices is None or devices > 0:
            _set_times(changes, terms, max(at, start.at))
    changes.emit(PulseStarted, pulse=start.pulse, first_job=start.first_job, jobs=jobs, devices=devices)
    return changes.done()


def devices_to_remove(evidence: Evidence, excluded: Collection[str]) -> list[str]:
    """Give the excluded devices that have started and not ended: their tasks are to be cancelled, and they leave the
    evidence as removed."""  # noqa: D205, D209 - one sentence
    if not excluded:
        return []
    latest = dict(zip(evidence.devices, evidence.outcomes, strict=True))
    return sorted(name for name in set(excluded) & latest.keys() if OUTCOMES[latest[name]] in UNFINISHED)


def _taken(
    job: Sequence[str], strata: Collection[str], devices: Collection[str], stratum_of: Mapping[str, str]
) -> tuple[str, ...]:
    if not strata and not devices:
        return tuple(job)
    return tuple(name for name in job if name not in devices and stratum_of.get(name, "") not in strata)


def _add(changes: Changes, start: PulseStart, terms: WaveTerms, done: int) -> None:
    state = changes.state
    last = state.left_out[-1] if state.left_out else LeftOut(pulse=0, job=0)
    goes_on = last.pulse == start.pulse and bool(last.devices)
    if start.strata != last.strata or start.devices or goes_on:
        entry = LeftOut(pulse=start.pulse, job=start.first_job, strata=start.strata, devices=start.devices)
        changes.set(left_out=(*state.left_out, entry))
    if done == terms.jobs_in(start.pulse):
        changes.set(pulse=start.pulse, job=0)
    else:
        changes.set(job=done)


def _set_times(changes: Changes, terms: WaveTerms, at: datetime) -> None:
    soak_until = at + terms.soak
    changes.set(
        last_started_at=at,
        next_pulse_at=at + terms.interval,
        soak_until=soak_until,
        evidence_until=max(soak_until, at + terms.silent_after),
    )
