from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.actions import (
    Action,
    CancelOTATaskByJob,
    CreateOTAFirmware,
    CreateOTAVerifyJob,
    GenerateOTAUploadURL,
    ListOTAFirmware,
    ListOTAJobByFirmware,
    ListOTATaskByJob,
    QueryOTAFirmware,
    QueryOTAJob,
    QueryProductList,
)
from airflow_provider_tuya_ota.core.errors import ProtocolError
from airflow_provider_tuya_ota.core.model.entities import Created
from airflow_provider_tuya_ota.core.model.states import FirmwareStatus, JobStatus, JobType, TaskStatus
from airflow_provider_tuya_ota.core.wire.record import Record
from airflow_provider_tuya_ota.core.wire.reply import Reply
from tests.core.script import REQUEST_ID, firmware, job, task

VERIFY = CreateOTAVerifyJob(firmware_id="178", product_key="pk")
PRODUCT = {"productKey": "pk"}
TICKET = {
    "host": "https://bucket",
    "key": "ota/firmware/k.bin",
    "oSSAccessKeyId": "canary-1",
    "policy": "canary-2",
    "signature": "canary-3",
    "firmwareUrl": "https://bucket/canary-4",
    "objectStorage": "OSS",
}


def parse(action: Action[Any], **fields: Any) -> Any:
    return action.parse(Reply(action=action.name, request_id=REQUEST_ID, fields=Record(fields)))


def test_an_upload_ticket_is_read_and_hides_its_secrets() -> None:
    ticket = parse(GenerateOTAUploadURL(), data=TICKET)

    assert (ticket.host, ticket.key, ticket.policy.reveal()) == ("https://bucket", "ota/firmware/k.bin", "canary-2")
    assert "canary" not in repr(ticket)


@pytest.mark.parametrize("key", ["host", "key", "oSSAccessKeyId", "policy", "signature", "firmwareUrl"])
def test_an_incomplete_upload_ticket_is_refused(key: str) -> None:
    with pytest.raises(ProtocolError, match=f"(?i)GenerateOTAUploadURL: the answer has no {key}"):
        parse(GenerateOTAUploadURL(), data=TICKET | {key: ""})


@pytest.mark.parametrize(
    ("data", "entity_id"),
    [
        pytest.param({"jobId": "1836340779212661234"}, "1836340779212661234", id="as the table writes"),
        pytest.param({"JobID": "9"}, "9", id="as the English table writes"),
        pytest.param({"firmwareId": "1836340779212661234"}, "1836340779212661234", id="as the example shows"),
        pytest.param({"jobId": "9", "firmwareId": "8"}, "9", id="both"),
        pytest.param({"jobId": "", "firmwareId": "8"}, "8", id="job id empty"),
        pytest.param({"jobId": 1836340779212661234}, "1836340779212661234", id="as a number"),
        pytest.param({"firmwareId": "178"}, None, id="only the firmware's own id"),
        pytest.param({}, None, id="nothing"),
        pytest.param(None, None, id="null"),
        pytest.param([], None, id="a list"),
    ],
)
def test_the_id_of_a_verification_is_found_where_it_may_be(data: Any, entity_id: str | None) -> None:
    assert parse(VERIFY, data=data).entity_id == entity_id


def test_what_was_created_keeps_time_and_request_id() -> None:
    action = CreateOTAFirmware(dest_version="1.1", firmware_name="lamp")

    created = parse(action, data={"firmwareId": "178", "utcCreate": "2024-11-20T08:50:00.239Z"})

    assert created == Created(entity_id="178", utc_create="2024-11-20T08:50:00.239Z", request_id=REQUEST_ID)


@pytest.mark.parametrize(
    "fields",
    [
        {"firmwareInfo": firmware(status=1)},
        {"FirmwareInfo": [firmware() | {"status": "1"}]},
        {"firmwareInfo": {"simpleFirmwareInfo": firmware(status=1)}},
        {"data": firmware(status=1)},
    ],
)
def test_a_firmware_is_read_in_every_plausible_form(fields: dict[str, Any]) -> None:
    parsed = parse(QueryOTAFirmware(firmware_id="178"), **fields)

    assert (parsed.firmware_id, parsed.status, parsed.module_name) == ("178", FirmwareStatus.VERIFIED, "default")


