"""A kill in a worker whose connection has been changed since the task read it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.emulator.gateway.check import AccessKey
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime import kill as killing
from tests.provider.runtime.test_kill import context, kill, said, states, supervisor, waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.provider.conftest import Service

__all__ = ["context", "said", "supervisor", "waiting"]

NEW = AccessKey("another-key-id", "another-key-secret")


@pytest.fixture
def rotated(service: Service, waiting: Any, supervisor: Callable[[Any], None]) -> Any:
    """Give a killed operator, after the platform takes another key only."""
    supervisor("failed")
    service.monkeypatch.setattr(service.emulator.gateway, "_key", NEW)
    return waiting


def cancels(service: Service) -> int:
    return service.actions.count("CancelOTATaskByJob")


def test_a_kill_takes_the_new_key(service: Service, rotated: Any, said: list[str]) -> None:
    service.connect(login=NEW.access_key_id, password=NEW.access_key_secret)

    kill(rotated)

    assert states(service) == {"CANCELED"}
    assert cancels(service) == 2
    assert [line for line in said if "the vendor's console" in line] == []
    assert NEW.access_key_secret not in str(said)


def test_a_key_that_is_still_the_same_is_not_tried_again(service: Service, rotated: Any, said: list[str]) -> None:
    kill(rotated)

    assert cancels(service) == 1
    assert "cancel its device tasks in the vendor's console" in said[-1]


def test_a_changed_key_that_is_refused_too_is_not_tried_again(service: Service, rotated: Any, said: list[str]) -> None:
    service.connect(login="a-third-key-id")

    kill(rotated)

    assert cancels(service) == 2
    said_once = "was not stopped; cancel its device tasks in the vendor's console. CancelOTATaskByJob was refused"
    assert [line for line in said if said_once in line] == said[-1:]


@pytest.fixture
def released() -> Iterator[threading.Event]:
    released = threading.Event()
    yield released
    released.set()


def test_a_connection_that_airflow_does_not_give_in_time_delays_nothing_for_long(
    service: Service,
    rotated: Any,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
    released: threading.Event,
) -> None:
    monkeypatch.setattr(TuyaOTAHook, "get_settings", lambda _: released.wait())
    monkeypatch.setattr(killing, "PROBE_SECONDS", 0.2)

    kill(rotated)

    assert cancels(service) == 1
    assert "cancel its device tasks in the vendor's console" in said[-1]
