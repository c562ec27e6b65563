from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import (
    AuthenticationError,
    ConfigurationError,
    NotFoundError,
    ProtocolError,
    TransportError,
    TuyaOTAError,
    UnavailableError,
)
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from tests.core.frames import shown_of

if TYPE_CHECKING:
    from tests.provider.conftest import Service

SECRET = "canary-secret-0a1b2c3d4e"
KEY_ID = "canary-key-id-5f6a7b8c"
ERRORS: dict[str, type[TuyaOTAError]] = {
    "": AuthenticationError,
    "drop_before": TransportError,
    "garbage": ProtocolError,
    "status": UnavailableError,
    "redirect": ProtocolError,
}
"""What comes of a call whose key is not known, by what happens to its request."""


def test_any_operation_is_signed_and_sent(service: Service) -> None:
    reply = TuyaOTAHook().call("ListOTAFirmware", {"CurrentPage": 1, "PageSize": 10})

    assert reply.fields["total"] == reply.fields["Total"] == 0
    assert service.actions == ["ListOTAFirmware"]


async def test_an_event_loop_gets_the_same_answer(service: Service) -> None:
    reply = await TuyaOTAHook().acall("ListOTAFirmware", {"CurrentPage": 1, "PageSize": 10})

    assert reply.fields["Total"] == 0
    assert service.actions == ["ListOTAFirmware"]


def test_lists_and_switches_take_their_form_on_the_wire(service: Service) -> None:
    with pytest.raises(NotFoundError):
        TuyaOTAHook().call(
            "CreateOTAVerifyJob",
            {"FirmwareId": "9", "ProductKey": "k1demoproduct", "TargetDeviceName": ["a", "b"], "NeedPush": False},
        )

    (entry,) = service.emulator.log
    assert {"TargetDeviceName.1": "a", "TargetDeviceName.2": "b", "NeedPush": "false"}.items() <= entry[
        "parameters"
    ].items()


@pytest.mark.usefixtures("service")
def test_both_modes_raise_the_same_error() -> None:
    with pytest.raises(NotFoundError) as blocking:
        TuyaOTAHook().call("QueryOTAJob", {"JobId": "1"})
    with pytest.raises(NotFoundError) as asynchronous:
        asyncio.run(TuyaOTAHook().acall("QueryOTAJob", {"JobId": "1"}))

    assert blocking.value.code == asynchronous.value.code == "iot.firmware.InvalidOTAJobId"


def test_a_connection_test_answers_with_the_request_id(service: Service) -> None:
    worked, text = TuyaOTAHook().test_connection()

    assert worked
    assert service.emulator.log[0]["request_id"] in text
    assert len(service.emulator.log) == 1


def test_a_wrong_secret_is_named_with_the_masked_key_id(service: Service) -> None:
    service.connect(password="wrong-secret")

    worked, text = TuyaOTAHook().test_connection()

    assert not worked
    assert "AccessKey secret is wrong" in text
    assert "demo***" in text
    assert "demo-access-key-id" not in text
    assert "wrong-secret" not in text


@pytest.mark.parametrize(("offset", "direction"), [(3600.0, "behind"), (-3600.0, "ahead of")])
def test_clock_skew_is_reported_in_seconds(service: Service, offset: float, direction: str) -> None:
    service.emulator.clock.gateway_offset = offset

    with pytest.raises(AuthenticationError) as caught:
        TuyaOTAHook().call("ListOTAFirmware", {"CurrentPage": 1, "PageSize": 1})

    assert any(f"clock is {seconds} s {direction}" in str(caught.value) for seconds in range(3598, 3603))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"host": ""}, "API host is empty"),
        ({"login": ""}, "AccessKey ID (login) is empty"),
        ({"password": ""}, "AccessKey secret (password) is empty"),
        ({"host": "http://si-1.tuyacloud.com"}, "plain http"),
        ({"host": "https://si-1.tuyacloud.com/api"}, "no path"),
        ({"extra": {"verify_tsl": False}}, "Unknown connection extra 'verify_tsl'. Known: verify_tls"),
        ({"extra": {"read_timeout": 0}}, "read_timeout: 0 is not allowed. Allowed: 0.1 to 600"),
        ({"extra": "{not json"}, "Extra is not a JSON object"),
    ],
)
def test_a_wrong_connection_names_field_and_remedy_before_anything_is_sent(
    service: Service, changes: dict[str, Any], said: str
) -> None:
    service.connect(**changes)

    with pytest.raises(ConfigurationError) as caught:
        TuyaOTAHook().get_settings()

    assert said in str(caught.value)
    assert "'tuya_ota_default'" in str(caught.value)
    assert service.actions == []


def test_a_missing_connection_is_named_with_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match=r"'nowhere' is not defined\. Create one of type 'Tuya OTA'"):
        TuyaOTAHook("nowhere").get_settings()
    with pytest.raises(ConfigurationError, match="'nowhere' is not defined"):
        asyncio.run(TuyaOTAHook("nowhere").aget_settings())


def test_a_redirect_is_not_followed_and_explained(service: Service) -> None:
    service.emulator.faults.add({"action": "*", "kind": "redirect"})

    with pytest.raises(ProtocolError, match="8686 is the API, 3443 the console"):
        TuyaOTAHook().call("ListOTAFirmware", {"CurrentPage": 1, "PageSize": 1})


def test_nothing_secret_is_logged_or_raised_at_any_level(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    records: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(f"{record.name} {record.getMessage()} {record.exc_text}")

    collector = Collect(level=0)
    root = logging.getLogger()
    root.addHandler(collector)
    monkeypatch.setattr(root, "level", 0)
    logging.getLogger("urllib3").setLevel(logging.DEBUG)
    service.connect(login=KEY_ID, password=SECRET)
    errors: list[str] = []
    try:
        for kind, error in ERRORS.items():
            service.emulator.faults.list.clear()
            if kind:
                service.emulator.faults.add({"action": "*", "kind": kind})
            with pytest.raises(error) as caught:
                TuyaOTAHook().call("CreateOTAFirmware", {"DestVersion": "1"})
            errors.append(f"{caught.value!r} {caught.value} {caught.value.__cause__!r} {caught.value.__context__!r}")
    finally:
        root.removeHandler(collector)
        logging.getLogger("urllib3").setLevel(logging.NOTSET)

    text = "\n".join(records + errors)
    assert "urllib3.connectionpool" in text
    assert len(errors) == 5
    for hidden in (SECRET, KEY_ID, "Signature="):
        assert hidden not in text


def test_a_connection_that_is_refused_shows_no_password_in_any_frame(service: Service) -> None:
    service.connect(password=SECRET, extra={"no_such_extra": True})

    for read in (TuyaOTAHook().get_settings, lambda: asyncio.run(TuyaOTAHook().aget_settings())):
        with pytest.raises(ConfigurationError, match="no_such_extra") as caught:
            read()
        assert [text for text in shown_of(caught.value) if SECRET in text] == []
