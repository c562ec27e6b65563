"""What has changed in a wave or a release: typed events, each with its number, time, who and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - the types of fields are read at runtime
from typing import TYPE_CHECKING, Any, Final, TypeAlias, get_args

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict  # noqa: TC001 - the types of fields are read at runtime
from airflow_provider_tuya_ota.rollout.record.values import read, write
from airflow_provider_tuya_ota.rollout.wave.marks import ApprovalRequest, HaltCause, HoldCause  # noqa: TC001 - the types of fields are read at runtime
from airflow_provider_tuya_ota.rollout.wave.phase import WaveOutcome  # noqa: TC001 - the types of fields are read at runtime

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveEvent:
    """One change.

    :param number: its number in the release, from 1, so that nobody writes it down twice.
    :param at: when.
    :param wave: number of the wave; 0 where the whole release is meant.
    :param who: the person; empty where nobody asked for it.
    :param why: one sentence.
    """

    number: int
    at: datetime
    wave: int
    who: str = field(default="", metadata={"maxLength": 256})
    why: str = ""

    def __str__(self) -> str:
        by, because = f" by {self.who}" if self.who else "", f": {self.why}" if self.why else ""
        where = f"wave {self.wave}" if self.wave else "release"
        return f"{where}: {self._what()}{by}{because}"

    def _what(self) -> str:
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseChanged(WaveEvent):
    """A wave or the release has another phase."""

    before: str
    after: str

    def _what(self) -> str:
        return f"{self.after} after {self.before}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GateJudged(WaveEvent):
    """The gate decides otherwise than before, or about another wave; or a wave begins on what it says."""

    verdict: GateVerdict

    def _what(self) -> str:
        return f"the gate says {self.verdict.decision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StrataHeld(WaveEvent):
    """Strata are worse than the ceiling; nothing more of them is started in this release."""

    strata: tuple[str, ...]

    def _what(self) -> str:
        return f"nothing more of {', '.join(self.strata)} is started"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveHeld(WaveEvent):
    """Nothing new is started."""

    cause: HoldCause

    def _what(self) -> str:
        return f"held ({self.cause})"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldEnded(WaveEvent):
    """What held the wave is gone."""

    cause: HoldCause
    since: datetime

    def _what(self) -> str:
        return f"no longer held ({self.cause}) since {self.since:%Y-%m-%d %H:%M %Z}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHalted(WaveEvent):
    """Nothing is started any more in this release."""

    cause: HaltCause
    devices: int | None = None
    failures: int | None = None

    def _what(self) -> str:
        return f"halted ({self.cause})"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveAdvanced(WaveEvent):
    """A person lets the wave go on without waiting for its pace or its soak."""

    seq: int

    def _what(self) -> str:
        return "advanced"


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseBegun(WaveEvent):
    """The jobs of a pulse are about to be created."""

    pulse: int
    first_job: int
    strata: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()

    def _what(self) -> str:
        return f"pulse {self.pulse} begins at job {self.first_job + 1}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseStarted(WaveEvent):
    """Jobs of a pulse exist."""

    pulse: int
    first_job: int
    jobs: int
    devices: int | None

    def _what(self) -> str:
        devices = "devices that the platform chooses" if self.devices is None else f"{self.devices:,} devices"
        return f"{self.jobs} jobs of pulse {self.pulse} exist, for {devices}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequested(WaveEvent):
    """A person is to be asked."""

    request: ApprovalRequest
    approvers: tuple[str, ...] = ()
    two_person: bool = False

    def _what(self) -> str:
        return f"request {self.request.number} for an approval"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalGiven(WaveEvent):
    """A person has approved."""

    request: int
    digest: str

    def _what(self) -> str:
        return f"request {self.request} was approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRejected(WaveEvent):
    """A person has rejected, which halts the release."""

    request: int
    digest: str

    def _what(self) -> str:
        return f"request {self.request} was rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalLapsed(WaveEvent):
    """The evidence is worse than what was shown; the person is asked again."""

    request: int
    digest: str
    was_approved: bool

    def _what(self) -> str:
        return f"{'the approval of ' if self.was_approved else ''}request {self.request} has lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalTimedOut(WaveEvent):
    """Nobody has answered in time; the person is asked again."""

    request: int
    digest: str

    def _what(self) -> str:
        return f"nobody has answered request {self.request}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRefused(WaveEvent):
    """An approval does not count; another person, or the same one, is asked again."""

    request: int
    digest: str

    def _what(self) -> str:
        return f"the answer to request {self.request} does not count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled(WaveEvent):
    """The platform was compared after a time in which nobody has looked."""

    since: datetime
    outcomes: dict[str, int] = field(default_factory=dict)
    missing: str = ""

    def _what(self) -> str:
        counts = ", ".join(f"{number:,} {outcome}" for outcome, number in self.outcomes.items()) or "no outcome"
        lost = f"; {self.missing}" if self.missing else ""
        return f"since {self.since:%Y-%m-%d %H:%M %Z}, {counts}{lost}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveEnded(WaveEvent):
    """All of the wave has happened."""

    outcome: WaveOutcome

    def _what(self) -> str:
        return f"over, {self.outcome}"


Event: TypeAlias = (
    PhaseChanged
    | GateJudged
    | StrataHeld
    | WaveHeld
    | HoldEnded
    | ReleaseHalted
    | WaveAdvanced
    | PulseBegun
    | PulseStarted
    | ApprovalRequested
    | ApprovalGiven
    | ApprovalRejected
    | ApprovalLapsed
    | ApprovalTimedOut
    | AnswerRefused
    | Reconciled
    | WaveEnded
)
KINDS: Final[dict[str, type[Any]]] = {kind.__name__: kind for kind in get_args(Event)}


def dump_event(event: Event) -> dict[str, Any]:
    """Give plain JSON values."""
    return {"kind": type(event).__name__, **write(event)}


def load_event(values: Mapping[str, Any]) -> Event:
    """Rebuild what :func:`dump_event` gave.

    :raises ConfigurationError: it is no such event.
    """
    given: Any = values
    kind = given.get("kind") if isinstance(given, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise ConfigurationError(f"event: {short_repr(kind)} is not known here.")
    try:
        event: Event = read(KINDS[kind], {name: one for name, one in given.items() if name != "kind"}, field=kind)
    except ValueError as error:
        raise ConfigurationError(f"{error}.") from None
    return event
