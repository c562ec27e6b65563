from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from tests.provider.operators.test_verify_operator import run, verify

if TYPE_CHECKING:
    from tests.provider.conftest import FakeTask, Service


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"firmware_id": ""}, r"^firmware_id \(FirmwareId\): is empty"),
        ({"product_key": ""}, r"^product_key \(ProductKey\): is empty"),
        ({"device_names": []}, r"\(TargetDeviceName\): is an empty list; leave it out to let the platform choose\."),
        ({"device_names": "[]"}, r"^device_names \(TargetDeviceName\): is an empty list"),
        ({"device_names": 5}, r"^device_names: 5 is not a list"),
        ({"device_names": {"a": 1}}, r"^device_names: \{'a': 1\} is not a list"),
        ({"device_names": "[oops"}, r"^device_names: '\[oops' is not a list"),
        ({"device_names": ["a", "b", "a"]}, r"'a' is in the list more than once"),
        ({"device_names": ["a", " "]}, r"' ' in the list is not a name"),
        ({"timeout_in_minutes": 0}, r"TimeoutInMinutes\): 0 is not allowed. Allowed: 1 to 1440"),
        ({"timeout_in_minutes": 1441}, r"TimeoutInMinutes\): 1441 is not allowed. Allowed: 1 to 1440"),
        ({"timeout_in_minutes": "soon"}, r"^timeout_in_minutes: 'soon' is not a whole number"),
        ({"need_push": "maybe"}, r"^need_push: 'maybe' is not a switch"),
        ({"download_protocol": "MQTT"}, r"DownloadProtocol\): 'MQTT' is not allowed. Allowed: HTTPS"),
        ({"if_verified": "ignore"}, r"^if_verified: 'ignore' is not allowed. Allowed: succeed, fail"),
        ({"timeout": 0}, r"^timeout: 0 is not allowed"),
        ({"poll_interval": -1}, r"^poll_interval: -1 is not allowed"),
        ({"poll_interval": float("nan")}, r"^poll_interval: nan is not allowed"),
        ({"timeout": float("inf")}, r"^timeout: inf is not allowed"),
        ({"timeout": "60"}, r"^timeout: '60' is not allowed"),
        ({"poll_error_tolerance": None}, r"^poll_error_tolerance: None is not allowed"),
        ({"poll_error_tolerance": -1}, r"^poll_error_tolerance: -1 is not allowed. Allowed: a number, 0 seconds"),
        ({"wait_for_completion": "no"}, r"^wait_for_completion: 'no' is not a switch"),
        ({"deferrable": "no"}, r"^deferrable: 'no' is not a switch"),
        ({"notifiers": ["mail"]}, r"^notifiers: 'mail' is no notifier"),
        ({"notifiers": "mail"}, r"^notifiers: 'mail' is no notifier"),
        ({"notifiers": 5}, r"^notifiers: 5 is no notifier"),
    ],
)
def test_bad_input_is_named_before_anything_is_sent(
    service: Service, context: Any, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        run(verify(**{"firmware_id": "178"} | changes), context)

    assert service.actions == []


@pytest.mark.parametrize("name", ["firmware_id", "product_key"])
def test_an_address_in_the_place_of_an_id_is_refused_and_not_repeated(ti: FakeTask, context: Any, name: str) -> None:
    address = "https://user:sekret@host/firmware.bin?sig=sekret"

    with pytest.raises(ConfigurationError):
        run(verify(**{"firmware_id": "178", name: address}), context)

    assert "sekret" not in json.dumps(ti.xcom["ota_release"])
