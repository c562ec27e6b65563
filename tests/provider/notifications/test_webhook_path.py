"""The path of a webhook's address, where it stands in the connection's *Extra*."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.notifications.webhook import require_webhook
from tests.provider.notifications.test_webhook import MODES, Receiver, connect, receiver, send
from tests.transports.conftest import recording

__all__ = ["receiver"]


@MODES
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_secret_path_may_stand_in_extra_and_is_not_logged(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, context: Any, mode: str, slash: str
) -> None:
    path = "/services/canary-1?token=canary-2"
    connect(monkeypatch, host=f"http://127.0.0.1:{receiver.server_port}{slash}", extra={"path": path})

    with recording() as log:
        send(mode, context)

    assert receiver.received[0][0] == path
    assert "canary" not in "\n".join(log.lines)


@pytest.mark.parametrize("host", ["127.0.0.1", "http://127.0.0.1"])
def test_a_secret_path_goes_with_a_port_of_its_own(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, context: Any, host: str
) -> None:
    connect(monkeypatch, host=host, port=receiver.server_port, schema="http", extra={"path": "/canary", "other": 1})

    send("sync", context)

    assert receiver.received[0][0] == "/canary"


@pytest.mark.parametrize(
    ("host", "extra", "said"),
    [
        ("https://a.example", "[1]", "Extra is no JSON object"),
        ("https://a.example", "canary", "Extra is no JSON object"),
        ("https://a.example", '{"path": "canary"}', "path in Extra is no path"),
        ("https://a.example", '{"path": "/canary x"}', "path in Extra is no path"),
        ("https://a.example", '{"path": "/canary\\n"}', "path in Extra is no path"),
        ("https://a.example", '{"path": 5}', "path in Extra is no path"),
        ("https://a.example", '{"Path": "/canary"}', "Extra has 'Path'. Write it in small letters"),
        ("https://a.example/x", '{"path": "/canary"}', "Host and Extra both contain a path"),
        ("https://a.example?x=1", '{"path": "/canary"}', "Host and Extra both contain a path"),
        ("https://a.example#x", '{"path": "/canary"}', "Host and Extra both contain a path"),
        ("https://user:pw@a.example", '{"path": "/canary"}', "Host contains a user"),
        ("http://a.example", '{"path": "/canary"}', "plain http"),
        ("https://", '{"path": "/canary"}', "Host cannot be read"),
    ],
)
def test_a_path_in_extra_that_is_none_or_the_second_is_refused(
    monkeypatch: pytest.MonkeyPatch, host: str, extra: str, said: str
) -> None:
    connect(monkeypatch, host=host, extra=extra)

    with pytest.raises(ConfigurationError, match=said) as failure:
        require_webhook("hook")
    assert "canary" not in f"{failure.value!r} {failure.value.__context__!r}"
