"""Airflow's public API, as far as ``tuya-ota release`` asks it."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

TOKEN = "the-token-of-ann"
PASSWORD = "the-password-of-ann"


class FakeAirflow:
    """A server on this machine.

    :ivar notes: the store of the asset.
    :ivar runs: known runs.
    :ivar may_write: whether the caller may change assets.
    :ivar all_admins: whether it gives everybody a token.
    :ivar user: who calls; None where it does not say.
    :ivar assets: names of its assets; a number is their id.
    :ivar spoils: gives an answer instead of the right one, as status and bytes.
    """

    def __init__(self) -> None:
        self.notes: dict[str, Any] = {}
        self.runs = {("thermostat", "manual__2026-11-30T09:00:00+00:00")}
        self.may_write = True
        self.all_admins = False
        self.user: str | None = "ann"
        self.assets = [f"ota-control-{number}" for number in range(150)] + ["ota-control"]
        self.spoils: Callable[[str, str], tuple[int, bytes] | None] = lambda _method, _path: None
        self.asked: list[str] = []

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"airflow": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any, token: str) -> tuple[int, Any]:
        """Answer as Airflow does."""
        self.asked.append(f"{method} {path}")
        if path.startswith("/nowhere"):
            return 404, {"detail": "Not Found"}
        if path != "/auth/token" and token != f"Bearer {TOKEN}":
            return 401, {"detail": "Not authenticated"}
        return self._token(method, body) if path == "/auth/token" else self._admitted(method, path, query, body)

    def _admitted(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        parts = [unquote(part) for part in path.strip("/").split("/")]
        match parts:
            case ["ui", "auth", "me"] if self.user is not None:
                return 200, {"id": "7", "username": self.user}
            case ["api", "v2", "dags", dag_id, "dagRuns", run_id]:
                return (200, {}) if (dag_id, run_id) in self.runs else (404, {"detail": "not found"})
            case ["api", "v2", "assets"]:
                assets = [{"id": number, "name": name} for number, name in enumerate(self.assets)]
                return 200, {"assets": _page(assets, query), "total_entries": len(assets)}
            case ["api", "v2", "assets", number, "state-store", *key]:
                assert self.assets[int(number)] == "ota-control"
                return self._store(method, "/".join(key), query, body)
        return 404, {"detail": "Not Found"}

    def _token(self, method: str, body: Any) -> tuple[int, Any]:
        if (method == "GET" and self.all_admins) or body == {"username": "ann", "password": PASSWORD}:
            return 201, {"access_token": TOKEN}
        return (401, {"detail": "Invalid credentials"}) if method == "POST" else (403, {"detail": "Forbidden"})

    def _store(self, method: str, key: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        if method == "PUT":
            if not self.may_write:
                return 403, {"detail": "Forbidden"}
            self.notes[key] = body["value"]
            return 204, None
        if not key:
            entries = [{"key": name, "value": self.notes[name]} for name in sorted(self.notes)]
            return 200, {"asset_state_store": _page(entries, query), "total_entries": len(entries)}
        if key not in self.notes:
            return 404, {"detail": f"Asset state store key {key!r} not found"}
        return 200, {"key": key, "value": self.notes[key]}


class _Handler(BaseHTTPRequestHandler):
    airflow: ClassVar[FakeAirflow]

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        spoilt = self.airflow.spoils(self.command, address.path)
        if spoilt is None:
            query, token = parse_qs(address.query), self.headers.get("Authorization", "")
            status, values = self.airflow.answer(self.command, address.path, query, body, token)
            content = b"" if values is None else json.dumps(values).encode()
        else:
            status, content = spoilt
        self.send_response(status)
        if status in {301, 302, 307}:
            self.send_header("Location", "https://login.example/sso?state=secret-state")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_PUT = do_POST = do_GET  # noqa: N815 - the library's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Print nothing."""


def _page(items: list[Any], query: dict[str, list[str]]) -> list[Any]:
    offset = int(query["offset"][0])
    return items[offset : offset + int(query["limit"][0])]
