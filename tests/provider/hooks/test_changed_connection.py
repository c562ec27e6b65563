"""Waits go on over a connection that a person has changed."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.policy.retry import RetryPolicy
from airflow_provider_tuya_ota.core.status.conditions import describe_condition
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.emulator.gateway.check import AccessKey
from airflow_provider_tuya_ota.hooks import shared_settings as shared
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.triggers.condition import TuyaOTAConditionTrigger
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from tests.emulator.plain_client import PlainClient, over_socket
from tests.provider.hooks.test_connection_not_given import condition_of, fire
from tests.provider.sensors.test_poke_state import silence

if TYPE_CHECKING:
    from tests.provider.conftest import Service


@pytest.fixture
def firmware_id(service: Service) -> str:
    silence(service)
    return PlainClient(over_socket(service.url)).create_firmware(NeedToVerify="false")


@pytest.fixture
def job(service: Service, firmware_id: str) -> str:
    return PlainClient(over_socket(service.url)).upgrade(firmware_id, "device-001")


async def test_waits_go_on_over_the_connection_as_it_was_changed(
    service: Service, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    inner = TuyaOTAHook.aget_connection

    async def count(conn_id: str) -> Any:
        nonlocal reads
        reads += 1
        return await inner(conn_id)

    monkeypatch.setattr(TuyaOTAHook, "aget_connection", staticmethod(count))
    monkeypatch.setattr(shared, "JUST_READ", 0.1)
    options = WaitOptions(deadline=datetime.now(UTC) + timedelta(seconds=1.5), poll_interval=0.1).to_dict()

    waiting = [TuyaOTAJobTrigger(job_id=job, tuya_ota_conn_id="tuya_ota_default", options=options) for _ in range(20)]
    events = asyncio.gather(*map(fire, waiting))
    await asyncio.sleep(0.5)
    assert reads == 1
    new = AccessKey("another-key-id", "another-key-secret")
    monkeypatch.setattr(service.emulator.gateway, "_key", new)
    service.connect(login=new.access_key_id, password=new.access_key_secret)

    assert {(event["status"], event["verdict"]["outcome"]) for event in await events} == {("timeout", "running")}
    assert "SignatureDoesNotMatch" in str(service.emulator.log) or "InvalidAccessKeyId" in str(service.emulator.log)
    assert service.emulator.log[-1]["outcome"] == "ok"
    assert 2 <= reads <= 4


@pytest.mark.parametrize(
    ("resume_state", "end"), [({"started_at": "2026-11-23T09:00:00+00:00"}, ""), ({}, "AuthenticationError")]
)
async def test_a_wait_that_a_restarted_triggerer_takes_over_while_the_key_is_changed_goes_on_for_an_operator(
    service: Service, job: str, monkeypatch: pytest.MonkeyPatch, resume_state: dict[str, str], end: str
) -> None:
    monkeypatch.setattr(shared, "JUST_READ", 0.1)
    deadline = datetime.now(UTC) + timedelta(seconds=1.5)
    waiting = TuyaOTAJobTrigger(
        job_id=job,
        tuya_ota_conn_id="tuya_ota_default",
        options=WaitOptions(deadline=deadline, poll_interval=0.1).to_dict(),
        resume_state=resume_state,
    )
    service.connect(login="the-key-before")
    event = asyncio.ensure_future(fire(waiting))
    await asyncio.sleep(0.5)
    service.connect()

    assert (await event).get("error", {}).get("kind", "") == end
    assert (service.emulator.log[-1]["outcome"] == "ok") == (not end)


@pytest.mark.parametrize(
    ("resume_state", "end"), [({"started_at": "2026-11-23T09:00:00+00:00"}, ""), ({}, "ConfigurationError")]
)
async def test_a_wait_that_a_triggerer_takes_over_while_its_connection_is_half_written_goes_on_for_an_operator(
    service: Service, job: str, resume_state: dict[str, str], end: str
) -> None:
    deadline = datetime.now(UTC) + timedelta(seconds=1.5)
    waiting = TuyaOTAJobTrigger(
        job_id=job,
        tuya_ota_conn_id="tuya_ota_default",
        options=WaitOptions(deadline=deadline, poll_interval=0.1).to_dict(),
        resume_state=resume_state,
    )
    service.connect(password="")
    before = len(service.emulator.log)
    event = asyncio.ensure_future(fire(waiting))
    await asyncio.sleep(0.5)
    assert len(service.emulator.log) == before
    service.connect()

    assert (await event).get("error", {}).get("kind", "") == end
    assert (len(service.emulator.log) > before) == (not end)


async def test_waits_go_on_at_the_host_of_the_corrected_connection(
    service: Service, firmware_id: str, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "FRESH", 0.2)
    monkeypatch.setattr(RetryPolicy, "delay", lambda *_, **__: None)
    deadline = datetime.now(UTC) + timedelta(seconds=2)
    job_wait = TuyaOTAJobTrigger(
        job_id=job,
        tuya_ota_conn_id="tuya_ota_default",
        options=WaitOptions(deadline=deadline, poll_interval=0.1).to_dict(),
    )
    condition_wait = TuyaOTAConditionTrigger(
        condition=describe_condition(condition_of(firmware_id, "NOT_NEEDED", "FAILED")),
        deadline=deadline.isoformat(),
        poll_interval=0.1,
        tuya_ota_conn_id="tuya_ota_default",
    )

    with socket.socket() as gone:
        # Bound and not listening: it refuses each connection.
        gone.bind(("127.0.0.1", 0))
        service.connect(port=gone.getsockname()[1])
        events = asyncio.gather(fire(job_wait), fire(condition_wait))
        await asyncio.sleep(0.5)
        assert "QueryOTAJob" not in service.actions
        service.connect()
        ended, met = await events

    assert (ended["status"], ended["verdict"]["outcome"]) == ("timeout", "running")
    assert met == {"status": "met"}


@pytest.mark.parametrize("is_refused", [False, True])
async def test_a_wait_ends_at_its_deadline_while_its_connection_cannot_be_read_again(
    service: Service, job: str, monkeypatch: pytest.MonkeyPatch, is_refused: bool
) -> None:
    settings = TuyaOTAHook("tuya_ota_default").get_settings()
    monkeypatch.setattr(shared, "FRESH", 0.1)
    monkeypatch.setattr(shared, "JUST_READ", 0.1)
    if is_refused:
        # The poll has ended then, so only this time can be the limit.
        monkeypatch.setattr(shared, "PATIENCE", 0.2)
    reads = 0

    async def read(_: Any) -> Any:
        nonlocal reads
        reads += 1
        if reads > 1:
            await asyncio.sleep(60)
        return settings

    monkeypatch.setattr(TuyaOTAHook, "aget_settings", read)
    deadline = datetime.now(UTC) + timedelta(seconds=1.5)
    waiting = TuyaOTAJobTrigger(
        job_id=job,
        tuya_ota_conn_id="tuya_ota_default",
        options=WaitOptions(deadline=deadline, poll_interval=0.1).to_dict(),
        resume_state={"started_at": "2026-11-23T09:00:00+00:00"},
    )
    if is_refused:
        monkeypatch.setattr(service.emulator.gateway, "_key", AccessKey("another-key-id", "another-key-secret"))
    else:
        service.emulator.faults.add({"action": "ListOTATaskByJob", "kind": "redirect"})

    event = await asyncio.wait_for(fire(waiting), 30)

    assert event["status"] == "timeout"
    assert reads > 1
