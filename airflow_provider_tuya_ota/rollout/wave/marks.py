"""What holds, halts or approves a wave, each with who, why and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - the types of fields are read at runtime
from enum import StrEnum
from typing import Final

from airflow_provider_tuya_ota.core.texts import bounded_line
from airflow_provider_tuya_ota.rollout.gate.decision import Decision  # noqa: TC001 - the types of fields are read at runtime

LONGEST_WHY: Final = 2000
"""Characters of a reason."""
LONGEST_WHO: Final = 256
"""Characters of a name."""
_WHO: Final = {"maxLength": LONGEST_WHO}
_DIGEST: Final = {"pattern": "[0-9a-f]{64}"}


class HoldCause(StrEnum):
    """What holds a wave. Nobody knows when a hold ends."""

    PERSON = "a person"
    """Somebody has held the release, and nobody has resumed it."""
    NO_NOTE = "no control note"
    """The note is missing or cannot be read, so nobody has allowed anything."""
    GATE = "the gate"
    """It says hold: amber, a stall, or evidence from outside."""
    STRATUM = "an amber stratum"
    """A stratum is amber, and has devices whose outcome may clear it."""
    PLATFORM = "no verdict"
    """The release could not be judged, for example because the platform cannot be reached."""
    LOST = "something is missing"
    """A job or the firmware is not on the platform any more."""
    CHOICE = "the platform's choice"
    """The platform chooses the devices of this wave, and some are excluded or of a stratum that may not start."""
    NO_WINDOW = "no window"
    """No window opens within a year."""


class HaltCause(StrEnum):
    """What has halted a release."""

    PERSON = "a person"
    REJECTION = "a rejected approval"
    GATE = "the gate"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldMark:
    """A wave is held.

    :param cause: what holds it.
    :param who: the person who holds it; empty where it is nobody.
    :param why: the reason when the hold began.
    :param since: when it began.
    """

    cause: HoldCause
    who: str = field(default="", metadata=_WHO)
    why: str
    since: datetime

    def __post_init__(self) -> None:
        _bound(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltMark:
    """A wave was halted, for good.

    :param cause: what has halted it.
    :param who: the person; empty where the gate has halted it.
    :param why: the reason.
    :param at: when.
    :param devices: how many devices, from the first one started, decide; None where not they decide.
    :param failures: how many of them have failed.
    """

    cause: HaltCause
    who: str = field(default="", metadata=_WHO)
    why: str
    at: datetime
    devices: int | None = None
    failures: int | None = None

    def __post_init__(self) -> None:
        _bound(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceMark:
    """A request to go on without waiting was taken.

    :param seq: number of the request; none with this or a lower number counts again.
    :param wave: the wave that goes on.
    :param pulse: how many pulses of the wave had started; the request counts only until the next one has.
    """

    seq: int = 0
    wave: int = 0
    pulse: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """A person is asked whether a wave may start.

    :param number: 1 for the first request of the wave.
    :param shown: what is shown, as canonical JSON.
    :param digest: SHA-256 of it; an approval has to give it back.
    :param decision: what the gate said.
    :param failed: how many devices had failed.
    :param succeeded: how many devices had succeeded.
    :param bad_strata: the strata that were amber or held.
    :param asked_at: when it was made.
    :param answer_by: when it lapses, and the person is asked again.
    """

    number: int
    shown: str = field(repr=False)
    digest: str = field(metadata=_DIGEST)
    decision: Decision
    failed: int
    succeeded: int
    bad_strata: tuple[str, ...] = ()
    asked_at: datetime
    answer_by: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A person has approved a request.

    :param who: the person.
    :param why: the reason that was given; it may be empty.
    :param at: when.
    """

    who: str = field(metadata=_WHO)
    why: str = ""
    at: datetime

    def __post_init__(self) -> None:
        _bound(self)


def _bound(mark: HoldMark | HaltMark | Approval) -> None:
    # A text of any length and kind may be written down, and all of it has to be read again.
    object.__setattr__(mark, "who", bounded_line(mark.who, LONGEST_WHO))
    object.__setattr__(mark, "why", bounded_line(mark.why, LONGEST_WHY))
