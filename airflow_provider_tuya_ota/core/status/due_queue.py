"""A queue of keys, each with the time at which it is due."""

from __future__ import annotations

import heapq
from itertools import count
from typing import Generic, TypeVar

Key = TypeVar("Key")


class DueQueue(Generic[Key]):
    """Keys in the order in which they are due; a key that is set again is due at the new time alone."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Key]] = []
        self._numbers: dict[Key, int] = {}
        self._count = count()

    def set(self, key: Key, due: float) -> None:
        """Make a key due."""
        self._numbers[key] = number = next(self._count)
        heapq.heappush(self._heap, (due, number, key))
        if len(self._heap) > 2 * len(self._numbers) + 8:
            # Entries that were replaced are removed before they outnumber the others.
            self._heap = [entry for entry in self._heap if self._numbers.get(entry[2]) == entry[1]]
            heapq.heapify(self._heap)

    def drop(self, key: Key) -> None:
        """Remove a key, if it is there."""
        self._numbers.pop(key, None)

    def due(self) -> float:
        """Return when the first key is due; infinity where there is none."""
        while self._heap and self._numbers.get(self._heap[0][2]) != self._heap[0][1]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else float("inf")

    def pop(self) -> Key:
        """Take the first key; ask :meth:`due` first."""
        _, _, key = heapq.heappop(self._heap)
        del self._numbers[key]
        return key
