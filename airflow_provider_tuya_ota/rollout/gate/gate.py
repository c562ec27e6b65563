"""The gate as a Dag author writes it, checked when it is built."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.durations import parse_seconds
from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.gate.outcomes import FAILURES, DeviceOutcome
from airflow_provider_tuya_ota.rollout.gate.rules import Rules
from airflow_provider_tuya_ota.rollout.percent import parse_percent

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import timedelta

    from airflow_provider_tuya_ota.rollout.gate.boundaries import BoundaryRow

LEAST_CEILING, MOST_CEILING = "0.01%", "50%"
LEAST_CONFIDENCE, MOST_CONFIDENCE = "80%", "99.99%"
"""Below 80 %, a halt would need hardly more than the statistic of 4 that holds."""
MOST_DEVICES: Final = 1_000_000
COUNTABLE: Final = (*FAILURES, DeviceOutcome.BUSY, DeviceOutcome.OFFLINE, DeviceOutcome.CANCELLED)
"""Outcomes that an author may count as failures."""
READABLE: Final = (
    *FAILURES,
    DeviceOutcome.BUSY,
    DeviceOutcome.ON_TARGET,
    DeviceOutcome.OFFLINE,
    DeviceOutcome.DECLINED,
)
"""Outcomes that a text of the platform can stand for."""
SHORTEST_TEXT: Final = 4
"""Characters; a shorter text would be found in reasons that mean something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """How rarely a gate is wrong, with a value of its own for each side.

    :param halt: from 80% to 99.99%. With 95%, at most 5 % of releases whose failure rate is the ceiling are halted.
    :param promote: from 80% to 99.99%. With 95%, at most 5 % of those releases are promoted.
    """

    halt: str = "95%"
    promote: str = "95%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Decides from the outcomes so far whether a release may go on.

    :param ceiling: the highest acceptable failure rate, from 0.01% to 50%, such as ``"5%"``.
    :param confidence: how rarely it is wrong, from 80% to 99.99%. With 95%, at most 5 % of releases whose failure rate
        is the ceiling are halted, and at most 5 % promoted, however often they are judged. A :class:`Confidence` has a
        value for each side.
    :param silent_after: how long after its start a device that has not ended counts as failed, such as ``"6h"``. A day
        by default, because the address of the firmware is valid for 24 hours.
    :param min_soak: how long the last device of a wave has to be started before a promotion; none by default.
    :param min_evidence: how many started devices of the wave need an outcome before a promotion, as a number or as a
        share of those that have started. Half of them by default: otherwise the evidence of earlier waves would promote
        a wave that nobody has reported on.
    :param stall_after: how long no device may report anything while some are pending, before the gate holds. Half of
        ``silent_after`` by default; it has to be shorter, because then the pending devices count as failed.
    :param counts: outcomes that count as failures; all of them by default. ``busy``, ``offline before start`` and
        ``cancelled`` may be added. ``other`` counts always, because nobody knows what it is.
    :param texts: further texts of the platform's reasons, with the outcome that they stand for. Of several that a
        reason contains, the longest counts. ``declined`` is for refusals that are none of the firmware's, such as
        ``{"battery low": "declined"}``.
    :param red_stratum: ``"hold"`` holds a stratum that is worse than the ceiling, and lets the others go on; ``"halt"``
        halts the release. Then the release as a whole and the strata have half of the error rate of a halt each.
    :param outside: names of the sources of outside evidence that have to answer; without an answer the gate holds.
    :param observe_only: whether its verdicts only stand in the record and do not bind.
    :raises InvalidParameterError: a field is invalid, or the gate could never act; names the field.
    """

    ceiling: str = "5%"
    confidence: str | Confidence = "95%"
    silent_after: str | float | timedelta = "24h"
    min_soak: str | float | timedelta = "0s"
    min_evidence: str | int = "50%"
    stall_after: str | float | timedelta | None = None
    counts: Collection[str] = FAILURES
    texts: Mapping[str, str] = field(default_factory=dict)
    red_stratum: str = "hold"
    outside: Collection[str] = ()
    observe_only: bool = False
    rules: Rules = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        halt, promote = self._confidence()
        silent_after = parse_seconds("silent_after", self.silent_after)
        share, devices = self._min_evidence()
        rules = Rules(
            ceiling=parse_percent("ceiling", self.ceiling, least=LEAST_CEILING, most=MOST_CEILING),
            false_halt=1 - halt,
            false_promote=1 - promote,
            silent_after=silent_after,
            min_soak=parse_seconds("min_soak", self.min_soak, or_zero=True),
            min_share=share,
            min_devices=devices,
            stall_after=self._stall_after(silent_after),
            counts=self._counts(),
            texts=self._texts(),
            halts_on_stratum=_choice("red_stratum", self.red_stratum, ("hold", "halt")) == "halt",
            outside=_names("outside", self.outside),
            observe_only=_switch("observe_only", self.observe_only),
        )
        object.__setattr__(self, "rules", rules)

    def decidability(self, devices: int) -> BoundaryRow:
        """Say what a wave of so many devices can decide by itself, without evidence of earlier waves.

        Where ``promote`` is None, the wave cannot promote, and a person has to decide. Where ``halt`` is None, not even
        failures of all devices halt it.
        """
        return self.rules.boundaries.row(devices)

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values, for the frozen plan and the record."""
        rules = self.rules
        confidence = self.confidence
        return {
            "ceiling": self.ceiling,
            "confidence": confidence
            if isinstance(confidence, str)
            else {"halt": confidence.halt, "promote": confidence.promote},
            "silent_after": rules.silent_after,
            "min_soak": rules.min_soak,
            "min_evidence": self.min_evidence,
            "stall_after": rules.stall_after,
            "counts": [outcome.value for outcome in COUNTABLE if outcome in rules.counts],
            "texts": {text: outcome.value for text, outcome in rules.texts.items()},
            "red_stratum": self.red_stratum,
            "outside": list(rules.outside),
            "observe_only": self.observe_only,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Gate:
        """Rebuild what :meth:`to_dict` gave.

        :raises InvalidParameterError: as for a new gate.
        :raises TypeError: a name is unknown.
        """
        confidence = values["confidence"]
        return cls(
            **{
                **values,
                "confidence": confidence if isinstance(confidence, str) else Confidence(**confidence),
                "outside": tuple(values["outside"]),
            }
        )

    def _confidence(self) -> tuple[Fraction, Fraction]:
        both = self.confidence
        if isinstance(both, Confidence):
            return _confidence("confidence.halt", both.halt), _confidence("confidence.promote", both.promote)
        return (_confidence("confidence", both),) * 2

    def _min_evidence(self) -> tuple[Fraction, int]:
        given = self.min_evidence
        if isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= MOST_DEVICES:
            return Fraction(0), given
        if isinstance(given, str):
            return parse_percent("min_evidence", given), 0
        raise InvalidParameterError(
            field="min_evidence",
            problem=f"{short_repr(given)} is not allowed",
            allowed=f"a share such as '50%', or a number of devices from 1 to {MOST_DEVICES}",
        )

    def _stall_after(self, silent_after: float) -> float:
        if self.stall_after is None:
            return silent_after / 2
        seconds = parse_seconds("stall_after", self.stall_after)
        if seconds < silent_after:
            return seconds
        raise InvalidParameterError(
            field="stall_after",
            problem=f"{seconds:g} seconds never hold, because pending devices count as silent before",
            allowed=f"less than silent_after, {silent_after:g} seconds",
        )

    def _counts(self) -> frozenset[DeviceOutcome]:
        names = _names("counts", self.counts)
        if not names:
            raise InvalidParameterError(
                field="counts", problem="is empty, so the gate could never act", allowed=", ".join(COUNTABLE)
            )
        return frozenset({*(_outcome("counts", name, COUNTABLE) for name in names), DeviceOutcome.OTHER})

    def _texts(self) -> dict[str, DeviceOutcome]:
        given: Any = self.texts
        texts = dict(given) if isinstance(given, dict) else {"": ""}
        if not all(isinstance(text, str) and len(text.strip()) >= SHORTEST_TEXT for text in texts):
            raise InvalidParameterError(
                field="texts",
                problem=f"{short_repr(given)} is not allowed",
                allowed=f"texts of at least {SHORTEST_TEXT} characters, each with its outcome",
            )
        return {text: _outcome("texts", name, READABLE) for text, name in texts.items()}


def _confidence(name: str, value: Any) -> Fraction:
    return parse_percent(name, value, least=LEAST_CONFIDENCE, most=MOST_CONFIDENCE)


def _choice(name: str, value: Any, allowed: Collection[str]) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    raise InvalidParameterError(field=name, problem=f"{short_repr(value)} is not allowed", allowed=", ".join(allowed))


def _outcome(name: str, value: Any, allowed: Collection[DeviceOutcome]) -> DeviceOutcome:
    return DeviceOutcome(_choice(name, value, allowed))


def _names(name: str, values: Any) -> tuple[str, ...]:
    # An empty list comes from a variable that was meant to hold something; only the default is empty.
    is_list = isinstance(values, tuple) or (isinstance(values, list | set | frozenset) and bool(values))
    if is_list and all(isinstance(value, str) and value.strip() for value in values):
        # A set has no order of its own, and the digest of a plan must not depend on the process that made it.
        return tuple(sorted(values) if isinstance(values, set | frozenset) else dict.fromkeys(values))
    raise InvalidParameterError(field=name, problem=f"{short_repr(values)} is not allowed", allowed="a list of names")


def _switch(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise InvalidParameterError(field=name, problem=f"{short_repr(value)} is not allowed", allowed="True or False")
