from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob
from airflow_provider_tuya_ota.core.errors import (
    AmbiguousOutcomeError,
    ConflictError,
    Delivery,
    ProtocolError,
    TransportError,
)
from airflow_provider_tuya_ota.core.flows.eventually import GRACE_PAUSES
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin, TrackedJob
from airflow_provider_tuya_ota.core.jobs.upgrade import start_upgrade
from airflow_provider_tuya_ota.core.model.states import JobType
from tests.core.script import NOW, REQUEST_ID, SETTINGS, Script, by_action, gateway, job, lasting, lost, ok, refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.core.script import Answer

ACTION = CreateOTAStaticUpgradeJob(firmware_id="178", product_key="pk", target_selection="ALL")
UPGRADE = "UPGRADE_FIRMWARE"
VERIFICATION = job("1", "COMPLETED")
OLD = job("2", "COMPLETED", UPGRADE)
NEW = job("3", kind=UPGRADE, utcCreate="2026-03-01T12:00:00.000Z", targetSelection="ALL")
OTHER = job("4", kind=UPGRADE, targetSelection="ALL")


def jobs(*items: dict[str, Any]) -> Response:
    return ok(data=list(items))


def script_for(*lists: Response, create: Answer | Sequence[Answer]) -> Script:
    """The last list stays as it is."""
    return Script(
        by_action(
            {
                "ListOTAJobByFirmware": [*lists, *[lists[-1]] * 10],
                "QueryOTAJob": lambda sent: ok(data=NEW | {"jobId": sent.parameters["JobId"]}),
                "CreateOTAStaticUpgradeJob": create,
            }
        )
    )


def tracked(origin: JobOrigin, **more: Any) -> TrackedJob:
    return TrackedJob(
        job_id="3", firmware_id="178", kind=JobType.UPGRADE_FIRMWARE, origin=origin, selection="ALL", **more
    )


def creates(script: Script) -> int:
    return script.actions.count("CreateOTAStaticUpgradeJob")


@pytest.mark.parametrize("key", ["jobId", "firmwareId"])
def test_an_upgrade_is_known_by_the_id_that_the_answer_gives(key: str) -> None:
    script = script_for(jobs(OLD), jobs(OLD), create=ok(data={key: "3", "utcCreate": "now"}))

    assert script.run(start_upgrade(SETTINGS, ACTION)) == tracked(
        JobOrigin.CREATED, utc_create="now", request_id=REQUEST_ID
    )


@pytest.mark.parametrize(
    ("queries", "seconds"),
    [
        ([ok(data=NEW | {"jobStatus": "IN_PROGRESS"})], 0),
        ([refused("iot.firmware.InvalidOTAJobId"), ok(data=NEW | {"jobStatus": "IN_PROGRESS"})], GRACE_PAUSES[0]),
        ([ok(data=NEW | {"jobStatus": "PLANNED"})], None),
        ([refused("iot.system.SystemException")], None),
    ],
)
def test_the_wait_gets_the_new_job_as_it_was_queried_in_progress(
    queries: list[Response], seconds: float | None
) -> None:
    script = Script(
        by_action(
            {
                "ListOTAJobByFirmware": jobs(OLD),
                "QueryOTAJob": lasting(*queries),
                "CreateOTAStaticUpgradeJob": ok(data={"jobId": "3"}),
            }
        )
    )

    queried = script.run(start_upgrade(SETTINGS, ACTION)).waited_for(on_cancel="stop", expected=()).queried

    at = None if seconds is None else NOW + timedelta(seconds=seconds)
    assert (queried.read_at if queried else None) == at


def test_an_upgrade_that_is_not_named_is_found_among_the_firmware_s_upgrades() -> None:
    script = script_for(jobs(VERIFICATION, OLD), jobs(VERIFICATION, OLD), jobs(job("9"), OLD, NEW), create=ok(data={}))

    assert script.run(start_upgrade(SETTINGS, ACTION)).job_id == "3"
    assert creates(script) == 1


@pytest.mark.parametrize(
    "doubt",
    [
        lost(),
        gateway("InternalError", 500),
        gateway("", 502),
        gateway("SignatureNonceUsed"),
        gateway("RequestTimeout", 408),
        refused("iot.firmware.UpgradeJobTimeout"),
    ],
)
def test_a_lost_answer_is_looked_up_and_never_asked_again(doubt: Answer) -> None:
    script = script_for(jobs(OLD), jobs(OLD, NEW), create=doubt)

    assert script.run(start_upgrade(SETTINGS, ACTION)) == tracked(
        JobOrigin.FOUND, utc_create="2026-03-01T12:00:00.000Z"
    )
    assert creates(script) == 1


def test_an_upgrade_that_never_appears_leaves_the_error_of_its_creation() -> None:
    script = script_for(jobs(OLD), create=lost())

    with pytest.raises(TransportError):
        script.run(start_upgrade(SETTINGS, ACTION))
    assert sum(script.sleeps) >= 65


def test_an_upgrade_that_was_accepted_but_never_appears_stops_for_a_person() -> None:
    script = script_for(jobs(), create=ok(data=None))

    with pytest.raises(ProtocolError, match="vendor's console"):
        script.run(start_upgrade(SETTINGS, ACTION))


def test_two_new_upgrades_are_named_and_neither_is_taken() -> None:
    script = script_for(jobs(OLD), jobs(OLD, NEW, OTHER), create=lost())

    with pytest.raises(AmbiguousOutcomeError, match=r"2 jobs \(3, 4\) of firmware 178 could be the one"):
        script.run(start_upgrade(SETTINGS, ACTION))


def test_a_refusal_is_reported_as_it_is() -> None:
    script = script_for(jobs(), create=refused("iot.firmware.FirmwareNotVerified"))

    with pytest.raises(ConflictError, match="Verify the firmware first"):
        script.run(start_upgrade(SETTINGS, ACTION))


def test_what_was_never_sent_is_not_looked_for() -> None:
    script = script_for(jobs(), create=lost(Delivery.NEVER_SENT))

    with pytest.raises(TransportError):
        script.run(start_upgrade(SETTINGS, ACTION))
    assert script.actions == ["ListOTAJobByFirmware", "CreateOTAStaticUpgradeJob"]
