"""The clocks, random numbers and sleeps of the real world; tests use others."""

from __future__ import annotations

import asyncio
import os
import random
import time
from datetime import UTC, datetime, timedelta
from functools import cached_property

from airflow_provider_tuya_ota.core.flows.effects import FlowContext
from airflow_provider_tuya_ota.transports.clock import steady_seconds


class Runtime:
    """Clocks, random numbers and sleeps.

    Use one instance for a whole wait: its steady time starts at the wall clock's time of the first reading and then
    ignores every change of the wall clock.
    """

    @cached_property
    def _anchor(self) -> tuple[datetime, float]:
        return datetime.now(UTC), steady_seconds()

    def context(self) -> FlowContext:
        """Read the clocks and draw a nonce."""
        began_at, began = self._anchor
        steady = began_at + timedelta(seconds=steady_seconds() - began)
        jitter = random.random()  # noqa: S311 - it spreads retries and protects nothing
        return FlowContext(now=datetime.now(UTC), steady=steady, nonce=os.urandom(16).hex(), jitter=jitter)

    def sleep(self, seconds: float) -> None:
        """Block."""
        time.sleep(seconds)

    async def asleep(self, seconds: float, *, unless: asyncio.Event | None = None) -> None:
        """Let other coroutines run.

        :param unless: ends the sleep when it is set.
        """
        if unless is None:
            await asyncio.sleep(seconds)
            return
        try:
            async with asyncio.timeout(seconds):
                await unless.wait()
        except TimeoutError:
            return
