from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConflictError, InvalidParameterError, NotFoundError
from airflow_provider_tuya_ota.operators.firmware import TuyaOTADeleteFirmwareOperator, TuyaOTAModifyFirmwareOperator
from airflow_provider_tuya_ota.operators.module import (
    TuyaOTACreateModuleOperator,
    TuyaOTADeleteModuleOperator,
    TuyaOTAUpdateModuleOperator,
)
from airflow_provider_tuya_ota.operators.task import (
    TuyaOTACancelDeviceTasksOperator,
    TuyaOTACancelJobOperator,
    TuyaOTAConfirmTasksOperator,
)
from tests.provider.operators.test_upgrade_operator import PRODUCT, seed, upgrade, upload

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import FakeTask, Service


@pytest.fixture
def firmware_id(service: Service, context: Any, firmware: Path) -> str:
    seed(service, offline=0.4)
    return upload(context, firmware)


def start(firmware_id: str, context: Any, **changes: Any) -> str:
    return upgrade(firmware_id, wait_for_completion=False, **changes).execute(context)


def statuses(service: Service, job_id: str) -> dict[str, int]:
    return {name: number for name, number in service.emulator.world.engine.jobs[job_id].counts.items() if number}


# --- device tasks ---


def test_what_has_not_begun_is_cancelled_by_its_status(
    service: Service, context: Any, firmware_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    job_id = start(firmware_id, context)
    service.emulator.clock.advance(300)
    service.emulator.world.engine.run()

    cancel = TuyaOTACancelJobOperator(task_id="t", job_id=job_id, cancel_queued="True")
    capsys.readouterr()
    left = cancel.execute(context)

    printed = capsys.readouterr().out
    assert f"Before the cancel, job {job_id} has 4 QUEUED" in printed
    assert f"After the cancel, job {job_id} has no unfinished device task" in printed
    assert left == {"CONFIRM": 0, "QUEUED": 0, "NOTIFIED": 0, "IN_PROGRESS": 0}
    assert statuses(service, job_id) == {"SUCCEEDED": 6, "CANCELED": 4}


@pytest.mark.parametrize("answer", ["refused", "accepted"])
def test_cancelling_what_has_ended_is_said_and_no_error(
    service: Service,
    context: Any,
    ti: FakeTask,
    firmware_id: str,
    answer: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    job_id = start(firmware_id, context)
    cancel = TuyaOTACancelJobOperator(task_id="t", job_id=job_id, cancel_queued=True, cancel_notified=True)
    service.emulator.clock.advance(300)
    cancel.execute(context)
    service.emulator.world.engine.run()
    ended = service.emulator.world.engine.jobs[job_id].status
    if answer == "accepted":
        service.emulator.world.quirks = replace(service.emulator.world.quirks, repeated_cancel="accepted")
    capsys.readouterr()

    assert set(cancel.execute(context).values()) == {0}

    said = f"ob {job_id} had already ended as {ended}; nothing was cancelled"
    assert said in capsys.readouterr().out
    assert said in ti.xcom["ota_release"]["text"]
    assert ti.xcom["ota_release"]["event"] == "succeeded"


def test_a_lost_cancel_that_may_have_ended_the_job_is_not_said_to_have_cancelled_nothing(
    service: Service, context: Any, ti: FakeTask, firmware_id: str
) -> None:
    job_id = start(firmware_id, context, target_selection="SPECIFIC", device_names=["device-001"], need_confirm=True)
    service.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "drop_after", "nth": 1})

    TuyaOTACancelJobOperator(task_id="t", job_id=job_id, cancel_queued=True).execute(context)

    text = ti.xcom["ota_release"]["text"]
    assert f"{job_id} has ended as {service.emulator.world.engine.jobs[job_id].status}; an answer was lost" in text
    assert "nothing was cancelled" not in text


def test_a_lost_cancel_is_repeated(service: Service, context: Any, firmware_id: str) -> None:
    job_id = start(firmware_id, context)
    service.emulator.faults.add({"action": "CancelOTATaskByJob", "kind": "drop_after", "nth": 1})
    service.emulator.clock.advance(300)

    TuyaOTACancelJobOperator(task_id="t", job_id=job_id, cancel_queued=True).execute(context)

    assert statuses(service, job_id)["CANCELED"] == 4


@pytest.mark.parametrize("switches", [{}, {"cancel_queued": "False"}, {"cancel_unconfirmed": False}])
def test_cancelling_nothing_is_refused(service: Service, context: Any, switches: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match="none of them is on"):
        TuyaOTACancelJobOperator(task_id="t", job_id="1", **switches).execute(context)
    assert service.actions == []


