"""Judge a release: from its evidence and its gate to a verdict."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import compress
from operator import and_
from typing import TYPE_CHECKING, NamedTuple

from airflow_provider_tuya_ota.rollout.gate.decision import Cause, Decision
from airflow_provider_tuya_ota.rollout.gate.outcomes import CODES, OUTCOMES, DeviceOutcome
from airflow_provider_tuya_ota.rollout.gate.series import (
    FAILED,
    PENDING,
    SUCCEEDED,
    Prefix,
    find_halt,
    find_promotion,
    is_amber,
)
from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict, Occasion, OutcomeCounts, StratumVerdict
from airflow_provider_tuya_ota.rollout.percent import render_percent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
    from airflow_provider_tuya_ota.rollout.gate.gate import Gate
    from airflow_provider_tuya_ota.rollout.gate.outside import OutsideEvidence
    from airflow_provider_tuya_ota.rollout.gate.rules import Rules

_PENDING, _FLASHING = CODES[DeviceOutcome.PENDING], CODES[DeviceOutcome.FLASHING]


def assess_wave(
    gate: Gate,
    evidence: Evidence,
    *,
    wave: int,
    now: datetime,
    soaked: float = 0.0,
    outside: Sequence[OutsideEvidence] = (),
) -> GateVerdict:
    """Judge a release at any moment, as often as one likes.

    In this order: failures or red strata halt, outside evidence halts or holds, amber holds, a stall holds, evidence
    and soak together promote. Otherwise it is undecided, also without any evidence.

    :param wave: number of the wave that may be followed by the next one.
    :param now: the time of the judgement, which is needed to notice a stall.
    :param soaked: seconds since the last device of the wave was started; 0 while the wave is still being started.
    :param outside: the latest answer of each source.
    """
    occasion = Occasion(wave=wave, rounds=len(evidence.rounds), now=now, soaked=soaked, outside=tuple(outside))
    return _Assessment(gate.rules, evidence, occasion).verdict()


def assess_occasion(gate: Gate, evidence: Evidence, occasion: Occasion) -> GateVerdict:
    """Judge again what an earlier verdict judged.

    :param evidence: as it was then; :meth:`Evidence.as_of` restores it.
    :returns: a verdict that is equal to the earlier one, unless one of the three has been changed.
    """
    return _Assessment(gate.rules, evidence, occasion).verdict()


class _Finding(NamedTuple):
    decision: Decision
    cause: Cause
    reason: str
    prefix: Prefix | None = None


class _Assessment:
    """One judgement; each method looks for one thing that decides, and gives None where it does not."""

    def __init__(self, rules: Rules, evidence: Evidence, occasion: Occasion) -> None:
        self.rules, self.evidence, self.occasion = rules, evidence, occasion
        self.ceiling = render_percent(rules.ceiling)
        self.codec = rules.series_codec()
        number = len(evidence.strata)
        # A single stratum is the release itself.
        self.strata = [self._stratum(index) for index in range(number)] if number > 1 else []
        self.red = [index for index, one in enumerate(self.strata) if one.decision is Decision.HALT]
        others = bytes(index not in self.red for index in range(256))
        self.rest = bytes(evidence.stratum_of.translate(others))
        self.series = self._series(self.rest)
        self.counts = self._count(self.rest, self.series)
        self.boundaries = rules.rest_boundaries(number, len(self.red))

    def verdict(self) -> GateVerdict:
        finding = (
            self._red_strata()
            or self._failures()
            or self._outside()
            or self._amber()
            or self._stall()
            or self._promotion()
        )
        held = [self.strata[index].name for index in self.red]
        return GateVerdict(
            decision=finding.decision,
            cause=finding.cause,
            reason=f"{finding.reason}; without {', '.join(held)}" if held else finding.reason,
            counts=self.counts,
            occasion=self.occasion,
            prefix=finding.prefix,
            strata=tuple(self.strata),
            is_binding=not self.rules.observe_only,
        )

    def _red_strata(self) -> _Finding | None:
        if not self.red or not (self.rules.halts_on_stratum or 2 * len(self.red) > len(self.strata)):
            return None
        why = "; ".join(f"{self.strata[index].name}: {self.strata[index].reason}" for index in self.red)
        reason = f"halt: {len(self.red)} of {len(self.strata)} strata are worse than the ceiling ({why})"
        return _Finding(Decision.HALT, Cause.STRATA, reason)

    def _failures(self) -> _Finding | None:
        if (prefix := find_halt(self.series, self.boundaries)) is None:
            return None
        return _Finding(Decision.HALT, Cause.FAILURES, _halt(prefix, self.ceiling), prefix)

    def _outside(self) -> _Finding | None:
        answers = self.occasion.outside
        missing = [name for name in self.rules.outside if name not in {answer.source for answer in answers}]
        for decision in (Decision.HALT, Decision.HOLD):
            said = [f"{answer.source}: {answer.reason}" for answer in answers if answer.decision is decision]
            if said:
                return _Finding(decision, Cause.OUTSIDE, f"{decision} by outside evidence: {'; '.join(said)}")
        if missing:
            return _Finding(Decision.HOLD, Cause.OUTSIDE, f"hold: no answer from {', '.join(missing)}")
        return None

    def _amber(self) -> _Finding | None:
        if not is_amber(self.series, self.boundaries):
            return None
        return _Finding(Decision.HOLD, Cause.AMBER, _amber(self.counts, self.ceiling))

    def _stall(self) -> _Finding | None:
        news = self.evidence.last_news(self.rest)
        if not self.counts.pending or news is None:
            return None
        quiet = self.occasion.now - news
        if quiet < timedelta(seconds=self.rules.stall_after):
            return None
        reason = f"hold: {self.counts.pending} pending, and no news of any device since {news:%Y-%m-%d %H:%M %Z}"
        return _Finding(Decision.HOLD, Cause.STALL, reason)

    def _promotion(self) -> _Finding:
        if not self.series:
            return _undecided("no device has started")
        prefix = find_promotion(self.series, self.boundaries)
        if prefix is None:
            return _undecided(f"{self.counts}; {self._earliest()}")
        if lacking := self._lacking_of_the_wave():
            return _undecided(lacking)
        soaked, needed = self.occasion.soaked, self.rules.min_soak
        if soaked < needed:
            return _undecided(
                f"wave {self.occasion.wave} has soaked for {soaked:.0f} of {needed:.0f} seconds", Cause.SOAK
            )
        among = f"of the first {prefix.devices} started"
        reason = f"promote at {prefix.failures} failed or pending {among}; ceiling {self.ceiling}"
        return _Finding(Decision.PROMOTE, Cause.EVIDENCE, reason, prefix)

    def _earliest(self) -> str:
        if find_promotion(self.series.replace(PENDING, SUCCEEDED), self.boundaries):
            return "promotes if the pending ones succeed"
        return f"promotes at {self.boundaries.promote_from(self.counts.failed)} started at the earliest"

    def _lacking_of_the_wave(self) -> str:
        wave = self.occasion.wave
        in_wave = (number == wave for number in self.evidence.wave_of)
        series = self._series(bytes(map(and_, in_wave, self.rest)))
        ended, needed = len(series) - series.count(PENDING), self.rules.needed(len(series))
        if not series:
            return f"no device of wave {wave} has started"
        return (
            ""
            if ended >= needed
            else f"{ended} of {len(series)} started in wave {wave} have an outcome; {needed} are needed"
        )

    def _stratum(self, index: int) -> StratumVerdict:
        name = self.evidence.strata[index]
        boundaries = self.rules.stratum_boundaries(len(self.evidence.strata))
        selected = bytes(self.evidence.stratum_of.translate(bytes(number == index for number in range(256))))
        series = self._series(selected)
        counts = self._count(selected, series)
        if prefix := find_halt(series, boundaries):
            reason = _halt(prefix, self.ceiling)
            return StratumVerdict(name=name, decision=Decision.HALT, reason=reason, counts=counts, prefix=prefix)
        if is_amber(series, boundaries):
            reason = _amber(counts, self.ceiling)
            return StratumVerdict(name=name, decision=Decision.HOLD, reason=reason, counts=counts)
        return StratumVerdict(name=name, decision=Decision.UNDECIDED, reason=f"undecided: {counts}", counts=counts)

    def _series(self, selected: bytes) -> bytes:
        return bytes(compress(self.evidence.outcomes, selected)).translate(*self.codec)

    def _count(self, selected: bytes, series: bytes) -> OutcomeCounts:
        codes = Counter(compress(self.evidence.outcomes, selected))
        codes[_PENDING] += codes.pop(_FLASHING, 0)
        return OutcomeCounts(
            started=len(series),
            succeeded=series.count(SUCCEEDED),
            failed=series.count(FAILED),
            pending=series.count(PENDING),
            by_outcome={OUTCOMES[code].value: codes[code] for code in OUTCOMES if codes[code]},
        )


def _undecided(why: str, cause: Cause = Cause.EVIDENCE) -> _Finding:
    return _Finding(Decision.UNDECIDED, cause, f"undecided: {why}")


def _halt(prefix: Prefix, ceiling: str) -> str:
    return f"halt at {prefix.failures} of the first {prefix.devices} started; ceiling {ceiling}"


def _amber(counts: OutcomeCounts, ceiling: str) -> str:
    return f"hold at {counts.failed} of {counts.succeeded + counts.failed} with an outcome; ceiling {ceiling}"
