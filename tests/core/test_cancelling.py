from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.actions import CancelOTATaskByDevice
from airflow_provider_tuya_ota.core.cancelling import cancel_tasks_of_devices
from airflow_provider_tuya_ota.core.errors import ConflictError, NotFoundError, TuyaOTAError
from tests.core.script import SETTINGS, Script, lost, ok, refused, task

NOTHING_WAITS = refused("iot.firmware.DeviceUpgradeRecordNotFound")
FLASHING = refused("iot.firmware.IncorrectDeviceUpgradeJobStatus")


def cancel(script: Script, **changes: Any) -> None:
    arguments: dict[str, Any] = {"product_key": "pk", "firmware_id": "178", "device_name": ["a", "b"]}
    script.run(cancel_tasks_of_devices(SETTINGS, CancelOTATaskByDevice(**arguments | changes)))


def waits(name: str, **fields: Any) -> Any:
    return ok(data=[task(name, "QUEUED", **fields)])


def devices(script: Script) -> list[list[str]]:
    return [
        [value for name, value in sent.parameters.items() if name.startswith("DeviceName.")]
        for sent in script.sent
        if sent.action == "CancelOTATaskByDevice"
    ]


def test_devices_are_cancelled_with_one_request() -> None:
    script = Script([ok()])

    cancel(script)

    assert devices(script) == [["a", "b"]]


@pytest.mark.parametrize(("answer", "error"), [(NOTHING_WAITS, NotFoundError), (FLASHING, ConflictError)])
def test_a_refusal_stands_where_no_answer_was_lost(answer: Any, error: type[TuyaOTAError]) -> None:
    script = Script([answer])

    with pytest.raises(error):
        cancel(script)
    assert len(script.sent) == 1


def test_a_lost_request_that_got_through_is_enough() -> None:
    script = Script([lost(), NOTHING_WAITS, ok(data=[]), ok(data=[])])

    cancel(script)

    assert script.actions[2:] == ["ListOTAUnfinishedTaskByDevice"] * 2
    assert "An answer was lost" in script.warnings[-1]


def test_after_a_lost_request_only_devices_with_a_task_are_asked_for_again() -> None:
    script = Script([lost(), NOTHING_WAITS, ok(data=[]), waits("b", firmwareId="178"), ok()])

    cancel(script)

    assert devices(script) == [["a", "b"], ["a", "b"], ["b"]]


@pytest.mark.parametrize(
    ("told", "job_id", "again"),
    [
        pytest.param({"firmwareId": "179"}, None, False, id="of another package"),
        pytest.param({"firmwareId": "178", "jobId": "8"}, "9", False, id="of another job"),
        pytest.param({"firmwareId": "178", "jobId": "9"}, "9", True, id="of the job"),
        pytest.param({"jobId": "8"}, None, True, id="of any job of a package that is not told"),
        pytest.param({}, "9", True, id="of a job that is not told"),
    ],
)
def test_after_a_lost_request_only_tasks_of_the_package_and_the_job_count(
    told: dict[str, str], job_id: str | None, again: bool
) -> None:
    script = Script([lost(), NOTHING_WAITS, waits("a", **told), *([ok()] if again else [])])

    cancel(script, device_name=["a"], job_id=job_id)

    assert len(devices(script)) == (3 if again else 2)


def test_a_device_that_is_flashing_after_a_lost_request_is_an_error() -> None:
    script = Script([lost(), FLASHING, ok(data=[task("a", "IN_PROGRESS")]), FLASHING])

    with pytest.raises(ConflictError):
        cancel(script, device_name=["a"])
