"""Conditions of firmware and devices that a sensor waits for, and one poll of each."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from airflow_provider_tuya_ota.core.actions import BatchGetDeviceState, QueryOTAFirmware
from airflow_provider_tuya_ota.core.errors import FirmwareStatusError, InvalidParameterError
from airflow_provider_tuya_ota.core.flows.bounded_poll import run_poll
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.model.states import DeviceStatus, FirmwareStatus
from airflow_provider_tuya_ota.core.short_repr import short_repr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.settings import Settings

DEVICES_PER_REQUEST: Final = 50
DEVICES_NAMED: Final = 10
"""Devices that a line of the log names."""


@dataclass(frozen=True, slots=True)
class ConditionSnapshot:
    """The result of one poll.

    :param is_met: whether the condition holds.
    :param line: the state in words, for the log.
    """

    is_met: bool
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareCondition:
    """A firmware has one of the wanted statuses, in whatever order they are named.

    :param statuses: names of :class:`FirmwareStatus`.
    :param failing_statuses: statuses that end the wait with an error; a status that is also wanted does not.
    :raises InvalidParameterError: a status does not exist, or none is wanted.
    """

    requests: ClassVar = 1
    """That one poll sends."""

    firmware_id: str
    statuses: Sequence[str]
    failing_statuses: Sequence[str]

    def __post_init__(self) -> None:
        for name in ("statuses", "failing_statuses"):
            given: list[Any] = list(getattr(self, name))
            unknown = [one for one in given if not (isinstance(one, str) and one in FirmwareStatus.__members__)]
            if unknown:
                said = ", ".join(short_repr(one).strip("'") for one in unknown[:DEVICES_NAMED])
                raise _refused(name, f"{said} is no status", ", ".join(FirmwareStatus.__members__))
            object.__setattr__(self, name, tuple(sorted(given)))
        if not self.statuses:
            raise _refused("statuses", "is empty", ", ".join(FirmwareStatus.__members__))
        QueryOTAFirmware(firmware_id=self.firmware_id)

    @property
    def subject(self) -> str:
        """What is polled, in words, for errors."""
        return f"firmware {self.firmware_id}"

    def poll(self, settings: Settings) -> Flow[ConditionSnapshot]:
        """Poll once, with one request.

        :raises FirmwareStatusError: the firmware has a failing status.
        """
        firmware = yield from call(settings, QueryOTAFirmware(firmware_id=self.firmware_id))
        status = firmware.status.name
        if status in self.failing_statuses and status not in self.statuses:
            raise FirmwareStatusError(
                f"firmware {self.firmware_id} ({firmware.version}) is {status}, so it will not become"
                f" {' or '.join(sorted(self.statuses))} by waiting. Look at its last verification job"
            )
        return ConditionSnapshot(
            status in self.statuses, f"firmware {self.firmware_id} ({firmware.version}) is {status}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesCondition:
    """Enough of the named devices have a state, in whatever order they are named.

    :param state: one of :class:`DeviceStatus`.
    :param at_least: how many of the devices; None: all of them.
    :raises InvalidParameterError: no device is named, one is named twice, the state does not exist, or ``at_least`` is
        more than the devices named.
    """

    product_key: str
    device_names: Sequence[str] = field(compare=False)
    state: str
    at_least: int | None
    # Compared in place of the names, whose order is the one in which messages name them.
    _devices: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        given: list[Any] = list(self.device_names)
        named, texts = len(given), [name for name in given if isinstance(name, str)]
        if not named or len(set(texts)) != len(texts):
            problem = "has a device twice" if named else "is empty"
            raise _refused("device_names", problem, "at least one device, each once")
        for batch in self._batches():
            BatchGetDeviceState(product_key=self.product_key, device_name=batch)
        if self.at_least is not None and not 1 <= self.at_least <= named:
            raise _refused(
                "at_least", f"{short_repr(self.at_least)} is not possible", f"1 to {named}, the devices named"
            )
        if self.state not in list(DeviceStatus):
            raise _refused("state", f"{short_repr(self.state)} is no state of a device", ", ".join(DeviceStatus))
        object.__setattr__(self, "device_names", tuple(given))
        object.__setattr__(self, "_devices", frozenset(given))
        object.__setattr__(self, "at_least", self.at_least or named)

    @property
    def requests(self) -> int:
        """How many requests one poll sends."""
        return -(-len(self.device_names) // DEVICES_PER_REQUEST)

    @property
    def subject(self) -> str:
        """What is polled, in words, for errors."""
        return f"the devices of product {self.product_key}"

    def poll(self, settings: Settings) -> Flow[ConditionSnapshot]:
        """Poll once, with one request for every fifty devices."""
        having: set[str] = set()
        for batch in self._batches():
            states = yield from call(settings, BatchGetDeviceState(product_key=self.product_key, device_name=batch))
            having |= {state.device_name for state in states if state.status == self.state}
        missing = [name for name in self.device_names if name not in having]
        reached = len(self.device_names) - len(missing)
        others = f" and {len(missing) - DEVICES_NAMED} more" if len(missing) > DEVICES_NAMED else ""
        line = f"{reached} of {len(self.device_names)} devices are {self.state}"
        if missing:
            line += f"; missing: {', '.join(missing[:DEVICES_NAMED])}{others}"
        return ConditionSnapshot(reached >= (self.at_least or len(self.device_names)), line)

    def _batches(self) -> list[Sequence[str]]:
        names, size = self.device_names, DEVICES_PER_REQUEST
        return [names[begin : begin + size] for begin in range(0, len(names), size)]


Condition: TypeAlias = FirmwareCondition | DevicesCondition
KINDS: Final[dict[str, type[Condition]]] = {kind.__name__: kind for kind in (FirmwareCondition, DevicesCondition)}


def describe_condition(condition: Condition) -> dict[str, Any]:
    """Return plain JSON values from which :func:`rebuild_condition` builds the condition again."""
    given = {one.name: getattr(condition, one.name) for one in fields(condition) if one.init}
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in given.items()}
    return {"kind": type(condition).__name__, "values": values}


def rebuild_condition(described: dict[str, Any]) -> Condition:
    """Build a condition from what :func:`describe_condition` returned."""
    return KINDS[described["kind"]](**described["values"])


def fetch_condition(settings: Settings, condition: Condition) -> Flow[ConditionSnapshot]:
    """Poll once, in bounded time.

    :raises FirmwareStatusError: the firmware has a failing status.
    :raises TuyaOTAError: the poll failed.
    """
    return (yield from run_poll(settings, condition.poll(settings), condition.subject))


def _refused(field: str, problem: str, allowed: str) -> InvalidParameterError:
    return InvalidParameterError(field=field, problem=problem, allowed=allowed)
