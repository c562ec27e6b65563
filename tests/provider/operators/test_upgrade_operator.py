from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from airflow_provider_tuya_ota.core.errors import AlreadyUnderWayError, ConflictError, InvalidParameterError
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.operators.firmware import TuyaOTAUploadFirmwareOperator
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator
from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator
from tests.provider.conftest import FakeStore
from tests.provider.operators.test_verify_operator import fired

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import BaseOperator

    from tests.provider.conftest import FakeTask, Service

BOTH = pytest.mark.parametrize("deferrable", [False, True], ids=["blocking", "deferred"])
PRODUCT = "k1demoproduct"


def seed(service: Service, **product: Any) -> None:
    service.emulator.reset(read({"products": [{"devices": 10} | product], "quotas": {"enabled": False}}))


@pytest.fixture
def firmware_id(service: Service, context: Any, firmware: Path) -> str:
    seed(service)
    return upload(context, firmware)


def upload(context: Any, firmware: Path, *, need_to_verify: bool = False) -> str:
    return TuyaOTAUploadFirmwareOperator(
        task_id="upload", source=str(firmware), version="1.1.0", product_key=PRODUCT, need_to_verify=need_to_verify
    ).execute(context)


def upgrade(firmware_id: str, **changes: Any) -> TuyaOTACreateUpgradeJobOperator:
    arguments: dict[str, Any] = {
        "firmware_id": firmware_id,
        "product_key": PRODUCT,
        "target_selection": "ALL",
        "poll_interval": 0.05,
        "timeout": 20,
    }
    return TuyaOTACreateUpgradeJobOperator(task_id="upgrade", **arguments | changes)


def run(operator: TuyaOTACreateUpgradeJobOperator, context: Any) -> Any:
    try:
        return operator.execute(context)
    except TaskDeferred as deferred:
        return operator.execute_complete(context, event=fired(deferred.trigger))


@BOTH
@pytest.mark.parametrize(
    ("selection", "devices"),
    [
        ({"target_selection": "ALL"}, 10),
        ({"target_selection": "SPECIFIC", "device_names": "device-001\ndevice-002"}, 2),
        ({"target_selection": "GRAY", "gray_percent": 30}, 3),
        ({"target_selection": "GRAY", "gray_percent": "30", "source_versions": ["1.0.0"]}, 3),
        ({"target_selection": "GROUP", "group_id": "bench"}, 1),
    ],
)
def test_each_selection_reaches_its_devices(
    service: Service, context: Any, ti: FakeTask, firmware: Path, selection: Any, devices: int, deferrable: bool
) -> None:
    seed(service, groups={"bench": ["device-009"]})
    firmware_id = upload(context, firmware)

    job_id = run(upgrade(firmware_id, deferrable=deferrable, **selection), context)

    (job,) = service.emulator.world.engine.jobs.values()
    assert job_id == job.job_id == ti.xcom["job_id"]
    assert ti.xcom["ota_release"]["counts"] == {"SUCCEEDED": devices}
    assert "upgrade" in ti.xcom["ota_release"]["text"].lower() or ti.xcom["ota_release"]["event"] == "succeeded"


@BOTH
def test_the_wait_does_not_query_again_the_job_that_the_task_has_just_queried(
    service: Service, context: Any, firmware_id: str, deferrable: bool
) -> None:
    names = ["device-001", "device-002"]

    run(upgrade(firmware_id, target_selection="SPECIFIC", device_names=names, deferrable=deferrable), context)

    created = service.actions.index("CreateOTAStaticUpgradeJob")
    queries = [at for at, action in enumerate(service.actions) if action == "QueryOTAJob"]
    checked = ["QueryOTAJob", "ListOTATaskByJob", "ListOTAJobByFirmware", "ListOTAJobByFirmware"]
    assert service.actions[created + 1 :][:5] == [*checked, "ListOTATaskByJob"]
    # The other query is that of the poll that concludes.
    assert len(queries) == 2
    assert service.actions[queries[1] - 1 :] == ["ListOTATaskByJob", "QueryOTAJob", "ListOTATaskByJob"]


