"""The active faults, and how a call is processed under them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.emulator.faults.fault import INSTEAD, WITHIN, Fault, read_fault
from airflow_provider_tuya_ota.emulator.faults.spoilt_responses import from_in_between, spoil
from airflow_provider_tuya_ota.emulator.messages import ConnectionDropped, ConnectionRefused, GatewayError, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from airflow_provider_tuya_ota.emulator.clock import Clock


class Faults:
    """The active faults.

    :param clock: outages last in its gateway time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.list: list[Fault] = []
        self._refusing_until = self._out_until = self._skew = 0.0
        self._retry_after = ""

    def add(self, values: dict[str, Any]) -> Fault:
        """Set a fault.

        :raises ValueError: a value is wrong; the message says which and what is allowed.
        """
        fault = read_fault(values)
        self.list.append(fault)
        return fault

    def clear(self) -> None:
        """Remove every fault."""
        self.list.clear()
        self._refusing_until = self._out_until = 0.0

    def around(
        self, action: str, parameters: Mapping[str, str], random: Random, process: Callable[[Fault | None], Response]
    ) -> Response:
        """Process a call under the first fault that hits it.

        :param process: carries out the call; gets the fault if it is one of the kinds ``WITHIN``, otherwise None.
        """
        now = self._clock.gateway()
        if now < self._refusing_until:
            raise ConnectionRefused(self._refusing_until - now)
        fault = self._hit(action, parameters, random)
        if now < self._out_until:
            return from_in_between(503, self._retry_after)
        if fault is None or fault.kind in WITHIN:
            return process(fault)
        if fault.kind == "skew":
            self._skew = fault.seconds
            self._clock.gateway_offset += fault.seconds
            return process(None)
        if fault.kind in INSTEAD:
            return self._instead(fault, now)
        good = process(None)
        return process(None) if fault.kind == "replay" else spoil(fault, good)

    def answered(self) -> None:
        """Undo a ``skew``; call this after the answer has its date."""
        self._clock.gateway_offset -= self._skew
        self._skew = 0.0

    def _instead(self, fault: Fault, now: float) -> Response:
        match fault.kind:
            case "refuse":
                self._refusing_until = now + fault.seconds
                raise ConnectionRefused(fault.seconds)
            case "outage":
                self._out_until = now + fault.seconds
                self._retry_after = fault.retry_after
                return from_in_between(503, fault.retry_after)
            case "throttle":
                message = "Request was denied due to user flow control."
                raise GatewayError("Throttling.User", message, retry_after=fault.retry_after)
            case "redirect":
                return Response(302, headers={"location": "https://console.invalid:3443/"})
            case "status":
                return from_in_between(fault.status, fault.retry_after)
            case _:
                raise ConnectionDropped

    def _hit(self, action: str, parameters: Mapping[str, str], random: Random) -> Fault | None:
        hit = None
        for fault in self.list:
            if not fault.fits(action, parameters):
                continue
            fault.seen += 1
            if hit is None and fault.nth in {0, fault.seen} and random.random() < fault.probability:
                hit = fault
        return hit
