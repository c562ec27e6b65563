from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException, TaskDeferred

from airflow_provider_tuya_ota.core.errors import NotFoundError
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError
from airflow_provider_tuya_ota.sensors.job import TuyaOTAJobSensor
from tests.provider.operators.test_verify_operator import BOTH, FAILS, fired, make_firmware, play, verify

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import Service


def start(service: Service, context: Any, firmware: Path, **devices: dict[str, Any]) -> str:
    play(service, **devices)
    firmware_id = make_firmware(service, context, firmware)
    return verify(firmware_id, wait_for_completion=False).execute(context)


def wait(context: Any, job_id: str, **changes: Any) -> Any:
    arguments: dict[str, Any] = {"job_id": job_id, "poke_interval": 0.05, "timeout": 20}
    sensor = TuyaOTAJobSensor(task_id="wait", **arguments | changes)
    try:
        return sensor.execute(context)
    except TaskDeferred as deferred:
        return sensor.execute_complete(context, event=fired(deferred.trigger))


@BOTH
def test_it_waits_until_every_device_succeeded(
    service: Service, context: Any, firmware: Path, deferrable: bool
) -> None:
    job_id = start(service, context, firmware)

    wait(context, job_id, deferrable=deferrable)

    assert service.emulator.world.engine.jobs[job_id].counts["SUCCEEDED"] == 2


@BOTH
@pytest.mark.parametrize(("soft", "error"), [(False, JobFailedError), (True, AirflowSkipException)])
def test_a_failed_job_fails_or_skips(
    service: Service, context: Any, firmware: Path, deferrable: bool, soft: bool, error: type[Exception]
) -> None:
    job_id = start(service, context, firmware, device_001=FAILS)

    with pytest.raises(error, match="device-001 FAILED at 60 %"):
        wait(context, job_id, deferrable=deferrable, soft_fail=soft)


@BOTH
@pytest.mark.parametrize(("soft", "error"), [(False, AirflowSensorTimeout), (True, AirflowSkipException)])
def test_a_timeout_is_a_sensors_timeout(
    service: Service, context: Any, firmware: Path, deferrable: bool, soft: bool, error: type[Exception]
) -> None:
    job_id = start(service, context, firmware, device_001={"outcome": "silent"})

    with pytest.raises(error):
        wait(context, job_id, deferrable=deferrable, soft_fail=soft, timeout=0.2)


def test_a_poll_that_fails_in_transit_counts_as_not_yet(service: Service, context: Any, firmware: Path) -> None:
    job_id = start(service, context, firmware)
    service.emulator.faults.add({"action": "ListOTATaskByJob", "kind": "garbage", "nth": 1})

    wait(context, job_id, deferrable=False)

    assert service.actions.count("ListOTATaskByJob") >= 2


def test_it_only_reads(service: Service, context: Any, firmware: Path) -> None:
    job_id = start(service, context, firmware)
    service.emulator.log.clear()

    wait(context, job_id, deferrable=False)

    assert set(service.actions) == {"QueryOTAJob", "ListOTATaskByJob", "QueryOTAFirmware"}


@BOTH
@pytest.mark.usefixtures("service")
def test_an_error_of_the_platform_is_the_same_in_both_modes(context: Any, deferrable: bool) -> None:
    with pytest.raises(NotFoundError, match=r"QueryOTAJob was refused: iot.firmware.InvalidOTAJobId") as caught:
        wait(context, "999", deferrable=deferrable)

    assert (caught.value.code, caught.value.http_status) == ("iot.firmware.InvalidOTAJobId", 200)
