"""Conditions of firmwares and devices that something waits for, and the wait itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from airflow_provider_tuya_ota.core.actions import BatchGetDeviceState, QueryOTAFirmware
from airflow_provider_tuya_ota.core.errors import FirmwareStatusError, InvalidParameterError, OutcomeError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.bounded_poll import one_poll
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import Flow, ReadContext, Sleep
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.core.model.states import DeviceStatus, FirmwareStatus
from airflow_provider_tuya_ota.core.shown import shown
from airflow_provider_tuya_ota.core.status.poll_events import ConditionChanged, PollFailed
from airflow_provider_tuya_ota.core.status.wait_state import DEFAULT_TOLERANCE, KeyRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from airflow_provider_tuya_ota.core.settings import Settings
from airflow_provider_tuya_ota.core.status.wait_state import WaitState

AT_ONCE: Final = 50
"""Devices that one request asks for."""
SHOWN: Final = 10
"""Devices that a line of the log names."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look came to.

    :param is_met: whether the condition holds.
    :param line: what to say of it in the log.
    """

    is_met: bool
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareCondition:
    """A firmware has one of the wanted statuses.

    :param statuses: names of :class:`FirmwareStatus`.
    :param failing_statuses: those at which waiting makes no sense; one that is wanted too does not fail.
    :raises InvalidParameterError: there is no such status, or none is wanted.
    """

    firmware_id: str
    statuses: Sequence[str]
    failing_statuses: Sequence[str]

    def __post_init__(self) -> None:
        for field in ("statuses", "failing_statuses"):
            given: list[Any] = list(getattr(self, field))
            unknown = [name for name in given if not (isinstance(name, str) and name in FirmwareStatus.__members__)]
            if unknown:
                said = ", ".join(shown(name).strip("'") for name in unknown[:SHOWN])
                raise _refused(field, f"{said} is no status", ", ".join(FirmwareStatus.__members__))
        if not self.statuses:
            raise _refused("statuses", "is empty", ", ".join(FirmwareStatus.__members__))
        QueryOTAFirmware(firmware_id=self.firmware_id)

    @property
    def subject(self) -> str:
        """What is polled, for errors."""
        return f"firmware {self.firmware_id}"

    def look(self, settings: Settings) -> Flow[Seen]:
        """Look once, with one request.

        :raises FirmwareStatusError: the firmware has a failing status.
        """
        firmware = yield from call(settings, QueryOTAFirmware(firmware_id=self.firmware_id))
        status = firmware.status.name
        if status in self.failing_statuses and status not in self.statuses:
            raise FirmwareStatusError(
                f"firmware {self.firmware_id} ({firmware.version}) is {status}, so it will not become"
                f" {' or '.join(sorted(self.statuses))} by waiting. Look at its last verification job"
            )
        return Seen(status in self.statuses, f"firmware {self.firmware_id} ({firmware.version}) is {status}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesCondition:
    """Enough of the named devices have a state.

    :param state: one of :class:`DeviceStatus`.
    :param at_least: how many of the devices; None: all of them.
    :raises InvalidParameterError: no device, one twice, no such state, or more devices than are named.
    """

    product_key: str
    device_names: Sequence[str]
    state: str
    at_least: int | None

    def __post_init__(self) -> None:
        given: list[Any] = list(self.device_names)
        named, texts = len(given), [name for name in given if isinstance(name, str)]
        if not named or len(set(texts)) != len(texts):
            problem = "has a device twice" if named else "is empty"
            raise _refused("device_names", problem, "at least one device, each once")
        for batch in self._batches():
            BatchGetDeviceState(product_key=self.product_key, device_name=batch)
        if self.at_least is not None and not 1 <= self.at_least <= named:
            raise _refused("at_least", f"{shown(self.at_least)} is not possible", f"1 to {named}, the devices named")
        if self.state not in list(DeviceStatus):
            raise _refused("state", f"{shown(self.state)} is no state of a device", ", ".join(DeviceStatus))

    @property
    def subject(self) -> str:
        """What is polled, for errors."""
        return f"the devices of product {self.product_key}"

    def look(self, settings: Settings) -> Flow[Seen]:
        """Look once, with a request for every fifty devices."""
        having: set[str] = set()
        for batch in self._batches():
            states = yield from call(settings, BatchGetDeviceState(product_key=self.product_key, device_name=batch))
            having |= {state.device_name for state in states if state.status == self.state}
        missing = [name for name in self.device_names if name not in having]
        reached = len(self.device_names) - len(missing)
        others = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        line = f"{reached} of {len(self.device_names)} devices are {self.state}"
        if missing:
            line += f"; missing: {', '.join(missing[:SHOWN])}{others}"
        return Seen(reached >= (len(self.device_names) if self.at_least is None else self.at_least), line)

    def _batches(self) -> list[Sequence[str]]:
        return [self.device_names[begin : begin + AT_ONCE] for begin in range(0, len(self.device_names), AT_ONCE)]


Condition: TypeAlias = FirmwareCondition | DevicesCondition
KINDS: Final[dict[str, type[Condition]]] = {kind.__name__: kind for kind in (FirmwareCondition, DevicesCondition)}


def describe_condition(condition: Condition) -> dict[str, Any]:
    """Give what :func:`rebuild_condition` takes, in plain JSON values."""
    return {"kind": type(condition).__name__, "values": asdict(condition)}


def rebuild_condition(described: dict[str, Any]) -> Condition:
    """Rebuild a condition elsewhere."""
    return KINDS[described["kind"]](**described["values"])


def poll_condition(settings: Settings, condition: Condition, state: WaitState) -> Flow[bool]:
    """Poll once, as a sensor does: whether the condition holds, as far as this poll told.

    :param state: what was seen before, and from now on.
    :raises FirmwareStatusError: the firmware has a failing status.
    :raises PollingFailedError: polls have failed for two hours, or refusals of what was seen well have lasted five
        minutes.
    :raises TuyaOTAError: the first poll failed in a way that waiting does not mend.
    """
    now = (yield ReadContext()).steady
    try:
        seen = yield from one_poll(settings, condition.look(settings), condition.subject)
    except OutcomeError:
        raise
    except TuyaOTAError as error:
        yield record_failed_poll(condition, state, error, now)
        return False
    state.record()
    if seen.line != state.line:
        state.line = seen.line
        yield ConditionChanged(condition.subject, seen.line)
    return seen.is_met


def record_failed_poll(condition: Condition, state: WaitState, error: TuyaOTAError, now: datetime) -> PollFailed:
    """Take a poll that failed, or an error that let no poll begin.

    :returns: the event to hand to a listener.
    :raises TuyaOTAError: as :func:`poll_condition`.
    """
    meanwhile = "to wait on, run the task again"
    state.record_failure(error, now, subject=condition.subject, meanwhile=meanwhile, tolerance=DEFAULT_TOLERANCE)
    return PollFailed(condition.subject, error.sentence)


def pause_until_next_poll(now: datetime, *, deadline: datetime, poll_interval: float, state: WaitState) -> float:
    """Give the seconds until the next poll.

    :raises WaitTimeoutError: the deadline has passed; says what was seen last.
    """
    left = (deadline - now).total_seconds()
    if left <= 0:
        raise WaitTimeoutError(f"the time is over: {state.line or 'nothing was seen'}")
    return min(poll_interval, left)


def wait_for(
    settings: Settings, condition: Condition, *, deadline: datetime, poll_interval: float, state: WaitState
) -> Flow[None]:
    """Poll until a condition holds.

    :param state: what was seen before, and from now on.
    :raises WaitTimeoutError: the deadline passed; says what was seen last.
    :raises KeyRefusedError: the wait goes on, once the connection was read again.
    :raises TuyaOTAError: as :func:`poll_condition`.
    """
    while not (yield from poll_condition(settings, condition, state)):
        now = (yield ReadContext()).steady
        pause = pause_until_next_poll(now, deadline=deadline, poll_interval=poll_interval, state=state)
        if state.is_key_refused:
            raise KeyRefusedError(pause)
        yield Sleep(pause)


def _refused(field: str, problem: str, allowed: str) -> InvalidParameterError:
    return InvalidParameterError(field=field, problem=problem, allowed=allowed)
