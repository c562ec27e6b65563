"""Delay Airflow's alarm for an ``execution_timeout`` during a request to Airflow's supervisor."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def alarm_held_back() -> Iterator[None]:
    """Delay an alarm that rings inside the block until the end of the block.

    The supervisor answers requests in order. If an alarm interrupted a request, its answer would stay unread, and every
    later request would read the answer to the one before it. So the alarm waits for the answer. Without that answer no
    other request could reach Airflow anyway.

    Signals interrupt only the main thread. In other threads, and without an alarm, this does nothing.
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
