"""Faults on demand: what a network and a platform do on a bad day."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.emulator.documents import Entry, read_table
from airflow_provider_tuya_ota.emulator.messages import ConnectionDropped, GatewayError, Response
from airflow_provider_tuya_ota.emulator.tables import ACTIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

KINDS = ("status", "throttle", "garbage", "truncate", "delay", "drop_before", "drop_after", "redirect")
_FAULT = {
    "action": Entry(str, choices=("*", "PostObject", "GetObject", *ACTIONS), required=True),
    "kind": Entry(str, choices=KINDS, required=True),
    "nth": Entry(int, 0),
    "probability": Entry(float, 0, 1),
    "status": Entry(int, 300, 599),
    "seconds": Entry(float, 0, 3600),
}


@dataclass(slots=True)
class Fault:
    """One fault.

    :param action: operation, ``PostObject`` (upload), ``GetObject`` (download), or ``*`` for any.
    :param kind: one of :data:`KINDS`.
    :param nth: hits this call only, counted from 1 since the fault was set; 0 for every call.
    :param probability: share of calls that are hit, from the world's seed.
    :param status: HTTP status of ``status``.
    :param seconds: of ``delay``.
    """

    action: str
    kind: str
    nth: int = 0
    probability: float = 1.0
    status: int = 503
    seconds: float = 1.0
    seen: int = field(default=0)


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self.list: list[Fault] = []

    def add(self, values: dict[str, Any]) -> Fault:
        """Set a fault.

        :raises ValueError: naming what is wrong.
        """
        fault = Fault(**read_table(values, "fault", _FAULT))
        self.list.append(fault)
        return fault

    def around(self, action: str, random: Random, process: Callable[[], Response]) -> Response:
        """Process a call under the first fault that hits it."""
        fault = self._hit(action, random)
        if fault is None:
            return process()
        match fault.kind:
            case "status":
                return Response(fault.status, b"<html><body>Service Unavailable</body></html>", "text/html")
            case "throttle":
                raise GatewayError("Throttling.User", "Request was denied due to user flow control.")
            case "redirect":
                return Response(302, headers={"location": "https://console.invalid:3443/"})
            case "drop_before":
                raise ConnectionDropped
        response = process()
        if fault.kind == "delay":
            return replace(response, delay=fault.seconds)
        if fault.kind == "drop_after":
            raise ConnectionDropped
        body = b"\x00\xff not an answer" if fault.kind == "garbage" else response.body[: len(response.body) // 2]
        return Response(response.status, body, response.content_type)

    def _hit(self, action: str, random: Random) -> Fault | None:
        hit = None
        for fault in self.list:
            if fault.action not in {action, "*"}:
                continue
            fault.seen += 1
            if hit is None and fault.nth in {0, fault.seen} and random.random() < fault.probability:
                hit = fault
        return hit
