"""What a sensor has seen so far, kept between two pokes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from airflow_provider_tuya_ota.core.errors import StateUnavailableError
from airflow_provider_tuya_ota.core.status.wait_state import WaitState
from airflow_provider_tuya_ota.hooks.airflow_api import repeat
from airflow_provider_tuya_ota.transports.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

KEY: Final = "tuya_ota.wait"
"""Of the entry in the task state store; people see it in the UI."""


@dataclass(slots=True)
class PokeState:
    """What one try of a sensor has seen so far.

    :param wait: the wait that its polls belong to.
    :param runtime: the clock that the times in it were read from.
    """

    try_number: int
    wait: WaitState = field(default_factory=WaitState)
    runtime: Runtime = field(default_factory=Runtime)


class Pokes(Protocol):
    """A sensor that keeps what its pokes have seen."""

    poke_state: PokeState | None

    @property
    def log(self) -> Any:
        """Airflow's task log."""

    @property
    def reschedule(self) -> bool:
        """Whether each poke runs in its own process."""


@contextmanager
def kept_poke_state(sensor: Pokes, context: Context) -> Iterator[PokeState]:
    """Load what earlier pokes of this try have seen, and save what the block adds.

    In mode ``reschedule`` each poke runs in its own process, so the state is kept in Airflow's task state store. A
    retry begins without it, like every other wait. If Airflow's API does not give or take the state, this poke works
    without it, and the next one finds what was saved before.
    """
    try_number = int(getattr(context["ti"], "try_number", 1))
    if sensor.poke_state is None or sensor.poke_state.try_number != try_number:
        sensor.poke_state = PokeState(try_number)
    store: Any = context.get("task_state_store") if sensor.reschedule else None
    if store is None:
        yield sensor.poke_state
        return
    try:
        stored = repeat(lambda: store.get(KEY), "give what was seen before") or {}
    except StateUnavailableError as error:
        sensor.log.warning("%s", error)
        sensor.poke_state = PokeState(try_number)
        yield sensor.poke_state
        return
    before = stored.get("seen", {}) if stored.get("try_number") == try_number else {}
    sensor.poke_state = PokeState(try_number, WaitState.from_dict(before))
    try:
        yield sensor.poke_state
    finally:
        if (after := sensor.poke_state.wait.to_dict()) != before:
            _keep(sensor, store, {"try_number": try_number, "seen": after})


def _keep(sensor: Pokes, store: Any, value: dict[str, Any]) -> None:
    try:
        repeat(lambda: store.set(KEY, value), "take what was seen")
    except StateUnavailableError as error:
        sensor.log.warning("%s", error)
