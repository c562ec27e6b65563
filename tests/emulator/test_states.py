from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.emulator.jobs import TRANSITIONS

if TYPE_CHECKING:
    from tests.emulator.stranger import Stranger

ONE, TWO = "device-001", "device-002"


def script(stranger: Stranger, device: str, **values: Any) -> None:
    stranger.control("POST", f"devices/k1demoproduct/{device}", values)


def advance(stranger: Stranger, seconds: float) -> None:
    stranger.control("POST", "clock", {"advance": seconds})


def test_a_device_walks_through_the_documented_states(stranger: Stranger) -> None:
    job = stranger.verify(stranger.package(), ONE)
    seen: list[str] = []
    for _ in range(100):
        status = stranger.tasks(job)[ONE]["taskStatus"]
        if not seen or seen[-1] != status:
            seen.append(status)
        advance(stranger, 0.4)

    assert seen == ["QUEUED", "NOTIFIED", "IN_PROGRESS", "SUCCEEDED"]


def test_a_package_is_verified_when_every_device_succeeded(stranger: Stranger) -> None:
    package = stranger.package()
    assert stranger.firmware_status(package) == 0
    job = stranger.verify(package, ONE, TWO)
    assert (stranger.firmware_status(package), stranger.job_status(job)) == (2, "IN_PROGRESS")

    advance(stranger, 60)

    assert (stranger.firmware_status(package), stranger.job_status(job)) == (1, "COMPLETED")


@pytest.mark.parametrize("step", [-1, -2, -3, -4])
def test_a_package_fails_when_one_device_does_and_the_job_is_completed_all_the_same(
    stranger: Stranger, step: int
) -> None:
    script(stranger, TWO, outcome="fails", step=step, at_progress=60, reason="no room")
    package = stranger.package()
    job = stranger.verify(package, ONE, TWO)

    advance(stranger, 60)

    task = stranger.tasks(job)[TWO]
    assert (task["taskStatus"], task["progress"], task["taskDesc"]) == ("FAILED", "60", f"step {step}: no room")
    assert (stranger.firmware_status(package), stranger.job_status(job)) == (3, "COMPLETED")


def test_progress_100_without_a_version_report_is_no_success(stranger: Stranger) -> None:
    job = stranger.verify(stranger.package(), ONE)
    while stranger.tasks(job)[ONE].get("progress") != "100":
        advance(stranger, 0.3)

    assert stranger.tasks(job)[ONE]["taskStatus"] == "IN_PROGRESS"


def test_a_device_that_reports_another_version_fails(stranger: Stranger) -> None:
    script(stranger, ONE, outcome="wrong_version", reports="9.9.9")
    job = stranger.verify(stranger.package(), ONE)

    advance(stranger, 60)

    task = stranger.tasks(job)[ONE]
    assert (task["taskStatus"], task["taskDesc"]) == ("FAILED", "report version is not conform")


def test_an_offline_device_stays_queued_until_it_is_back(stranger: Stranger) -> None:
    script(stranger, ONE, online=False)
    job = stranger.verify(stranger.package(), ONE)
    advance(stranger, 86400)
    assert stranger.tasks(job)[ONE]["taskStatus"] == "QUEUED"

    script(stranger, ONE, online=True)
    advance(stranger, 60)

    assert stranger.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_a_silent_device_stays_notified_whatever_the_timeout(stranger: Stranger) -> None:
    script(stranger, ONE, outcome="silent")
    job = stranger.verify(stranger.package(), ONE, TimeoutInMinutes="1")

    advance(stranger, 86400)

    assert stranger.tasks(job)[ONE]["taskStatus"] == "NOTIFIED"


def test_the_timeout_counts_from_the_first_progress_report(stranger: Stranger) -> None:
    script(stranger, ONE, flash_seconds=3600)
    job = stranger.verify(stranger.package(), ONE, TimeoutInMinutes="5")
    advance(stranger, 299)
    assert stranger.tasks(job)[ONE]["taskStatus"] == "IN_PROGRESS"

    advance(stranger, 10)

    task = stranger.tasks(job)[ONE]
    assert (task["taskStatus"], task["taskDesc"]) == ("FAILED", "timeout")