def test_what_named_devices_wait_for_is_cancelled(service: Service, context: Any, firmware_id: str) -> None:
    job_id = start(firmware_id, context, need_confirm=True)

    cancelled = TuyaOTACancelDeviceTasksOperator(
        task_id="t", firmware_id=firmware_id, product_key=PRODUCT, device_names="device-001\ndevice-002", job_id=job_id
    ).execute(context)

    assert cancelled == ["device-001", "device-002"]
    assert statuses(service, job_id) == {"CONFIRM": 8, "CANCELED": 2}


def test_a_lost_cancel_of_devices_is_found_to_have_worked(service: Service, context: Any, firmware_id: str) -> None:
    job_id = start(firmware_id, context, need_confirm=True)
    service.emulator.faults.add({"action": "CancelOTATaskByDevice", "kind": "drop_after", "nth": 1})

    TuyaOTACancelDeviceTasksOperator(
        task_id="t", firmware_id=firmware_id, product_key=PRODUCT, device_names=["device-001", "device-002"]
    ).execute(context)

    assert statuses(service, job_id) == {"CONFIRM": 8, "CANCELED": 2}
    assert service.actions.count("CancelOTATaskByDevice") == 2


def test_devices_that_wait_for_nothing_are_named(service: Service, context: Any, firmware_id: str) -> None:
    with pytest.raises(NotFoundError, match="device-001"):
        TuyaOTACancelDeviceTasksOperator(
            task_id="t", firmware_id=firmware_id, product_key=PRODUCT, device_names=["device-001"]
        ).execute(context)


def test_everything_that_waits_in_a_job_is_confirmed(service: Service, context: Any, firmware: Path) -> None:
    seed(service, devices=25)
    job_id = start(upload(context, firmware), context, need_confirm=True)

    confirmed = TuyaOTAConfirmTasksOperator(task_id="t", job_id=job_id).execute(context)

    assert len(set(confirmed)) == 25
    assert service.actions.count("ConfirmOTATask") == 3
    assert "CONFIRM" not in statuses(service, job_id)


def test_a_lost_confirmation_counts_as_one(service: Service, context: Any, firmware_id: str) -> None:
    job_id = start(firmware_id, context, need_confirm=True)
    service.emulator.faults.add({"action": "ConfirmOTATask", "kind": "drop_after", "nth": 1})

    confirmed = TuyaOTAConfirmTasksOperator(task_id="t", job_id=job_id).execute(context)

    assert set(confirmed) == {task.task_id for task in service.emulator.world.engine.jobs[job_id].tasks}
    assert "CONFIRM" not in statuses(service, job_id)


def test_named_tasks_are_confirmed_and_those_that_wait_no_longer_passed_over(
    service: Service, context: Any, firmware_id: str
) -> None:
    job_id = start(firmware_id, context, need_confirm=True)
    tasks = [task.task_id for task in service.emulator.world.engine.jobs[job_id].tasks]
    confirm = TuyaOTAConfirmTasksOperator(task_id="t", task_ids=tasks[:2])
    assert confirm.execute(context) == tasks[:2]

    assert TuyaOTAConfirmTasksOperator(task_id="t", task_ids=tasks[:3]).execute(context) == tasks[2:3]


@pytest.mark.parametrize(
    "arguments", [{}, {"job_id": "1", "task_ids": ["2"]}, {"task_ids": []}, {"task_ids": ["1", "1"]}]
)
def test_what_to_confirm_must_be_said_once(service: Service, context: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError):
        TuyaOTAConfirmTasksOperator(task_id="t", **arguments).execute(context)
    assert service.actions == []


# --- firmwares ---


def test_a_firmware_is_changed_under_its_own_name(service: Service, context: Any, firmware_id: str) -> None:
    TuyaOTAModifyFirmwareOperator(task_id="t", firmware_id=firmware_id, firmware_desc="sunny", udi="{}").execute(
        context
    )

    changed = service.emulator.world.firmwares.by_id[firmware_id]
    assert (changed.desc, changed.udi) == ("sunny", "{}")


@pytest.mark.parametrize("changes", [{}, {"firmware_desc": "x" * 101}])
def test_a_change_of_nothing_or_too_much_is_refused(service: Service, context: Any, changes: dict[str, str]) -> None:
    with pytest.raises(InvalidParameterError):
        TuyaOTAModifyFirmwareOperator(task_id="t", firmware_id="1", **changes).execute(context)
    assert service.actions == []


