"""Changes of a run note, each with who and why, and the request to advance a wave."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.core.texts import bounded_line

if TYPE_CHECKING:
    from datetime import datetime

LONGEST_WHO: Final = 256
"""Characters of a name; Airflow's user names are at most 256."""
LONGEST_WHY: Final = 500
"""Characters of a reason: a sentence or two."""


class ChangeVerb(StrEnum):
    """What a change of the run note asks for."""

    BEGIN = "begin"
    """The release has stored its first note."""
    HOLD = "hold"
    RESUME = "resume"
    ADVANCE = "advance"
    EXCLUDE = "exclude"
    REPLACE = "replace"
    """A note that was missing or unreadable was replaced; the changes before it are lost. Its number is the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Who asks for a change, and why.

    :param who: who asks; at most 256 characters are kept.
    :param why: the reason; at most 500 characters are kept.
    :param at: when, in UTC.
    :raises InvalidParameterError: who or why is empty, or ``at`` has no offset.
    """

    who: str
    why: str
    at: datetime

    def __post_init__(self) -> None:
        for field, longest in (("who", LONGEST_WHO), ("why", LONGEST_WHY)):
            value = getattr(self, field)
            line = bounded_line(value, longest) if isinstance(value, str) else ""
            if not line:
                raise InvalidParameterError(field=field, problem=f"{short_repr(value)} says nothing", allowed="a text")
            object.__setattr__(self, field, line)
        if self.at.tzinfo is None:
            raise InvalidParameterError(field="at", problem="has no offset", allowed="a time in UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of the note.

    :param seq: its number; each change has the next one, so a gap shows that changes are no longer kept.
    :param verb: what was asked.
    :param reason: who asked, why and when.
    :param wave: number of the wave that it advances; 0 for all other verbs.
    :param devices: the devices that it excludes, sorted; empty for all other verbs.
    """

    seq: int
    verb: ChangeVerb
    reason: Reason
    wave: int = 0
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceRequest:
    """Go on with a wave once without waiting for its pace or its soak.

    It outranks neither gate nor window nor approval. Whoever acts on it stores ``seq``, so that one request advances
    once.

    :param seq: number of the change that asked.
    :param wave: number of the wave that goes on; a request never counts for another one.
    :param reason: who asked, why and when.
    """

    seq: int
    wave: int
    reason: Reason
