"""A connection that is wrong between the creation of a job and the first polls of it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.policy.retry import RetryPolicy
from airflow_provider_tuya_ota.core.status.job_set_wait import wait_for_jobs
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime import connection_watch, start
from airflow_provider_tuya_ota.runtime import wait as worker_wait
from airflow_provider_tuya_ota.runtime.xcom import push_job
from tests.provider.operators.test_verify_operator import BOTH, make_firmware, run, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait
    from tests.provider.conftest import Service


def once_created(monkeypatch: pytest.MonkeyPatch, do: Callable[[], Any]) -> None:
    """Do something after the job was created, and before it is polled."""

    def push_and_do(*args: Any, **more: Any) -> None:
        push_job(*args, **more)
        do()

    monkeypatch.setattr(start, "push_job", push_and_do)


@BOTH
def test_a_first_poll_that_is_refused_ends_no_wait_for_a_job_that_the_task_has_just_created(
    service: Service, context: Any, firmware: Path, monkeypatch: pytest.MonkeyPatch, deferrable: bool
) -> None:
    firmware_id = make_firmware(service, context, firmware)
    once_created(
        monkeypatch, lambda: service.emulator.faults.add({"action": "*", "kind": "skew", "seconds": 86_400, "nth": 1})
    )

    job_id = run(verify(firmware_id, deferrable=deferrable), context)

    assert job_id in service.emulator.world.engine.jobs
    assert "InvalidTimeStamp" in str(service.emulator.log)


@pytest.mark.parametrize("is_moved", [False, True], ids=["key", "host"])
def test_a_wait_in_a_worker_goes_on_over_the_corrected_connection(
    service: Service, context: Any, firmware: Path, monkeypatch: pytest.MonkeyPatch, is_moved: bool
) -> None:
    monkeypatch.setattr(connection_watch, "JUST_READ", 0.0)
    monkeypatch.setattr(connection_watch, "FRESH", 0.0)
    monkeypatch.setattr(RetryPolicy, "delay", lambda *_, **__: None)
    operator = verify(make_firmware(service, context, firmware), deferrable=False)
    read, used = TuyaOTAHook.get_settings, []

    def read_and_correct(hook: TuyaOTAHook) -> Settings:
        settings = read(hook)
        service.connect()
        return settings

    def poll(settings: Settings, wait: JobSetWait) -> Flow[None]:
        assert operator.running is not None
        used.append((settings.credentials.access_key_id, settings.port, operator.running.settings == settings))
        return wait_for_jobs(settings, wait)

    with socket.socket() as gone:
        # Bound and not listening: it refuses each connection.
        gone.bind(("127.0.0.1", 0))
        wrong = {"port": gone.getsockname()[1]} if is_moved else {"login": "the-key-before"}
        once_created(monkeypatch, lambda: service.connect(**wrong))
        monkeypatch.setattr(worker_wait, "wait_for_jobs", poll)
        monkeypatch.setattr(TuyaOTAHook, "get_settings", read_and_correct)

        job_id = operator.execute(context)

    assert job_id in service.emulator.world.engine.jobs
    assert len(used) == len(set(used)) == 2
    assert all(is_adopted for *_, is_adopted in used)
