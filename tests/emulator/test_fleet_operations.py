"""Operations on firmwares, modules, batch upgrades and devices beyond a verification."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.emulator.gateway.tables import ACTIONS
from airflow_provider_tuya_ota.emulator.operations import HANDLERS

if TYPE_CHECKING:
    from tests.emulator.plain_client import PlainClient

ONE, TWO, PRODUCT = "device-001", "device-002", "k1demoproduct"
PAGE = {"CurrentPage": "1", "PageSize": "50"}


def script(client: PlainClient, device: str, **values: Any) -> None:
    client.control("POST", f"devices/{PRODUCT}/{device}", values)


def advance(client: PlainClient, seconds: float) -> None:
    client.control("POST", "clock", {"advance": seconds})


def ready(client: PlainClient, version: str = "1.1.0") -> str:
    """Make a firmware that needs no verification."""
    return client.create_firmware(version, version.encode(), NeedToVerify="false")


def upgrade(client: PlainClient, firmware_id: str, selection: str, **own: str) -> Any:
    values = {"FirmwareId": firmware_id, "ProductKey": PRODUCT, "TargetSelection": selection} | own
    return client.ask("CreateOTAStaticUpgradeJob", **values)[1]


def code(client: PlainClient, action: str, **own: str) -> str:
    answer = client.ask(action, **own)[1]
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
    client: PlainClient, selection: str, own: dict[str, str], devices: int
) -> None:
    client.control("POST", "seed", {"products": [{"groups": {"bench": [ONE, TWO]}}]})

    answer = upgrade(client, ready(client), selection, **own)
    advance(client, 60)

    tasks = client.tasks(answer["data"]["jobId"])
    assert len(tasks) == devices
    assert {task["taskStatus"] for task in tasks.values()} == {"SUCCEEDED"}
    assert client.job_status(answer["data"]["jobId"]) == "COMPLETED"


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
    client: PlainClient, selection: str, own: dict[str, str], expected: str
) -> None:
    assert upgrade(client, ready(client), selection, **own)["code"] == expected


def test_a_batch_upgrade_needs_a_verified_firmware(client: PlainClient) -> None:
    assert upgrade(client, client.create_firmware(), "ALL")["code"] == "iot.firmware.FirmwareNotVerified"


def test_a_failed_device_is_tried_again_as_often_as_asked(client: PlainClient) -> None:
    script(client, ONE, outcome="fails", reason="no room")
    own = {"TargetDeviceName.1": ONE, "RetryInterval": "10", "RetryCount": "2"}
    job = upgrade(client, ready(client), "SPECIFIC", **own)["data"]["jobId"]

    advance(client, 900)
    assert client.tasks(job)[ONE]["taskStatus"] == "IN_PROGRESS"
    advance(client, 900)

    assert client.tasks(job)[ONE]["taskStatus"] == "FAILED"


def test_a_retry_that_succeeds_saves_the_device(client: PlainClient) -> None:
    script(client, ONE, outcome="fails")
    own = {"TargetDeviceName.1": ONE, "RetryInterval": "10", "RetryCount": "1"}
    job = upgrade(client, ready(client), "SPECIFIC", **own)["data"]["jobId"]
    advance(client, 60)
    script(client, ONE, outcome="succeeds")

    advance(client, 900)

    assert client.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_a_timeout_is_not_tried_again(client: PlainClient) -> None:
    script(client, ONE, flash_seconds=3600)
    own = {"TargetDeviceName.1": ONE, "RetryInterval": "0", "RetryCount": "5", "TimeoutInMinutes": "1"}
    job = upgrade(client, ready(client), "SPECIFIC", **own)["data"]["jobId"]

    advance(client, 120)

    assert client.tasks(job)[ONE]["taskDesc"] == "timeout"


def test_tasks_are_confirmed_by_id_all_or_none(client: PlainClient) -> None:
    job = client.verify(client.create_firmware(), ONE, TWO, NeedConfirm="true")
    ids = [task["taskId"] for task in client.tasks(job).values()]

    refused = code(client, "ConfirmOTATask", **{"TaskId.1": ids[0], "TaskId.2": "9"})
    assert refused == "iot.firmware.InvalidOTATaskId"
    assert {task["taskStatus"] for task in client.tasks(job).values()} == {"CONFIRM"}
    assert code(client, "ConfirmOTATask", **{"TaskId.1": ids[0], "TaskId.2": ids[1]}) == ""
    advance(client, 60)

    assert {task["taskStatus"] for task in client.tasks(job).values()} == {"SUCCEEDED"}
    assert code(client, "ConfirmOTATask", **{"TaskId.1": ids[0]}) == "iot.firmware.InvalidTaskStatus"


def test_devices_are_cancelled_by_name_unless_they_are_flashing(client: PlainClient) -> None:
    script(client, ONE, online=False)
    script(client, TWO, flash_seconds=600)
    firmware_id = client.create_firmware()
    job = client.verify(firmware_id, ONE, TWO)
    advance(client, 10)
    own = {"FirmwareId": firmware_id, "ProductKey": PRODUCT}

    both = code(client, "CancelOTATaskByDevice", **own, **{"DeviceName.1": ONE, "DeviceName.2": TWO})
    other = code(client, "CancelOTATaskByDevice", **own, **{"DeviceName.1": ONE, "JobId": "7"})
    assert (both, other) == (
        "iot.firmware.IncorrectDeviceUpgradeJobStatus",
        "iot.firmware.DeviceUpgradeRecordNotFound",
    )
    assert client.tasks(job)[ONE]["taskStatus"] == "QUEUED"
    assert code(client, "CancelOTATaskByDevice", **own, **{"DeviceName.1": ONE, "JobId": job}) == ""

    assert client.tasks(job)[ONE]["taskStatus"] == "CANCELED"


def test_what_a_device_has_not_finished_is_listed(client: PlainClient) -> None:
    script(client, ONE, online=False)
    job = client.verify(client.create_firmware(), ONE)

    by_name = client.ask("ListOTAUnfinishedTaskByDevice", ProductKey=PRODUCT, DeviceName=ONE)[1]["data"]
    iot_id = by_name[0]["iotId"]
    by_id = client.ask("ListOTAUnfinishedTaskByDevice", IotId=iot_id, **{"TaskStatusList.1": "QUEUED"})[1]["data"]
    none = client.ask("ListOTAUnfinishedTaskByDevice", IotId=iot_id, TaskStatus="CONFIRM")[1]["data"]

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
def test_a_device_has_to_be_named(client: PlainClient, own: dict[str, str], expected: str) -> None:
    assert code(client, "ListOTAUnfinishedTaskByDevice", **own) == expected


def test_jobs_are_listed_by_device(client: PlainClient) -> None:
    firmware_id = client.create_firmware()
    job = client.verify(firmware_id, ONE)
    own = {"ProductKey": PRODUCT, "FirmwareId": firmware_id} | PAGE

    mine = client.ask("ListOTAJobByDevice", DeviceName=ONE, **own)[1]
    others = client.ask("ListOTAJobByDevice", DeviceName=TWO, **own)[1]

    assert [item["jobId"] for item in mine["data"]] == [job]
    assert others["total"] == 0


def test_a_firmware_is_changed_but_not_renamed(client: PlainClient) -> None:
    firmware_id = client.create_firmware()
    own = {"FirmwareId": firmware_id, "FirmwareDesc": "for winter"}

    assert code(client, "ModifyOTAFirmware", FirmwareName="other", **own) == "iot.firmware.InvalidFirmware"
    assert code(client, "ModifyOTAFirmware", FirmwareName="name-1_1_0", **own) == ""

    info = client.ask("QueryOTAFirmware", FirmwareId=firmware_id)[1]["firmwareInfo"]
    assert info["firmwareDesc"] == "for winter"


def test_a_firmware_is_deleted_unless_a_job_needs_it(client: PlainClient) -> None:
    firmware_id = client.create_firmware()
    client.verify(firmware_id, ONE)

    assert code(client, "DeleteOTAFirmware", FirmwareId=firmware_id) == "iot.firmware.DeleteFirmwareFailure"
    advance(client, 60)
    assert code(client, "DeleteOTAFirmware", FirmwareId=firmware_id) == ""

    assert code(client, "QueryOTAFirmware", FirmwareId=firmware_id) == "iot.firmware.FirmwareNotFound"


def test_modules_are_made_changed_listed_and_deleted(client: PlainClient) -> None:
    own = {"ProductKey": PRODUCT, "ModuleName": "mcu"}
    assert code(client, "CreateOTAModule", **own, AliasName="controller") == ""
    assert code(client, "CreateOTAModule", **own) == "iot.ota.CreateOTAModuleNameExist"
    assert code(client, "UpdateOTAModule", **own, Desc="the small one") == ""

    modules = {item["moduleName"]: item for item in client.ask("ListOTAModuleByProduct", ProductKey=PRODUCT)[1]["data"]}

    assert set(modules) == {"default", "mcu"}
    assert (modules["mcu"]["aliasName"], modules["mcu"]["desc"]) == ("controller", "the small one")
    client.create_firmware(ModuleName="mcu")
    assert code(client, "DeleteOTAModule", **own) == "iot.ota.DeleteOTAModulePackageExist"


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
    client: PlainClient, action: str, name: str, expected: str
) -> None:
    assert code(client, action, ProductKey=PRODUCT, ModuleName=name) == expected


def test_a_product_has_ten_modules_of_its_own_at_most(client: PlainClient) -> None:
    codes = [code(client, "CreateOTAModule", ProductKey=PRODUCT, ModuleName=f"m{number}") for number in range(11)]

    assert codes == [""] * 10 + ["iot.ota.CreateOTAModuleExceedLimit"]


def test_a_firmware_needs_a_module_that_exists(client: PlainClient) -> None:
    with pytest.raises(AssertionError, match="OTAModuleNotExist"):
        client.create_firmware(ModuleName="none")


def test_devices_are_listed_with_the_token_that_reaches_further(client: PlainClient) -> None:
    script(client, TWO, online=False)

    first = client.ask("QueryDevice", ProductKey=PRODUCT, PageSize="50", CurrentPage="1")[1]
    second = client.ask("QueryDevice", ProductKey=PRODUCT, PageSize="50", NextToken=first["nextToken"])[1]

    assert [item["deviceName"] for item in first["data"]][:2] == [ONE, TWO]
    assert [item["deviceStatus"] for item in first["data"]][:2] == ["ONLINE", "OFFLINE"]
    assert second["data"][0]["deviceName"] == "device-051"
    assert "nextToken" not in second
    assert first["total"] == 100


@pytest.mark.parametrize("own", [{"PageSize": "50", "CurrentPage": "201"}, {"NextToken": "made up"}])
def test_pages_of_devices_have_their_limits(client: PlainClient, own: dict[str, str]) -> None:
    assert code(client, "QueryDevice", ProductKey=PRODUCT, **own) == "iot.common.InvalidPageParams"


def test_the_state_of_devices_is_reported_by_name_and_by_id(client: PlainClient) -> None:
    script(client, TWO, online=False)
    names = {"DeviceName.1": ONE, "DeviceName.2": TWO}

    by_name = client.ask("BatchGetDeviceState", ProductKey=PRODUCT, **names)[1]["deviceStatusList"]
    ids = {f"IotId.{place}": item["iotId"] for place, item in enumerate(by_name, 1)}
    by_id = client.ask("BatchGetDeviceState", **ids)[1]["deviceStatusList"]

    assert [item["status"] for item in by_name] == ["ONLINE", "OFFLINE"]
    assert [item["deviceName"] for item in by_id] == [ONE, TWO]
    assert code(client, "BatchGetDeviceState", ProductKey=PRODUCT) == "iot.device.NoneDeviceNameElement"
    assert code(client, "BatchGetDeviceState", **names) == "iot.prod.NullProductKey"


def test_products_are_shown_and_listed_under_data(client: PlainClient) -> None:
    one = client.ask("QueryProduct", ProductKey=PRODUCT)[1]["data"]
    listed = client.ask("QueryProductList", **PAGE)[1]["data"]

    assert one == {"deviceCount": 100, "productKey": PRODUCT, "productName": "Demo product"}
    assert (listed["list"], listed["total"]) == ([one], 1)


def test_the_versions_of_a_device_follow_its_upgrades(client: PlainClient) -> None:
    client.verify(client.create_firmware("2.0.0"), ONE)
    advance(client, 60)

    answer = client.ask("ListOTAModuleVersionsByDevice", ProductKey=PRODUCT, DeviceName=ONE, **PAGE)[1]

    assert [(item["moduleName"], item["moduleVersion"]) for item in answer["data"]] == [("default", "2.0.0")]


@pytest.mark.parametrize("members", [["device-999"], "device-001", [1]])
def test_a_group_of_unknown_devices_is_the_scenarios_fault(client: PlainClient, members: Any) -> None:
    with pytest.raises(AssertionError, match="group bench"):
        client.control("POST", "seed", {"products": [{"groups": {"bench": members}}]})
