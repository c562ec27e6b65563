from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.emulator.plain_client import PlainClient, in_memory

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.emulator import Emulator

ONE, TWO = "device-001", "device-002"


@pytest.mark.parametrize(
    ("prepare", "values", "code"),
    [
        ("", {"FirmwareId": "999"}, "iot.firmware.FirmwareNotFound"),
        ("", {"ProductKey": "nobody"}, "iot.prod.NotExistedProduct"),
        ("", {"TargetDeviceName.1": "nobody"}, "iot.device.NotExistedDevice"),
        ("", {"TimeoutInMinutes": "0"}, "iot.firmware.InvalidTimeoutSetting"),
        ("", {"TimeoutInMinutes": "1441"}, "iot.firmware.InvalidTimeoutSetting"),
        ("", {"NeedPush": "TRUE"}, "iot.common.InvalidFormattedParameter"),
        ("", {"NeedPush": "yes"}, "iot.common.InvalidFormattedParameter"),
        ("", {"DownloadProtocol": "Https"}, "iot.common.InvalidFormattedParameter"),
        ("", {"TargetDeviceName.2": ONE}, "iot.common.InvalidFormattedParameter"),
        ("", {f"TargetDeviceName.{n}": f"device-{n:03d}" for n in range(1, 12)}, "iot.firmware.ParameterSizeExceedMax"),
        ("current", {}, "iot.firmware.DeviceWithDestinationVersionInArray"),
        ("unknown", {}, "iot.firmware.NonVersionedDeviceInArray"),
        ("verifying", {}, "iot.firmware.InProgressVerifyJobExisted"),
        ("verified", {}, "iot.firmware.VerifyFirmwareFailed"),
    ],
)
def test_a_verification_is_refused_with_the_documented_code(
    client: PlainClient, prepare: str, values: dict[str, str], code: str
) -> None:
    version = {"current": "1.1.0", "unknown": ""}.get(prepare, "1.0.0")
    document = {"products": [{"version": "1.0.0", "device": {ONE: {"version": version}}}]}
    client.control("POST", "seed", document)
    firmware_id = client.create_firmware()
    if prepare in {"verifying", "verified"}:
        client.verify(firmware_id, TWO)
    if prepare == "verified":
        client.advance(60)
    own = {"FirmwareId": firmware_id, "ProductKey": "k1demoproduct", "TargetDeviceName.1": ONE}

    status, answer = client.ask("CreateOTAVerifyJob", **own | values)

    assert (status, answer["success"], answer["code"]) == (200, False, code)


def test_cancelling_without_a_switch_is_refused(client: PlainClient) -> None:
    job = client.verify(client.create_firmware(), ONE)

    assert client.ask("CancelOTATaskByJob", JobId=job)[1]["code"] == "iot.firmware.CancelOptionIsMandatory"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"DestVersion": "1.1.0"}, "iot.firmware.AlreadyExistedFirmwareVersion"),
        ({"FirmwareName": "name-1_1_0"}, "iot.firmware.AlreadyExistedFirmwareName"),
        ({"DestVersion": "1 2"}, "iot.firmware.IncorrectFormattedFirmwareVersion"),
        ({"DestVersion": "x" * 65}, "iot.firmware.IncorrectFormattedFirmwareVersion"),
        ({"FirmwareName": "-x"}, "iot.firmware.IncorrectFormattedFirmwareName"),
        ({"FirmwareName": "固件(1)_-"}, ""),
        ({"SignMethod": "Md5"}, "iot.firmware.InvalidFirmwareSignMethod"),
        ({"SrcVersion": "2.0.0"}, "iot.firmware.SrcDestVersionMatched"),
        ({"Type": "1"}, "iot.firmware.InvalidFirmwareType"),
        ({"FirmwareDesc": "x" * 101}, "iot.firmware.FirmwareDescriptionExceedMaxLength"),
        ({"ProductKey": "nobody"}, "iot.prod.NotExistedProduct"),
    ],
)
def test_a_firmware_is_refused_with_the_documented_code(client: PlainClient, change: dict[str, str], code: str) -> None:
    client.create_firmware()
    url = client.put(b"second")
    values = {
        "DestVersion": "2.0.0",
        "FirmwareName": "second",
        "FirmwareUrl": url,
        "FirmwareSign": hashlib.sha256(b"second").hexdigest(),
        "SignMethod": "SHA256",
        "ProductKey": "k1demoproduct",
    }

    assert client.ask("CreateOTAFirmware", **values | change)[1]["code"] == code


