"""The emulator without a socket: a function from a request to an answer."""

from __future__ import annotations

import threading
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.emulator import console, control
from airflow_provider_tuya_ota.emulator.account import DEFAULT_KEY, Account
from airflow_provider_tuya_ota.emulator.faults.strange_answers import StrangeAnswer
from airflow_provider_tuya_ota.emulator.gateway.answers import accept, refuse, reject
from airflow_provider_tuya_ota.emulator.gateway.check import parse_wire
from airflow_provider_tuya_ota.emulator.gateway.parameters import read_parameters
from airflow_provider_tuya_ota.emulator.gateway.tables import ACTIONS
from airflow_provider_tuya_ota.emulator.messages import (
    BusinessError,
    ConnectionDropped,
    GatewayError,
    Request,
    Response,
)
from airflow_provider_tuya_ota.emulator.operations import HANDLERS
from airflow_provider_tuya_ota.emulator.simulation import storage
from airflow_provider_tuya_ota.emulator.simulation.storage import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.emulator.clock import Clock
    from airflow_provider_tuya_ota.emulator.gateway.check import AccessKey
    from airflow_provider_tuya_ota.emulator.scenario import Scenario

CATCH_UP_SECONDS: Final = 1.0
"""Seconds that a request may spend on due events, before device time is held back."""
_NOT_LOGGED: Final = frozenset({"Signature", "AccessKeyId", "FirmwareUrl"})


class Emulator(Account):
    """An account that answers requests, one at a time.

    :param key: the accepted key pair.
    :param scenario: what exists at the beginning and after a reset.
    :param clock: both clocks.
    """

    def __init__(
        self,
        key: AccessKey = DEFAULT_KEY,
        scenario: Scenario | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(key, scenario, clock)
        self._lock = threading.RLock()

    def handle(self, request: Request) -> Response:
        """Answer one request.

        :raises ConnectionDropped: a fault demands that the connection be closed without an answer.
        """
        with self._lock:
            if request.path.startswith(control.PREFIX) or request.path == "/":
                self._catch_up()
                if (page := console.answer(self, request)) is not None:
                    return page
            if request.path.startswith(control.PREFIX):
                return control.handle(self, request)
            with self.clock.pinned():
                self._catch_up()
                return self._answer(request)

    def _catch_up(self) -> None:
        self.world.engine.run(CATCH_UP_SECONDS)
        if self.recorder is not None:
            # After a kill, the journal must reach every moment that an answer has shown.
            self.recorder.passed(self.world)

    def _answer(self, request: Request) -> Response:
        request_id = self.world.new_request_id()
        entry: dict[str, Any] = {
            "at": self.clock.world(),
            "action": "",
            "parameters": {},
            "request_id": request_id,
            "user_agent": request.headers.get("user-agent", ""),
        }
        self.log.append(entry)
        try:
            response = self._route(request, request_id, entry)
            response.headers["date"] = formatdate(self.clock.gateway(), usegmt=True)
        except ConnectionDropped:
            entry["outcome"] = "dropped"
            raise
        finally:
            self.faults.answered()
        entry["status"] = response.status
        entry.setdefault("outcome", "ok")
        return response

    def _route(self, request: Request, request_id: str, entry: dict[str, Any]) -> Response:
        if request.form is not None or request.path.startswith(f"/{storage.PREFIX}"):
            return self._storage(request, request_id, entry)
        if request.path != "/":
            entry["outcome"] = "not found"
            return Response(404, b"The API is at /.", "text/plain")
        return self._call(request, request_id, entry)

    def _storage(self, request: Request, request_id: str, entry: dict[str, Any]) -> Response:
        uploading = request.form is not None
        entry["action"] = "PostObject" if uploading else "GetObject"
        serve = self.world.storage.post if uploading else self.world.storage.get
        try:
            return self.faults.around(entry["action"], {}, self.world.chance, lambda _: self._served(serve, request))
        except StorageError as error:
            entry["outcome"] = error.code
            return storage.error_response(error, request_id)
        except GatewayError as error:
            entry["outcome"] = error.code
            return storage.error_response(StorageError(503, "ServiceUnavailable", error.message), request_id)

    def _served(self, serve: Callable[[Request], Response], request: Request) -> Response:
        response = serve(request)
        if self.recorder is not None and request.form is not None:
            self.recorder.stored(self.world, next(str(value) for name, value in request.form if name == "key"))
        return response

    def _call(self, request: Request, request_id: str, entry: dict[str, Any]) -> Response:
        wire: dict[str, str] = {}
        try:
            wire = parse_wire(request)
            entry["action"] = wire.get("Action", "")
            entry["parameters"] = {name: value for name, value in wire.items() if name not in _NOT_LOGGED}
            return self.faults.around(
                entry["action"],
                wire | {"User-Agent": entry["user_agent"]},
                self.world.chance,
                lambda fault: self._operate(request, wire, entry, StrangeAnswer(fault, self.world)),
            )
        except GatewayError as error:
            entry["outcome"] = error.code
            return reject(wire, request_id, error, self.world.quirks)

    def _operate(
        self, request: Request, wire: dict[str, str], entry: dict[str, Any], strange: StrangeAnswer
    ) -> Response:
        quirks, request_id = self.world.quirks, entry["request_id"]
        try:
            action = self.gateway.admit(request, wire, quirks, self.world.quotas)
        except GatewayError as error:
            entry["outcome"] = error.code
            return reject(wire, request_id, error, quirks, strange.texts)
        if self.recorder is not None:
            self.recorder.admitted(wire["SignatureNonce"])
        try:
            values = read_parameters(action, ACTIONS[action], wire, lenient=quirks.parameter_names == "lenient")
            fields = HANDLERS[action](self.world, strange.values(action, values), request.origin)
        except BusinessError as error:
            entry["outcome"] = error.code
            return refuse(wire, request_id, error, quirks, strange.texts)
        if self.recorder is not None:
            self.recorder.called(self.world, action, values, request.origin)
        return accept(wire, request_id, strange.answer(action, values, fields), quirks, strange.texts)
