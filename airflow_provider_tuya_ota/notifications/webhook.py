"""A notifier that sends the release report as JSON to a webhook."""

from __future__ import annotations

import asyncio
import json
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.sdk import BaseNotifier
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import amask_secret, mask_secret

from airflow_provider_tuya_ota.core.errors import ConfigurationError, Delivery, TransportError
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.hooks.connection_id import require_connection_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Connection, Context

    from airflow_provider_tuya_ota.core.status.report import ReleaseReport

TIMEOUT = 10.0
"""Seconds; a slower receiver must not delay a release."""
_TYPES = frozenset({"http", "https"})
"""Types of a webhook's connection. The password of any other belongs to something else."""
GRACE = 1.0
"""Seconds for the end of a request whose time is over."""


class TuyaOTAWebhookNotifier(BaseNotifier):
    """Send one POST with ``{"text": …, "ota_release": …, "dag_id": …, "task_id": …, "run_id": …}`` to a webhook.

    ``ota_release`` is the release report, see :class:`~airflow_provider_tuya_ota.core.status.report.ReleaseReport`.

    An address is often a secret, so it comes from an Airflow connection of type HTTP: *Host* is the whole address (or
    scheme, host and port are in their fields), *Password* a bearer token where the receiver wants one. Airflow stores
    *Host* as plain text; a path that is a secret belongs in *Extra*, which it encrypts: ``{"path": "/services/…"}``.
    Redirects are not followed.

    :param webhook_conn_id: id of that connection.
    :param text: text of the message, sent as one line of at most 1,000 characters; by default the text of
        ``ota_release``, or the state of the task where there is no report, as in callbacks of a task. In a callback of
        a Dag it is the run's state and reason, and what the step that Airflow names has reported, where that fits.
    :raises TransportError: the receiver did not accept it within ten seconds; operators of this package log that and go
        on.
    """

    template_fields: Sequence[str] = ("webhook_conn_id", "text")

    def __init__(self, *, webhook_conn_id: str, text: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.webhook_conn_id = webhook_conn_id
        self.text = text

    def require_ready(self) -> None:
        """Check that the connection exists and has a safe address; nothing is sent to it.

        An id that is a template, or the output of a task, is not checked, because its value is known only at the end.

        :raises ConfigurationError: the id is empty or no text, there is no such connection, or its
            address is missing or not safe.
        """
        conn_id: Any = self.webhook_conn_id
        is_template = "{" in conn_id if isinstance(conn_id, str) else hasattr(conn_id, "resolve")
        if not is_template:
            require_webhook(conn_id)

    def notify(self, context: Context) -> None:
        """Send the message from a worker, or from the process that calls a Dag's callbacks."""
        from airflow_provider_tuya_ota.notifications.callback_text import report_of_run  # noqa: PLC0415 - Dag files import the notifier

        of_run = report_of_run(context) if context.get("ota_release") is None else None
        self._send(_connection(self.webhook_conn_id), self._payload(context, of_run))

    async def async_notify(self, context: Context) -> None:
        """Send the message from an event loop, as Airflow's deadline alerts do."""
        from airflow.sdk import BaseHook  # noqa: PLC0415 - Dag files import the notifier

        from airflow_provider_tuya_ota.hooks.airflow_api import aread_connection  # noqa: PLC0415 - Dag files import the notifier

        try:
            connection = await aread_connection(_connection_id(self.webhook_conn_id), BaseHook.aget_connection)
        except AirflowNotFoundException:
            raise _unknown(self.webhook_conn_id) from None
        await self._asend(connection, self._payload(context))

    def _payload(self, context: Context, of_run: ReleaseReport | None = None) -> bytes:
        """Build the message.

        :param of_run: what the step of a run has reported, where the notifier is a callback of the Dag.
        """
        values: dict[str, Any] = dict(context)
        from airflow_provider_tuya_ota.core.status.report import LONGEST_TEXT  # noqa: PLC0415 - Dag files import the notifier
        from airflow_provider_tuya_ota.core.texts import bounded_line  # noqa: PLC0415 - Dag files import the notifier
        from airflow_provider_tuya_ota.notifications.callback_text import describe_state, name_of  # noqa: PLC0415 - Dag files import the notifier

        release = values.get("ota_release") or {}
        ti = values.get("ti")
        said = release.get("text") or describe_state(values)
        if of_run is not None:
            release, said = of_run.to_dict(), f"{said}. {of_run.text}"
        message = {
            "text": bounded_line(self.text or said, LONGEST_TEXT),
            "ota_release": release or None,
            "dag_id": name_of(values, "dag_id"),
            "task_id": getattr(ti, "task_id", None),
            "run_id": name_of(values, "run_id"),
        }
        return json.dumps(message, ensure_ascii=False).encode(errors="replace")

    def _send(self, connection: Connection, payload: bytes) -> None:
        from airflow_provider_tuya_ota.hooks.held_alarm import alarm_held_back  # noqa: PLC0415 - Dag files import the notifier

        url = webhook_url(connection, self.webhook_conn_id)
        with alarm_held_back():
            for secret in _parts(url):
                mask_secret(secret.reveal())
        # In a thread, because the caller may run an event loop, and because a name server that does not answer can hold
        # one for longer than any timeout.
        reasons: SimpleQueue[str] = SimpleQueue()
        post = _post(url, payload, _token(connection))
        Thread(target=lambda: reasons.put(asyncio.run(post)), name="tuya-ota-webhook", daemon=True).start()
        try:
            reason = reasons.get(timeout=TIMEOUT + GRACE)
        except Empty:
            reason = "TimeoutError"
        self._require_delivered(reason)

    async def _asend(self, connection: Connection, payload: bytes) -> None:
        url = webhook_url(connection, self.webhook_conn_id)
        for secret in _parts(url):
            await amask_secret(secret.reveal())
        self._require_delivered(await _post(url, payload, _token(connection)))

    def _require_delivered(self, reason: str) -> None:
        if reason:
            # Raised outside the handlers: the texts of the caught errors contain the address.
            raise TransportError(
                reason, endpoint=f"webhook of connection {short_repr(self.webhook_conn_id)}", delivery=Delivery.UNKNOWN
            )


def _parts(url: Secret) -> list[Secret]:
    """Keep an address out of urllib3's log lines, and give the texts that other logs must mask."""
    from airflow_provider_tuya_ota.transports.log_filter import hide_address  # noqa: PLC0415 - Dag files import the notifier

    return [Secret(text) for text in hide_address(url.reveal())]


async def _post(url: Secret, payload: bytes, token: Secret | None) -> str:
    """Send a message within ten seconds, whatever the receiver does; its answer is not read.

    :returns: why the receiver did not accept it; empty where it did.
    """
    import aiohttp  # noqa: PLC0415 - not needed while a Dag is parsed

    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as session,
            session.post(url.reveal(), data=payload, headers=_headers(token), allow_redirects=False) as answer,
        ):
            return _refusal(answer.status)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return type(error).__name__


