"""Finish a task cleanly when Airflow's alarm for its ``execution_timeout`` interrupts it."""

from __future__ import annotations

import signal
import threading
from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time.timeout import timeout

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

T = TypeVar("T")


class AlarmGuard(ExitStack):
    """Calls a second function when Airflow's alarm interrupts the first.

    Airflow's alarm rings once, so this sets another one, which limits the second function.

    :param seconds: time until the second alarm, which is not caught.
    :param log: of the task.
    """

    def __init__(self, seconds: float, log: Any) -> None:
        super().__init__()
        self._seconds = seconds
        self._log = log

    def run(self, first: Callable[[], T], after_alarm: Callable[[], T]) -> T:
        """Call ``first``; if the alarm interrupts it, call ``after_alarm``.

        :raises AirflowTaskTimeout: the second alarm.
        """
        try:
            return first()
        except AirflowTaskTimeout:
            self._log.warning("The execution_timeout is over; at most %g s are left to finish", self._seconds)
        self.enter_context(timeout(self._seconds))  # type: ignore[no-untyped-call] # Airflow's
        return after_alarm()


class _HeldAlarm:
    """A handler of SIGALRM that records the first alarm and sets a second one, which Airflow's handler answers.

    :param answer: Airflow's handler, which raises AirflowTaskTimeout.
    """

    def __init__(self, answer: Callable[..., Any], seconds: float) -> None:
        self.answer = answer
        self.has_rung = False
        self._seconds = seconds

    def __call__(self, number: int, frame: Any) -> None:
        if self.has_rung:
            self.answer(number, frame)
        self.has_rung = True
        signal.setitimer(signal.ITIMER_REAL, self._seconds)


def bounded_after_alarm(seconds: float) -> AbstractContextManager[Any]:
    """Bound a block with an alarm of its own where Airflow's, for the task's ``execution_timeout``, has rung already.

    Airflow's alarm rings once, so what hangs after it would hang for ever.

    :param seconds: after which the block is interrupted by AirflowTaskTimeout.
    """
    if _handler() is None or signal.getitimer(signal.ITIMER_REAL)[0] > 0:
        return nullcontext()
    bound: AbstractContextManager[Any] = timeout(seconds)  # type: ignore[no-untyped-call] # Airflow's
    return bound


def hold_alarm(seconds: float) -> None:
    """Delay Airflow's alarm until :func:`release_alarm`, so that the wait for a new job handles it.

    :param seconds: longest delay of an alarm that rings meanwhile.
    """
    answer = _handler()
    if callable(answer) and not isinstance(answer, _HeldAlarm):
        signal.signal(signal.SIGALRM, _HeldAlarm(answer, seconds))


def has_alarm_rung() -> bool:
    """Whether the alarm rang while it was delayed."""
    held = _handler()
    return isinstance(held, _HeldAlarm) and held.has_rung


def release_alarm() -> None:
    """Stop delaying Airflow's alarm.

    :raises AirflowTaskTimeout: it rang while it was delayed.
    """
    held = _handler()
    if not isinstance(held, _HeldAlarm):
        return
    signal.signal(signal.SIGALRM, held.answer)
    if held.has_rung:
        signal.setitimer(signal.ITIMER_REAL, 0)
        held.answer(signal.SIGALRM, None)


def _handler() -> Any:
    # Only the main thread may set handlers, and Airflow's alarm interrupts only that one.
    return signal.getsignal(signal.SIGALRM) if threading.current_thread() is threading.main_thread() else None
