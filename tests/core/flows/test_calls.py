from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from airflow_provider_tuya_ota.core.actions import (
    CancelOTATaskByJob,
    CreateOTAFirmware,
    CreateOTAVerifyJob,
    DeleteOTAFirmware,
    GenerateOTAUploadURL,
    QueryOTAJob,
)
from airflow_provider_tuya_ota.core.errors import (
    ApiError,
    Delivery,
    InvalidParameterError,
    NotFoundError,
    ProtocolError,
    ThrottledError,
    TransportError,
    TuyaOTAError,
    UnavailableError,
)
from airflow_provider_tuya_ota.core.flows.calls import call, call_by_name
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.policy.retry import Repeat, RetryPolicy
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.wire.encoding import canonical_query
from airflow_provider_tuya_ota.core.wire.signing import signature, string_to_sign
from tests.core.script import SECRET, SETTINGS, Script, answered, gateway, job, lost, ok, refused

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import Action
    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.core.script import Answer

VERIFY = CreateOTAVerifyJob(firmware_id="178", product_key="pk", target_device_name=["d1", "d 2"])
FIRMWARE = CreateOTAFirmware(dest_version="1.1", firmware_name="lamp")
QUERY = QueryOTAJob(job_id="9001")


@pytest.mark.parametrize("name", ["Action", "AccessKeyId", "SignatureNonce", "Timestamp", "Signature", "Version"])
def test_what_the_client_writes_itself_cannot_be_written_over(name: str) -> None:
    script = Script([])

    with pytest.raises(InvalidParameterError, match=f"^{name}: is what the client writes itself"):
        script.run(call_by_name(SETTINGS, "QueryOTAJob", {"JobId": "1", name: "x"}, repeat=Repeat.HARMLESS))

    assert script.sent == []


def test_a_request_is_a_signed_get_of_the_root() -> None:
    script = Script([ok(data={"jobId": "9001"})])

    script.run(call(SETTINGS, VERIFY))

    (sent,) = script.sent
    url = urlsplit(sent.request.url)
    unsigned, _, proof = url.query.partition("&Signature=")
    assert (sent.request.method, url.scheme, url.netloc, url.path) == ("GET", "https", "ota.example.com:8686", "/")
    assert sent.parameters["TargetDeviceName.2"] == "d 2"
    assert sent.parameters["SignatureNonce"] == "nonce-1"
    assert sent.parameters["Timestamp"] == "2026-03-01T12:00:00Z"
    assert sent.parameters["Signature"] == signature(Secret(SECRET), string_to_sign("GET", unsigned))
    assert proof.endswith("%3D")
    assert unsigned == canonical_query({k: v for k, v in sent.parameters.items() if k != "Signature"})


def test_an_ipv6_host_is_addressed_in_brackets() -> None:
    script = Script([ok(data=job())])

    script.run(call(dataclasses.replace(SETTINGS, host="::1", scheme="http"), QUERY))

    assert script.sent[0].request.endpoint == "[::1]:8686"


def test_neither_secret_nor_signature_nor_key_show_in_the_repr_of_a_request() -> None:
    script = Script([ok(data=job())])

    script.run(call(SETTINGS, QUERY))

    assert script.sent[0].parameters["Signature"] not in repr(script.sent)
    assert "canary" not in repr(script.sent)


@pytest.mark.parametrize(
    "failure",
    [lost(), lost(Delivery.NEVER_SENT), gateway("", 503), refused("iot.firmware.SystemBusy"), gateway("Throttling")],
)
def test_a_read_is_repeated_with_nonce_time_and_signature_of_its_own(failure: TransportError) -> None:
    script = Script([failure, ok(data=job())], jitter=1.0)

    found = script.run(call(SETTINGS, QUERY))

    first, second = (sent.parameters for sent in script.sent)
    assert found.job_id == "9001"
    assert script.sleeps == [1.0]
    assert (first["SignatureNonce"], second["SignatureNonce"]) == ("nonce-1", "nonce-2")
    assert first["Timestamp"] != second["Timestamp"]
    assert first["Signature"] != second["Signature"]
    assert "Trying again in 1.0 s." in script.warnings[0]