def test_the_timeout_runs_on_while_the_device_is_away(stranger: Stranger) -> None:
    script(stranger, ONE, flash_seconds=3600)
    job = stranger.verify(stranger.package(), ONE, TimeoutInMinutes="5")
    advance(stranger, 10)
    script(stranger, ONE, online=False)

    advance(stranger, 301)

    assert stranger.tasks(job)[ONE]["taskDesc"] == "timeout"


def test_a_device_that_needs_confirmation_waits_for_it(stranger: Stranger) -> None:
    job = stranger.verify(stranger.package(), ONE, NeedConfirm="true")
    advance(stranger, 600)
    assert stranger.tasks(job)[ONE]["taskStatus"] == "CONFIRM"

    assert stranger.control("POST", "confirm", {"job_id": job}) == {"confirmed": 1}
    advance(stranger, 60)

    assert stranger.tasks(job)[ONE]["taskStatus"] == "SUCCEEDED"


def test_without_push_only_a_device_that_asks_is_served(stranger: Stranger) -> None:
    script(stranger, TWO, polls=True)
    job = stranger.verify(stranger.package(), ONE, TWO, NeedPush="false")

    advance(stranger, 60)

    states = {name: task["taskStatus"] for name, task in stranger.tasks(job).items()}
    assert states == {ONE: "QUEUED", TWO: "SUCCEEDED"}


def test_a_device_in_an_unfinished_task_fails_at_once_in_a_second_job(stranger: Stranger) -> None:
    script(stranger, ONE, online=False)
    stranger.verify(stranger.package("1.1.0"), ONE)

    second = stranger.package("1.2.0", b"other")
    job = stranger.verify(second, ONE)

    assert stranger.tasks(job)[ONE]["taskStatus"] == "FAILED"
    assert (stranger.firmware_status(second), stranger.job_status(job)) == (3, "COMPLETED")


