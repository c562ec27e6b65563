"""The gate, the evidence and the answers as they were recorded, entry by entry, and what the gate says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.gate.assessment import assess_occasion
from airflow_provider_tuya_ota.rollout.gate.verdict import Occasion
from airflow_provider_tuya_ota.rollout.record.begin import GateSettings
from airflow_provider_tuya_ota.rollout.record.course import JobCreated, JobPurpose, OutsideSaid, VerdictGiven
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.unreadable import RecordUnreadableError

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
    from airflow_provider_tuya_ota.rollout.gate.gate import Gate
    from airflow_provider_tuya_ota.rollout.gate.outside import OutsideEvidence
    from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict
    from airflow_provider_tuya_ota.rollout.record.entry import Entry

MOST_JUDGED: Final = 100_000_000
"""Devices of all judgements together: a million of them a hundred times. That takes some minutes; a file of the same
size can ask for days."""
WRITTEN_WITHIN: Final = timedelta(minutes=1)
"""Between the creation of a job and its entry."""


@dataclass(slots=True)
class JudgedAgain:
    """What was recorded up to an entry.

    :param evidence: of the whole record.
    :param gate: the one that is in force; None before the first.
    :param rounds: how many rounds of the evidence were recorded.
    :param answers: the latest answer of each source.
    :param is_judged: whether a verdict has seen all of it.
    :param has_corrected: whether a success was corrected that no verdict has seen.
    """

    evidence: Evidence
    gate: Gate | None = None
    rounds: int = 0
    answers: dict[str, OutsideEvidence] = field(default_factory=dict)
    is_judged: bool = True
    has_corrected: bool = False
    _at: datetime | None = None
    _clock: timedelta = timedelta()
    _started: dict[int, timedelta] = field(default_factory=dict)
    _so_far: Evidence | None = None
    _latest: GateVerdict | None = None
    _judged: int = 0

    def take(self, entry: Entry) -> None:
        """Take in the next entry."""
        # Clocks are set back: only what went forward is counted, so that no soak seems shorter than it was.
        self._clock += max(timedelta(), entry.at - (self._at or entry.at))
        self._at = entry.at
        match entry.content:
            case GateSettings():
                self.gate, self.is_judged, self._latest = entry.content.gate, False, None
            case EvidencePart():
                self.rounds += len(entry.content.rounds)
                self.is_judged, self._latest, self._so_far = False, None, None
                self.has_corrected |= bool(entry.content.corrected)
            case OutsideSaid():
                self.answers[entry.content.answer.source] = entry.content.answer
                self.is_judged = False
            case VerdictGiven():
                self.is_judged, self.has_corrected = True, False
            case JobCreated(purpose=JobPurpose.WAVE):
                self._started[entry.content.wave] = self._clock
            case _:
                pass

    def longest_soak(self, wave: int) -> float:
        """Give the seconds that a wave can have soaked since its latest job was created; 0 without one."""
        started = self._started.get(wave)
        return 0.0 if started is None else (self._clock - started + WRITTEN_WITHIN).total_seconds()

    def judge(self, gate: Gate, occasion: Occasion) -> GateVerdict:
        """Judge what was recorded so far.

        :raises RecordUnreadableError: so many devices were judged that another judgement would take too long.
        """
        if self._latest is not None and self._latest.occasion == occasion:
            return self._latest
        if self._so_far is None:
            self._so_far = self.evidence.as_of(self.rounds)
        self._judged += len(self._so_far.devices)
        if self._judged > MOST_JUDGED:
            raise RecordUnreadableError(f"its verdicts judge more than {MOST_JUDGED:,} devices, one after the other")
        self._latest = assess_occasion(gate, self._so_far, occasion)
        return self._latest

    def judge_now(self, gate: Gate) -> GateVerdict | None:
        """Judge what was recorded so far, at the time of its last round; None before any."""
        if not self.rounds:
            return None
        now = self.evidence.rounds[self.rounds - 1]
        outside = tuple(self.answers.values())
        return self.judge(
            gate, Occasion(wave=max(self._started, default=0), rounds=self.rounds, now=now, outside=outside)
        )
