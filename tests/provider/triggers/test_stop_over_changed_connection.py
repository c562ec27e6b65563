"""A stop that is sent over a connection which has been changed since the last poll."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.policy.retry import RetryPolicy
from airflow_provider_tuya_ota.emulator.gateway.check import AccessKey
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from tests.provider.triggers.fake_triggerer import states

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.provider.conftest import Service
    from tests.provider.triggers.fake_triggerer import Line, Log

NEW = AccessKey("another-key-id", "another-key-secret")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the connections that were read."""
    inner, reads = TuyaOTAHook.aget_connection, []

    async def note(conn_id: str) -> Any:
        reads.append(conn_id)
        return await inner(conn_id)

    monkeypatch.setattr(TuyaOTAHook, "aget_connection", staticmethod(note))
    return reads


def rotate(service: Service) -> None:
    """Let the platform take another key only."""
    service.monkeypatch.setattr(service.emulator.gateway, "_key", NEW)


def correct(service: Service) -> None:
    service.connect(login=NEW.access_key_id, password=NEW.access_key_secret)


async def poll_then_kill(trigger: TuyaOTAJobTrigger, before_kill: Callable[[], Any], until: Callable[[], bool]) -> None:
    waiting = asyncio.ensure_future(anext(aiter(trigger.run())))
    while not until():  # noqa: ASYNC110 - the emulator runs in another thread
        await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    before_kill()
    await trigger.on_kill()


@pytest.mark.parametrize("is_corrected", [True, False])
async def test_a_kill_before_the_next_poll_takes_the_new_key(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    log: Log,
    reads: list[str],
    is_corrected: bool,
) -> None:
    supervisor("failed")
    service.emulator.log.clear()

    def change() -> None:
        rotate(service)
        if is_corrected:
            correct(service)

    await poll_then_kill(watched, change, until=lambda: "ListOTATaskByJob" in service.actions)

    cancels = [entry["outcome"] for entry in service.emulator.log if entry["action"] == "CancelOTATaskByJob"]
    assert len(cancels) == (2 if is_corrected else 1)
    assert (states(service) == {"CANCELED"}) == is_corrected
    assert ("cancel its device tasks in the vendor's console" in log.lines[-1]) == (not is_corrected)
    assert len(reads) == 2
    assert NEW.access_key_secret not in str(log.lines)


async def test_a_kill_after_a_failed_poll_goes_to_the_host_of_the_corrected_connection(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    supervisor("failed")
    monkeypatch.setattr("airflow_provider_tuya_ota.hooks.shared_settings.JUST_READ", 0.0)
    monkeypatch.setattr(RetryPolicy, "delay", lambda *_, **__: None)
    with socket.socket() as gone:
        # Bound and not listening: it refuses each connection.
        gone.bind(("127.0.0.1", 0))
        service.connect(port=gone.getsockname()[1])

        await poll_then_kill(watched, service.connect, until=lambda: bool(log.lines))

    assert states(service) == {"CANCELED"}


async def test_a_kill_cancels_also_while_the_connection_cannot_be_read_again(
    service: Service,
    watched: TuyaOTAJobTrigger,
    supervisor: Callable[..., Line],
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    supervisor("failed")
    monkeypatch.setattr("airflow_provider_tuya_ota.hooks.shared_settings.JUST_READ", 0.0)
    monkeypatch.setattr("airflow_provider_tuya_ota.triggers.job_set.KILL_PATIENCE", 0.1)
    monkeypatch.setattr(RetryPolicy, "delay", lambda *_, **__: None)
    service.emulator.faults.add({"action": "ListOTATaskByJob", "kind": "status", "status": 503})

    async def hang(_: Any) -> Any:
        await asyncio.sleep(60)

    async with asyncio.timeout(30):
        await poll_then_kill(
            watched,
            lambda: monkeypatch.setattr(TuyaOTAHook, "aget_settings", hang),
            until=lambda: bool(log.lines),
        )

    assert states(service) == {"CANCELED"}


async def test_a_stop_at_the_end_of_the_time_takes_the_new_key(
    service: Service, watched: TuyaOTAJobTrigger, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = {"options": watched.options | {"deadline": datetime.now(UTC).isoformat()}}
    trigger = TuyaOTAJobTrigger(**watched.serialize()[1] | late)
    say = log.awarning

    async def say_and_change(text: str) -> None:
        await say(text)
        if text.startswith("Stopping"):
            rotate(service)
            correct(service)

    monkeypatch.setattr(log, "awarning", say_and_change)

    event = (await anext(aiter(trigger.run()))).payload

    assert "2 device tasks cancelled" in event["stopped"]
    assert states(service) == {"CANCELED"}
