"""Ending a task well although Airflow's alarm for its ``execution_timeout`` rings in the middle of it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time.timeout import timeout

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Unbroken(ExitStack):
    """Does again what the alarm broke off: it rings once, and after that nothing ends the task any more.

    :param seconds: after which another alarm rings, which is not caught twice.
    :param log: of the task.
    """

    def __init__(self, seconds: float, log: Any) -> None:
        super().__init__()
        self._seconds = seconds
        self._log = log

    def do(self, first: Callable[[], T], again: Callable[[], T]) -> T:
        """Do something, and what stands in for it where the alarm rings meanwhile.

        :raises AirflowTaskTimeout: the alarm rang a second time.
        """
        try:
            return first()
        except AirflowTaskTimeout:
            self._log.warning("The execution_timeout is over; at most %g s are left to end well", self._seconds)
        self.enter_context(timeout(self._seconds))  # type: ignore[no-untyped-call] # Airflow's
        return again()
