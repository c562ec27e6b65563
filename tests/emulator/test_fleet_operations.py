"""Operations on packages, modules, batch upgrades and devices beyond a verification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.emulator.gateway.tables import ACTIONS
from airflow_provider_tuya_ota.emulator.operations import HANDLERS

if TYPE_CHECKING:
    from tests.emulator.stranger import Stranger

ONE, TWO, PRODUCT = "device-001", "device-002", "k1demoproduct"
PAGE = {"CurrentPage": "1", "PageSize": "50"}


def script(stranger: Stranger, device: str, **values: Any) -> None:
    stranger.control("POST", f"devices/{PRODUCT}/{device}", values)


def advance(stranger: Stranger, seconds: float) -> None:
    stranger.control("POST", "clock", {"advance": seconds})


def ready(stranger: Stranger, version: str = "1.1.0") -> str:
    """Make a package that needs no verification."""
    return stranger.package(version, version.encode(), NeedToVerify="false")


def upgrade(stranger: Stranger, firmware_id: str, selection: str, **own: str) -> Any:
    values = {"FirmwareId": firmware_id, "ProductKey": PRODUCT, "TargetSelection": selection} | own
    return stranger.ask("CreateOTAStaticUpgradeJob", **values)[1]


def code(stranger: Stranger, action: str, **own: str) -> str:
    answer = stranger.ask(action, **own)[1]
    return str(answer.get("code", answer.get("Code")))


def test_every_operation_has_parameters_and_a_handler() -> None:
    assert set(ACTIONS) == set(HANDLERS)
    assert len(HANDLERS) == 25


@pytest.mark.parametrize(
    ("selection", "own", "devices"),
    [
        ("ALL", {}, 100),
        ("GRAY", {"GrayPercent": "25"}, 25),
        ("GRAY", {"GrayPercent": "1"}, 1),
        ("SPECIFIC", {"TargetDeviceName.1": ONE, "TargetDeviceName.2": TWO}, 2),
        ("GROUP", {"GroupId": "bench"}, 2),
        ("ALL", {"SrcVersion.1": "1.0.0"}, 100),
    ],
)
def test_a_batch_upgrade_reaches_its_selection(
    stranger: Stranger, selection: str, own: dict[str, str], devices: int
) -> None:
    stranger.control("POST", "seed", {"products": [{"groups": {"bench": [ONE, TWO]}}]})

    answer = upgrade(stranger, ready(stranger), selection, **own)
    advance(stranger, 60)

    tasks = stranger.tasks(answer["data"]["jobId"])
    assert len(tasks) == devices
    assert {task["taskStatus"] for task in tasks.values()} == {"SUCCEEDED"}
    assert stranger.job_status(answer["data"]["jobId"]) == "COMPLETED"


@pytest.mark.parametrize(
    ("selection", "own", "expected"),
    [
        ("SPECIFIC", {}, "iot.firmware.NullTargetDeviceNames"),
        ("ALL", {"TargetDeviceName.1": ONE}, "iot.firmware.TargetDeviceNamesNotAllowed"),
        ("GRAY", {}, "iot.firmware.NullGrayPercent"),
        ("GRAY", {"GrayPercent": "33.3"}, "iot.firmware.InvalidGrayPercent"),
        ("GROUP", {}, "iot.group.NullGroupId"),
        ("GROUP", {"GroupId": "nobody"}, "iot.group.NotExistedGroup"),
        ("SPECIFIC", {"TargetDeviceName.1": ONE, "SrcVersion.1": "1.0.0"}, "iot.firmware.SrcVersionsNotAllowed"),
        ("ALL", {"SrcVersion.1": "0.1.0"}, "iot.firmware.NoDeviceCanUpgrade"),
        ("ALL", {"RetryInterval": "10"}, "iot.firmware.InvalidRetryCount"),
        ("ALL", {"RetryInterval": "11", "RetryCount": "1"}, "iot.firmware.InvalidRetryInterval"),
        ("ALL", {"RetryCount": "3"}, "iot.firmware.InvalidRetryCount"),
        ("SOME", {}, "iot.firmware.InvalidTargetSelection"),
    ],
)
def test_a_batch_upgrade_is_refused_with_the_documented_code(
    stranger: Stranger, selection: str, own: dict[str, str], expected: str
) -> None:
    assert upgrade(stranger, ready(stranger), selection, **own)["code"] == expected


def test_a_batch_upgrade_needs_a_verified_package(stranger: Stranger) -> None:
    assert upgrade(stranger, stranger.package(), "ALL")["code"] == "iot.firmware.FirmwareNotVerified"


def test_a_failed_device_is_tried_again_as_often_as_asked(stranger: Stranger) -> None:
    script(stranger, ONE, outcome="fails", reason="no room")
    own = {"TargetDeviceName.1": ONE, "RetryInterval": "10", "RetryCount": "2"}
    job = upgrade(stranger, ready(stranger), "SPECIFIC", **own)["data"]["jobId"]

    advance(stranger, 900)
    assert stranger.tasks(job)[ONE]["taskStatus"] == "IN_PROGRESS"
    advance(stranger, 900)

    assert stranger.tasks(job)[ONE]["taskStatus"] == "FAILED"


def test_a_retry_that_succeeds_saves_the_device(stranger: Stranger) -> None:
    script(stranger, ONE, outcome="fails")
    own = {"TargetDeviceName.1": ONE, "RetryInterval": "10", "RetryCount": "1"}
    job = upgrade(stranger, ready(stranger), "SPECIFIC", **own)["data"]["jobId"]
    advance(stranger, 60)
    script(stranger, ONE, outcome="succeeds")

    advance(stranger, 900)

    assert stranger.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_a_timeout_is_not_tried_again(stranger: Stranger) -> None:
    script(stranger, ONE, flash_seconds=3600)
    own = {"TargetDeviceName.1": ONE, "RetryInterval": "0", "RetryCount": "5", "TimeoutInMinutes": "1"}
    job = upgrade(stranger, ready(stranger), "SPECIFIC", **own)["data"]["jobId"]

    advance(stranger, 120)

    assert stranger.tasks(job)[ONE]["taskDesc"] == "timeout"


def test_tasks_are_confirmed_by_id_all_or_none(stranger: Stranger) -> None:
    job = stranger.verify(stranger.package(), ONE, TWO, NeedConfirm="true")
    ids = [task["taskId"] for task in stranger.tasks(job).values()]

    refused = code(stranger, "ConfirmOTATask", **{"TaskId.1": ids[0], "TaskId.2": "9"})
    assert refused == "iot.firmware.InvalidOTATaskId"
    assert {task["taskStatus"] for task in stranger.tasks(job).values()} == {"CONFIRM"}
    assert code(stranger, "ConfirmOTATask", **{"TaskId.1": ids[0], "TaskId.2": ids[1]}) == ""
    advance(stranger, 60)

    assert {task["taskStatus"] for task in stranger.tasks(job).values()} == {"SUCCEEDED"}
    assert code(stranger, "ConfirmOTATask", **{"TaskId.1": ids[0]}) == "iot.firmware.InvalidTaskStatus"


def test_devices_are_cancelled_by_name_unless_they_are_flashing(stranger: Stranger) -> None:
    script(stranger, ONE, online=False)
    script(stranger, TWO, flash_seconds=600)
    firmware_id = stranger.package()
    job = stranger.verify(firmware_id, ONE, TWO)
    advance(stranger, 10)
    own = {"FirmwareId": firmware_id, "ProductKey": PRODUCT}

    both = code(stranger, "CancelOTATaskByDevice", **own, **{"DeviceName.1": ONE, "DeviceName.2": TWO})
    other = code(stranger, "CancelOTATaskByDevice", **own, **{"DeviceName.1": ONE, "JobId": "7"})
    assert (both, other) == (
        "iot.firmware.IncorrectDeviceUpgradeJobStatus",
        "iot.firmware.DeviceUpgradeRecordNotFound",
    )
    assert stranger.tasks(job)[ONE]["taskStatus"] == "QUEUED"
    assert code(stranger, "CancelOTATaskByDevice", **own, **{"DeviceName.1": ONE, "JobId": job}) == ""

    assert stranger.tasks(job)[ONE]["taskStatus"] == "CANCELED"


def test_what_a_device_has_not_finished_is_listed(stranger: Stranger) -> None:
    script(stranger, ONE, online=False)
    job = stranger.verify(stranger.package(), ONE)

    by_name = stranger.ask("ListOTAUnfinishedTaskByDevice", ProductKey=PRODUCT, DeviceName=ONE)[1]["data"]
    iot_id = by_name[0]["iotId"]
    by_id = stranger.ask("ListOTAUnfinishedTaskByDevice", IotId=iot_id, **{"TaskStatusList.1": "QUEUED"})[1]["data"]
    none = stranger.ask("ListOTAUnfinishedTaskByDevice", IotId=iot_id, TaskStatus="CONFIRM")[1]["data"]

    assert by_name == by_id
    assert (by_name[0]["jobId"], by_name[0]["moduleName"], "progress" in by_name[0]) == (job, "default", False)
    assert none == []


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, "iot.prod.NullProductKey"),
        ({"ProductKey": PRODUCT}, "iot.device.NullDeviceName"),
        ({"IotId": "nobody"}, "iot.device.InvalidIoTId"),
        ({"ProductKey": PRODUCT, "DeviceName": "nobody"}, "iot.device.NotExistedDevice"),
        ({"ProductKey": PRODUCT, "DeviceName": ONE, "TaskStatus": "FAILED"}, "iot.firmware.InvalidTaskStatus"),
        ({"ProductKey": PRODUCT, "DeviceName": ONE, "TaskStatusList.1": "FAILED"}, "iot.firmware.InvalidTaskStatus"),
    ],
)
def test_a_device_has_to_be_named(stranger: Stranger, own: dict[str, str], expected: str) -> None:
    assert code(stranger, "ListOTAUnfinishedTaskByDevice", **own) == expected


def test_jobs_are_listed_by_device(stranger: Stranger) -> None:
    firmware_id = stranger.package()
    job = stranger.verify(firmware_id, ONE)
    own = {"ProductKey": PRODUCT, "FirmwareId": firmware_id} | PAGE

    mine = stranger.ask("ListOTAJobByDevice", DeviceName=ONE, **own)[1]
    others = stranger.ask("ListOTAJobByDevice", DeviceName=TWO, **own)[1]

    assert [item["jobId"] for item in mine["data"]] == [job]
    assert others["total"] == 0


def test_a_package_is_changed_but_not_renamed(stranger: Stranger) -> None:
    firmware_id = stranger.package()
    own = {"FirmwareId": firmware_id, "FirmwareDesc": "for winter"}

    assert code(stranger, "ModifyOTAFirmware", FirmwareName="other", **own) == "iot.firmware.InvalidFirmware"
    assert code(stranger, "ModifyOTAFirmware", FirmwareName="name-1_1_0", **own) == ""

    info = stranger.ask("QueryOTAFirmware", FirmwareId=firmware_id)[1]["firmwareInfo"]
    assert info["firmwareDesc"] == "for winter"


def test_a_package_is_deleted_unless_a_job_needs_it(stranger: Stranger) -> None:
    firmware_id = stranger.package()
    stranger.verify(firmware_id, ONE)

    assert code(stranger, "DeleteOTAFirmware", FirmwareId=firmware_id) == "iot.firmware.DeleteFirmwareFailure"
    advance(stranger, 60)
    assert code(stranger, "DeleteOTAFirmware", FirmwareId=firmware_id) == ""

    assert code(stranger, "QueryOTAFirmware", FirmwareId=firmware_id) == "iot.firmware.FirmwareNotFound"


def test_modules_are_made_changed_listed_and_deleted(stranger: Stranger) -> None:
    own = {"ProductKey": PRODUCT, "ModuleName": "mcu"}
    assert code(stranger, "CreateOTAModule", **own, AliasName="controller") == ""
    assert code(stranger, "CreateOTAModule", **own) == "iot.ota.CreateOTAModuleNameExist"
    assert code(stranger, "UpdateOTAModule", **own, Desc="the small one") == ""

    modules = {
        item["moduleName"]: item for item in stranger.ask("ListOTAModuleByProduct", ProductKey=PRODUCT)[1]["data"]
    }

    assert set(modules) == {"default", "mcu"}
    assert (modules["mcu"]["aliasName"], modules["mcu"]["desc"]) == ("controller", "the small one")
    stranger.package(ModuleName="mcu")
    assert code(stranger, "DeleteOTAModule", **own) == "iot.ota.DeleteOTAModulePackageExist"


@pytest.mark.parametrize(
    ("action", "name", "expected"),
    [
        ("CreateOTAModule", "default", "iot.firmware.ModuleNameReserved"),
        ("DeleteOTAModule", "default", "iot.ota.DeleteOtaDefaultModule"),
        ("DeleteOTAModule", "none", "iot.ota.OTAModuleNotExist"),
        ("UpdateOTAModule", "none", "iot.ota.OTAModuleNotExist"),
        ("CreateOTAModule", "a/b", "iot.ota.CreateOTAModuleParamError"),
    ],
)
def test_modules_are_refused_with_the_documented_code(
    stranger: Stranger, action: str, name: str, expected: str
) -> None:
    assert code(stranger, action, ProductKey=PRODUCT, ModuleName=name) == expected


def test_a_product_has_ten_modules_of_its_own_at_most(stranger: Stranger) -> None:
    codes = [code(stranger, "CreateOTAModule", ProductKey=PRODUCT, ModuleName=f"m{number}") for number in range(11)]

    assert codes == [""] * 10 + ["iot.ota.CreateOTAModuleExceedLimit"]


def test_a_package_needs_a_module_that_exists(stranger: Stranger) -> None:
    with pytest.raises(AssertionError, match="OTAModuleNotExist"):
        stranger.package(ModuleName="none")


def test_devices_are_listed_with_the_token_that_reaches_further(stranger: Stranger) -> None:
    script(stranger, TWO, online=False)

    first = stranger.ask("QueryDevice", ProductKey=PRODUCT, PageSize="50", CurrentPage="1")[1]
    second = stranger.ask("QueryDevice", ProductKey=PRODUCT, PageSize="50", NextToken=first["nextToken"])[1]

    assert [item["deviceName"] for item in first["data"]][:2] == [ONE, TWO]
    assert [item["deviceStatus"] for item in first["data"]][:2] == ["ONLINE", "OFFLINE"]
    assert second["data"][0]["deviceName"] == "device-051"
    assert "nextToken" not in second
    assert first["total"] == 100


@pytest.mark.parametrize("own", [{"PageSize": "50", "CurrentPage": "201"}, {"NextToken": "made up"}])
def test_pages_of_devices_have_their_limits(stranger: Stranger, own: dict[str, str]) -> None:
    assert code(stranger, "QueryDevice", ProductKey=PRODUCT, **own) == "iot.common.InvalidPageParams"


def test_the_state_of_devices_is_told_by_name_and_by_id(stranger: Stranger) -> None:
    script(stranger, TWO, online=False)
    names = {"DeviceName.1": ONE, "DeviceName.2": TWO}

    by_name = stranger.ask("BatchGetDeviceState", ProductKey=PRODUCT, **names)[1]["deviceStatusList"]
    ids = {f"IotId.{place}": item["iotId"] for place, item in enumerate(by_name, 1)}
    by_id = stranger.ask("BatchGetDeviceState", **ids)[1]["deviceStatusList"]

    assert [item["status"] for item in by_name] == ["ONLINE", "OFFLINE"]
    assert [item["deviceName"] for item in by_id] == [ONE, TWO]
    assert code(stranger, "BatchGetDeviceState", ProductKey=PRODUCT) == "iot.device.NoneDeviceNameElement"
    assert code(stranger, "BatchGetDeviceState", **names) == "iot.prod.NullProductKey"


def test_products_are_shown_and_listed_under_data(stranger: Stranger) -> None:
    one = stranger.ask("QueryProduct", ProductKey=PRODUCT)[1]["data"]
    listed = stranger.ask("QueryProductList", **PAGE)[1]["data"]

    assert one == {"deviceCount": 100, "productKey": PRODUCT, "productName": "Demo product"}
    assert (listed["list"], listed["total"]) == ([one], 1)


def test_the_versions_of_a_device_follow_its_upgrades(stranger: Stranger) -> None:
    stranger.verify(stranger.package("2.0.0"), ONE)
    advance(stranger, 60)

    answer = stranger.ask("ListOTAModuleVersionsByDevice", ProductKey=PRODUCT, DeviceName=ONE, **PAGE)[1]

    assert [(item["moduleName"], item["moduleVersion"]) for item in answer["data"]] == [("default", "2.0.0")]


@pytest.mark.parametrize("members", [["device-999"], "device-001", [1]])
def test_a_group_of_unknown_devices_is_the_scenarios_fault(stranger: Stranger, members: Any) -> None:
    with pytest.raises(AssertionError, match="group bench"):
        stranger.control("POST", "seed", {"products": [{"groups": {"bench": members}}]})
