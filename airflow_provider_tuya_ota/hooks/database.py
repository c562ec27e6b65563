"""Connections from Airflow's database, for processes that run no task: a script, the command line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowNotFoundException

from airflow_provider_tuya_ota.hooks.airflow_api import has_supervisor

if TYPE_CHECKING:
    from airflow.sdk import Connection


def find_in_database(conn_id: str) -> Connection:
    """Read a connection as ``airflow connections test`` does, in a process without a supervisor.

    Tasks, triggers and Airflow's own processes are refused: for them the SDK asks the supervisor or the database
    itself.

    :param conn_id: id of the connection.
    :raises AirflowNotFoundException: it does not exist, or this process is one of those.
    """
    if "_AIRFLOW_PROCESS_CONTEXT" in os.environ or has_supervisor():
        raise AirflowNotFoundException(conn_id)
    from airflow.models.connection import Connection as Stored  # noqa: PLC0415 - it loads the database's models, which tasks do not need
    from airflow.sdk import Connection  # noqa: PLC0415 - a Dag parse needs no connection

    stored = Stored.get_connection_from_secrets(conn_id)
    return Connection(
        conn_id=conn_id,
        conn_type=stored.conn_type,
        host=stored.host,
        schema=stored.schema,
        login=stored.login,
        password=stored.password,
        port=stored.port,
        extra=stored.extra,
    )