@pytest.mark.parametrize("missing_ok", [True, False])
def test_a_firmware_is_deleted_and_a_lost_answer_counts_as_done(
    service: Service, context: Any, firmware_id: str, missing_ok: bool
) -> None:
    service.emulator.faults.add({"action": "DeleteOTAFirmware", "kind": "drop_after", "nth": 1})
    delete = TuyaOTADeleteFirmwareOperator(task_id="t", firmware_id=firmware_id, missing_ok=missing_ok)

    assert delete.execute(context) == firmware_id
    assert service.emulator.world.firmwares.by_id == {}


def test_a_firmware_that_is_not_there_may_be_an_error(service: Service, context: Any) -> None:
    assert TuyaOTADeleteFirmwareOperator(task_id="t", firmware_id="1").execute(context) == "1"
    with pytest.raises(NotFoundError):
        TuyaOTADeleteFirmwareOperator(task_id="t", firmware_id="1", missing_ok="False").execute(context)


def test_a_firmware_in_use_is_not_deleted(service: Service, context: Any, firmware_id: str) -> None:
    start(firmware_id, context)

    with pytest.raises(ConflictError, match="Wait until no job needs the firmware"):
        TuyaOTADeleteFirmwareOperator(task_id="t", firmware_id=firmware_id).execute(context)


def test_a_lost_change_of_a_firmware_is_made_all_the_same(service: Service, context: Any, firmware_id: str) -> None:
    service.emulator.faults.add({"action": "ModifyOTAFirmware", "kind": "drop_after", "nth": 1})

    TuyaOTAModifyFirmwareOperator(task_id="t", firmware_id=firmware_id, firmware_desc="sunny").execute(context)

    assert service.emulator.world.firmwares.by_id[firmware_id].desc == "sunny"


# --- modules ---

MODULE = {"task_id": "t", "module_name": "mcu", "product_key": PRODUCT}


def modules(service: Service) -> dict[str, Any]:
    return service.emulator.world.products[PRODUCT].modules


def test_a_module_is_made_once(service: Service, context: Any) -> None:
    create = TuyaOTACreateModuleOperator(**MODULE, desc="the small one")

    assert [create.execute(context), create.execute(context)] == ["mcu", "mcu"]
    assert modules(service)["mcu"].desc == "the small one"
    assert service.actions.count("CreateOTAModule") == 1


def test_a_module_whose_creation_was_not_answered_is_found(service: Service, context: Any) -> None:
    service.emulator.faults.add({"action": "CreateOTAModule", "kind": "drop_after", "nth": 1})

    TuyaOTACreateModuleOperator(**MODULE).execute(context)

    assert service.actions.count("CreateOTAModule") == 1


def test_a_reserved_module_is_refused(service: Service, context: Any) -> None:
    for number in range(10):
        TuyaOTACreateModuleOperator(**MODULE | {"module_name": f"m{number}"}).execute(context)

    with pytest.raises(ConflictError, match="ten modules"):
        TuyaOTACreateModuleOperator(**MODULE).execute(context)


def test_a_module_is_changed_and_deleted(service: Service, context: Any) -> None:
    TuyaOTACreateModuleOperator(**MODULE).execute(context)
    TuyaOTAUpdateModuleOperator(**MODULE, alias_name="radio").execute(context)
    assert modules(service)["mcu"].alias == "radio"

    delete = TuyaOTADeleteModuleOperator(**MODULE)
    assert [delete.execute(context), delete.execute(context)] == ["mcu", "mcu"]
    assert "mcu" not in modules(service)
    with pytest.raises(NotFoundError):
        TuyaOTADeleteModuleOperator(**MODULE, missing_ok=False).execute(context)


def test_lost_answers_about_a_module_change_nothing(service: Service, context: Any) -> None:
    TuyaOTACreateModuleOperator(**MODULE).execute(context)
    for action in ("UpdateOTAModule", "DeleteOTAModule"):
        service.emulator.faults.add({"action": action, "kind": "drop_after", "nth": 1})

    TuyaOTAUpdateModuleOperator(**MODULE, alias_name="radio").execute(context)
    assert modules(service)["mcu"].alias == "radio"
    TuyaOTADeleteModuleOperator(**MODULE, missing_ok=False).execute(context)
    assert "mcu" not in modules(service)


def test_a_change_of_no_module_or_of_nothing_is_refused(service: Service, context: Any) -> None:
    with pytest.raises(NotFoundError):
        TuyaOTAUpdateModuleOperator(**MODULE, desc="x").execute(context)
    with pytest.raises(InvalidParameterError, match="none of them is given"):
        TuyaOTAUpdateModuleOperator(**MODULE).execute(context)
