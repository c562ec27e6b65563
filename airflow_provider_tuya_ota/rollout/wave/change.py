"""The changes of one turn: the state as it becomes, and an event for each change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.texts import bounded_line
from airflow_provider_tuya_ota.rollout.wave.events import PhaseChanged
from airflow_provider_tuya_ota.rollout.wave.marks import LONGEST_WHO, LONGEST_WHY
from airflow_provider_tuya_ota.rollout.wave.phase import WavePhase, require_wave_step

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.wave.events import Event
    from airflow_provider_tuya_ota.rollout.wave.state import WaveState


@dataclass(frozen=True, slots=True)
class Changed:
    """A state after something was reported.

    :param state: to be stored.
    :param events: what has changed.
    """

    state: WaveState
    events: tuple[Event, ...]


@dataclass(slots=True)
class Changes:
    """A state that is being changed.

    :param state: as it has become so far.
    :param now: time of the events.
    """

    state: WaveState
    now: datetime
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Clocks are adjusted, and the times of a state have to stay in order.
        self.now = max(self.now, self.state.at)

    def set(self, **fields: Any) -> None:
        """Change fields of the state."""
        self.state = replace(self.state, **fields)

    def emit(self, kind: type[Any], *, who: str = "", why: str = "", **fields: Any) -> None:
        """Add an event with the next number; texts are cut to what can be read again."""
        number = self.state.events + 1
        self.set(events=number, at=self.now)
        who, why = bounded_line(who, LONGEST_WHO), bounded_line(why, LONGEST_WHY)
        self.events.append(kind(number=number, at=self.now, wave=self.state.wave, who=who, why=why, **fields))

    def done(self) -> Changed:
        """Give the result."""
        return Changed(self.state, tuple(self.events))

    def move(self, phase: WavePhase, why: str) -> None:
        """Change the phase."""
        require_wave_step(self.state.phase, phase)
        self.emit(PhaseChanged, why=why, before=self.state.phase.value, after=phase.value)
        self.set(phase=phase)
