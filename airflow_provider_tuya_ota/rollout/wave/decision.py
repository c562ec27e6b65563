"""What is to be done about a wave now."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.wave.marks import ApprovalRequest, HaltMark, HoldMark
    from airflow_provider_tuya_ota.rollout.wave.phase import WaveOutcome
    from airflow_provider_tuya_ota.rollout.wave.state import PulseStart


class WaitCause(StrEnum):
    """What is waited for."""

    PACE = "pace"
    WINDOW = "window"
    SOAK = "soak"
    EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPulse:
    """Create the jobs of a pulse, from the first one that is missing.

    :param start: which jobs, and which devices they leave out.
    """

    start: PulseStart

    def __str__(self) -> str:
        without = ", ".join((*self.start.strata, *self.start.devices))
        return f"start pulse {self.start.pulse}{f' without {without}' if without else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Poll, and start nothing.

    :param until: when the clock alone may change the decision; None where only a poll may.
    :param cause: what is waited for.
    :param why: one sentence.
    """

    until: datetime | None
    cause: WaitCause
    why: str

    def __str__(self) -> str:
        return f"wait: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Poll, and start nothing until what holds is gone; devices that have begun go on.

    :param mark: what holds, since when, and who.
    :param why: the reason now; that of the mark is the one when the hold began.
    """

    mark: HoldMark
    why: str

    def __str__(self) -> str:
        return f"held by {self.mark.who or self.mark.cause} since {self.mark.since:%Y-%m-%d %H:%M %Z}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """Start nothing more in this release, and cancel what can be cancelled.

    :param mark: what has halted it, who and when, with the devices that decide.
    :param in_doubt: a pulse of which some jobs may exist that nobody has reported; they are cancelled too.
    """

    mark: HaltMark
    in_doubt: PulseStart | None = None

    def __str__(self) -> str:
        return f"halted by {self.mark.who or self.mark.cause}: {self.mark.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskApproval:
    """Show a request to a person, if this was not done yet, and poll until it is answered.

    :param request: what is shown, and until when.
    """

    request: ApprovalRequest

    def __str__(self) -> str:
        return f"request {self.request.number} for an approval waits for a person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcile:
    """Compare jobs and firmware with the platform before anything else, and report what was found.

    :param since: since when nobody has looked.
    :param pulse: a pulse of which some jobs may exist; report how many do.
    :param why: one sentence.
    """

    since: datetime
    why: str
    pulse: PulseStart | None = None

    def __str__(self) -> str:
        return f"reconcile: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveOver:
    """The wave has ended.

    :param outcome: how.
    """

    outcome: WaveOutcome

    def __str__(self) -> str:
        return f"the wave is over: {self.outcome}"


WaveDecision: TypeAlias = StartPulse | Wait | Hold | Halt | AskApproval | Reconcile | WaveOver
