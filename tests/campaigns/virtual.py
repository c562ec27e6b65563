"""An event loop in which time passes only when nothing else is left to do, and a network in it."""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from airflow_provider_tuya_ota.transports.runtime import Runtime
from tests.contract.worlds import MemoryTransport

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import FlowContext
    from airflow_provider_tuya_ota.core.wire.http import Request, Response
    from airflow_provider_tuya_ota.emulator.emulator import Emulator

BIRTH = 1_800_000_000.0
"""Seconds since the epoch at which virtual time begins."""
LATENCY = 0.05
"""Seconds from here to the platform, and as many back."""


class _Hurried(selectors.DefaultSelector):
    passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("everything waits, and nothing will ever happen")
        self.passed += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to whatever is due next."""

    def __init__(self) -> None:
        self._hurried = _Hurried()
        super().__init__(self._hurried)
        # Time that is slept is asked for in steps of this; a loop rounds what it waits for.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._hurried.passed

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        self._hurried.passed += seconds

    def wall(self) -> float:
        """Seconds since the epoch."""
        return BIRTH + self.time()


class LoopWorld(Runtime):
    """The time of a virtual loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def context(self) -> FlowContext:
        now = datetime.fromtimestamp(self._loop.wall(), UTC)
        return replace(super().context(), now=now, steady=now)


@dataclass
class Metered:
    """Hands requests to the emulator, as late as a network would, and counts them."""

    emulator: Emulator
    arrived: list[float] = field(default_factory=list)
    refused: int = 0
    actions: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._inner = MemoryTransport(self.emulator)

    async def send(self, request: Request) -> Response:
        await asyncio.sleep(LATENCY)
        self.arrived.append(asyncio.get_running_loop().time())
        answer = self._inner.send(request)
        self.refused += b"Throttling" in answer.body[:200]
        action = parse_qs(urlsplit(request.url).query)["Action"][0]
        self.actions[action] = self.actions.get(action, 0) + 1
        await asyncio.sleep(LATENCY)
        return answer

    async def close(self) -> None:
        pass

    @property
    def most_in_a_second(self) -> int:
        window: deque[float] = deque()
        most = 0
        for moment in self.arrived:
            window.append(moment)
            while window[0] <= moment - 1.0:
                window.popleft()
            most = max(most, len(window))
        return most