def test_a_read_is_given_up_after_five_requests() -> None:
    script = Script([lost()] * 5)

    with pytest.raises(TransportError):
        script.run(call(SETTINGS, QUERY))

    assert script.sleeps == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("before", "in_doubt"),
    [
        ([], False),
        ([lost(Delivery.NEVER_SENT)], False),
        ([gateway("Throttling.User")], False),
        ([lost()], True),
        ([lost(), gateway("Throttling.User")], True),
    ],
)
def test_a_refusal_that_follows_on_a_lost_answer_is_in_doubt(before: list[Answer], in_doubt: bool) -> None:
    script = Script([*before, refused("iot.firmware.FirmwareNotFound")])

    with pytest.raises(NotFoundError) as caught:
        script.run(call(SETTINGS, DeleteOTAFirmware(firmware_id="178")))
    assert caught.value.in_doubt is in_doubt


def test_the_retry_policy_can_be_set() -> None:
    script = Script([lost()])

    with pytest.raises(TransportError):
        script.run(call(SETTINGS, QUERY, RetryPolicy(attempts=1)))


@pytest.mark.parametrize("create", [VERIFY, FIRMWARE], ids=lambda action: action.name)
@pytest.mark.parametrize(
    "failure",
    [
        lost(),
        lost(Delivery.NEVER_SENT),
        gateway("", 500),
        refused("iot.system.SystemException"),
        refused("iot.firmware.SystemBusy"),
    ],
)
def test_a_create_is_never_blindly_repeated(create: Action[object], failure: TransportError) -> None:
    script = Script([failure])

    with pytest.raises(TuyaOTAError):
        script.run(call(SETTINGS, create))

    assert (len(script.sent), script.sleeps) == (1, [])


@pytest.mark.parametrize("create", [VERIFY, FIRMWARE], ids=lambda action: action.name)
def test_a_create_that_was_throttled_is_repeated(create: Action[object]) -> None:
    script = Script([gateway("Throttling.User"), gateway("", 429), ok(data={})])

    script.run(call(SETTINGS, create))

    assert script.nonces == ["nonce-1", "nonce-2", "nonce-3"]


@pytest.mark.parametrize("create", [VERIFY, FIRMWARE], ids=lambda action: action.name)
@pytest.mark.parametrize("status", [405, 429, 503])
def test_a_create_that_was_said_to_have_succeeded_is_sent_once_whatever_the_status(
    create: Action[object], status: int
) -> None:
    script = Script([answered({"code": "", "requestId": "r", "success": True, "data": {"jobId": "9"}}, status)])

    with pytest.raises(TuyaOTAError) as caught:
        script.run(call(SETTINGS, create))

    assert caught.value.in_doubt
    assert len(script.sent) == 1


@pytest.mark.parametrize("asked", ["20", "Sun, 01 Mar 2026 12:00:20 GMT"])
def test_the_pause_that_the_platform_asks_for_is_kept(asked: str) -> None:
    headers = {"retry-after": asked, "date": "Sun, 01 Mar 2026 12:00:00 GMT"}
    script = Script([gateway("Throttling", 429, **headers), gateway("", 503, **headers), ok(data=job())])

    script.run(call(SETTINGS, QUERY))

    assert script.sleeps == [20.0, 20.0]


def test_whoever_cancels_waits_no_longer_than_two_seconds() -> None:
    script = Script([gateway("Throttling", 429, **{"retry-after": "60"}), ok()])

    script.run(call(SETTINGS, CancelOTATaskByJob(job_id="9", cancel_queued_task=True)))

    assert script.sleeps == [2.0]


def test_an_endlessly_throttled_create_ends_in_its_error() -> None:
    with pytest.raises(ThrottledError):
        Script([gateway("Throttling")] * 5).run(call(SETTINGS, VERIFY))


