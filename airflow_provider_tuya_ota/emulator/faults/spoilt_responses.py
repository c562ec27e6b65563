"""Answers that a network or a proxy has damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.emulator.messages import ConnectionDropped, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.emulator.faults.fault import Fault


def from_in_between(status: int, retry_after: str = "") -> Response:
    """Give the answer of a proxy, which the platform does not know of."""
    headers = {"retry-after": retry_after} if retry_after else {}
    return Response(status, b"<html><body>Service Unavailable</body></html>", "text/html", headers)


def _refused(fault: Fault) -> Response:
    """Refuse with any code, as JSON whatever the request asks for."""
    fields = {"code": fault.text, "errorMessage": "The request timed out.", "requestId": "late", "success": False}
    return Response(fault.status, json.dumps(fields).encode())


def _stuffed(response: Response, value: bytes) -> Response:
    """Add an unknown field to an answer."""
    if response.body.startswith(b"{"):
        return replace(response, body=b'{"stuffing": ' + value + b", " + response.body[1:])
    inside = value.strip(b'"').replace(b"[", b"<Stuffing>").replace(b"]", b"</Stuffing>")
    head, bracket, tail = response.body.rpartition(b"</")
    return replace(response, body=head + b"<Stuffing>" + inside + b"</Stuffing>" + bracket + tail)


_SPOILT: Final[dict[str, Callable[[Fault, Response], Response]]] = {
    "status_after": lambda fault, _: from_in_between(fault.status),
    "refused_after": lambda fault, _: _refused(fault),
    "wrong_status": lambda fault, good: replace(good, status=fault.status),
    "delay": lambda fault, good: replace(good, delay=fault.seconds),
    "slow_body": lambda fault, good: replace(good, trickle=fault.seconds),
    "drip": lambda fault, good: replace(good, drip=(fault.part, fault.seconds)),
    "continue": lambda fault, good: replace(good, drip=("continue", fault.seconds)),
    "truncate": lambda _, good: Response(good.status, good.body[: len(good.body) // 2], good.content_type),
    "garbage": lambda _, good: Response(good.status, b"\x00\xff not an answer", good.content_type),
    "huge": lambda fault, good: _stuffed(good, b'"' + b"x" * fault.size + b'"'),
    "deep": lambda fault, good: _stuffed(good, b"[" * fault.size + b"]" * fault.size),
}


def spoil(fault: Fault, response: Response) -> Response:
    """Damage a good answer.

    :raises ConnectionDropped: none of it is sent.
    """
    if fault.kind == "drop_after":
        raise ConnectionDropped
    return _SPOILT[fault.kind](fault, response)