@pytest.mark.parametrize(
    ("action", "values", "code"),
    [
        ("QueryOTAFirmware", {"FirmwareId": ""}, "iot.firmware.NullFirmwareId"),
        ("QueryOTAFirmware", {"FirmwareId": "1 2"}, "iot.firmware.InvalidFirmwareId"),
        ("QueryOTAJob", {"JobId": ""}, "iot.firmware.NullOTAJobId"),
        ("QueryOTAJob", {"JobId": "-"}, "iot.firmware.InvalidOTAJobId"),
        ("GenerateOTAUploadURL", {"FileSuffix": "Bin"}, "iot.firmware.InvalidGenerateOTAUploadURLParam"),
        ("ListOTATaskByJob", {"JobId": "1", "TaskStatus": "DONE"}, "iot.firmware.InvalidTaskStatus"),
        ("ListOTATaskByJob", {"JobId": "1", "DeviceNames.1": ""}, "iot.device.NullDeviceName"),
        (
            "ListOTATaskByJob",
            {"JobId": "1"} | {f"DeviceNames.{n}": f"d{n}" for n in range(1, 52)},
            "iot.firmware.ParameterSizeExceedMax",
        ),
        ("CreateOTAFirmware", {"DestVersion": ""}, "iot.firmware.NullFirmwareVersion"),
        ("CreateOTAFirmware", {"FirmwareName": ""}, "iot.firmware.NullFirmwareName"),
        ("CreateOTAFirmware", {"FirmwareName": "  "}, "iot.firmware.BlankFirmwareName"),
        ("CreateOTAFirmware", {"FirmwareUrl": ""}, "iot.firmware.NullFirmwareUrl"),
        ("CreateOTAFirmware", {"FirmwareUrl": "no address"}, "iot.firmware.MalformedFirmwareUrl"),
        ("CreateOTAFirmware", {"ProductKey": ""}, "iot.prod.NullProductKey"),
        ("CreateOTAFirmware", {"FirmwareSize": "0"}, "iot.firmware.InvalidFirmwareSize"),
        ("CreateOTAFirmware", {"SrcVersion": "1 0"}, "iot.firmware.IncorrectFormattedSrcVersion"),
        ("CreateOTAFirmware", {"ModuleName": "a b"}, "iot.firmware.IncorrectFormattedModuleName"),
        ("CreateOTAFirmware", {"Udi": "x" * 4097}, "iot.common.InvalidFormattedParameter"),
    ],
)
def test_a_value_of_the_wrong_form_is_refused_with_its_code(
    client: PlainClient, action: str, values: dict[str, str], code: str
) -> None:
    needed = {
        "DestVersion": "2.0.0",
        "FirmwareName": "a",
        "FirmwareUrl": "https://example.com/f.bin",
        "FirmwareSign": "00",
        "ProductKey": "k1demoproduct",
    }

    answer = client.ask(action, **(needed if action == "CreateOTAFirmware" else {}) | values)[1]

    assert (answer["success"], answer["code"]) == (False, code)


def test_a_firmware_of_another_product_is_not_verified(client: PlainClient) -> None:
    client.control("POST", "seed", {"products": [{}, {"product_key": "other"}]})
    firmware_id = client.create_firmware()

    answer = client.ask("CreateOTAVerifyJob", FirmwareId=firmware_id, ProductKey="other")[1]

    assert answer["code"] == "iot.firmware.FirmwareAndProductKeyMismatch"


def test_a_verification_without_a_device_that_can_take_the_firmware_is_refused(client: PlainClient) -> None:
    client.control("POST", "seed", {"products": [{"devices": 0, "device": {"a": {"online": False}}}]})

    answer = client.ask("CreateOTAVerifyJob", FirmwareId=client.create_firmware(), ProductKey="k1demoproduct")[1]

    assert answer["code"] == "iot.firmware.NoDeviceCanUpgrade"


def test_a_firmware_for_one_version_is_not_for_a_device_on_another(client: PlainClient) -> None:
    firmware_id = client.create_firmware(SrcVersion="0.9.0")
    values = {"FirmwareId": firmware_id, "ProductKey": "k1demoproduct", "TargetDeviceName.1": ONE}

    assert client.ask("CreateOTAVerifyJob", **values)[1]["code"] == "iot.firmware.SrcVersionMismatch"


def test_a_firmware_that_needs_no_verification_says_so_and_gets_none(client: PlainClient) -> None:
    firmware_id = client.create_firmware(NeedToVerify="false")

    answer = client.ask("CreateOTAVerifyJob", FirmwareId=firmware_id, ProductKey="k1demoproduct")[1]

    assert client.firmware_status(firmware_id) == -1
    assert answer["code"] == "iot.firmware.VerifyFirmwareFailed"


def test_there_are_at_most_500_firmwares(emulator: Emulator) -> None:
    client = PlainClient(in_memory(emulator))
    firmwares = emulator.world.firmwares.by_id
    first = client.create_firmware()
    firmwares |= {str(number): replace(firmwares[first], name=f"n{number}") for number in range(1000, 1499)}

    with pytest.raises(AssertionError, match="FirmwareCountExceedMax"):
        client.create_firmware("2.0.0", b"second")


def test_a_job_that_has_ended_is_not_cancelled(client: PlainClient) -> None:
    job = client.verify(client.create_firmware(), ONE)
    client.advance(60)

    answer = client.ask("CancelOTATaskByJob", JobId=job, CancelQueuedTask="true")[1]

    assert answer["code"] == "iot.firmware.CancelUpgradeTaskFailed"


def test_pages_of_tasks_end_at_the_hundred_thousandth(client: PlainClient) -> None:
    job = client.verify(client.create_firmware(), ONE)
    last, beyond = (
        client.ask("ListOTATaskByJob", JobId=job, CurrentPage=page, PageSize="100")[1]["code"]
        for page in ("1000", "1001")
    )

    assert (last, beyond) == ("", "iot.common.InvalidPageParams")


@pytest.mark.parametrize("page", [{"PageSize": "101"}, {"PageSize": "0"}, {"CurrentPage": "0"}, {"CurrentPage": "x"}])
def test_pages_outside_the_limits_are_refused(client: PlainClient, page: dict[str, str]) -> None:
    values = {"CurrentPage": "1", "PageSize": "10"} | page

    assert client.ask("ListOTAFirmware", **values)[1]["code"] == "iot.common.InvalidPageParams"
