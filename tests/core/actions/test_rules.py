from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.actions import (
    ALL_ACTIONS,
    Action,
    CancelOTATaskByJob,
    CreateOTAFirmware,
    CreateOTAVerifyJob,
    ListOTATaskByJob,
)
from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.policy.retry import Repeat
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.wire.encoding import to_wire

MINIMAL: dict[str, dict[str, Any]] = {
    "GenerateOTAUploadURL": {},
    "CreateOTAFirmware": {"dest_version": "1.1", "firmware_name": "lamp"},
    "QueryOTAFirmware": {"firmware_id": "178"},
    "ListOTAFirmware": {"current_page": 1, "page_size": 100},
    "CreateOTAVerifyJob": {"firmware_id": "178", "product_key": "pk"},
    "QueryOTAJob": {"job_id": "9"},
    "ListOTAJobByFirmware": {"firmware_id": "178", "current_page": 1, "page_size": 200},
    "ListOTATaskByJob": {"job_id": "9"},
    "CancelOTATaskByJob": {"job_id": "9"},
    "ModifyOTAFirmware": {"firmware_id": "178", "firmware_name": "lamp"},
    "DeleteOTAFirmware": {"firmware_id": "178"},
    "CreateOTAModule": {"module_name": "mcu", "product_key": "pk"},
    "UpdateOTAModule": {"module_name": "mcu", "product_key": "pk"},
    "DeleteOTAModule": {"module_name": "mcu", "product_key": "pk"},
    "ListOTAModuleByProduct": {"product_key": "pk"},
    "CreateOTAStaticUpgradeJob": {"firmware_id": "178", "product_key": "pk", "target_selection": "ALL"},
    "CancelOTATaskByDevice": {"product_key": "pk", "firmware_id": "178", "device_name": ["d1"]},
    "ConfirmOTATask": {"task_id": ["t1"]},
    "ListOTAJobByDevice": {
        "product_key": "pk",
        "device_name": "d1",
        "firmware_id": "178",
        "current_page": 1,
        "page_size": 100,
    },
    "ListOTAUnfinishedTaskByDevice": {},
    "ListOTAModuleVersionsByDevice": {"current_page": 1, "page_size": 200},
    "QueryDevice": {"product_key": "pk"},
    "BatchGetDeviceState": {"product_key": "pk", "device_name": ["d1"]},
    "QueryProduct": {"product_key": "pk"},
    "QueryProductList": {"current_page": 1, "page_size": 200},
}


WARNING = {"CancelOTATaskByJob", "ListOTAUnfinishedTaskByDevice", "ListOTAModuleVersionsByDevice"}
"""Operations whose smallest request the original refuses."""


def build(name: str, **values: Any) -> Action[Any]:
    return ALL_ACTIONS[name](**MINIMAL[name] | values)


def problem(name: str, **values: Any) -> InvalidParameterError:
    with pytest.raises(InvalidParameterError) as caught:
        build(name, **values)
    return caught.value


@pytest.mark.parametrize("name", ALL_ACTIONS)
def test_what_the_vendor_requires_is_enough(name: str) -> None:
    assert build(name).name == name


@pytest.mark.parametrize(
    ("name", "field"),
    # BatchGetDeviceState takes one of two ways to name devices, so neither is required by itself.
    [(name, field) for name, fields in MINIMAL.items() for field in fields if name != "BatchGetDeviceState"],
)
@pytest.mark.parametrize("value", [None, "", [], 1.5])
def test_what_the_vendor_requires_cannot_be_left_out(name: str, field: str, value: Any) -> None:
    assert problem(name, **{field: value}).field.startswith(f"{field} (")


