"""Typed results reach Airflow's XCom and log without their secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import attr
import msgspec
import pydantic
import pytest
from airflow.sdk import serde
from airflow.serialization.stringify import stringify
from pydantic_core import PydanticSerializationError

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.model.entities import Device
from airflow_provider_tuya_ota.core.secret import Secret
from tests.core.test_secret import CANARY, DEVICE, HOLDERS, REPLY

if TYPE_CHECKING:
    from collections.abc import Iterator


@attr.define
class ByAttrs:
    """A user's own class that holds a result."""

    kept: Any


@dataclass
class ByDataclass:
    """Another one."""

    kept: Any


class ByPydantic(pydantic.BaseModel):
    """Another one."""

    kept: Any


@pytest.fixture
def everything_of_ours_may_be_read(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    caches = (serde._get_patterns, serde._get_regexp_patterns, serde._match_glob, serde._match_regexp)
    monkeypatch.setenv("AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES", "airflow.* airflow_provider_tuya_ota.*")
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def stored_and_read(value: Any) -> Any:
    stored: Any = serde.serialize(value)
    return serde.deserialize(json.loads(json.dumps(stored)))


@pytest.mark.parametrize("wrap", [lambda held: held, ByAttrs, ByDataclass, lambda held: [{"a": (held,)}]])
@pytest.mark.parametrize("holder", HOLDERS)
def test_a_result_goes_into_xcom_with_stars_for_its_secrets(holder: str, wrap: Any) -> None:
    stored: Any = serde.serialize(wrap(HOLDERS[holder]))

    assert "***" in json.dumps(stored)
    assert CANARY not in json.dumps(stored)
    assert CANARY not in str(stringify(stored))


@pytest.mark.parametrize("holder", HOLDERS)
def test_a_pydantic_model_that_holds_a_secret_is_refused(holder: str) -> None:
    with pytest.raises(PydanticSerializationError) as caught:
        serde.serialize(ByPydantic(kept=HOLDERS[holder]))

    assert CANARY not in str(caught.value)


@pytest.mark.usefixtures("everything_of_ours_may_be_read")
def test_what_is_pulled_is_the_result_without_its_secrets() -> None:
    pulled = stored_and_read(DEVICE)

    assert isinstance(pulled, Device)
    assert (pulled.device_name, pulled.product_key, pulled.status) == ("d", "p", "ONLINE")
    with pytest.raises(ConfigurationError, match="This secret was not stored"):
        pulled.device_secret.reveal()
    reply = stored_and_read(REPLY)
    assert reply.fields.record("data").text("name") == "d"


@pytest.mark.parametrize("holder", HOLDERS)
def test_airflows_log_encoder_finds_no_secret(holder: str) -> None:
    assert CANARY not in msgspec.json.encode(HOLDERS[holder], enc_hook=repr).decode()


def test_a_secret_itself_may_be_stored() -> None:
    stored: Any = serde.serialize(Secret(CANARY))

    assert stringify(stored) == "airflow_provider_tuya_ota.core.secret.Secret@version=0(***)"
