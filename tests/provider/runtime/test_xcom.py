"""What is pushed to XCom, and what an error says of it where Airflow's API does not take it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from airflow_provider_tuya_ota.core.errors import StateUnavailableError
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin, TrackedJob
from airflow_provider_tuya_ota.core.model.states import JobType
from airflow_provider_tuya_ota.core.upload import EnsuredFirmware
from airflow_provider_tuya_ota.hooks import airflow_api
from airflow_provider_tuya_ota.runtime.xcom import push_firmware, push_job
from tests.provider.conftest import FakeTask
from tests.provider.operators.test_verify_operator import make_firmware, verify
from tests.provider.specs import stands_in_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import Service


@stands_in_for(RuntimeTaskInstance, own=("xcom", "refused"))
@dataclass
class Refusing(FakeTask):
    """A task one of whose XComs Airflow's API does not take."""

    refused: str = ""

    def xcom_push(self, key: str, value: Any) -> None:
        if key == self.refused:
            raise ConnectionError("API_SERVER_ERROR 500")
        super().xcom_push(key, value)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airflow_api, "PAUSES", (0.0,))


@pytest.mark.parametrize("key", ["job_id", "job", "utc_create", "tuya_ota_console_url"])
def test_a_job_that_cannot_be_pushed_is_named_in_error_and_report(
    service: Service, context: Any, firmware: Path, key: str
) -> None:
    firmware_id = make_firmware(service, context, firmware)
    context["ti"] = ti = Refusing(refused=key)

    with pytest.raises(StateUnavailableError, match=f"did not take the XCom {key}") as caught:
        verify(firmware_id).execute(context)

    (job_id,) = service.emulator.world.engine.jobs
    assert caught.value.job_id == ti.xcom["ota_release"]["job_id"] == job_id
    assert f"job {job_id} goes on, and a retry resumes it" in str(caught.value)
    assert "ConnectionError: API_SERVER_ERROR 500" in str(caught.value)


def test_no_job_is_said_to_go_on_where_none_was_started() -> None:
    none = TrackedJob(job_id="", firmware_id="178", kind=JobType.VERIFY_FIRMWARE, origin=JobOrigin.NOT_NEEDED)

    with pytest.raises(StateUnavailableError) as caught:
        push_job(Refusing(refused="job"), none, link="")

    assert caught.value.job_id == ""
    assert "goes on" not in str(caught.value)


def test_a_firmware_that_cannot_be_pushed_is_said_to_be_uploaded() -> None:
    firmware = EnsuredFirmware(firmware_id="178", is_new=True, digests={"SHA256": "0" * 64})

    with pytest.raises(StateUnavailableError, match="firmware 178 is uploaded, and a retry finds it"):
        push_firmware(Refusing(refused="size"), firmware, version="1.1.0", size=3)
