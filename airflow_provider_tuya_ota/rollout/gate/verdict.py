"""The verdict of a gate on a release: what may happen next, why, and the numbers behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.rollout.gate.decision import Cause, Decision
from airflow_provider_tuya_ota.rollout.gate.outside import OutsideEvidence
from airflow_provider_tuya_ota.rollout.gate.series import Prefix

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCounts:
    """How many devices have which outcome.

    :param started: devices that count; ``succeeded``, ``failed`` and ``pending`` add up to them.
    :param failed: by the gate's definition of a failure.
    :param by_outcome: all listed devices by outcome, also those that do not count; flashing devices are pending here.
    """

    started: int = 0
    succeeded: int = 0
    failed: int = 0
    pending: int = 0
    by_outcome: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.started} started: {self.succeeded} succeeded, {self.failed} failed, {self.pending} pending"

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {
            "started": self.started,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "pending": self.pending,
            "by_outcome": dict(self.by_outcome),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumVerdict:
    """What the evidence of one stratum says.

    :param decision: ``halt`` where the stratum is worse than the ceiling, which holds it for the rest of the release;
        ``hold`` while it is amber; otherwise ``undecided``, because a stratum does not promote by itself.
    :param prefix: the devices of the stratum that decide; None unless it halts.
    """

    name: str
    decision: Decision
    reason: str
    counts: OutcomeCounts
    prefix: Prefix | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {
            "name": self.name,
            "decision": self.decision.value,
            "reason": self.reason,
            "counts": self.counts.to_dict(),
            "prefix": self.prefix and self.prefix.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StratumVerdict:
        """Rebuild what :meth:`to_dict` gave."""
        return cls(
            name=values["name"],
            decision=Decision(values["decision"]),
            reason=values["reason"],
            counts=OutcomeCounts(**values["counts"]),
            prefix=values["prefix"] and Prefix.from_dict(values["prefix"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """When and on what, besides the evidence of the platform, a gate is asked.

    :param wave: number of the wave that is judged.
    :param rounds: how many rounds of the evidence are judged.
    :param now: the time of the judgement.
    :param soaked: seconds since the last device of the wave was started; 0 while the wave is still being started.
    :param outside: the latest answer of each source of outside evidence.
    """

    wave: int
    rounds: int
    now: datetime
    soaked: float = 0.0
    outside: tuple[OutsideEvidence, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {
            "wave": self.wave,
            "rounds": self.rounds,
            "now": self.now.isoformat(),
            "soaked": self.soaked,
            "outside": [answer.to_dict() for answer in self.outside],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Occasion:
        """Rebuild what :meth:`to_dict` gave."""
        return cls(
            wave=values["wave"],
            rounds=values["rounds"],
            now=datetime.fromisoformat(values["now"]),
            soaked=values["soaked"],
            outside=tuple(map(OutsideEvidence.from_dict, values["outside"])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GateVerdict:
    """What a gate says about a release.

    :param decision: what may happen next.
    :param cause: what decided.
    :param reason: one sentence for people.
    :param counts: the devices of all strata that are not held.
    :param occasion: when it was asked, which is what judging again needs.
    :param prefix: the devices that decide, counted without those of held strata; None where not they decide.
    :param strata: one verdict for each stratum of the release.
    :param is_binding: False where the gate only observes.
    """

    decision: Decision
    cause: Cause
    reason: str
    counts: OutcomeCounts
    occasion: Occasion
    prefix: Prefix | None = None
    strata: tuple[StratumVerdict, ...] = ()
    is_binding: bool = True

    def __str__(self) -> str:
        return self.reason if self.is_binding else f"{self.reason} (observed only)"

    @property
    def held_strata(self) -> tuple[str, ...]:
        """Names of the strata of which nothing more may be started in this release."""
        return tuple(stratum.name for stratum in self.strata if stratum.decision is Decision.HALT)

    @property
    def amber_strata(self) -> tuple[str, ...]:
        """Names of the strata of which nothing may be started for now."""
        return tuple(stratum.name for stratum in self.strata if stratum.decision is Decision.HOLD)

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values, for XCom, the record and notifications."""
        return {
            "decision": self.decision.value,
            "cause": self.cause.value,
            "reason": self.reason,
            "counts": self.counts.to_dict(),
            "occasion": self.occasion.to_dict(),
            "prefix": self.prefix and self.prefix.to_dict(),
            "strata": [stratum.to_dict() for stratum in self.strata],
            "is_binding": self.is_binding,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> GateVerdict:
        """Rebuild what :meth:`to_dict` gave."""
        return cls(
            decision=Decision(values["decision"]),
            cause=Cause(values["cause"]),
            reason=values["reason"],
            counts=OutcomeCounts(**values["counts"]),
            occasion=Occasion.from_dict(values["occasion"]),
            prefix=values["prefix"] and Prefix.from_dict(values["prefix"]),
            strata=tuple(map(StratumVerdict.from_dict, values["strata"])),
            is_binding=values["is_binding"],
        )
