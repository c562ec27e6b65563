"""A task after its wait in the triggerer: it goes on as if it had waited itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from tests.provider.operators.test_verify_operator import fired, make_firmware, verify

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import FakeTask, Service


def test_its_report_has_the_link_and_the_beginning_of_the_one_before_the_wait_and_its_log_the_end(
    service: Service, context: Any, ti: FakeTask, firmware: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.connect(extra={"console_url": "https://console.example/{job_id}", "requests_per_second": 1000})
    firmware_id = make_firmware(service, context, firmware)
    with pytest.raises(TaskDeferred) as deferred:
        verify(firmware_id, deferrable=True).execute(context)
    before = dict(ti.xcom["ota_release"])
    ti.xcom.clear()
    event = fired(deferred.value.trigger)
    capsys.readouterr()

    job_id = verify(firmware_id, deferrable=True).execute_complete(context, event=event)

    after = ti.xcom["ota_release"]
    assert (before["event"], after["event"], after["job_id"]) == ("waiting", "succeeded", job_id)
    assert after["link"] == before["link"] == f"https://console.example/{job_id}"
    assert after["started_at"] == before["started_at"]
    assert f"job {job_id} COMPLETED; firmware 178 VERIFIED; devices: 2 SUCCEEDED" in capsys.readouterr().out
