"""Hold back Airflow's alarm for an ``execution_timeout`` while this process talks to Airflow's supervisor."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def alarm_held_back() -> Iterator[None]:
    """Let an alarm that comes inside the block ring at its end.

    The supervisor's answers are read in the order of the requests. An alarm that interrupts a request leaves its answer
    unread, and then each later request is given the answer to the one before it. So the alarm is as late as the answer;
    before that nobody could tell Airflow anything anyway.

    Only the main thread is interrupted by signals; in any other, and where nobody has set an alarm, this does nothing.
    """
    handler = signal.getsignal(signal.SIGALRM)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    rung: list[tuple[int, Any]] = []
    signal.signal(signal.SIGALRM, lambda number, frame: rung.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, handler)
        if rung:
            handler(*rung[0])
