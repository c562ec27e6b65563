"""Operations on fleets: batch upgrades, devices, modules, tasks by device."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.actions import (
    ALL_ACTIONS,
    BatchGetDeviceState,
    ConfirmOTATask,
    CreateOTAStaticUpgradeJob,
    ListOTAModuleVersionsByDevice,
    ListOTAUnfinishedTaskByDevice,
    QueryDevice,
)
from airflow_provider_tuya_ota.core.errors import InvalidParameterError, ProtocolError
from airflow_provider_tuya_ota.core.model.states import DeviceStatus, TaskStatus
from airflow_provider_tuya_ota.core.wire.encoding import to_wire
from airflow_provider_tuya_ota.core.wire.reply import read_reply
from tests.core.script import ok, task

UPGRADE: dict[str, Any] = {"firmware_id": "178", "product_key": "pk"}
OWN: dict[str, dict[str, Any]] = {
    "SPECIFIC": {"target_device_name": ["d1"]},
    "GRAY": {"gray_percent": "10"},
    "GROUP": {"group_id": "g"},
    "ALL": {},
}


def read(name: str, values: dict[str, Any], **fields: Any) -> Any:
    return ALL_ACTIONS[name](**values).parse(read_reply(name, ok(**fields)))


def upgrade(selection: str, **changes: Any) -> CreateOTAStaticUpgradeJob:
    return CreateOTAStaticUpgradeJob(**{**UPGRADE, "target_selection": selection, **OWN[selection], **changes})


@pytest.mark.parametrize("selection", OWN)
def test_each_selection_takes_its_own_parameter_and_no_other(selection: str) -> None:
    assert upgrade(selection).advisories() == []
    for other, values in OWN.items():
        if other != selection and values:
            with pytest.raises(InvalidParameterError, match=f"is given with target_selection {selection}"):
                upgrade(selection, **values)


@pytest.mark.parametrize("selection", ["SPECIFIC", "GRAY", "GROUP"])
def test_each_selection_needs_its_own_parameter(selection: str) -> None:
    with pytest.raises(InvalidParameterError, match=f"is missing with target_selection {selection}"):
        CreateOTAStaticUpgradeJob(**UPGRADE, target_selection=selection)


@pytest.mark.parametrize("selection", ["all", "EVERYTHING"])
def test_a_selection_that_nobody_documents_is_refused(selection: str) -> None:
    with pytest.raises(InvalidParameterError, match="ALL, SPECIFIC, GRAY, GROUP"):
        CreateOTAStaticUpgradeJob(**UPGRADE, target_selection=selection)


@pytest.mark.parametrize("percent", ["0", "101", "33.3", "010", "x"])
def test_a_share_is_a_whole_percent(percent: str) -> None:
    with pytest.raises(InvalidParameterError, match="1 to 100"):
        upgrade("GRAY", gray_percent=percent)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"retry_interval": 10}, "missing beside retry_interval"),
        ({"retry_interval": 20, "retry_count": 1}, "0, 10, 30, 60, 1440"),
        ({"retry_count": 3}, "1, 2, 5"),
        ({"timeout_in_minutes": 1441}, "1 to 1440"),
    ],
)
def test_retries_and_timeouts_take_the_listed_values_only(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidParameterError, match=said):
        upgrade("ALL", **changes)


def test_source_versions_where_the_original_refuses_them_are_warned_about() -> None:
    assert upgrade("ALL", src_version=["1.0"]).advisories() == []
    assert "only with ALL and GRAY" in upgrade("SPECIFIC", src_version=["1.0"]).advisories()[0]


def test_an_upgrade_is_written_as_on_the_wire() -> None:
    action = upgrade("SPECIFIC", target_device_name=["a", "b"], retry_interval=0, retry_count=5, need_push=False)

    assert to_wire(action.wire()) == {
        "FirmwareId": "178",
        "ProductKey": "pk",
        "TargetSelection": "SPECIFIC",
        "TargetDeviceName.1": "a",
        "TargetDeviceName.2": "b",
        "RetryInterval": "0",
        "RetryCount": "5",
        "NeedPush": "false",
    }


@pytest.mark.parametrize("key", ["jobId", "firmwareId"])
def test_the_job_of_an_upgrade_is_found_where_it_may_be(key: str) -> None:
    created = read("CreateOTAStaticUpgradeJob", UPGRADE | {"target_selection": "ALL"}, data={key: "183"})

    assert created.entity_id == "183"


def test_eleven_tasks_are_too_many_to_confirm_at_once() -> None:
    with pytest.raises(InvalidParameterError, match="at most 10 entries"):
        ConfirmOTATask(task_id=[str(number) for number in range(11)])


@pytest.mark.parametrize("name", ["ConfirmOTATask", "CancelOTATaskByDevice", "ModifyOTAFirmware", "DeleteOTAFirmware"])
def test_what_only_succeeds_or_fails_has_nothing_to_read(name: str) -> None:
    values: dict[str, dict[str, Any]] = {
        "ConfirmOTATask": {"task_id": ["t"]},
        "CancelOTATaskByDevice": UPGRADE | {"device_name": ["d"]},
        "ModifyOTAFirmware": {"firmware_id": "178", "firmware_name": "lamp"},
        "DeleteOTAFirmware": {"firmware_id": "178"},
    }

    assert read(name, values[name]) is None


@pytest.mark.parametrize("name", ["CreateOTAModule", "UpdateOTAModule", "DeleteOTAModule"])
def test_changing_a_module_has_nothing_to_read(name: str) -> None:
    assert read(name, {"module_name": "mcu", "product_key": "pk"}) is None


MODULE = {"moduleName": "ble", "productKey": "pk", "aliasName": "radio", "desc": "d", "gmtCreate": "2024-11-11T07:36Z"}


@pytest.mark.parametrize("data", [MODULE, [MODULE], {"OtaModuleDTO": [MODULE]}])
def test_modules_are_read_as_list_or_as_the_single_object_of_the_example(data: Any) -> None:
    (module,) = read("ListOTAModuleByProduct", {"product_key": "pk"}, data=data)

    assert (module.module_name, module.alias_name, module.created_at) == ("ble", "radio", "2024-11-11T07:36Z")


def test_a_device_is_read_and_its_secret_hidden() -> None:
    device = {"deviceName": "d1", "deviceStatus": "ONLINE", "iotId": "i", "deviceSecret": "canary-device-secret"}

    page = read("QueryDevice", {"product_key": "pk"}, data=[device], nextToken="n", total=7)

    assert (page.total, page.next_token) == (7, "n")
    assert page.items[0].status is DeviceStatus.ONLINE
    assert page.items[0].device_secret.reveal() == "canary-device-secret"
    assert "canary" not in repr(page)


@pytest.mark.parametrize(("page", "token"), [(200, None), (201, "t")])
def test_beyond_ten_thousand_devices_a_token_is_needed(page: int, token: str | None) -> None:
    QueryDevice(product_key="pk", page_size=50, current_page=page, next_token=token)

    with pytest.raises(InvalidParameterError, match="beyond the first 10,000 devices"):
        QueryDevice(product_key="pk", page_size=50, current_page=201)


def test_the_state_of_devices_is_read() -> None:
    item = {"deviceName": "d1", "status": "NAPPING", "lastOnlineTime": "2024-11-11 07:36:00"}

    (state,) = read("BatchGetDeviceState", {"iot_id": ["i"]}, deviceStatusList={"DeviceStatus": [item]})

    assert (state.device_name, state.status, state.last_online_at) == ("d1", "NAPPING", "2024-11-11 07:36:00")


@pytest.mark.parametrize(
    "values",
    [{}, {"product_key": "pk"}, {"device_name": ["d"]}, {"product_key": "pk", "device_name": ["d"], "iot_id": ["i"]}],
)
def test_devices_are_named_in_exactly_one_way(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameterError, match="product_key with device_name, or iot_id"):
        BatchGetDeviceState(**values)


def test_products_are_read_one_by_one_and_in_pages() -> None:
    product = {"productKey": "pk", "productName": "Lamp", "deviceCount": "3"}

    one = read("QueryProduct", {"product_key": "pk"}, data=product)
    page = read(
        "QueryProductList", {"current_page": 1, "page_size": 10}, data={"list": {"ProductInfo": [product]}, "total": 1}
    )

    assert (one.name, one.device_count) == ("Lamp", 3)
    assert (page.items, page.total) == ([one], 1)


def test_module_versions_are_read() -> None:
    item = {"deviceName": "d1", "moduleName": "default", "moduleVersion": "1.0.0", "iotId": "i", "productKey": "pk"}

    page = read(
        "ListOTAModuleVersionsByDevice", {"current_page": 1, "page_size": 10}, data={"SimpleOTAModuleInfo": [item]}
    )

    assert (page.items[0].module_name, page.items[0].version) == ("default", "1.0.0")


def test_unfinished_tasks_are_read_with_their_module() -> None:
    (found,) = read("ListOTAUnfinishedTaskByDevice", {"iot_id": "i"}, data=[task("d1", "QUEUED", moduleName="mcu")])

    assert (found.status, found.module_name) == (TaskStatus.QUEUED, "mcu")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"task_status": "SUCCEEDED"}, "CONFIRM, QUEUED, NOTIFIED, IN_PROGRESS"),
        ({"task_status_list": ["QUEUED", "DONE"]}, "for each entry CONFIRM"),
        ({"task_status": "QUEUED", "task_status_list": ["QUEUED"]}, "one of the two"),
    ],
)
def test_unfinished_means_unfinished(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidParameterError, match=said):
        ListOTAUnfinishedTaskByDevice(iot_id="i", **values)


@pytest.mark.parametrize("values", [{}, {"product_key": "pk"}, {"device_name": "d"}])
def test_a_device_that_is_not_named_in_full_is_warned_about(values: dict[str, Any]) -> None:
    assert "needs product_key with device_name" in ListOTAUnfinishedTaskByDevice(**values).advisories()[0]
    listing = ListOTAModuleVersionsByDevice(current_page=1, page_size=1, **values)
    assert "needs product_key with device_name" in listing.advisories()[0]


def test_a_device_named_in_full_is_not_warned_about() -> None:
    named = ListOTAModuleVersionsByDevice(current_page=1, page_size=1, product_key="pk", device_name="d")

    assert named.advisories() == []


def test_jobs_of_a_device_are_read() -> None:
    values = UPGRADE | {"device_name": "d1", "current_page": 1, "page_size": 100}

    page = read("ListOTAJobByDevice", values, data=[{"jobId": "9", "jobStatus": "COMPLETED"}])

    assert page.items[0].job_id == "9"


@pytest.mark.parametrize("name", ["QueryDevice", "QueryProduct"])
def test_an_answer_without_its_name_is_refused(name: str) -> None:
    with pytest.raises(ProtocolError):
        read(name, {"product_key": "pk"}, data={"deviceName": "", "other": 1})


def test_every_operation_of_the_documents_is_there() -> None:
    assert len(ALL_ACTIONS) == 25