@BOTH
def test_a_part_is_a_failure_that_names_the_others(
    service: Service, context: Any, firmware: Path, deferrable: bool
) -> None:
    seed(service, device={"device-003": {"outcome": "fails", "step": -4, "reason": "worn flash"}})
    firmware_id = upload(context, firmware)

    with pytest.raises(JobFailedError, match="device-003 FAILED at 50 %: step -4: worn flash"):
        run(upgrade(firmware_id, deferrable=deferrable), context)


def test_retries_are_asked_of_the_platform(service: Service, context: Any, firmware_id: str) -> None:
    upgrade(firmware_id, retry_interval="10", retry_count=2, timeout_in_minutes=60, wait_for_completion=False).execute(
        context
    )

    (job,) = service.emulator.world.engine.jobs.values()
    assert (job.retry_interval, job.retry_count, job.timeout_minutes) == (10, 2, 60)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"target_selection": "SOME"}, "target_selection"),
        ({"target_selection": "SPECIFIC"}, "device_name"),
        ({"device_names": ["device-001"]}, "device_name"),
        ({"target_selection": "GRAY"}, "gray_percent"),
        ({"target_selection": "GRAY", "gray_percent": 0}, "gray_percent"),
        ({"target_selection": "GRAY", "gray_percent": "few"}, "gray_percent"),
        ({"target_selection": "GROUP"}, "group_id"),
        ({"retry_interval": 10}, "retry_count"),
        ({"retry_interval": 11, "retry_count": 1}, "retry_interval"),
        ({"timeout_in_minutes": 1441}, "timeout_in_minutes"),
        ({"on_cancel": "abort"}, "on_cancel"),
        ({"target_selection": "SPECIFIC", "device_names": []}, r"^device_names .*: is an empty list\. Allowed"),
        ({"source_versions": []}, r"^source_versions .*: is an empty list\. Allowed"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(
    service: Service, context: Any, firmware_id: str, changes: dict[str, Any], said: str
) -> None:
    service.emulator.log.clear()

    with pytest.raises(InvalidParameterError, match=said):
        upgrade(firmware_id, **changes).execute(context)
    assert service.actions == []


def test_an_unverified_firmware_is_refused_with_what_to_do(service: Service, context: Any, firmware: Path) -> None:
    seed(service)
    firmware_id = upload(context, firmware, need_to_verify=True)

    with pytest.raises(ConflictError, match="TuyaOTACreateVerifyJobOperator"):
        upgrade(firmware_id).execute(context)


def test_another_run_with_the_same_intent_learns_which_job_does_it(
    service: Service, context: Any, firmware_id: str
) -> None:
    first = upgrade(firmware_id, wait_for_completion=False).execute(context | {"task_state_store": FakeStore()})

    with pytest.raises(AlreadyUnderWayError, match=f"job {first}, created at .* Nothing was created"):
        upgrade(firmware_id).execute(context | {"task_state_store": FakeStore()})
    assert len(service.emulator.world.engine.jobs) == 1


def test_a_lost_answer_makes_no_second_upgrade(service: Service, context: Any, firmware_id: str) -> None:
    service.emulator.faults.add({"action": "CreateOTAStaticUpgradeJob", "kind": "drop_after"})

    upgrade(firmware_id).execute(context)

    assert len(service.emulator.world.engine.jobs) == 1


@BOTH
def test_running_out_of_time_stops_what_has_not_begun(
    service: Service, context: Any, firmware: Path, deferrable: bool
) -> None:
    seed(service, offline=0.5)
    firmware_id = upload(context, firmware)

    with pytest.raises(WaitTimeoutError, match="5 device tasks cancelled"):
        run(upgrade(firmware_id, deferrable=deferrable, timeout=0.5), context)

    (job,) = service.emulator.world.engine.jobs.values()
    assert {status: number for status, number in job.counts.items() if number} == {"SUCCEEDED": 5, "CANCELED": 5}


@pytest.mark.parametrize("operator", [TuyaOTACreateVerifyJobOperator, TuyaOTACreateUpgradeJobOperator])
def test_every_parameter_of_the_api_is_a_template(operator: type[BaseOperator]) -> None:
    arguments = set(signature(operator).parameters) - {"self", "kwargs"}

    assert arguments - set(operator.template_fields) == {
        "wait_for_completion",
        "deferrable",
        "poll_interval",
        "poll_error_tolerance",
        "timeout",
        "on_cancel",
        "on_failed_job",
        "notifiers",
    }
