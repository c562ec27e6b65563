"""Connections from Airflow's database, in processes that run no task."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import AirflowNotFoundException
from cryptography.fernet import Fernet
from sqlalchemy import delete

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.hooks.database import find_in_database
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from tests.provider.conftest import CONNECTION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.provider.conftest import Service

pytestmark = pytest.mark.airflow
STORED = "stored_in_the_database"
SCRIPT = f"""
import asyncio
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook

hook = TuyaOTAHook({STORED!r})
blocking = hook.query_product_list(current_page=1, page_size=1)
in_loop = asyncio.run(hook.aquery_product_list(current_page=1, page_size=1))
print(blocking.total, in_loop.total)
"""


STORE = f"""
import json, os
from airflow.models import Connection
from airflow.utils.session import create_session
from sqlalchemy import delete

fields = json.loads(os.environ[{CONNECTION!r}])
with create_session() as session:
    # The database of this process may be another one than that of the test, which deletes only there.
    session.execute(delete(Connection).where(Connection.conn_id == {STORED!r}))
    session.add(Connection(conn_id={STORED!r}, **fields | {{"extra": json.dumps(fields["extra"])}}))
"""


@pytest.fixture
def stored(service: Service, airflow_database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from airflow.models.connection import Connection  # noqa: PLC0415 - reads the configuration of the test's Airflow
    from airflow.utils.session import create_session  # noqa: PLC0415 - reads the configuration of the test's Airflow

    # Without a key in the environment every process of the unit-test mode makes one of its own.
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", Fernet.generate_key().decode())
    run("-c", STORE).check_returncode()
    monkeypatch.delenv(CONNECTION)
    yield
    with create_session() as session:
        session.execute(delete(Connection).where(Connection.conn_id == STORED))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.usefixtures("stored")
def test_a_plain_script_finds_them_blocking_and_in_an_event_loop() -> None:
    done = run("-c", SCRIPT)

    assert done.stdout.split()[-2:] == ["1", "1"], done.stderr


@pytest.mark.usefixtures("stored")
def test_the_command_line_finds_them() -> None:
    call = "import sys; from airflow_provider_tuya_ota.cli import main; sys.exit(main(sys.argv[1:]))"

    done = run("-c", call, "call", "QueryProductList", "CurrentPage=1", "PageSize=1", "--conn-id", STORED)

    assert done.returncode == 0, done.stderr
    assert '"success": true' in done.stdout


@pytest.mark.usefixtures("stored")
def test_tasks_triggers_and_airflows_own_processes_never_open_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    import airflow.sdk.execution_time.task_runner as runner  # noqa: PLC0415 - reads the configuration of the test's Airflow

    for context in ("client", "server"):
        monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", context)
        with pytest.raises(AirflowNotFoundException):
            find_in_database(STORED)
    monkeypatch.delenv("_AIRFLOW_PROCESS_CONTEXT")
    monkeypatch.setattr(runner, "SUPERVISOR_COMMS", object(), raising=False)
    with pytest.raises(AirflowNotFoundException):
        find_in_database(STORED)


@pytest.mark.usefixtures("airflow_database")
def test_what_is_in_no_place_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import airflow.sdk.execution_time.task_runner as runner  # noqa: PLC0415 - reads the configuration of the test's Airflow

    monkeypatch.delattr(runner, "SUPERVISOR_COMMS", raising=False)

    with pytest.raises(ConfigurationError, match=r"'nowhere' is not defined\. Create one of type 'Tuya OTA'"):
        TuyaOTAHook("nowhere").get_settings()
    with pytest.raises(ConfigurationError, match="'nowhere' is not defined"):
        asyncio.run(TuyaOTAHook("nowhere").aget_settings())
