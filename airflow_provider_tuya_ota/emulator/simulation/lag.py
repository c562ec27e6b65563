"""Delayed lists and queries: new entities appear late, and changed ones are shown in an old state."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_tuya_ota.emulator.clock import Clock


class Thing(Protocol):
    """A firmware, a job or a device task, in its current or in an old state."""

    @property
    def status(self) -> Any:
        """Its status."""

    def describe(self) -> dict[str, Any]:
        """Give the fields that a list shows."""


class Made(Thing, Protocol):
    """A firmware, a job or a device task in its current state."""

    @property
    def key(self) -> str:
        """Unique key among all entities."""

    @property
    def created(self) -> float:
        """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Stale:
    """An old state."""

    status: Any
    fields: dict[str, Any]

    def describe(self) -> dict[str, Any]:
        """Give the fields that a list shows."""
        return self.fields


class Lag:
    """Draws for each entity, and for each change of its status, after which share of a delay it is shown.

    :param seed: the same seed gives the same draws.
    :param clock: delays are in its device time.
    """

    def __init__(self, seed: int, clock: Clock) -> None:
        self._seed = seed
        self._clock = clock
        self._past: defaultdict[str, list[tuple[float, Stale]]] = defaultdict(list)

    def note(self, thing: Made, moment: float) -> None:
        """Record the state of an entity from a moment on."""
        self._past[thing.key].append((moment, Stale(thing.status, thing.describe())))

    def shown(self, things: Iterable[Made], delay: float, order: str) -> list[Thing]:
        """Give the entities that are shown, in the state that is shown.

        :param delay: seconds after which everything is shown in its current state.
        :param order: ``in_order`` shows each entity after the delay, in its current state; ``any_order`` shows each
            entity, and each of its changes, after its own share of the delay.
        """
        if not delay:
            return list(things)
        now = self._clock.world()
        if order == "in_order":
            return [thing for thing in things if thing.created <= now - delay]
        shown = (self._shown(thing, delay, now) for thing in things)
        return [state for state in shown if state is not None]

    def _shown(self, thing: Made, delay: float, now: float) -> Thing | None:
        if thing.created + delay * self._share(thing.key, 0) > now:
            return None
        past = self._past.get(thing.key, [])
        for number in range(len(past) - 1, 0, -1):
            moment, stale = past[number]
            if moment + delay * self._share(thing.key, number) <= now:
                return thing if number == len(past) - 1 else stale
        return past[0][1] if len(past) > 1 else thing

    def _share(self, key: str, number: int) -> float:
        digest = hashlib.blake2b(f"{self._seed} {key} {number}".encode(), digest_size=4).digest()
        return int.from_bytes(digest) / 2**32
