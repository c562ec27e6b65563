"""What is found on the platform when a wave goes on after a time in which nobody has polled."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.texts import bounded_line
from airflow_provider_tuya_ota.rollout.gate.outcomes import OUTCOMES, UNFINISHED, DeviceOutcome
from airflow_provider_tuya_ota.rollout.wave.change import Changed, Changes
from airflow_provider_tuya_ota.rollout.wave.events import Reconciled
from airflow_provider_tuya_ota.rollout.wave.marks import LONGEST_WHY
from airflow_provider_tuya_ota.rollout.wave.pulse import pulse_started

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
    from airflow_provider_tuya_ota.rollout.wave.decision import Reconcile
    from airflow_provider_tuya_ota.rollout.wave.state import WaveState
    from airflow_provider_tuya_ota.rollout.wave.terms import WaveTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the platform has.

    :param outcomes: how many devices have ended since the last poll, by outcome; the evidence was read anew.
    :param missing_jobs: ids of jobs of this wave that the platform does not have any more.
    :param has_firmware: whether the firmware is still there.
    :param jobs: of a pulse in doubt, how many of its jobs are done, as for
        :func:`~airflow_provider_tuya_ota.rollout.wave.pulse.pulse_started`.
    :param devices: how many devices these jobs have; None for a wave of the platform.
    :param created_at: when the last of these jobs was created; None where that is not known.
    """

    outcomes: Mapping[str, int] = field(default_factory=dict)
    missing_jobs: Sequence[str] = ()
    has_firmware: bool = True
    jobs: int = 0
    devices: int | None = 0
    created_at: datetime | None = None

    @property
    def missing(self) -> str:
        """What is not there any more, as a sentence; empty where everything is."""
        firmware = [] if self.has_firmware else ["the firmware is not on the platform any more"]
        ids = ", ".join(self.missing_jobs[:5])
        jobs = [f"{len(self.missing_jobs)} jobs are not on the platform any more: {ids}"] if self.missing_jobs else []
        return "; ".join((*firmware, *jobs))


def reconciled(state: WaveState, terms: WaveTerms, decision: Reconcile, found: Found, *, at: datetime) -> Changed:
    """Report what was found, and give the state to store.

    Where something is missing, the wave holds until a later report finds it.

    :raises ConfigurationError: a pulse is in doubt that the decision does not name, or it has fewer jobs.
    """
    if state.starting != decision.pulse:
        raise ConfigurationError(f"wave {state.wave}: the decision to reconcile is about another pulse than the state.")
    events = []
    if decision.pulse is not None:
        when = found.created_at or at
        before = pulse_started(state, terms, jobs=found.jobs, devices=found.devices, at=when)
        state, events = before.state, [*before.events]
    changes = Changes(state, at, events)
    changes.emit(
        Reconciled, why=decision.why, since=decision.since, outcomes=dict(found.outcomes), missing=found.missing
    )
    # The evidence may have been read anew, in fewer rounds than before.
    changes.set(rounds=0, missing=bounded_line(found.missing, LONGEST_WHY))
    return changes.done()


def outcomes_since(evidence: Evidence, rounds: int) -> dict[str, int]:
    """Count the devices that have ended after a round, by outcome.

    :param rounds: how many rounds of evidence were known.
    """
    found = Counter(
        OUTCOMES[code]
        for code, end in zip(evidence.outcomes, evidence.ended, strict=True)
        if end >= rounds and OUTCOMES[code] not in UNFINISHED
    )
    return {outcome.value: found[outcome] for outcome in DeviceOutcome if found[outcome]}