def test_digests_are_read_in_one_spelling() -> None:
    info = firmware(firmwareSign="ABCDEF", signMethod="Md5", firmwareSize="7", moduleName="ble")

    parsed = parse(QueryOTAFirmware(firmware_id="178"), firmwareInfo=info)

    assert (parsed.firmware_sign, parsed.sign_method, parsed.firmware_size) == ("abcdef", "MD5", 7)
    assert parsed.module_name == "ble"


@pytest.mark.parametrize("info", [{"firmwareId": "178"}, firmware("", status=1), {}, None, 7])
def test_a_firmware_without_id_or_status_is_refused(info: Any) -> None:
    with pytest.raises(ProtocolError):
        parse(QueryOTAFirmware(firmware_id="178"), firmwareInfo=info)


@pytest.mark.parametrize("fields", [{"firmwareInfo": [firmware()], "total": "3"}, {"data": [firmware()], "total": 3}])
def test_a_page_of_firmwares_is_read_with_its_total(fields: dict[str, Any]) -> None:
    page = parse(ListOTAFirmware(current_page=1, page_size=100), **fields)

    assert ([item.firmware_id for item in page.items], page.total) == (["178"], 3)


def test_a_job_is_read() -> None:
    read = parse(QueryOTAJob(job_id="9"), data=job("9", needConfirm="true", needPush=False, targetSelection="SPECIFIC"))

    assert (read.job_id, read.status, read.type) == ("9", JobStatus.IN_PROGRESS, JobType.VERIFY_FIRMWARE)
    assert (read.need_confirm, read.need_push, read.target_selection) == (True, False, "SPECIFIC")


@pytest.mark.parametrize("missing", ["jobId", "jobStatus"])
def test_a_job_without_id_or_status_is_refused(missing: str) -> None:
    with pytest.raises(ProtocolError, match=f"(?i)no {missing}"):
        parse(QueryOTAJob(job_id="9"), data=job("9") | {missing: None})


def test_a_page_of_jobs_may_have_no_total() -> None:
    page = parse(
        ListOTAJobByFirmware(firmware_id="178", current_page=1, page_size=10), data={"simpleOTAJobInfo": [job()]}
    )

    assert ([item.job_id for item in page.items], page.total) == (["9001"], None)


def test_a_device_task_is_read() -> None:
    (read,) = parse(ListOTATaskByJob(job_id="9"), data=[task("d1", "FAILED", progress=50, taskDesc="timeout")]).items

    assert (read.device_name, read.status, read.progress, read.reason) == ("d1", TaskStatus.FAILED, "50", "timeout")


def test_a_device_task_without_status_is_refused() -> None:
    with pytest.raises(ProtocolError, match="no TaskStatus"):
        parse(ListOTATaskByJob(job_id="9"), data=[task("d1", "")])


def test_a_cancellation_has_nothing_to_read() -> None:
    assert parse(CancelOTATaskByJob(job_id="9")) is None


@pytest.mark.parametrize(
    ("status", "ended"), [*[(s, s in {"COMPLETED", "CANCELED"}) for s in JobStatus], ("PAUSED", False)]
)
def test_only_documented_ends_of_a_job_are_ends(status: str, ended: bool) -> None:
    assert JobStatus(status).has_ended is ended
    assert JobStatus(status).value == status


@pytest.mark.parametrize("status", ["ROLLED_BACK", "", "succeeded"])
def test_an_unknown_task_status_survives_and_is_no_end(status: str) -> None:
    assert TaskStatus(status).value == status
    assert not TaskStatus(status).has_ended


def test_an_unknown_firmware_status_survives() -> None:
    assert (FirmwareStatus(42).name, FirmwareStatus(42).value) == ("STATUS_42", 42)


@pytest.mark.parametrize("kind", [TaskStatus, FirmwareStatus])
def test_a_state_of_another_type_is_refused(kind: Any) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        kind(1.5)


@pytest.mark.parametrize(
    ("action", "wrap", "item"),
    [
        (ListOTATaskByJob(job_id="9", current_page=1, page_size=100), dict, task("d1", "QUEUED")),
        (QueryProductList(current_page=1, page_size=200), lambda data: {"data": {"list": data["data"]}}, PRODUCT),
    ],
)
def test_a_page_of_many_more_items_than_anybody_asks_for_is_no_answer(
    action: Action[Any], wrap: Any, item: Any
) -> None:
    assert len(parse(action, **wrap({"data": [item] * 1_000})).items) == 1_000

    with pytest.raises(ProtocolError, match=f"^{action.name}: 1,001 items on one page"):
        parse(action, **wrap({"data": [item] * 1_001}))