def test_every_operation_is_written_as_on_the_wire() -> None:
    action = CreateOTAVerifyJob(
        firmware_id="178",
        product_key="pk",
        timeout_in_minutes=1440,
        target_device_name=["d1", "d2"],
        need_push=False,
        need_confirm=True,
        download_protocol="HTTPS",
    )

    assert to_wire(action.wire()) == {
        "FirmwareId": "178",
        "ProductKey": "pk",
        "TimeoutInMinutes": "1440",
        "TargetDeviceName.1": "d1",
        "TargetDeviceName.2": "d2",
        "NeedPush": "false",
        "NeedConfirm": "true",
        "DownloadProtocol": "HTTPS",
    }


def test_a_firmware_is_written_as_on_the_wire() -> None:
    action = CreateOTAFirmware(
        dest_version="1.1",
        firmware_name="lamp",
        firmware_url="https://b/k",
        firmware_sign="ab" * 32,
        sign_method="SHA256",
        firmware_size=1,
        product_key="pk",
        firmware_desc="d",
        type=0,
        src_version="1.0",
        module_name="ble",
        need_to_verify=True,
        udi="u",
    )

    assert to_wire(action.wire()) == {
        "DestVersion": "1.1",
        "FirmwareName": "lamp",
        "FirmwareUrl": Secret("https://b/k"),
        "FirmwareSign": "ab" * 32,
        "SignMethod": "SHA256",
        "FirmwareSize": "1",
        "ProductKey": "pk",
        "FirmwareDesc": "d",
        "Type": "0",
        "SrcVersion": "1.0",
        "ModuleName": "ble",
        "NeedToVerify": "true",
        "Udi": "u",
    }


@pytest.mark.parametrize(
    ("name", "values", "wire"),
    [
        ("GenerateOTAUploadURL", {"file_suffix": "tar.gz"}, {"FileSuffix": "tar.gz"}),
        ("ListOTAFirmware", {"dest_version": "1"}, {"CurrentPage": "1", "PageSize": "100", "DestVersion": "1"}),
        ("ListOTATaskByJob", {"device_names": ["a"]}, {"JobId": "9", "DeviceNames.1": "a"}),
        ("ListOTATaskByJob", {"task_status": "FAILED"}, {"JobId": "9", "TaskStatus": "FAILED"}),
        ("CancelOTATaskByJob", {"cancel_unconfirmed_task": False}, {"JobId": "9", "CancelUnconfirmedTask": "false"}),
        ("CreateOTAVerifyJob", {}, {"FirmwareId": "178", "ProductKey": "pk"}),
    ],
)
def test_optional_parameters_stay_away_until_given(name: str, values: dict[str, Any], wire: dict[str, str]) -> None:
    assert to_wire(build(name, **values).wire()) == wire