@pytest.mark.parametrize(
    ("prepare", "values", "code"),
    [
        ("", {"FirmwareId": "999"}, "iot.firmware.FirmwareNotFound"),
        ("", {"ProductKey": "nobody"}, "iot.prod.NotExistedProduct"),
        ("", {"TargetDeviceName.1": "nobody"}, "iot.device.NotExistedDevice"),
        ("", {"TimeoutInMinutes": "0"}, "iot.firmware.InvalidTimeoutSetting"),
        ("", {"TimeoutInMinutes": "1441"}, "iot.firmware.InvalidTimeoutSetting"),
        ("", {"NeedPush": "True"}, "iot.common.InvalidFormattedParameter"),
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
    stranger: Stranger, prepare: str, values: dict[str, str], code: str
) -> None:
    version = {"current": "1.1.0", "unknown": ""}.get(prepare, "1.0.0")
    document = {"products": [{"version": "1.0.0", "device": {ONE: {"version": version}}}]}
    stranger.control("POST", "seed", document)
    package = stranger.package()
    if prepare in {"verifying", "verified"}:
        stranger.verify(package, TWO)
    if prepare == "verified":
        advance(stranger, 60)
    own = {"FirmwareId": package, "ProductKey": "k1demoproduct", "TargetDeviceName.1": ONE}

    status, answer = stranger.ask("CreateOTAVerifyJob", **own | values)

    assert (status, answer["success"], answer["code"]) == (200, False, code)


def test_a_failed_package_may_be_verified_again(stranger: Stranger) -> None:
    script(stranger, ONE, outcome="fails")
    package = stranger.package()
    stranger.verify(package, ONE)
    advance(stranger, 60)
    assert stranger.firmware_status(package) == 3

    stranger.verify(package, TWO)
    advance(stranger, 60)

    assert stranger.firmware_status(package) == 1


def test_a_verification_without_names_takes_ten_devices_that_can_be_upgraded(stranger: Stranger) -> None:
    script(stranger, ONE, online=False)

    job = stranger.verify(stranger.package())

    assert len(stranger.tasks(job)) == 10
    assert ONE not in stranger.tasks(job)


@pytest.mark.parametrize(
    ("flags", "cancelled"),
    [
        ({"CancelQueuedTask": "true"}, {"CONFIRM", "QUEUED"}),
        ({"CancelQueuedTask": "true", "CancelUnconfirmedTask": "false"}, {"QUEUED"}),
        ({"CancelUnconfirmedTask": "true"}, {"CONFIRM"}),
        ({"CancelNotifiedTask": "true"}, {"NOTIFIED"}),
        ({"CancelQueuedTask": "false"}, set()),
    ],
)
def test_cancelling_takes_what_the_switches_say(stranger: Stranger, flags: dict[str, str], cancelled: set[str]) -> None:
    before, after = _three_waiting_tasks(stranger)

    assert stranger.ask("CancelOTATaskByJob", JobId=before["job"], **flags)[1]["success"]

    assert {status for name, status in before.items() if after()[name] == "CANCELED"} == cancelled


def _three_waiting_tasks(stranger: Stranger) -> tuple[dict[str, str], Any]:
    three = "device-003"
    script(stranger, TWO, online=False)
    script(stranger, three, outcome="silent")
    job = stranger.verify(stranger.package(), ONE, TWO, three, NeedConfirm="true")
    ids = {name: task["taskId"] for name, task in stranger.tasks(job).items()}
    stranger.control("POST", "confirm", {"task_ids": [ids[TWO], ids[three]]})
    advance(stranger, 30)

    def states() -> dict[str, str]:
        return {name: task["taskStatus"] for name, task in stranger.tasks(job).items()} | {"job": job}

    before = states()
    assert before == {ONE: "CONFIRM", TWO: "QUEUED", three: "NOTIFIED", "job": job}
    return before, states


def test_a_device_that_is_flashing_is_not_cancelled(stranger: Stranger) -> None:
    script(stranger, ONE, flash_seconds=600)
    job = stranger.verify(stranger.package(), ONE)
    advance(stranger, 10)

    stranger.ask("CancelOTATaskByJob", JobId=job, CancelQueuedTask="true", CancelNotifiedTask="true")

    assert stranger.tasks(job)[ONE]["taskStatus"] == "IN_PROGRESS"


def test_a_job_whose_every_task_is_cancelled_is_cancelled_and_its_package_fails(stranger: Stranger) -> None:
    script(stranger, ONE, online=False)
    package = stranger.package()
    job = stranger.verify(package, ONE)

    stranger.ask("CancelOTATaskByJob", JobId=job, CancelQueuedTask="true")

    assert (stranger.job_status(job), stranger.firmware_status(package)) == ("CANCELED", 3)
    again = stranger.ask("CancelOTATaskByJob", JobId=job, CancelQueuedTask="true")[1]
    assert again["code"] == "iot.firmware.JobAlreadyCanceled"


def test_cancelling_without_a_switch_is_refused(stranger: Stranger) -> None:
    job = stranger.verify(stranger.package(), ONE)

    assert stranger.ask("CancelOTATaskByJob", JobId=job)[1]["code"] == "iot.firmware.CancelOptionIsMandatory"


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
def test_a_package_is_refused_with_the_documented_code(stranger: Stranger, change: dict[str, str], code: str) -> None:
    stranger.package()
    url = stranger.put(b"second")
    values = {
        "DestVersion": "2.0.0",
        "FirmwareName": "second",
        "FirmwareUrl": url,
        "FirmwareSign": hashlib.sha256(b"second").hexdigest(),
        "SignMethod": "SHA256",
        "ProductKey": "k1demoproduct",
    }

    assert stranger.ask("CreateOTAFirmware", **values | change)[1]["code"] == code


def test_lists_are_paged_with_totals(stranger: Stranger) -> None:
    job = stranger.verify(stranger.package())

    _, answer = stranger.ask("ListOTATaskByJob", JobId=job, PageSize="4", CurrentPage="3")

    assert (len(answer["data"]), answer["total"], answer["pageCount"]) == (2, 10, 3)


@pytest.mark.parametrize("page", [{"PageSize": "101"}, {"PageSize": "0"}, {"CurrentPage": "0"}, {"CurrentPage": "x"}])
def test_pages_outside_the_limits_are_refused(stranger: Stranger, page: dict[str, str]) -> None:
    values = {"CurrentPage": "1", "PageSize": "10"} | page

    assert stranger.ask("ListOTAFirmware", **values)[1]["code"] == "iot.common.InvalidPageParams"


def test_ended_states_lead_nowhere() -> None:
    assert {status for status, after in TRANSITIONS.items() if not after} == {"SUCCEEDED", "FAILED", "CANCELED"}
