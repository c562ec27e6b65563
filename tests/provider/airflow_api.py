"""Airflow's API behind the SDK's own code: a supervisor that fails the messages that a test chooses."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time import comms
from airflow.sdk.execution_time.context import TaskStateStoreAccessor

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.provider.conftest import FakeTask, Service

TI_ID: Any = "00000000-0000-4000-8000-000000000001"


@dataclass
class AirflowAPI:
    """Variables, connections, task state and an asset's state, as a supervisor gives them.

    :param fails: whether a message fails.
    :param answers_lost: whether what fails is carried out all the same.
    :param sent: names of the messages, in order.
    :param notes: the state store of the asset ``asset``, the only one that is active.
    """

    service: Service
    fails: Callable[[Any], bool] = lambda _: False
    answers_lost: bool = False
    sent: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)
    connections: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    asset: str = "ota-control"

    def fail(self, kind: str, *, key: str = "", times: int = 1, after: int = 0) -> None:
        """Let messages of a kind fail.

        :param key: part of the key that they are about.
        :param times: how many.
        :param after: how many succeed before.
        """
        left = [after, times]

        def fails(message: Any) -> bool:
            if type(message).__name__ != kind or key not in str(getattr(message, "key", "")):
                return False
            if left[0]:
                left[0] -= 1
                return False
            left[1] -= 1
            return left[1] >= 0

        self.fails = fails

    def send(self, message: Any) -> Any:
        """Answer, as the supervisor does."""
        self.sent.append(type(message).__name__)
        fails = self.fails(message)
        answer = None if fails and not self.answers_lost else self._answer(message)
        if fails:
            detail = {"status_code": 500, "message": "database is locked"}
            raise AirflowRuntimeError(comms.ErrorResponse(error=ErrorType.GENERIC_ERROR, detail=detail))
        return answer

    async def asend(self, message: Any) -> Any:
        """Answer in an event loop."""
        return self.send(message)

    def _answer(self, message: Any) -> Any:
        return getattr(self, f"_answer_{type(message).__name__}")(message) or comms.OKResponse(ok=True)

    def _answer_GetVariable(self, message: comms.GetVariable) -> Any:  # noqa: N802 - named after the message
        if message.key in self.variables:
            return comms.VariableResult(key=message.key, value=self.variables[message.key])
        return comms.ErrorResponse(error=ErrorType.VARIABLE_NOT_FOUND)

    def _answer_PutVariable(self, message: comms.PutVariable) -> None:  # noqa: N802 - as above
        self.variables[message.key] = message.value or ""

    def _answer_DeleteVariable(self, message: comms.DeleteVariable) -> None:  # noqa: N802 - as above
        self.variables.pop(message.key, None)

    def _answer_GetVariableKeys(self, message: comms.GetVariableKeys) -> Any:  # noqa: N802 - as above
        keys = [key for key in self.variables if key.startswith(message.prefix or "")]
        return comms.VariableKeysResult(keys=keys, total_entries=len(keys))

    def _answer_GetTaskStateStore(self, message: comms.GetTaskStateStore) -> Any:  # noqa: N802 - as above
        if message.key in self.entries:
            return comms.TaskStateStoreResult(value=json.loads(self.entries[message.key]))
        return comms.ErrorResponse(error=ErrorType.TASK_STORE_NOT_FOUND)

    def _answer_SetTaskStateStore(self, message: comms.SetTaskStateStore) -> None:  # noqa: N802 - as above
        self.entries[message.key] = json.dumps(message.value)

    def _answer_GetAssetStateStoreByName(self, message: comms.GetAssetStateStoreByName) -> Any:  # noqa: N802 - as above
        if message.name == self.asset and message.key in self.notes:
            return comms.AssetStateStoreResult(value=json.loads(self.notes[message.key]))
        return comms.ErrorResponse(error=ErrorType.ASSET_STORE_NOT_FOUND)

    def _answer_SetAssetStateStoreByName(self, message: comms.SetAssetStateStoreByName) -> None:  # noqa: N802 - as above
        if message.name != self.asset:
            detail = {"status_code": 404, "message": "asset not found"}
            raise AirflowRuntimeError(comms.ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail=detail))
        self.notes[message.key] = json.dumps(message.value)

    def _answer_GetConnection(self, message: comms.GetConnection) -> Any:  # noqa: N802 - as above
        if message.conn_id in self.connections:
            return comms.ConnectionResult(conn_id=message.conn_id, **self.connections[message.conn_id])
        return comms.ErrorResponse(error=ErrorType.CONNECTION_NOT_FOUND)

    def _answer_MaskSecret(self, message: comms.MaskSecret) -> None:  # noqa: N802 - as above
        """Take it: there is no log here that could show it."""

    def connect(self, conn_id: str = "tuya_ota_default", **changes: Any) -> None:
        """Store a connection to the emulator."""
        host, _, port = self.service.url.rpartition(":")
        key = self.service.emulator.key
        self.connections[conn_id] = {
            "conn_type": "tuya_ota",
            "host": host,
            "port": int(port),
            "schema": None,
            "login": key.access_key_id,
            "password": key.access_key_secret,
            "extra": json.dumps({"requests_per_second": 1000}),
        } | changes


def context_of(ti: FakeTask, **more: Any) -> Any:
    """Give a context with the SDK's own task state store."""
    return {"ti": ti, "task_state_store": TaskStateStoreAccessor(TI_ID, None)} | more  # type: ignore[arg-type] # without a backend the scope is not read
