"""The emulator behind ASGI: the only place that knows sockets and forms."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect
from starlette.requests import Request as WebRequest
from starlette.responses import Response as WebResponse
from starlette.responses import StreamingResponse

from airflow_provider_tuya_ota.emulator.messages import ConnectionDropped, ConnectionRefused, Request, Response
from airflow_provider_tuya_ota.emulator.web.drip import send_dripping, transport_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from airflow_provider_tuya_ota.emulator.emulator import Emulator

SLOW_PIECES: Final = 20
"""Pieces in which a slow body arrives."""


def create_app(emulator: Emulator, refuse_connections: Callable[[float], None] | None = None) -> ASGIApp:
    """Give an ASGI application that serves the emulator.

    :param refuse_connections: refuses new connections for this many seconds; without it, a refused connection is
        accepted and closed without an answer.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        web = WebRequest(scope, receive)
        try:
            response = await _answer(emulator, web)
        except ConnectionDropped as fault:
            if refuse_connections is not None and isinstance(fault, ConnectionRefused):
                refuse_connections(fault.seconds)
            await _drop(send)
            return
        except ClientDisconnect:
            return
        if response.delay:
            await asyncio.sleep(response.delay)
        if response.drip is not None:
            await send_dripping(response, receive, send)
            return
        body = b"" if response.status == 204 else response.body  # noqa: PLR2004 - HTTP's No Content
        answer: ASGIApp = WebResponse(body, response.status, response.headers, response.content_type)
        if response.trickle and body:
            headers = response.headers | {"content-length": str(len(body))}
            pieces = _pieces(body, response.trickle)
            answer = StreamingResponse(pieces, response.status, headers, response.content_type)
        await answer(scope, receive, send)

    return app


async def _answer(emulator: Emulator, web: WebRequest) -> Response:
    if web.method == "POST" and web.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        try:
            # Files beyond a megabyte are spooled to disk, whatever their size.
            async with web.form(max_files=2, max_fields=50) as form:
                parts = [(name, value if isinstance(value, str) else value.file) for name, value in form.multi_items()]
                return await run_in_threadpool(emulator.handle, _request(web, form=parts))
        except (HTTPException, MultiPartException):
            # Object storage says the same of a form that cannot be read and of one without a file.
            return await run_in_threadpool(emulator.handle, _request(web, form=()))
    return await run_in_threadpool(emulator.handle, _request(web, body=await web.body()))


async def _pieces(body: bytes, seconds: float) -> AsyncIterator[bytes]:
    count = min(SLOW_PIECES, len(body))
    for number in range(count):
        await asyncio.sleep(seconds / count)
        yield body[len(body) * number // count : len(body) * (number + 1) // count]


def _request(web: WebRequest, *, body: bytes = b"", form: Any = None) -> Request:
    return Request(
        method=web.method,
        path=web.url.path,
        query=web.url.query,
        headers=dict(web.headers),
        body=body,
        form=form,
        scheme=web.url.scheme,
    )


async def _drop(send: Send) -> None:
    # ASGI has no way to close a connection unanswered.
    transport = transport_of(send)
    if transport is not None:
        transport.abort()
        # The server notices one turn later, and would answer 500 before that.
        await asyncio.sleep(0.01)
