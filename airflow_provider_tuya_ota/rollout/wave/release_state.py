"""The state of a whole release: its phase, and the wave that is under way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime  # noqa: TC003 - the types of fields are read at runtime
from typing import TYPE_CHECKING, Any, Final, Self

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.record.values import read, write
from airflow_provider_tuya_ota.rollout.wave.marks import HaltMark, HoldMark  # noqa: TC001 - the types of fields are read at runtime
from airflow_provider_tuya_ota.rollout.wave.phase import ReleasePhase
from airflow_provider_tuya_ota.rollout.wave.state import WaveState

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = 1
"""Version of the form in which a state is written."""
_HALTED: Final = frozenset({ReleasePhase.HALTING, ReleasePhase.SETTLING, ReleasePhase.HALTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseState:
    """Where a release is.

    :param phase: where it is.
    :param at: when the state last changed.
    :param current: the state of the wave that is under way, or of the last one; None before the first wave.
    :param hold: what holds the release before its waves; a wave has its own.
    :param halt: what has halted the release.
    :param events: how many events the release has had.
    """

    phase: ReleasePhase = ReleasePhase.PLANNED
    at: datetime
    current: WaveState | None = None
    hold: HoldMark | None = None
    halt: HaltMark | None = None
    events: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        current = None if self.current is None else self.current.to_dict()
        return {"version": VERSION, **write(replace(self, current=None)), "current": current}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what :meth:`to_dict` gave.

        :raises ConfigurationError: it has another version, a name is missing or unknown, or a value does not fit.
        """
        given: Any = values
        if not isinstance(given, dict) or given.get("version") != VERSION or given["version"] is True:
            raise ConfigurationError(f"release state: only version {VERSION} is known here.")
        plain = {name: None if name == "current" else value for name, value in given.items() if name != "version"}
        try:
            state = read(cls, plain, field="release state")
        except ValueError as error:
            raise ConfigurationError(f"{error}.") from None
        found: Self = state
        if given["current"] is not None:
            found = replace(found, current=WaveState.from_dict(given["current"]))
        if (found.halt is not None) != (found.phase in _HALTED):
            raise ConfigurationError(
                f"release state: the phase is {found.phase}, and it was {'' if found.halt else 'not '}halted."
            )
        return found
