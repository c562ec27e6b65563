"""Evidence from outside the platform, such as a crash rate; it may veto or hold, and never promotes alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.core.texts import bounded_line
from airflow_provider_tuya_ota.rollout.gate.decision import Decision

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWERS: Final = (Decision.PROMOTE, Decision.HOLD, Decision.HALT)
LONGEST_REASON: Final = 500
"""Characters of a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideEvidence:
    """What one source outside the platform says about the release now.

    :param source: name of the source, such as ``crash rate``.
    :param decision: ``promote`` (nothing speaks against it), ``hold`` or ``halt``.
    :param reason: one sentence for people; at most 500 characters are kept.
    :param numbers: the figures behind it.
    :raises InvalidParameterError: any other decision, no source, or no reason for a hold or a halt.
    """

    source: str
    decision: Decision
    reason: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not str(self.source).strip():
            raise InvalidParameterError(field="source", problem="is empty", allowed="the name of the source")
        if self.decision not in ANSWERS:
            raise InvalidParameterError(
                field="decision", problem=f"{short_repr(self.decision)} is not allowed", allowed=", ".join(ANSWERS)
            )
        object.__setattr__(self, "decision", Decision(self.decision))
        object.__setattr__(self, "reason", bounded_line(self.reason, LONGEST_REASON))
        if not self.reason and self.decision is not Decision.PROMOTE:
            raise InvalidParameterError(
                field="reason", problem="is empty", allowed=f"why {self.source} says {self.decision}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {
            "source": self.source,
            "decision": self.decision.value,
            "reason": self.reason,
            "numbers": dict(self.numbers),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> OutsideEvidence:
        """Rebuild what :meth:`to_dict` gave."""
        return cls(
            source=values["source"],
            decision=Decision(values["decision"]),
            reason=values["reason"],
            numbers=dict(values["numbers"]),
        )