@pytest.mark.parametrize(
    "answer", [gateway("iot.device.NotExistedDevice", 404), refused("iot.firmware.FirmwareNotFound")]
)
def test_a_refusal_that_time_does_not_mend_is_final(answer: TransportError) -> None:
    script = Script([answer])

    with pytest.raises(NotFoundError):
        script.run(call(SETTINGS, QUERY))

    assert script.sleeps == []


def test_an_unreadable_answer_is_not_asked_for_again() -> None:
    script = Script([ok(data=None)])

    with pytest.raises(ProtocolError):
        script.run(call(SETTINGS, QUERY))


def test_cancelling_draws_on_its_own_budget_and_is_repeated() -> None:
    script = Script([lost(), ok()])

    script.run(call(SETTINGS, CancelOTATaskByJob(job_id="9", cancel_queued_task=True)))

    assert [sent.rate_limit_group for sent in script.sent] == [RateLimitGroup.CANCELS, RateLimitGroup.CANCELS]


def test_advice_is_given_before_anything_is_sent() -> None:
    script = Script([lost(Delivery.NEVER_SENT)])
    crowd = CreateOTAVerifyJob(firmware_id="1", product_key="pk", target_device_name=[f"d{n}" for n in range(11)])

    with pytest.raises(TransportError):
        script.run(call(SETTINGS, crowd))

    assert "at most 10 entries" in script.warnings[0]


def test_any_operation_can_be_called_by_name() -> None:
    script = Script([ok(data={"x": 1})])

    reply = script.run(call_by_name(SETTINGS, "QueryDevice", {"PageSize": 10, "L": ["a"]}, repeat=Repeat.DUPLICATES))

    assert reply.fields.record("Data").text("X") == "1"
    assert script.sent[0].rate_limit_group is RateLimitGroup.CALLS
    assert script.sent[0].parameters.items() >= {"Action": "QueryDevice", "PageSize": "10", "L.1": "a"}.items()


def test_asking_where_to_upload_is_harmless() -> None:
    script = Script([gateway("", 503)] * 5)

    with pytest.raises(UnavailableError):
        script.run(call(SETTINGS, GenerateOTAUploadURL()))

    assert len(script.sent) == 5


@pytest.mark.parametrize("action", [QUERY, VERIFY], ids=lambda action: action.name)
@pytest.mark.parametrize(
    "refusal", [gateway("UnsupportedHTTPMethod", 405), gateway("UnsupportedHTTPMethod"), gateway("Odd", 405)]
)
def test_where_get_is_not_served_the_parameters_are_posted_under_a_new_signature(
    action: Action[object], refusal: Response
) -> None:
    script = Script([refusal, ok(data=job())])

    script.run(call(SETTINGS, action))

    got, posted = script.sent
    unsigned = {name: value for name, value in posted.parameters.items() if name != "Signature"}
    assert (got.request.method, posted.request.method) == ("GET", "POST")
    assert got.parameters["SignatureNonce"] != posted.parameters["SignatureNonce"]
    assert posted.parameters["Signature"] == signature(
        Secret(SECRET), string_to_sign("POST", canonical_query(unsigned))
    )
    assert script.sleeps == []


def test_a_connection_that_posts_falls_back_to_get() -> None:
    script = Script([gateway("UnsupportedHTTPMethod", 405), ok(data=job())])

    script.run(call(dataclasses.replace(SETTINGS, http_method="POST"), QUERY))

    assert [sent.request.method for sent in script.sent] == ["POST", "GET"]


def test_a_platform_that_serves_no_method_is_asked_once_with_each() -> None:
    script = Script([gateway("UnsupportedHTTPMethod", 405), gateway("UnsupportedHTTPMethod", 405)])

    with pytest.raises(ApiError, match="UnsupportedHTTPMethod"):
        script.run(call(SETTINGS, VERIFY))


def test_a_throttled_request_slows_its_lane_down_and_is_sent_again() -> None:
    script = Script([gateway("Throttling.User"), ok()])

    script.run(call(SETTINGS, CancelOTATaskByJob(job_id="9", cancel_queued_task=True)))

    assert script.slowed == [RateLimitGroup.CANCELS]
    assert len(script.sent) == 2