ACCEPTED: list[tuple[str, str, list[Any]]] = [
    ("CreateOTAVerifyJob", "timeout_in_minutes", [1, 1440]),
    ("CreateOTAVerifyJob", "target_device_name", [["d"], ("d", "e"), [f"d{n}" for n in range(500)]]),
    ("CreateOTAFirmware", "dest_version", ["1", "A.z_0-9", "v" * 64]),
    ("CreateOTAFirmware", "src_version", ["1.0", "v" * 64]),
    ("CreateOTAFirmware", "module_name", ["default", "m" * 64]),
    ("CreateOTAFirmware", "firmware_name", ["x", "7", "灯具-1_(a)", "ファーム", "n" * 40]),
    ("CreateOTAFirmware", "firmware_desc", ["d" * 100]),
    ("CreateOTAFirmware", "udi", ["u" * 4096]),
    ("CreateOTAFirmware", "firmware_size", [1, 1_048_576_000]),
    ("CreateOTAFirmware", "firmware_sign", ["0" * 32]),
    ("CreateOTAFirmware", "type", [0]),
    ("GenerateOTAUploadURL", "file_suffix", ["bin", "dav", "apk", "tar", "gz", "tar.gz", "zip", "gzip"]),
    ("ListOTAFirmware", "page_size", [1, 100]),
    ("ListOTAFirmware", "current_page", [1, 2**31 - 1]),
    ("ListOTAJobByFirmware", "page_size", [1, 200]),
    ("ListOTATaskByJob", "page_size", [1, 100]),
    (
        "ListOTATaskByJob",
        "task_status",
        ["CONFIRM", "QUEUED", "NOTIFIED", "IN_PROGRESS", "SUCCEEDED", "FAILED", "CANCELED"],
    ),
]
REFUSED: list[tuple[str, str, list[Any], str]] = [
    ("CreateOTAVerifyJob", "timeout_in_minutes", [0, 1441, -1, "60", 1.5, True], "1 to 1440"),
    (
        "CreateOTAVerifyJob",
        "target_device_name",
        [[], "d1", b"d1", {"d1"}, 7, [""], [" "], [7], ["d", "d"]],
        "a list of texts",
    ),
    ("CreateOTAVerifyJob", "need_push", ["true", 1], "True or False"),
    ("CreateOTAVerifyJob", "download_protocol", ["MQTT", "Https", "https"], "HTTPS"),
    ("CreateOTAFirmware", "dest_version", ["v" * 65, "1.0+2", "1 0", "1.0\n", "版"], "1 to 64"),
    ("CreateOTAFirmware", "src_version", ["", "v" * 65, "1/0"], "1 to 64"),
    ("CreateOTAFirmware", "module_name", ["", "m" * 65, "a b"], "1 to 64"),
    ("CreateOTAFirmware", "firmware_name", ["n" * 41, "_x", "-x", "(x", "a b", "a\n", "ü", "   "], "1 to 40"),
    ("CreateOTAFirmware", "firmware_desc", ["d" * 101], "at most 100 characters"),
    ("CreateOTAFirmware", "udi", ["u" * 4097], "at most 4096 characters"),
    ("CreateOTAFirmware", "firmware_size", [0, -1, 1_048_576_001, "1", True], "1 to 1048576000"),
    ("CreateOTAFirmware", "firmware_sign", ["xyz", "0" * 31, "0" * 33, "0" * 64], ""),
    ("CreateOTAFirmware", "sign_method", ["Md5", "md5", "SHA1"], "MD5, SHA256"),
    ("CreateOTAFirmware", "type", [1, False], "0"),
    ("CreateOTAFirmware", "need_to_verify", ["true", 0], "True or False"),
    ("GenerateOTAUploadURL", "file_suffix", ["Bin", ".bin", "exe", ""], "bin, dav"),
    ("ListOTAFirmware", "page_size", [0, 101], "1 to 100"),
    ("ListOTAFirmware", "current_page", [0, -1], "1 to 2147483647"),
    ("ListOTAJobByFirmware", "page_size", [0, 201], "1 to 200"),
    ("ListOTATaskByJob", "page_size", [0, 101], "1 to 100"),
    ("ListOTATaskByJob", "device_names", [[], ["a", "a"]], "a list of texts"),
    ("ListOTATaskByJob", "task_status", ["queued", "DONE"], "CONFIRM, QUEUED"),
    ("CancelOTATaskByJob", "cancel_queued_task", ["true", 1], "True or False"),
]


@pytest.mark.parametrize(("name", "field", "value"), [(n, f, v) for n, f, values in ACCEPTED for v in values])
def test_values_at_the_edge_are_accepted(name: str, field: str, value: Any) -> None:
    assert getattr(build(name, **{field: value}), field) == value


@pytest.mark.parametrize(
    ("name", "field", "value", "allowed"), [(n, f, v, a) for n, f, values, a in REFUSED for v in values]
)
def test_values_beyond_the_edge_are_refused_by_name_and_range(name: str, field: str, value: Any, allowed: str) -> None:
    error = problem(name, **{field: value})

    assert error.field.startswith(f"{field} (")
    assert allowed in error.allowed
    assert error.problem


def test_an_explicitly_empty_device_list_says_how_to_let_the_platform_choose() -> None:
    assert "leave it out" in str(problem("CreateOTAVerifyJob", target_device_name=[]))
    assert "leave it out" not in str(problem("ConfirmOTATask", task_id=[]))


