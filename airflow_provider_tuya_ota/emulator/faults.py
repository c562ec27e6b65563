"""Faults on demand: what a network and a platform do on a bad day."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.emulator.documents import Entry, read_table
from airflow_provider_tuya_ota.emulator.messages import ConnectionDropped, ConnectionRefused, GatewayError, Response
from airflow_provider_tuya_ota.emulator.tables import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from airflow_provider_tuya_ota.emulator.clock import Clock

INSTEAD: Final = ("refuse", "drop_before", "status", "outage", "throttle", "redirect", "skew")
"""Kinds that keep a call from being carried out."""
AFTERWARDS: Final = ("drop_after", "status_after", "delay", "slow_body", "truncate", "garbage")
"""Kinds that spoil the answer to a call that was carried out."""
KINDS: Final = INSTEAD + AFTERWARDS
_TIMED: Final = frozenset({"refuse", "outage", "skew", "delay", "slow_body"})
_DAY: Final = 86400.0
_FAULT: Final = {
    "action": Entry(str, choices=("*", "PostObject", "GetObject", *ACTIONS), required=True),
    "kind": Entry(str, choices=KINDS, required=True),
    "nth": Entry(int, 0),
    "probability": Entry(float, 0, 1),
    "status": Entry(int, 300, 599),
    "seconds": Entry(float, -_DAY, _DAY),
}


@dataclass(slots=True)
class Fault:
    """One fault.

    :param action: operation, ``PostObject`` (upload), ``GetObject`` (download), or ``*`` for any.
    :param kind: one of :data:`KINDS`.
    :param nth: hits this call only, counted from 1 since the fault was set; 0 for every call.
    :param probability: share of calls that are hit, from the world's seed.
    :param status: HTTP status of ``status`` and ``status_after``.
    :param seconds: of ``delay``, ``slow_body``, ``refuse``, ``outage``; of ``skew``, by how much the gateway's clock
        is ahead.
    """

    action: str
    kind: str
    nth: int = 0
    probability: float = 1.0
    status: int = 503
    seconds: float = 1.0
    seen: int = field(default=0)


class Faults:
    """The faults in force.

    :param clock: its gateway side is the time in which outages last.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.list: list[Fault] = []
        self._refusing_until = self._out_until = self._skew = 0.0

    def add(self, values: dict[str, Any]) -> Fault:
        """Set a fault.

        :raises ValueError: naming what is wrong.
        """
        fault = Fault(**read_table(values, "fault", _FAULT))
        if "status" in values and not fault.kind.startswith("status"):
            raise ValueError(f"fault: a {fault.kind} has no status; kinds that have: status, status_after")
        if "seconds" in values and fault.kind not in _TIMED:
            raise ValueError(f"fault: a {fault.kind} takes no seconds; kinds that do: {', '.join(sorted(_TIMED))}")
        if fault.seconds < 0 and fault.kind != "skew":
            raise ValueError(f"fault: seconds {fault.seconds:g} is not from 0 to {_DAY:g}")
        self.list.append(fault)
        return fault

    def clear(self) -> None:
        """Let everything be well, from now on."""
        self.list.clear()
        self._refusing_until = self._out_until = 0.0

    def around(self, action: str, random: Random, process: Callable[[], Response]) -> Response:
        """Process a call under the first fault that hits it."""
        now = self._clock.gateway()
        if now < self._refusing_until:
            raise ConnectionRefused(self._refusing_until - now)
        fault = self._hit(action, random)
        if now < self._out_until:
            return _from_in_between(503)
        if fault is None:
            return process()
        if fault.kind == "skew":
            self._skew = fault.seconds
            self._clock.gateway_offset += fault.seconds
            return process()
        return self._instead(fault, now) if fault.kind in INSTEAD else _afterwards(fault, process())

    def answered(self) -> None:
        """Set the gateway's clock right again, now that the answer is dated."""
        self._clock.gateway_offset -= self._skew
        self._skew = 0.0

    def _instead(self, fault: Fault, now: float) -> Response:
        match fault.kind:
            case "refuse":
                self._refusing_until = now + fault.seconds
                raise ConnectionRefused(fault.seconds)
            case "outage":
                self._out_until = now + fault.seconds
                return _from_in_between(503)
            case "throttle":
                raise GatewayError("Throttling.User", "Request was denied due to user flow control.")
            case "redirect":
                return Response(302, headers={"location": "https://console.invalid:3443/"})
            case "status":
                return _from_in_between(fault.status)
            case _:
                raise ConnectionDropped

    def _hit(self, action: str, random: Random) -> Fault | None:
        hit = None
        for fault in self.list:
            if fault.action not in {action, "*"}:
                continue
            fault.seen += 1
            if hit is None and fault.nth in {0, fault.seen} and random.random() < fault.probability:
                hit = fault
        return hit


def _from_in_between(status: int) -> Response:
    return Response(status, b"<html><body>Service Unavailable</body></html>", "text/html")


def _afterwards(fault: Fault, response: Response) -> Response:
    match fault.kind:
        case "drop_after":
            raise ConnectionDropped
        case "status_after":
            return _from_in_between(fault.status)
        case "delay":
            return replace(response, delay=fault.seconds)
        case "slow_body":
            return replace(response, trickle=fault.seconds)
        case "truncate":
            return Response(response.status, response.body[: len(response.body) // 2], response.content_type)
        case _:
            return Response(response.status, b"\x00\xff not an answer", response.content_type)
