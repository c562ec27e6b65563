"""A log that another thread writes, for code whose thread may hold the log's lock."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.events import FlowEvent
    from airflow_provider_tuya_ota.core.model.verdict import Verdict


class LogThread:
    """Writes lines to a task's log in a thread of its own; also the listener of a client.

    :param log: of the task.
    """

    def __init__(self, log: Any) -> None:
        self._log = log
        self._lines: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, daemon=True)
        self._thread.start()

    def write(self, level: str, text: str) -> None:
        """Queue a line; never blocks.

        :param level: name of the log's method.
        """
        self._lines.put((level, text))

    def event(self, event: FlowEvent) -> None:
        """Queue the line of an event."""
        self.write(event.level, event.line())

    def report(self, verdict: Verdict) -> None:
        """Ignore a job's state; a stop reads none."""

    def close(self, seconds: float) -> None:
        """Wait until the lines are written, at most so long; the rest is written later."""
        self._lines.put(None)
        self._thread.join(seconds)

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            level, text = line
            getattr(self._log, level)("%s", text)
