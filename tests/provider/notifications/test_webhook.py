from __future__ import annotations

import asyncio
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError, InvalidParameterError, TransportError
from airflow_provider_tuya_ota.notifications import webhook
from airflow_provider_tuya_ota.notifications.webhook import TuyaOTAWebhookNotifier, require_webhook
from tests.transports.conftest import recording
from tests.transports.servers import flood, hang, serving, trickle

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from tests.transports.servers import Behaviour, Received

SECRET_PATH = "/services/T0000/B0000/canary-webhook-path"
RELEASE = {"text": "OTA job 1 succeeded", "job_id": "1"}


class Receiver(ThreadingHTTPServer):
    """A webhook that remembers what it was sent."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[tuple[str, dict[str, str], Any]] = []


class Handler(BaseHTTPRequestHandler):
    """Take a message."""

    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(self.server.status)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's signature
        pass


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        connect(monkeypatch, host=f"http://127.0.0.1:{server.server_port}{SECRET_PATH}", password="token-1")
        yield server
        server.shutdown()
        thread.join()


def connect(monkeypatch: pytest.MonkeyPatch, **fields: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_HOOK", json.dumps({"conn_type": "http", **fields}))


def send(mode: str, context: Any, **arguments: Any) -> None:
    notifier = TuyaOTAWebhookNotifier(**{"webhook_conn_id": "hook", **arguments})
    if mode == "sync":
        notifier(context)
    else:
        asyncio.run(notifier.async_notify(context))


MODES = pytest.mark.parametrize("mode", ["sync", "async"])


@MODES
def test_the_release_is_posted_with_the_token(receiver: Receiver, context: Any, mode: str) -> None:
    send(mode, {**context, "ota_release": RELEASE})

    ((path, headers, body),) = receiver.received
    assert path == SECRET_PATH
    assert headers["authorization"] == "Bearer token-1"
    assert (body["text"], body["ota_release"], body["dag_id"]) == ("OTA job 1 succeeded", RELEASE, "dag")


def test_a_text_may_be_a_template(receiver: Receiver, context: Any) -> None:
    send("sync", {**context, "ota_release": RELEASE}, text="job {{ ota_release.job_id }} is through")

    assert receiver.received[0][2]["text"] == "job 1 is through"


@MODES
def test_without_a_release_the_tasks_state_is_reported(receiver: Receiver, context: Any, mode: str) -> None:
    send(mode, context)

    assert receiver.received[0][2]["text"] == "Task task of Dag dag: running"


@MODES
@pytest.mark.parametrize("status", [302, 403, 500])
def test_a_refusal_is_an_error_without_the_address(receiver: Receiver, context: Any, mode: str, status: int) -> None:
    receiver.status = status

    with pytest.raises(TransportError, match=f"webhook of connection 'hook'.*HTTP {status}") as caught:
        send(mode, context)

    assert "canary-webhook-path" not in f"{caught.value!r} {caught.value.__context__!r} {caught.value.__cause__!r}"
    assert len(receiver.received) == 1


@MODES
@pytest.mark.parametrize(
    "address",
    [
        "/hook?token=canary-token-1",
        "/canary-path-2/x?token=canary-token-2#canary-3",
        "?canary-token-4",
        "/\u00fc canary-5?q=a b&t=%20canary-6",
    ],
)
def test_no_part_of_the_address_is_logged_at_any_level(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, context: Any, mode: str, address: str
) -> None:
    connect(monkeypatch, host=f"http://127.0.0.1:{receiver.server_port}{address}")

    with recording() as log:
        send(mode, context)
        receiver.status = 500
        with pytest.raises(TransportError):
            send(mode, context)

    assert len(receiver.received) == 2
    assert log.lines
    assert "canary" not in "\n".join(log.lines)


def drip(connection: socket.socket, _: Received) -> bool:
    """Answer the head a byte at a time, without end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def interim(connection: socket.socket, _: Received) -> bool:
    """Go on saying that the answer will follow."""
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)


@MODES
@pytest.mark.parametrize("behaviour", [trickle, flood], ids=lambda behaviour: behaviour.__name__)
def test_what_a_receiver_says_beyond_its_status_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, context: Any, mode: str, behaviour: Behaviour
) -> None:
    with serving(behaviour) as server:
        connect(monkeypatch, host=server.url)

        send(mode, context)

    assert len(server.received) == 1


@MODES
@pytest.mark.parametrize("behaviour", [hang, drip, interim], ids=lambda behaviour: behaviour.__name__)
def test_a_receiver_that_goes_on_and_on_holds_no_release_up(
    monkeypatch: pytest.MonkeyPatch, context: Any, mode: str, behaviour: Behaviour
) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT", 0.3)
    with serving(behaviour) as server:
        connect(monkeypatch, host=server.url)

        with pytest.raises(TransportError, match="webhook of connection 'hook'"):
            send(mode, context)