def test_duplicates_are_named() -> None:
    assert "'d1', 'd2' is in the list more than once" in str(
        problem("CreateOTAVerifyJob", target_device_name=["d1", "d2", "d2", "d1", "d3"])
    )


def test_a_long_value_is_shown_in_part() -> None:
    text = str(problem("CreateOTAFirmware", firmware_desc="x" * 5000))

    assert "(5000 long)" in text
    assert len(text) < 200


@pytest.mark.parametrize(("method", "digits"), [(None, 32), ("MD5", 32), ("SHA256", 64)])
def test_a_digest_has_the_length_of_its_method(method: str | None, digits: int) -> None:
    build("CreateOTAFirmware", sign_method=method, firmware_sign="A" * digits)

    assert problem("CreateOTAFirmware", sign_method=method, firmware_sign="a" * (digits - 1)).allowed.startswith(
        str(digits)
    )


def test_a_firmware_must_bring_another_version_than_its_source() -> None:
    assert "is also dest_version" in str(problem("CreateOTAFirmware", src_version="1.1"))


@pytest.mark.parametrize(("count", "advised"), [(10, False), (11, True)])
def test_more_devices_than_the_original_accepts_are_sent_with_a_warning(
    count: int,
    advised: bool,
) -> None:
    action = CreateOTAVerifyJob(firmware_id="1", product_key="pk", target_device_name=[f"d{n}" for n in range(count)])

    assert any("at most 10 entries" in line for line in action.advisories()) is advised


@pytest.mark.parametrize(("count", "advised"), [(50, 0), (51, 1)])
def test_asking_for_more_tasks_by_name_than_the_original_accepts_warns(count: int, advised: int) -> None:
    assert len(ListOTATaskByJob(job_id="9", device_names=[f"d{n}" for n in range(count)]).advisories()) == advised


@pytest.mark.parametrize("name", [name for name in ALL_ACTIONS if name not in WARNING])
def test_the_smallest_request_warns_of_nothing(name: str) -> None:
    assert build(name).advisories() == []


@pytest.mark.parametrize("switch", ["cancel_queued_task", "cancel_notified_task", "cancel_unconfirmed_task"])
def test_cancelling_warns_only_where_it_would_cancel_nothing(switch: str) -> None:
    assert "nothing would be cancelled" in CancelOTATaskByJob(job_id="9").advisories()[0]
    assert build("CancelOTATaskByJob", **{switch: False}).advisories()
    assert build("CancelOTATaskByJob", **{switch: True}).advisories() == []


def test_exactly_the_creates_must_not_be_repeated() -> None:
    creates = {name for name, action in ALL_ACTIONS.items() if action.repeat is Repeat.DUPLICATES}

    assert creates == {name for name in ALL_ACTIONS if name.startswith("Create")}


def test_only_cancelling_has_a_budget_of_its_own() -> None:
    assert {name for name, action in ALL_ACTIONS.items() if action.rate_limit_group is RateLimitGroup.CANCELS} == {
        "CancelOTATaskByDevice",
        "CancelOTATaskByJob",
    }


def test_the_address_of_the_file_is_not_in_the_repr() -> None:
    assert "canary" not in repr(build("CreateOTAFirmware", firmware_url="https://canary"))


@pytest.mark.parametrize(("value", "problem"), [("<leave out>", "a missing value is written"), (" a", "a blank")])
def test_a_value_is_held_against_its_parameter_before_there_is_a_call(value: str, problem: str) -> None:
    CreateOTAVerifyJob.require("product_key", "pk")
    with pytest.raises(InvalidParameterError, match=rf"^product_key \(ProductKey\): .*{problem}"):
        CreateOTAVerifyJob.require("product_key", value)
    with pytest.raises(InvalidParameterError, match=rf"^pilots \(TargetDeviceName\): .*{problem}"):
        CreateOTAVerifyJob.require("target_device_name", [value], called="pilots")