def _token(connection: Connection) -> Secret | None:
    return Secret(connection.password) if connection.password else None


def _headers(token: Secret | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    return headers if token is None else headers | {"Authorization": f"Bearer {token.reveal()}"}


def _refusal(status: int) -> str:
    return "" if 200 <= status < 300 else f"HTTP {status}"  # noqa: PLR2004 - HTTP's success


def require_webhook(conn_id: str) -> None:
    """Check that a webhook's connection exists and has a safe address; nothing is sent to it.

    For the first step of a release: a wrong id is refused before anything is uploaded or created.

    :raises ConfigurationError: the id is blank, there is no such connection, or its address is missing or not safe.
    """
    webhook_url(_connection(conn_id), conn_id)


def _connection_id(conn_id: str) -> str:
    return require_connection_id("webhook_conn_id", conn_id)


def _connection(conn_id: str) -> Connection:
    from airflow.sdk import BaseHook  # noqa: PLC0415 - Dag files import the notifier

    from airflow_provider_tuya_ota.hooks.airflow_api import read_connection  # noqa: PLC0415 - Dag files import the notifier

    try:
        return read_connection(_connection_id(conn_id), BaseHook.get_connection)
    except AirflowNotFoundException:
        raise _unknown(conn_id) from None


def _unknown(conn_id: str) -> ConfigurationError:
    return ConfigurationError(
        f"Webhook connection {short_repr(conn_id)} is not defined. Create one of type HTTP under Admin, Connections, or"
        " correct the id."
    )


def _secret_path(connection: Connection, conn_id: str) -> str:
    """Read ``path`` in *Extra*, which Airflow encrypts as it does the password; *Host* it stores as plain text.

    :raises ConfigurationError: Extra cannot be read, or the path is none; neither is repeated.
    """
    try:
        extra = json.loads(connection.extra or "{}")
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        raise ConfigurationError(f"Connection {short_repr(conn_id)}: Extra is no JSON object.")
    if misspelt := [name for name in extra if name.lower() == "path" != name]:
        raise ConfigurationError(
            f"Connection {short_repr(conn_id)}: Extra has {short_repr(misspelt[0])}. Write it in small letters: path."
        )
    path = extra.get("path", "")
    if path and not (isinstance(path, str) and path.startswith("/") and path.isprintable() and " " not in path):
        raise ConfigurationError(
            f"Connection {short_repr(conn_id)}: path in Extra is no path. It begins with a slash and contains no blank."
        )
    return path or ""


def _require_token(connection: Connection, conn_id: str) -> None:
    if not (connection.password or "").isprintable() or " " in (connection.password or ""):
        raise ConfigurationError(
            f"Connection {short_repr(conn_id)}: Password contains a blank or a line break, which no token has."
        )


def webhook_url(connection: Connection, conn_id: str) -> Secret:
    """Build the address from the fields of a connection.

    :raises ConfigurationError: there is none, it has two paths, it is plain http to another machine, or the connection
        is of another type than HTTP.
    """
    if (connection.conn_type or "http").lower() not in _TYPES:
        raise ConfigurationError(
            f"Connection {short_repr(conn_id)} is of type {short_repr(connection.conn_type)}, and a webhook's is HTTP."
            " Its password would be sent to the webhook, so nothing was sent."
        )
    host = (connection.host or "").strip()
    if not host:
        raise ConfigurationError(f"Connection {short_repr(conn_id)}: Host is empty: enter the webhook's address.")
    url = host if "://" in host else f"{connection.schema or 'https'}://{host}"
    path = _secret_path(connection, conn_id)
    try:
        parts = urlsplit(url)
        if connection.port and parts.port is None:
            parts = parts._replace(netloc=f"{parts.netloc}:{connection.port}")
            url = parts.geturl()
        if path:
            is_origin = parts.path in {"", "/"} and not parts.query and not parts.fragment
            url = f"{parts.scheme}://{parts.netloc}{path}" if is_origin else ""
        is_address = bool((parts.hostname or "").encode("idna")) and parts.port != 0
    except ValueError:
        is_address = False
    if not url:
        raise ConfigurationError(
            f"Connection {short_repr(conn_id)}: Host and Extra both contain a path. Enter it in one of them."
        )
    if not is_address:
        # The text is not repeated, because it may be the secret.
        raise ConfigurationError(f"Connection {short_repr(conn_id)}: Host cannot be read as an address.")
    if parts.username is not None:
        raise ConfigurationError(
            f"Connection {short_repr(conn_id)}: Host contains a user. Enter the address alone, and a bearer token in"
            " Password."
        )
    _require_token(connection, conn_id)
    from airflow_provider_tuya_ota.core.settings import require_safe_scheme  # noqa: PLC0415 - Dag files import the notifier

    require_safe_scheme(
        parts.scheme, parts.hostname or "", allow_http=False, what=f"Connection {short_repr(conn_id)}: webhook"
    )
    return Secret(url)