def test_a_name_server_that_does_not_answer_holds_no_release_up(monkeypatch: pytest.MonkeyPatch, context: Any) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT", 0.2)
    monkeypatch.setattr(webhook, "GRACE", 0.1)
    connect(monkeypatch, host="https://hooks.example.test/x")
    is_over = Event()

    def getaddrinfo(*_: Any, **__: Any) -> Any:
        is_over.wait(60)
        raise OSError

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    try:
        with pytest.raises(TransportError, match="TimeoutError"):
            send("sync", context)
        assert not is_over.is_set()
    finally:
        is_over.set()


@MODES
def test_a_connection_that_is_not_there_is_wrong_input(context: Any, mode: str) -> None:
    with pytest.raises(ConfigurationError, match="Webhook connection 'hook' is not defined"):
        send(mode, context)


@MODES
@pytest.mark.parametrize("blank", ["", " ", "None", " hook", "a\ud800"])
def test_an_id_that_is_none_is_refused_by_its_name(context: Any, mode: str, blank: str) -> None:
    with pytest.raises(InvalidParameterError, match=r"^webhook_conn_id: .*Allowed: the id of an Airflow connection"):
        send(mode, context, webhook_conn_id=blank)
    with pytest.raises(InvalidParameterError, match=r"^webhook_conn_id: "):
        require_webhook(blank)


def test_a_webhook_is_found_wanting_before_anything_is_sent(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_webhook("hook")
    with pytest.raises(ConfigurationError, match="Webhook connection 'typo' is not defined"):
        require_webhook("typo")
    connect(monkeypatch, host="http://hooks.example.com/x")
    with pytest.raises(ConfigurationError, match="plain http"):
        require_webhook("hook")

    assert receiver.received == []


@MODES
def test_a_text_is_sent_as_one_bounded_line(receiver: Receiver, context: Any, mode: str) -> None:
    hostile = "one\ntwo\x1b[31m\ud800" + "x" * 5000

    send(mode, {**context, "ota_release": {"text": hostile, "error": hostile}})

    text = receiver.received[0][2]["text"]
    assert text.startswith("one two\ufffd[31m\ufffdx")
    assert (len(text), text.isprintable()) == (1000, True)


@MODES
def test_a_receiver_that_is_down_is_an_error_without_the_address(
    monkeypatch: pytest.MonkeyPatch, context: Any, mode: str
) -> None:
    connect(monkeypatch, host=f"http://127.0.0.1:1{SECRET_PATH}")

    with pytest.raises(TransportError) as caught:
        send(mode, context)

    assert "canary-webhook-path" not in f"{caught.value} {caught.value.__context__!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"host": ""}, "Host is empty"),
        ({"host": "http://hooks.example.com/canary"}, "plain http"),
        ({"host": "https://[canary/x"}, "Host cannot be read"),
        ({"host": "https://hooks.example.com:canary/x"}, "Host cannot be read"),
    ],
)
def test_an_unsafe_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, context: Any, fields: dict[str, Any], said: str
) -> None:
    connect(monkeypatch, **fields)

    with pytest.raises(ConfigurationError, match=said) as caught:
        send("sync", context)
    assert "canary" not in f"{caught.value} {caught.value.__cause__}"


def test_scheme_host_and_port_may_stand_in_their_fields(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, context: Any
) -> None:
    connect(monkeypatch, host="127.0.0.1/a/b", port=receiver.server_port, schema="http")

    send("sync", context)

    assert receiver.received[0][0] == "/a/b"


@pytest.mark.parametrize(
    "host",
    [
        "https://",
        "https:///x",
        "https://a..example/x",
        f"https://{'a' * 64}.example/x",
        "https://a.example:99999",
        "http://[",
    ],
)
def test_an_address_that_is_none_is_refused_in_a_release_s_first_step(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    connect(monkeypatch, host=host)

    with pytest.raises(ConfigurationError, match="Connection 'hook': Host"):
        require_webhook("hook")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"host": "https://user:pw@a.example/x"}, "Host contains a user"),
        ({"host": "https://a.example", "password": "t\r\nX: y"}, "Password"),
        ({"host": "https://a.example", "password": "two words"}, "Password"),
        ({"host": "a.example", "port": 99999}, "Host"),
    ],
)
def test_a_user_in_the_address_and_a_token_that_is_none_are_refused(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], field: str
) -> None:
    connect(monkeypatch, **fields)

    with pytest.raises(ConfigurationError, match=field) as failure:
        require_webhook("hook")
    assert "pw" not in str(failure.value)


@MODES
@pytest.mark.parametrize("conn_type", ["tuya_ota", "aws", "Postgres"])
def test_the_password_of_another_kind_of_connection_is_sent_nowhere(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, context: Any, mode: str, conn_type: str
) -> None:
    connect(monkeypatch, conn_type=conn_type, host=f"http://127.0.0.1:{receiver.server_port}", password="canary-secret")

    with pytest.raises(ConfigurationError, match="a webhook's is HTTP") as caught:
        send(mode, context)

    assert receiver.received == []
    assert "canary" not in str(caught.value)


@MODES
def test_a_password_of_the_worker_s_own_files_is_not_handed_out(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, context: Any, mode: str, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login worker password canary-of-netrc\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    send(mode, context)

    assert receiver.received[0][1]["authorization"] == "Bearer token-1"
