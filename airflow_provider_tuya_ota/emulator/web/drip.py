"""Answers that are sent byte by byte; written directly to the transport, because the server sends a head at once."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import Receive, Send

    from airflow_provider_tuya_ota.emulator.messages import Response

_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


def transport_of(send: Send) -> asyncio.Transport | None:
    """Give the transport behind an ASGI callable, which uvicorn binds to an object that has it."""
    transport: asyncio.Transport | None = getattr(getattr(send, "__self__", None), "transport", None)
    return transport


async def send_dripping(response: Response, receive: Receive, send: Send) -> None:
    """Send an answer with one part byte by byte, and close the connection."""
    transport = transport_of(send)
    if transport is None or response.drip is None:
        return
    where, seconds = response.drip
    if where == "continue":
        while not transport.is_closing():
            transport.write(_CONTINUE)
            await asyncio.sleep(seconds)
    for part, content in _parts(response).items():
        if part == "between" == where:
            await asyncio.sleep(seconds)
        elif part == where:
            await _drip(transport, content, seconds)
        else:
            transport.write(content)
    transport.close()
    # Before the disconnect the server would send an answer of its own.
    while (await receive())["type"] != "http.disconnect":
        pass


async def _drip(transport: asyncio.Transport, content: bytes, seconds: float) -> None:
    for place in range(len(content)):
        if transport.is_closing():
            return
        transport.write(content[place : place + 1])
        await asyncio.sleep(seconds)


def _parts(response: Response) -> dict[str, bytes]:
    """Give the parts of an answer, in the order in which they are sent."""
    headers = response.headers | {
        "content-type": response.content_type,
        "content-length": str(len(response.body)),
        "connection": "close",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return {
        "status_line": f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}\r\n".encode(),
        "headers": f"{lines}\r\n".encode("latin-1"),
        "between": b"",
        "body": response.body,
    }
