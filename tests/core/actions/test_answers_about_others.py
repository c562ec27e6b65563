"""An answer about something else than was asked for does not count."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.actions import (
    Action,
    BatchGetDeviceState,
    CreateOTAVerifyJob,
    ListOTAJobByDevice,
    ListOTAJobByFirmware,
    ListOTAModuleByProduct,
    ListOTAModuleVersionsByDevice,
    ListOTATaskByJob,
    ListOTAUnfinishedTaskByDevice,
    QueryDevice,
    QueryOTAFirmware,
    QueryOTAJob,
    QueryProduct,
)
from airflow_provider_tuya_ota.core.errors import ProtocolError
from airflow_provider_tuya_ota.core.flows.calls import call
from tests.core.script import SETTINGS, Script, firmware, job, ok, task

DEVICE: dict[str, Any] = {"product_key": "pk", "device_name": "d1"}
PAGE: dict[str, Any] = {"current_page": 1, "page_size": 10}
STATE = {"deviceName": "d1", "status": "ONLINE"}
VERSION = {"moduleName": "default", "moduleVersion": "1", "deviceName": "d1", "productKey": "pk", "iotId": "i"}
CASES: list[tuple[Action[Any], str, Any, str, str]] = [
    (QueryOTAJob(job_id="9"), "data", job("9"), "jobId", "JobId 9"),
    (QueryOTAFirmware(firmware_id="178"), "firmwareInfo", firmware(), "firmwareId", "FirmwareId 178"),
    (QueryProduct(product_key="pk"), "data", {"productKey": "pk"}, "productKey", "ProductKey pk"),
    (ListOTAJobByFirmware(firmware_id="178", **PAGE), "data", [job()], "firmwareId", "FirmwareId 178"),
    (ListOTAJobByDevice(firmware_id="178", **DEVICE, **PAGE), "data", [job()], "firmwareId", "FirmwareId 178"),
    (ListOTAJobByDevice(firmware_id="178", **DEVICE, **PAGE), "data", [job()], "productKey", "ProductKey pk"),
    (ListOTAJobByDevice(firmware_id="178", **DEVICE, **PAGE), "data", [job()], "deviceName", "DeviceName d1"),
    (ListOTATaskByJob(job_id="9"), "data", [task("d1", "QUEUED", jobId="9")], "jobId", "JobId 9"),
    (ListOTAUnfinishedTaskByDevice(**DEVICE), "data", [task("d1", "QUEUED")], "deviceName", "DeviceName d1"),
    (ListOTAUnfinishedTaskByDevice(**DEVICE), "data", [task("d1", "QUEUED")], "productKey", "ProductKey pk"),
    (ListOTAUnfinishedTaskByDevice(iot_id="i"), "data", [task("d1", "QUEUED")], "iotId", "IotId i"),
    (
        ListOTAUnfinishedTaskByDevice(iot_id="i", module_name="mcu"),
        "data",
        [task("d", "X")],
        "moduleName",
        "ModuleName",
    ),
    (ListOTAModuleVersionsByDevice(**DEVICE, **PAGE), "data", [VERSION], "deviceName", "DeviceName d1"),
    (ListOTAModuleVersionsByDevice(**DEVICE, **PAGE), "data", [VERSION], "productKey", "ProductKey pk"),
    (ListOTAModuleVersionsByDevice(iot_id="i", **PAGE), "data", [VERSION], "iotId", "IotId i"),
    (ListOTAModuleByProduct(product_key="pk"), "data", [{"moduleName": "mcu"}], "productKey", "ProductKey pk"),
    (QueryDevice(product_key="pk"), "data", [{"deviceName": "d1"}], "productKey", "ProductKey pk"),
    (BatchGetDeviceState(product_key="pk", device_name=["d1"]), "deviceStatusList", [STATE], "productKey", "pk"),
]
IDS = [f"{action.name}-{key}" for action, _, _, key, _ in CASES]


def answer(action: Action[Any], place: str, item: Any, **changes: Any) -> Any:
    changed = [one | changes for one in item] if isinstance(item, list) else item | changes
    return Script([ok(**{place: changed})]).run(call(SETTINGS, action))


@pytest.mark.parametrize(("action", "place", "item", "key", "asked"), CASES, ids=IDS)
@pytest.mark.parametrize("other", ["4711", 4711, "9 ", "178\u200b"])
def test_an_answer_about_another_one_does_not_count(
    action: Action[Any], place: str, item: Any, key: str, asked: str, other: Any
) -> None:
    with pytest.raises(ProtocolError, match="asked about") as caught:
        answer(action, place, item, **{key: other})

    assert asked in str(caught.value)
    assert str(other)[:3].strip() in str(caught.value)
    assert caught.value.in_doubt


@pytest.mark.parametrize(("action", "place", "item", "key", "asked"), CASES, ids=IDS)
@pytest.mark.parametrize("absent", [None, ""])
def test_a_field_that_is_absent_speaks_neither_for_nor_against(
    action: Action[Any], place: str, item: Any, key: str, asked: str, absent: Any
) -> None:
    if isinstance(item, list) or key != {"QueryOTAJob": "jobId", "QueryOTAFirmware": "firmwareId"}.get(
        action.name, key
    ):
        assert answer(action, place, item, **{key: absent}) is not None


def test_ids_as_numbers_are_the_same_ids() -> None:
    assert answer(QueryOTAJob(job_id="1836340779212669999"), "data", job(), jobId=1836340779212669999).job_id


@pytest.mark.parametrize("unreadable", [9.0, True, "9 ", "\ud8009", "9.5"])
def test_a_create_whose_id_cannot_be_read_is_in_doubt_and_not_without_one(unreadable: Any) -> None:
    with pytest.raises(ProtocolError, match="JobId should be an id") as caught:
        answer(CreateOTAVerifyJob(firmware_id="178", product_key="pk"), "data", {}, jobId=unreadable)
    assert caught.value.in_doubt


@pytest.mark.parametrize("unreadable", [9.0, "9\x00"])
def test_one_item_whose_id_cannot_be_read_makes_its_page_count_for_nothing(unreadable: Any) -> None:
    with pytest.raises(ProtocolError, match="TaskId should be an id"):
        answer(ListOTATaskByJob(job_id="9"), "data", [task("d1", "QUEUED"), task("d2", "QUEUED")], taskId=unreadable)
