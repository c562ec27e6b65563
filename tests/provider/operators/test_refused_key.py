"""An AccessKey pair that is refused between the creation of a job and the first poll of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.runtime import start
from airflow_provider_tuya_ota.runtime.xcom import push_job
from tests.provider.operators.test_verify_operator import BOTH, make_firmware, run, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

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
