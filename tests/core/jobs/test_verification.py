from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.actions import CreateOTAVerifyJob
from airflow_provider_tuya_ota.core.errors import (
    AlreadyUnderWayError,
    AmbiguousOutcomeError,
    ApiError,
    ConflictError,
    Delivery,
    OutcomeError,
    ProtocolError,
    TransportError,
    TuyaOTAError,
    UnavailableError,
)
from airflow_provider_tuya_ota.core.flows.eventually import GRACE_PAUSES
from airflow_provider_tuya_ota.core.jobs.intent import Intent, Stage
from airflow_provider_tuya_ota.core.jobs.job_request import JobRequest
from airflow_provider_tuya_ota.core.jobs.target import Target, digest_of, fingerprint_of
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin, TrackedJob
from airflow_provider_tuya_ota.core.jobs.verification import (
    IfVerified,
    start_verification,
)
from airflow_provider_tuya_ota.core.model.states import JobType
from tests.core.script import (
    NOW,
    REQUEST_ID,
    SETTINGS,
    Script,
    answered,
    by_action,
    firmware,
    gateway,
    job,
    lost,
    ok,
    refused,
    task,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.core.script import Answer

ACTION = CreateOTAVerifyJob(firmware_id="178", product_key="pk", target_device_name=["d1"])
OLD = job("1", "COMPLETED", utcCreate="2026-01-01T00:00:00.000Z")
NEW = job("2", utcCreate="2026-03-01T12:00:00.000Z")
OTHER = job("3", utcCreate="2026-03-01T12:00:01.000Z")
NOTE = Intent(
    fingerprint=fingerprint_of(ACTION),
    target=Target.of(ACTION),
    stage=Stage.LOST,
    known=(digest_of("1"),),
    started_at=NOW,
)


def jobs(*items: dict[str, Any]) -> Response:
    return ok(data=list(items))


def script_for(
    *,
    status: int = 0,
    lists: Answer | Sequence[Answer],
    create: Answer | Sequence[Answer] = (),
    devices: Sequence[str] = ("d1",),
) -> Script:
    """The last list stays as it is."""
    listed = [*lists, *[lists[-1]] * 10] if isinstance(lists, list) else lists
    return Script(
        by_action(
            {
                "QueryOTAFirmware": ok(firmwareInfo=firmware(status=status)),
                "QueryOTAJob": lambda sent: ok(data=NEW | {"jobId": sent.parameters["JobId"]}),
                "ListOTAJobByFirmware": listed,
                "CreateOTAVerifyJob": create,
                "ListOTATaskByJob": ok(data=[task(name, "QUEUED") for name in devices]),
            }
        )
    )


def start(script: Script, if_verified: IfVerified = IfVerified.SUCCEED) -> TrackedJob:
    return script.run(start_verification(SETTINGS, ACTION, if_verified=if_verified))


def creates(script: Script) -> int:
    return script.actions.count("CreateOTAVerifyJob")


@pytest.mark.parametrize("status", [0, -1, 3, 42])
def test_a_firmware_that_is_not_verified_gets_a_job(status: int) -> None:
    script = script_for(status=status, lists=jobs(OLD), create=ok(data={"jobId": "2", "utcCreate": "now"}))

    assert start(script) == TrackedJob(
        job_id="2",
        firmware_id="178",
        kind=JobType.VERIFY_FIRMWARE,
        origin=JobOrigin.CREATED,
        utc_create="now",
        request_id=REQUEST_ID,
    )
    assert creates(script) == 1


def test_the_job_id_is_taken_from_firmware_id_as_in_the_documented_example() -> None:
    script = script_for(lists=jobs(), create=ok(data={"firmwareId": "1836340779212661234"}))

    assert start(script).job_id == "1836340779212661234"


@pytest.mark.parametrize("data", [{"firmwareId": "178"}, {}, None, {"jobId": ""}])
def test_an_answer_without_job_id_is_completed_from_the_list(data: Any) -> None:
    script = script_for(lists=[jobs(OLD), jobs(NEW, OLD)], create=ok(data=data))

    found = start(script)

    assert (found.job_id, found.origin, found.request_id) == ("2", JobOrigin.FOUND, REQUEST_ID)
    assert found.utc_create == NEW["utcCreate"]
    assert creates(script) == 1


def test_a_created_job_that_no_list_shows_is_an_error_with_its_request_id() -> None:
    script = script_for(lists=jobs(OLD), create=ok(data={}))

    with pytest.raises(ProtocolError, match=REQUEST_ID):
        start(script)
    assert script.sleeps == list(GRACE_PAUSES)


def test_a_running_verification_is_adopted_and_none_created() -> None:
    script = script_for(status=2, lists=jobs(NEW, OLD))

    assert start(script) == TrackedJob(
        job_id="2",
        firmware_id="178",
        kind=JobType.VERIFY_FIRMWARE,
        origin=JobOrigin.FOLLOWED,
        utc_create=NEW["utcCreate"],
    )
    assert creates(script) == 0
    assert script.lines[-1].startswith("Following verification job 2 of firmware 178")


def test_the_verification_of_an_earlier_try_is_gone_on_with_as_one_s_own() -> None:
    script = script_for(status=2, lists=jobs(NEW))
    script.saved = NOTE.at(Stage.CREATED, "2").to_dict()

    found = start(script)

    assert (found.job_id, found.origin, found.is_own) == ("2", JobOrigin.RESUMED, True)


def test_a_verification_that_a_list_showed_is_gone_on_with_and_not_certainly_one_s_own() -> None:
    script = script_for(status=2, lists=jobs(NEW))
    script.saved = NOTE.to_dict()

    found = start(script)

    assert (found.job_id, found.origin, found.is_own) == ("2", JobOrigin.FOUND, False)


def test_a_verification_of_other_devices_is_not_followed() -> None:
    script = script_for(status=2, lists=jobs(NEW), devices=["d1", "d2"])

    with pytest.raises(AlreadyUnderWayError, match="job 2 is verifying firmware 178 on other devices"):
        start(script)
    assert creates(script) == 0


def test_a_verification_whose_devices_are_not_listed_yet_is_followed() -> None:
    assert start(script_for(status=2, lists=jobs(NEW), devices=[])).job_id == "2"


def test_a_verification_without_names_follows_whatever_devices_are_verified() -> None:
    script = script_for(status=2, lists=jobs(NEW), devices=["somebody"])
    action = CreateOTAVerifyJob(firmware_id="178", product_key="pk")

    script.run(start_verification(SETTINGS, action, if_verified=IfVerified.SUCCEED))

    assert script.warnings == []


@pytest.mark.parametrize(
    ("running", "said"),
    [
        ((), "none of its verification jobs is running"),
        ((OLD,), "none of its"),
        ((NEW, OTHER), r"2 running .*\(3, 2\)"),
    ],
)
def test_a_running_verification_that_is_unclear_stops(running: tuple[dict[str, Any], ...], said: str) -> None:
    script = script_for(status=2, lists=jobs(*running))

    with pytest.raises(AmbiguousOutcomeError, match=said):
        start(script)
    assert creates(script) == 0


def test_a_verification_that_began_meanwhile_is_adopted() -> None:
    script = script_for(lists=[jobs(OLD), jobs(NEW, OLD)], create=refused("iot.firmware.InProgressVerifyJobExisted"))

    found = start(script)

    assert (found.job_id, found.origin) == ("2", JobOrigin.FOLLOWED)


@pytest.mark.parametrize("known", [(), (OLD,), (OLD, job("0", "COMPLETED", utcCreate="2025"))])
def test_a_verified_firmware_succeeds_with_its_newest_job(known: tuple[dict[str, Any], ...]) -> None:
    script = script_for(status=1, lists=jobs(*known))

    found = start(script)

    assert (found.origin, found.is_own) == (JobOrigin.VERIFIED_BEFORE, False)
    assert (found.job_id, found.utc_create) == (("1", OLD["utcCreate"]) if known else ("", ""))
    assert creates(script) == 0


def test_a_verified_firmware_may_count_as_an_error() -> None:
    script = script_for(status=1, lists=jobs(OLD))

    with pytest.raises(OutcomeError, match="verified already"):
        start(script, IfVerified.FAIL)


NO_NEED = refused("iot.firmware.VerifyFirmwareFailed")


def test_a_firmware_that_needs_no_verification_is_not_one_that_cannot_be_released() -> None:
    script = script_for(status=-1, lists=jobs(), create=NO_NEED)

    assert start(script) == TrackedJob(
        job_id="", firmware_id="178", kind=JobType.VERIFY_FIRMWARE, origin=JobOrigin.NOT_NEEDED
    )
    assert script.saved["stage"] == "nothing"


def test_a_firmware_that_needs_no_verification_may_count_as_an_error() -> None:
    script = script_for(status=-1, lists=jobs(), create=NO_NEED)

    with pytest.raises(OutcomeError, match="was created as one that needs no verification, and if_verified is 'fail'"):
        start(script, IfVerified.FAIL)


@pytest.mark.parametrize("status", [0, 3])
def test_a_verification_that_is_needed_and_refused_is_an_error(status: int) -> None:
    with pytest.raises(ConflictError, match="VerifyFirmwareFailed"):
        start(script_for(status=status, lists=jobs(), create=NO_NEED))


@pytest.mark.parametrize(
    "doubt",
    [
        lost(),
        gateway("", 500),
        refused("iot.system.SystemException"),
        refused("iot.firmware.SystemBusy"),
        ok(data={"jobId": [1]}),
        answered(b"<html>"),
    ],
)
def test_in_doubt_the_one_new_job_is_adopted(doubt: Answer) -> None:
    script = script_for(lists=[jobs(OLD), jobs(NEW, OLD)], create=doubt)

    found = start(script)

    assert (found.job_id, found.origin) == ("2", JobOrigin.FOUND)
    assert creates(script) == 1
    assert "Checking whether the verification job of firmware 178 exists." in script.warnings[0]


def test_in_doubt_a_job_may_take_its_time_to_appear() -> None:
    script = script_for(lists=[jobs(), jobs(), jobs(), jobs(NEW)], create=lost())

    assert start(script).job_id == "2"
    assert script.sleeps == list(GRACE_PAUSES[:5])


@pytest.mark.parametrize(("doubt", "kind"), [(lost(), TransportError), (gateway("", 503), UnavailableError)])
def test_in_doubt_without_a_new_job_the_error_stands_and_nothing_is_repeated(
    doubt: Answer, kind: type[TuyaOTAError]
) -> None:
    script = script_for(lists=jobs(OLD), create=doubt)

    with pytest.raises(kind):
        start(script)
    assert creates(script) == 1
    assert script.sleeps == list(GRACE_PAUSES)


def test_in_doubt_several_new_jobs_stop_for_a_person() -> None:
    script = script_for(lists=[jobs(OLD), jobs(OTHER, NEW, OLD)], create=lost())

    with pytest.raises(AmbiguousOutcomeError, match=r"2 jobs \(3, 2\)"):
        start(script)


def test_in_doubt_a_new_job_of_another_type_is_not_taken_for_it() -> None:
    upgrade = job("7", kind="UPGRADE_FIRMWARE")
    script = script_for(lists=[jobs(), jobs(upgrade)], create=lost())

    with pytest.raises(TransportError):
        start(script)


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (lost(Delivery.NEVER_SENT), TransportError),
        (refused("iot.firmware.NoDeviceCanUpgrade"), ConflictError),
        (refused("iot.firmware.FirmwareAndProductKeyMismatch"), ApiError),
    ],
)
def test_without_doubt_nobody_looks_for_a_job(refusal: Answer, kind: type[TuyaOTAError]) -> None:
    script = script_for(lists=[jobs()], create=refusal)

    with pytest.raises(kind):
        start(script)
    assert script.sleeps == []


def test_verifications_are_listed_newest_first_without_other_jobs() -> None:
    script = Script(by_action({"ListOTAJobByFirmware": jobs(OLD, job("7", kind="UPGRADE_FIRMWARE"), OTHER, NEW)}))

    found = script.run(JobRequest(SETTINGS, ACTION, JobType.VERIFY_FIRMWARE).list_jobs())

    assert [item.job_id for item in found.items] == ["3", "2", "1"]
