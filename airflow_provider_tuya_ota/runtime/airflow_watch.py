"""Notice in a worker that Airflow did not answer for so long that the scheduler may have given up the task.

The scheduler marks a task failed whose heartbeats are missing, and then its supervisor ends the process: to the process
this looks as if a person had marked the task. The process sends no heartbeats itself, its supervisor does. But while
Airflow's API or the supervisor hangs, its own requests hang too.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.polling.stall_detector import StallDetector

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST: Final = 1 / 2
"""Share of the heartbeat timeout without an answer that counts as silence: a hang may begin just before a heartbeat."""
_EVERY: Final = 1 / 8
"""Share of the heartbeat timeout between two requests; few, because each wait in a worker sends them."""


class AirflowWatch:
    """Asks Airflow now and then in a thread of its own, until the process ends.

    :param ask: sends one request and waits for its answer; it raises if there is none.
    :param heartbeat_timeout: seconds without heartbeats after which the scheduler gives up a task.
    """

    def __init__(self, ask: Callable[[], object], heartbeat_timeout: float) -> None:
        self._ask = ask
        self._pause = heartbeat_timeout * _EVERY
        self._answers = StallDetector(heartbeat_timeout * _LONGEST)
        threading.Thread(target=self._watch, name="tuya-ota-airflow-watch", daemon=True).start()

    def was_silent(self) -> bool:
        """Whether Airflow does not answer, or did not for a while within the last minute."""
        self._answers.beat()
        return self._answers.recently_stalled()

    def _watch(self) -> None:
        while True:
            time.sleep(self._pause)
            # Without an answer the time since the last one counts.
            with suppress(Exception):
                self._ask()
                self._answers.beat()
