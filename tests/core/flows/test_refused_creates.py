from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.actions import (
    CancelOTATaskByJob,
    CreateOTAFirmware,
    CreateOTAVerifyJob,
    DeleteOTAFirmware,
)
from airflow_provider_tuya_ota.core.errors import ApiError
from airflow_provider_tuya_ota.core.flows.calls import call
from tests.core.script import SETTINGS, Script, gateway, ok, refused

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import Action
    from airflow_provider_tuya_ota.core.wire.http import Response

VERIFY = CreateOTAVerifyJob(firmware_id="178", product_key="pk", target_device_name=["d1"])
FIRMWARE = CreateOTAFirmware(dest_version="1.1", firmware_name="lamp")


@pytest.mark.parametrize("create", [VERIFY, FIRMWARE], ids=lambda action: action.name)
@pytest.mark.parametrize(
    "failure",
    [
        gateway("SignatureNonceUsed"),
        gateway("RequestTimeout", 408),
        gateway("InvalidParameter", 408),
        gateway("Odd"),
        refused("iot.firmware.UpgradeJobTimeout"),
        refused("iot.firmware.InvalidFirmwareTimeout"),
        refused(""),
        *(refused("iot.firmware.BrandNew", status) for status in (401, 403, 404, 405, 429)),
        *(refused("iot.brandnew.Code", status) for status in (401, 403, 404, 405, 429)),
        refused("iot.firmware.InvalidOTAJobId", 504),
        gateway("Throttling.User", 504),
    ],
)
def test_a_create_is_in_doubt_where_its_refusal_does_not_say_that_nothing_was_done(
    create: Action[object], failure: Response
) -> None:
    script = Script([failure])

    with pytest.raises(ApiError) as caught:
        script.run(call(SETTINGS, create))

    assert caught.value.in_doubt
    assert len(script.sent) == 1


@pytest.mark.parametrize(
    "failure",
    [
        gateway("SignatureDoesNotMatch", 403),
        gateway("InvalidAccessKeyId.NotFound", 404),
        gateway("InvalidTimeStamp.Expired"),
        gateway("IllegalTimestamp"),
        gateway("Forbidden.RAM", 403),
        gateway("MissingFirmwareId"),
        gateway("NoPermission", 403),
        refused("iot.firmware.AlreadyExistedFirmwareName"),
        refused("IOT.FIRMWARE.FIRMWARENOTVERIFIED"),
        refused("iot.firmware.NoDeviceCanUpgrade", 400),
        refused("", 401),
    ],
)
def test_a_create_that_was_certainly_refused_is_not_in_doubt(failure: Response) -> None:
    script = Script([failure])

    with pytest.raises(ApiError) as caught:
        script.run(call(SETTINGS, VERIFY))

    assert not caught.value.in_doubt


def test_a_call_that_is_no_create_is_not_in_doubt_after_an_undocumented_code() -> None:
    script = Script([refused("iot.firmware.BrandNew")])

    with pytest.raises(ApiError) as caught:
        script.run(call(SETTINGS, DeleteOTAFirmware(firmware_id="178")))

    assert not caught.value.in_doubt


def test_a_cancel_that_a_proxy_sent_twice_is_repeated_with_a_nonce_of_its_own() -> None:
    script = Script([gateway("SignatureNonceUsed"), ok()])

    script.run(call(SETTINGS, CancelOTATaskByJob(job_id="9", cancel_queued_task=True)))

    assert script.nonces == ["nonce-1", "nonce-2"]
