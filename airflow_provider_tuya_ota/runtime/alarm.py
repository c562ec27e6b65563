"""End a task well although Airflow's alarm for its ``execution_timeout`` interrupts it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time.timeout import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class AlarmGuard(ExitStack):
    """Continues what Airflow's alarm interrupts. The alarm comes once, so after it a second one bounds the task.

    :param seconds: after which the second alarm comes; it is not caught.
    :param log: of the task.
    """

    def __init__(self, seconds: float, log: Any) -> None:
        super().__init__()
        self._seconds = seconds
        self._log = log

    def run(self, first: Callable[[], T], after_alarm: Callable[[], T]) -> T:
        """Call a function; where the alarm interrupts it, call the other one.

        :raises AirflowTaskTimeout: the second alarm.
        """
        try:
            return first()
        except AirflowTaskTimeout:
            self._log.warning("The execution_timeout is over; at most %g s are left to end well", self._seconds)
        self.enter_context(timeout(self._seconds))  # type: ignore[no-untyped-call] # Airflow's
        return after_alarm()
