"""The run note: the part of the control note that holds and resumes a release, excludes devices and advances a wave."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.control.change import AdvanceRequest, Change, ChangeVerb

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_tuya_ota.rollout.control.change import Reason

MOST_CHANGES: Final = 20
"""Changes that are kept for the release record: every poll of the release reads them."""
MOST_DEVICES: Final = 1500
"""Devices that people exclude while a release runs; a plan takes more. 1,500 names of 24 characters are 48 KB, and
Airflow's API takes 64 KB."""
MOST_WAVES: Final = 1000
LONGEST_NAME: Final = 256
"""Characters of the name of a device, as operators take it."""


class RunState(StrEnum):
    """What the run note allows."""

    RUN = "run"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNote:
    """The run note of a release.

    :param state: run or hold.
    :param reason: who asked for this state, why and when.
    :param seq: number of the last change.
    :param excluded_by: number of the change that excluded a device, by its name.
    :param advance: the last request to go on; None after a hold.
    :param changes: the last changes, oldest first.
    """

    state: RunState
    reason: Reason
    seq: int
    excluded_by: dict[str, int] = field(default_factory=dict, repr=False)
    advance: AdvanceRequest | None = None
    changes: tuple[Change, ...] = field(default=(), repr=False)

    @property
    def excluded(self) -> tuple[str, ...]:
        """The devices that no job may take from now on, sorted."""
        return tuple(sorted(self.excluded_by))

    @classmethod
    def begin(cls, reason: Reason) -> Self:
        """Give the first note of a release, which runs."""
        change = Change(seq=1, verb=ChangeVerb.BEGIN, reason=reason)
        return cls(state=RunState.RUN, reason=reason, seq=1, changes=(change,))

    @classmethod
    def begin_held(cls, reason: Reason) -> Self:
        """Give a note that replaces one that is missing or unreadable; it holds and excludes nothing.

        Its changes are numbered from the seconds of the time on, and so above those of the lost note: who has stored
        the last number that it acted upon takes no later request for an old one.
        """
        seq = int(reason.at.timestamp())
        change = Change(seq=seq, verb=ChangeVerb.REPLACE, reason=reason)
        return cls(state=RunState.HOLD, reason=reason, seq=seq, changes=(change,))

    def hold(self, reason: Reason) -> RunNote:
        """Start nothing new; a request to advance that was there is dropped."""
        return self._changed(ChangeVerb.HOLD, reason, state=RunState.HOLD, reason=reason, advance=None)

    def resume(self, reason: Reason) -> RunNote:
        """Go on after a hold."""
        return self._changed(ChangeVerb.RESUME, reason, state=RunState.RUN, reason=reason)

    def advance_wave(self, wave: int, reason: Reason) -> RunNote:
        """Go on with a wave once without waiting for its pace or its soak.

        :raises InvalidParameterError: no number of a wave, or the release is held: the request would wait for the end
            of the hold, when nobody expects it.
        """
        if type(wave) is not int or not 1 <= wave <= MOST_WAVES:
            allowed = f"a number from 1 to {MOST_WAVES}"
            raise InvalidParameterError(field="wave", problem=f"{short_repr(wave)} is no wave", allowed=allowed)
        if self.state is RunState.HOLD:
            problem = f"the release is held by {self.reason.who} ({self.reason.why})"
            raise InvalidParameterError(field="wave", problem=problem, allowed="a wave of a release that runs")
        request = AdvanceRequest(seq=self.seq + 1, wave=wave, reason=reason)
        return self._changed(ChangeVerb.ADVANCE, reason, wave=wave, advance=request)

    def exclude(self, devices: Iterable[str], reason: Reason) -> RunNote:
        """Let no later job take these devices; those that are excluded already stay so.

        :raises InvalidParameterError: no device, a name that is none, or more devices than a note takes.
        """
        names = tuple(devices)
        if wrong := [name for name in names if not is_device_name(name)]:
            problem = f"{short_repr(wrong[0])} is no name of a device"
            allowed = f"a list of names of 1 to {LONGEST_NAME} printable characters"
            raise InvalidParameterError(field="devices", problem=problem, allowed=allowed)
        added = tuple(sorted(set(names) - self.excluded_by.keys()))
        excluded_by = {**self.excluded_by, **dict.fromkeys(added, self.seq + 1)}
        if not names or len(excluded_by) > MOST_DEVICES:
            problem = f"{len(names)} are given and {len(self.excluded_by)} are excluded already"
            allowed = f"1 to {MOST_DEVICES} in all; a new plan excludes more"
            raise InvalidParameterError(field="devices", problem=problem, allowed=allowed)
        return self._changed(ChangeVerb.EXCLUDE, reason, devices=added, excluded_by=excluded_by)

    def _changed(
        self, verb: ChangeVerb, by: Reason, /, *, wave: int = 0, devices: tuple[str, ...] = (), **fields: Any
    ) -> RunNote:
        change = Change(seq=self.seq + 1, verb=verb, reason=by, wave=wave, devices=devices)
        changes = (*self.changes, change)[-MOST_CHANGES:]
        return replace(self, seq=change.seq, changes=changes, **fields)


def is_device_name(value: Any) -> bool:
    """Whether a value may be the name of a device."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable() and value == value.strip()
