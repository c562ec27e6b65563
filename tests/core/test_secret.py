"""Whatever prints, copies or stores an object that holds a secret gets no secret."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import pprint
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.model.entities import Device, Page, UploadTicket
from airflow_provider_tuya_ota.core.model.states import DeviceStatus
from airflow_provider_tuya_ota.core.secret import MASK, Secret, as_secret
from airflow_provider_tuya_ota.core.settings import Credentials, Settings
from airflow_provider_tuya_ota.core.wire.record import Record
from airflow_provider_tuya_ota.core.wire.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

CANARY = "canary-4711"
DEVICE = Device(device_name="d", product_key="p", status=DeviceStatus.ONLINE, device_secret=Secret(CANARY))
TICKET = UploadTicket(
    host="https://bucket",
    key="k",
    access_key_id=Secret(CANARY),
    policy=Secret(CANARY),
    signature=Secret(CANARY),
    firmware_url=Secret(f"https://bucket/k?Signature={CANARY}"),
)
SETTINGS = Settings(credentials=Credentials(CANARY, CANARY), host="ota", proxy=Secret(f"http://me:{CANARY}@proxy"))
REPLY = Reply(
    action="QueryDeviceDetail",
    request_id="r",
    fields=Record({"Data": {"DeviceSecret": CANARY, "List": [{"policy": CANARY, "Signature": CANARY}], "Name": "d"}}),
)
HOLDERS: dict[str, Any] = {
    "secret": Secret(CANARY),
    "device": DEVICE,
    "ticket": TICKET,
    "credentials": SETTINGS.credentials,
    "settings": SETTINGS,
    "reply": REPLY,
    "record": REPLY.fields,
    "page": Page(items=[DEVICE, DEVICE]),
    "nested": {"a": [DEVICE, (TICKET, {"b": SETTINGS})]},
}


def as_plain(value: Any) -> Any:
    """Turn dataclasses into dicts, at any depth."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value), dataclasses.astuple(value)
    if isinstance(value, dict):
        return {key: as_plain(item) for key, item in value.items()}
    return [as_plain(item) for item in value] if isinstance(value, list | tuple) else value


def attributes(value: Any) -> Any:
    """Look into an object as an encoder that knows nothing of it does."""
    try:
        return vars(value)
    except TypeError:
        return {name: getattr(value, name) for name in getattr(value, "__slots__", ())} or repr(value)


WAYS: dict[str, Callable[[Any], object]] = {
    "repr": repr,
    "str": str,
    "format": "{}".format,
    "percent": lambda value: "%s %r" % (value, value),  # noqa: UP031, RUF100 - one of the ways to print
    "pprint": pprint.pformat,
    "asdict": lambda value: repr(as_plain(value)),
    "pickle": lambda value: [pickle.dumps(value, protocol) for protocol in range(2, 6)],
    "json of texts": lambda value: json.dumps(value, default=str),
    "json of reprs": lambda value: json.dumps(as_plain(value), default=repr),
    "pickle of asdict": lambda value: pickle.dumps(as_plain(value)),
    "repr of a copy": lambda value: repr([copy.copy(value), copy.deepcopy(value)]),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("holder", HOLDERS)
def test_no_way_of_printing_or_storing_shows_a_secret(holder: str, way: str) -> None:
    assert CANARY not in repr(WAYS[way](HOLDERS[holder]))


def test_no_attribute_of_a_secret_holds_its_text() -> None:
    assert CANARY not in repr(attributes(Secret(CANARY)))
    assert CANARY not in repr([getattr(Secret(CANARY), name) for name in dir(Secret)])


def test_a_copy_can_still_be_used() -> None:
    copied = copy.deepcopy(DEVICE)

    assert copied == DEVICE
    assert copied.device_secret.reveal() == CANARY
    assert dataclasses.asdict(TICKET)["policy"].reveal() == CANARY
    assert copy.deepcopy(REPLY).fields.record("Data").text("DeviceSecret") == CANARY


def test_what_comes_out_of_a_pickle_says_how_to_get_the_secret() -> None:
    stored: Device = pickle.loads(pickle.dumps(DEVICE))  # noqa: S301 - our own bytes

    assert stored.device_name == "d"
    assert stored.device_secret != DEVICE.device_secret
    assert len({stored.device_secret, Secret.deserialize(DEVICE.device_secret.serialize(), 0)}) == 1
    with pytest.raises(ConfigurationError, match=r"This secret was not stored .* call reveal\(\) there"):
        stored.device_secret.reveal()
    reply: Reply = pickle.loads(pickle.dumps(REPLY))  # noqa: S301 - our own bytes
    assert reply.fields.record("Data").plain() == {
        "DeviceSecret": MASK,
        "List": [{"policy": MASK, "Signature": MASK}],
        "Name": "d",
    }
    assert Record.deserialize(REPLY.fields.serialize(), 0) == reply.fields


def test_secrets_are_equal_when_their_texts_are() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a") != "a"
    assert as_secret("a") == as_secret(Secret("a")) == Secret("a")
