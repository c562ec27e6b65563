from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.execution_time import supervisor, task_runner
from airflow.sdk.execution_time.context import TaskStateStoreAccessor
from airflow.sdk.execution_time.secrets.execution_api import ExecutionAPISecretsBackend
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from airflow_provider_tuya_ota.core.flows import eventually as appearing
from airflow_provider_tuya_ota.core.jobs import search as job_search
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.gateway.quotas import UNLIMITED
from airflow_provider_tuya_ota.emulator.scenario import Scenario
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from airflow_provider_tuya_ota.hooks import airflow_api as requests_to_airflow
from airflow_provider_tuya_ota.runtime.ledger import PREFIX
from airflow_provider_tuya_ota.triggers import first_event
from tests.provider.airflow_api import AirflowAPI
from tests.provider.specs import stands_in_for
from tests.report_schema import every_report_conforms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["every_report_conforms"]

CONNECTION = "AIRFLOW_CONN_TUYA_OTA_DEFAULT"
SPEED = 300.0


@pytest.fixture(autouse=True)
def devices_are_listed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing: the platform of these tests lists device tasks with their job, and what is made at once."""
    monkeypatch.setattr(job_search, "LISTED_WITHIN", timedelta(0))
    monkeypatch.setattr(appearing, "GRACE_PAUSES", tuple(seconds / SPEED for seconds in appearing.GRACE_PAUSES))


@pytest.fixture(autouse=True)
def events_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold no event: these triggers run without a scheduler."""
    monkeypatch.setattr(first_event, "EARLIEST", 0.0)


@dataclass
class Service:
    """An emulator behind the default connection, in whose world five minutes are a second."""

    emulator: Emulator
    url: str
    monkeypatch: pytest.MonkeyPatch

    def connect(self, **changes: Any) -> None:
        """Store the connection, with some fields changed."""
        host, _, port = self.url.rpartition(":")
        fields: dict[str, Any] = {
            "conn_type": "tuya_ota",
            "host": host,
            "port": int(port),
            "login": self.emulator.key.access_key_id,
            "password": self.emulator.key.access_key_secret,
            "extra": {"requests_per_second": 1000},
        }
        self.monkeypatch.setenv(CONNECTION, json.dumps(fields | changes))

    @property
    def actions(self) -> list[str]:
        """What was asked, in order."""
        return [entry["action"] for entry in self.emulator.log]


@pytest.fixture(scope="session")
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer(Emulator(clock=Clock(speed=SPEED))) as server:
        yield server


@pytest.fixture
def service(server: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> Service:
    server.emulator.reset(Scenario(quotas=UNLIMITED))
    server.emulator.clock.gateway_offset = 0.0
    server.emulator.clock.freeze(frozen=False)
    service = Service(server.emulator, server.url, monkeypatch)
    service.connect()
    return service


@stands_in_for(RuntimeTaskInstance, own=("xcom",))
@dataclass
class FakeTask:
    """What an operator needs of its task instance."""

    xcom: dict[str, Any] = field(default_factory=dict)
    dag_id: str = "dag"
    task_id: str = "task"
    run_id: str = "run"
    state: str = "running"
    map_index: int = -1
    try_number: int = 1
    max_tries: int = 3

    def xcom_push(self, key: str, value: Any) -> None:
        # Airflow stores JSON, so what cannot become JSON fails here as it would there.
        self.xcom[key] = json.loads(json.dumps(value))

    def xcom_pull(self, task_ids: str, *, key: str, map_indexes: int) -> Any:
        assert (task_ids, map_indexes) == (self.task_id, self.map_index)
        return self.xcom.get(key)


@stands_in_for(TaskStateStoreAccessor, own=("values", "retentions"))
@dataclass
class FakeStore:
    """Airflow's task state store, as far as a task sees it."""

    values: dict[str, Any] = field(default_factory=dict)
    retentions: set[timedelta | None] = field(default_factory=set)

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    def set(self, key: str, value: Any, *, retention: timedelta | None = None) -> None:
        self.retentions.add(retention)
        self.values[key] = json.loads(json.dumps(value))

    def delete(self, key: str) -> None:
        self.values.pop(key, None)


@pytest.fixture
def airflow_api(service: Service, monkeypatch: pytest.MonkeyPatch) -> AirflowAPI:
    """Let the SDK ask a supervisor of this test's own."""
    api = AirflowAPI(service)
    api.connect()
    monkeypatch.delenv(CONNECTION)
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", api, raising=False)
    monkeypatch.setattr(supervisor, "ensure_secrets_backend_loaded", lambda: [ExecutionAPISecretsBackend()])
    monkeypatch.setattr(requests_to_airflow, "PAUSES", (0.0, 0.0, 0.0))
    return api


@pytest.fixture
def ti() -> FakeTask:
    return FakeTask()


@pytest.fixture
def context(ti: FakeTask) -> Any:
    return {"ti": ti}


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    path = tmp_path / "thermostat.bin"
    path.write_bytes(b"\x7fFW" * 1000)
    return path


@pytest.fixture(scope="session")
def migrated_database() -> None:
    from airflow.utils.db import initdb  # noqa: PLC0415 - takes seconds, which most tests need not wait for

    initdb()


@pytest.fixture
def airflow_database(migrated_database: None) -> None:
    """Airflow's database, without notes about the jobs of an emulator that was reset since."""
    from airflow.models.variable import Variable  # noqa: PLC0415 - takes seconds, which most tests need not wait for
    from airflow.utils.session import create_session  # noqa: PLC0415 - takes seconds, which most tests need not wait for
    from sqlalchemy import delete  # noqa: PLC0415 - takes seconds, which most tests need not wait for

    with create_session() as session:
        session.execute(delete(Variable).where(Variable.key.startswith(PREFIX)))
