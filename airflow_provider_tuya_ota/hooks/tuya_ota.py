"""The hook: it reads the AccessKey pair from an Airflow connection and opens clients."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import amask_secret, mask_secret

from airflow_provider_tuya_ota.core.errors import ConfigurationError, TuyaOTAError
from airflow_provider_tuya_ota.core.secret import without_frames
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.hooks.airflow_api import aread_connection, read_connection
from airflow_provider_tuya_ota.hooks.connection_id import DEFAULT_CONNECTION_ID, require_connection_id
from airflow_provider_tuya_ota.hooks.database import find_in_database
from airflow_provider_tuya_ota.hooks.held_alarm import alarm_held_back
from airflow_provider_tuya_ota.operations import AsyncOperations, Operations

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Connection

    from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient, TuyaOTAClient
    from airflow_provider_tuya_ota.core.actions import Action
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.wire.encoding import Value
    from airflow_provider_tuya_ota.core.wire.reply import Reply

Result = TypeVar("Result")


class TuyaOTAHook(BaseHook, Operations, AsyncOperations):
    """Sign and send requests of Tuya's OTA API with the AccessKey pair of an Airflow connection.

    Connection type ``tuya_ota``: host, port (8686 when empty), login = AccessKey ID, password = AccessKey secret;
    the extras are those of :class:`~airflow_provider_tuya_ota.core.settings.Settings`, any other is refused.
    Constructing a hook reads nothing. Each operation is a method (``hook.query_job(job_id=…)``) and, for event loops, a
    coroutine whose name begins with ``a``; each call opens a client and closes it, so take :meth:`get_conn` for many.

    :param tuya_ota_conn_id: id of the connection.
    """

    conn_name_attr = "tuya_ota_conn_id"
    default_conn_name = DEFAULT_CONNECTION_ID
    conn_type = "tuya_ota"
    hook_name = "Tuya OTA"

    def __init__(self, tuya_ota_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.tuya_ota_conn_id = tuya_ota_conn_id

    def get_settings(self) -> Settings:
        """Read the connection.

        :raises ConfigurationError: naming the field that is wrong and what is accepted.
        :raises StateUnavailableError: Airflow's API did not give the connection.
        """
        try:
            settings = self._read()
        except ConfigurationError as error:
            # The frames hold the connection, whose repr shows the password.
            raise without_frames(error) from None
        with alarm_held_back():
            mask_secret(settings.credentials.access_key_secret.reveal())
            mask_secret(settings.credentials.access_key_id.reveal())
        return settings

    async def aget_settings(self) -> Settings:
        """Read the connection in an event loop; see :meth:`get_settings`."""
        try:
            settings = await self._aread()
        except ConfigurationError as error:
            # As above.
            raise without_frames(error) from None
        await amask_secret(settings.credentials.access_key_secret.reveal())
        await amask_secret(settings.credentials.access_key_id.reveal())
        return settings

    def _read(self) -> Settings:
        conn_id = require_connection_id("tuya_ota_conn_id", self.tuya_ota_conn_id)
        try:
            connection = read_connection(conn_id, self.get_connection)
        except AirflowNotFoundException:
            connection = self._find_stored(conn_id)
        with alarm_held_back():
            # Airflow masks each secret in it with a request to the supervisor.
            extra = connection.extra_dejson
        return self._build(connection, extra)

    async def _aread(self) -> Settings:
        conn_id = require_connection_id("tuya_ota_conn_id", self.tuya_ota_conn_id)
        try:
            connection = await aread_connection(conn_id, self.aget_connection)
        except AirflowNotFoundException:
            connection = await asyncio.to_thread(self._find_stored, conn_id)
        return self._build(connection, await connection.aextra_dejson())

    def _find_stored(self, conn_id: str) -> Connection:
        try:
            return find_in_database(conn_id)
        except AirflowNotFoundException:
            raise ConfigurationError(
                f"Connection {short_repr(conn_id)} is not defined. Create one of type 'Tuya OTA' under Admin,"
                " Connections, or correct tuya_ota_conn_id."
            ) from None

    def _build(self, connection: Connection, extra: Mapping[str, Any]) -> Settings:
        from airflow_provider_tuya_ota.core.settings import Settings  # noqa: PLC0415 - operators import the hook

        try:
            require_json_object(connection.extra, extra)
            return Settings.from_connection_fields(
                host=connection.host,
                port=connection.port,
                schema=connection.schema,
                login=connection.login,
                password=connection.password,
                extra=extra,
            )
        except ConfigurationError as error:
            raise ConfigurationError(f"Connection {short_repr(self.tuya_ota_conn_id)}: {error}") from None

    def get_conn(self, log: Any = None) -> TuyaOTAClient:
        """Open a client; use it as a context manager, or close it.

        :param log: log for the client's events; the hook's own by default.
        """
        from airflow_provider_tuya_ota.client import LogListener, TuyaOTAClient  # noqa: PLC0415 - operators import the hook

        return TuyaOTAClient(self.get_settings(), listener=LogListener(log or self.log))

    async def aget_conn(self, log: Any = None) -> AsyncTuyaOTAClient:
        """Open a client inside a running event loop; see :meth:`get_conn`."""
        from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient, LogListener  # noqa: PLC0415 - operators import the hook

        return AsyncTuyaOTAClient(await self.aget_settings(), listener=LogListener(log or self.log))

    def do(self, action: Action[Result]) -> Result:
        """Carry out one operation; see :meth:`.TuyaOTAClient.do`."""
        with self.get_conn() as client:
            return client.do(action)

    async def ado(self, action: Action[Result]) -> Result:
        """Carry out one operation in an event loop; see :meth:`do`."""
        async with await self.aget_conn() as client:
            return await client.do(action)

    def call(self, action: str, params: Mapping[str, Value] | None = None) -> Reply:
        """Sign and send any operation.

        Known reads are repeated when an answer is lost; anything that may create is sent once.

        :param action: name on the wire, e.g. ``QueryOTAJob``.
        :param params: its own parameters by their names on the wire; lists become ``Name.1…N``. Nothing is checked.
        :returns: the answer; ``reply.fields["Data"]`` finds ``data`` and ``Data`` alike. It may hold presigned
            addresses or device secrets. XCom and pickles hold ``***`` in their place; values read by key are plain.
        :raises TuyaOTAError: see :mod:`airflow_provider_tuya_ota.core.errors`.
        """
        with self.get_conn() as client:
            return client.call(action, params)

    async def acall(self, action: str, params: Mapping[str, Value] | None = None) -> Reply:
        """Sign and send any operation in an event loop; see :meth:`call`."""
        async with await self.aget_conn() as client:
            return await client.call(action, params)

    def test_connection(self) -> tuple[bool, str]:
        """Read one firmware of the account, once.

        :returns: whether it worked, and the request id or what to do.
        """
        from airflow_provider_tuya_ota.core.flows.lists import get_any_firmware  # noqa: PLC0415 - operators import the hook

        try:
            with self.get_conn() as client:
                reply = client.run(get_any_firmware(client.settings))
        except TuyaOTAError as error:
            return False, str(error)
        return True, f"The OTA API answered; request id {reply.request_id}."


def require_json_object(text: str | None, parsed: object) -> None:
    """Refuse an extra that is no JSON object: Airflow reads it as an empty one, and every setting in it would be lost.

    :param text: the extra as stored.
    :param parsed: what Airflow made of it.
    """
    if not isinstance(parsed, dict) or (not parsed and (text or "").strip() not in {"", "{}", "null"}):
        raise ConfigurationError("Extra is not a JSON object.")
