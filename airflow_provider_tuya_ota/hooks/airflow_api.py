"""Requests to Airflow's API that are repeated for some seconds: it may be restarted, or its database busy."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from airflow.sdk.exceptions import AirflowNotFoundException, AirflowRuntimeError, ErrorType

from airflow_provider_tuya_ota.core.errors import StateUnavailableError, TuyaOTAError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.hooks.held_alarm import alarm_held_back

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow.sdk import Connection

T = TypeVar("T")

PAUSES: Final = (0.2, 0.5, 1.0, 2.0)
"""Seconds before each repetition."""
ENOUGH: Final = 5.0
"""Once these seconds have passed, a request is repeated at most once in all. During an outage the SDK itself repeats
each request for minutes, and a busy SQLite database takes five seconds to fail."""
_ANSWERS: Final = (AirflowNotFoundException, TuyaOTAError)
"""Errors that are an answer, so that repeating the request changes nothing."""
_LONGEST: Final = 200
_GAVE_NOTHING: Final = "it gave nothing the first time"


class NoAnswerError(Exception):
    """The SDK returned nothing and hides the reason; the request is repeated."""


def repeat(request: Callable[[], T], problem: str) -> T:
    """Repeat a request until it is answered; carrying it out twice must do no harm.

    An alarm for the task's ``execution_timeout`` interrupts the pauses but no request.

    :param problem: for the error, as the end of "Airflow's API did not …".
    :raises StateUnavailableError: no answer came.
    """
    until = time.monotonic() + ENOUGH
    reason = ""
    for number, pause in enumerate((0.0, *PAUSES)):
        time.sleep(pause)
        try:
            with alarm_held_back():
                return request()
        except _ANSWERS:
            raise
        except Exception as error:  # noqa: BLE001 - in Dag.test() the SDK raises errors of its HTTP client, elsewhere its own
            reason = _said(error)
        if number and time.monotonic() > until:
            break
    raise StateUnavailableError(problem, reason=reason)


async def arepeat(request: Callable[[], Awaitable[T]], problem: str) -> T:
    """Send a request in an event loop; see :func:`repeat`."""
    until = time.monotonic() + ENOUGH
    reason = ""
    for number, pause in enumerate((0.0, *PAUSES)):
        await asyncio.sleep(pause)
        try:
            return await request()
        except _ANSWERS:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            reason = _said(error)
        if number and time.monotonic() > until:
            break
    raise StateUnavailableError(problem, reason=reason)


def read_connection(conn_id: str, read: Callable[[str], Connection]) -> Connection:
    """Read a connection.

    The SDK also raises "not defined" when its request to Airflow's API failed. So a second request checks whether the
    connection exists.

    :param read: reads it as the SDK does.
    :raises AirflowNotFoundException: there is no such connection.
    :raises StateUnavailableError: the API did not answer.
    """

    def request() -> Connection:
        try:
            return read(conn_id)
        except AirflowNotFoundException:
            if (comms := supervisor_comms()) is None or _is_absent(comms.send, conn_id):
                raise
            raise NoAnswerError(_GAVE_NOTHING) from None

    return repeat(request, f"give the connection {short_repr(conn_id)}")


async def aread_connection(conn_id: str, read: Callable[[str], Awaitable[Connection]]) -> Connection:
    """Read a connection in an event loop; see :func:`read_connection`."""

    async def request() -> Connection:
        try:
            return await read(conn_id)
        except AirflowNotFoundException:
            if (comms := supervisor_comms()) is None or await _ais_absent(comms.asend, conn_id):
                raise
            raise NoAnswerError(_GAVE_NOTHING) from None

    return await arepeat(request, f"give the connection {short_repr(conn_id)}")


def has_supervisor() -> bool:
    """Whether this process runs a task, a trigger or the Dag processor; Airflow itself uses the same test."""
    return supervisor_comms() is not None


def supervisor_comms() -> Any:
    """Give the connection to the supervisor; None in a process that has none."""
    return getattr(sys.modules.get("airflow.sdk.execution_time.task_runner"), "SUPERVISOR_COMMS", None)


def _is_absent(send: Callable[[Any], Any], conn_id: str) -> bool:
    from airflow.sdk.execution_time.comms import GetConnection  # noqa: PLC0415 - operators import the hook

    try:
        return _says_absent(send(GetConnection(conn_id=conn_id)))
    except AirflowRuntimeError as error:
        return _says_absent(error.error)


async def _ais_absent(asend: Callable[[Any], Awaitable[Any]], conn_id: str) -> bool:
    from airflow.sdk.execution_time.comms import GetConnection  # noqa: PLC0415 - operators import the hook

    try:
        return _says_absent(await asend(GetConnection(conn_id=conn_id)))
    except AirflowRuntimeError as error:
        return _says_absent(error.error)


def _says_absent(answer: Any) -> bool:
    """Whether an answer says that the connection does not exist.

    :raises NoAnswerError: it is another error, which the SDK also reports as a missing connection.
    """
    from airflow.sdk.execution_time.comms import ErrorResponse  # noqa: PLC0415 - operators import the hook

    if isinstance(answer, ErrorResponse) and answer.error is not ErrorType.CONNECTION_NOT_FOUND:
        raise NoAnswerError(f"{answer.error.value} {answer.detail or ''}")
    return isinstance(answer, ErrorResponse)


def _said(error: Exception) -> str:
    from airflow_provider_tuya_ota.core.texts import cut, one_line  # noqa: PLC0415 - operators import the hook
    from airflow_provider_tuya_ota.core.wire.redaction import redact  # noqa: PLC0415 - operators import the hook

    if isinstance(error, NoAnswerError):
        said = str(error)
    elif isinstance(error, OSError) or type(error).__module__.partition(".")[0] == "airflow":
        said = f"{type(error).__name__}: {error}"
    else:
        # Errors of other libraries quote what they refuse: pydantic's the whole connection with its password.
        said = type(error).__name__
    return cut(one_line(redact(said)), _LONGEST)
