from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from airflow_provider_tuya_ota.core import errors
from airflow_provider_tuya_ota.core.codes.lookup import api_error, meaning_of
from airflow_provider_tuya_ota.core.errors import (
    ApiError,
    AuthenticationError,
    ConflictError,
    Delivery,
    InvalidParameterError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    SourceUnavailableError,
    StateUnavailableError,
    ThrottledError,
    TransportError,
    TuyaOTAError,
    UnavailableError,
    UnreadableReplyError,
)
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitEndedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.model.verdict import DeviceState, Outcome, Verdict

VERDICT = Verdict(
    job_id="9",
    firmware_id="178",
    job_type="VERIFY_FIRMWARE",
    job_status="COMPLETED",
    firmware_status="FAILED",
    outcome=Outcome.FAILED,
    counts={"FAILED": 1},
    devices=(DeviceState("d1", "FAILED", "30", "flash"),),
)
API = {"action": "X", "code": "c", "message": "m", "request_id": "r", "http_status": 400, "advice": "Do this."}
EXAMPLES: dict[type[TuyaOTAError], TuyaOTAError] = {
    InvalidParameterError: InvalidParameterError(field="f", problem="is bad", allowed="good"),
    TransportError: TransportError("refused", endpoint="h:1", delivery=Delivery.UNKNOWN),
    SourceUnavailableError: SourceUnavailableError("'s3://b/f.bin'", "SlowDown"),
    StateUnavailableError: StateUnavailableError("give the note", reason="500", outcome="it goes on", job_id="9"),
    JobFailedError: JobFailedError("failed", verdict=VERDICT),
    WaitTimeoutError: WaitTimeoutError("late", verdict=VERDICT),
    WaitEndedError: WaitEndedError("another job has failed", verdict=VERDICT),
}


def kinds(base: type[TuyaOTAError] = TuyaOTAError) -> list[type[TuyaOTAError]]:
    return [base, *(kind for child in base.__subclasses__() for kind in kinds(child))]


def example(kind: type[TuyaOTAError]) -> TuyaOTAError:
    if issubclass(kind, ApiError):
        fields: dict[str, Any] = API
        return kind(**fields)
    return EXAMPLES.get(kind) or kind("went wrong")


@pytest.mark.parametrize("kind", kinds())
def test_every_error_survives_pickling_and_copying_with_its_fields(kind: type[TuyaOTAError]) -> None:
    error = example(kind)
    error.add_note("seen twice")

    for rebuilt in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):  # noqa: S301 - our own bytes
        assert type(rebuilt) is kind
        assert str(rebuilt) == str(error)
        assert rebuilt.__dict__ == error.__dict__
        assert rebuilt.in_doubt == error.in_doubt


@pytest.mark.parametrize("kind", kinds())
def test_every_error_stands_in_the_tree_of_the_documentation(kind: type[TuyaOTAError]) -> None:
    assert kind.__name__ in (errors.__doc__ or "")


def test_an_api_error_names_action_code_message_request_id_and_what_to_do() -> None:
    assert str(example(ConflictError)) == "X was refused: c (m); request id r. Do this."


def test_an_api_error_without_code_names_the_http_status() -> None:
    error = api_error(action="X", code="", message="", request_id="", http_status=418)

    assert str(error) == "X was refused: HTTP 418; request id not given"


def test_an_invalid_parameter_names_field_problem_and_allowed_values() -> None:
    assert str(example(InvalidParameterError)) == "f: is bad. Allowed: good."


@pytest.mark.parametrize(
    ("delivery", "in_doubt", "words"),
    [(Delivery.NEVER_SENT, False, "it was not delivered"), (Delivery.UNKNOWN, True, "it may have been carried out")],
)
def test_a_transport_error_says_whether_the_request_may_have_arrived(
    delivery: Delivery,
    in_doubt: bool,
    words: str,
) -> None:
    error = TransportError("broken", endpoint="h:1", delivery=delivery)

    assert error.in_doubt is in_doubt
    assert str(error) == f"request to h:1 failed (broken); {words}"


@pytest.mark.parametrize("in_doubt", [False, True])
def test_an_error_of_airflow_s_api_says_first_what_failed_and_what_becomes_of_the_job(in_doubt: bool) -> None:
    error = StateUnavailableError("take the note", reason="locked", outcome="job 9 goes on", in_doubt=in_doubt)

    assert str(error) == "Airflow's API did not take the note; job 9 goes on. Last answer: locked"
    assert str(StateUnavailableError("give it", reason="500")) == "Airflow's API did not give it. Last answer: 500"
    assert (error.in_doubt, error.delivery) == (in_doubt, Delivery.UNKNOWN if in_doubt else Delivery.NEVER_SENT)


def test_only_errors_that_may_have_acted_leave_doubt() -> None:
    in_doubt = {kind for kind in kinds() if example(kind).in_doubt}

    assert in_doubt == {TransportError, ProtocolError, UnreadableReplyError, UnavailableError}


@pytest.mark.parametrize(("text", "sentence"), [("a", "a."), ("a.", "a.")])
def test_a_message_that_something_follows_ends_in_one_full_stop(text: str, sentence: str) -> None:
    assert TuyaOTAError(text).sentence == sentence


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SignatureDoesNotMatch", AuthenticationError),
        ("IncompleteSignature", AuthenticationError),
        ("SignatureNonceUsed", UnavailableError),
        ("InvalidTimeStamp.Expired", AuthenticationError),
        ("IllegalTimestamp", AuthenticationError),
        ("InvalidAccessKeyId.NotFound", AuthenticationError),
        ("Forbidden.RAM", PermissionDeniedError),
        ("MissingFirmwareId", InvalidRequestError),
        ("InvalidAction.NotFound", InvalidRequestError),
        ("UnsupportedOperation", InvalidRequestError),
        ("Throttling", ThrottledError),
        ("Throttling.User", ThrottledError),
        ("iot.system.SystemException", UnavailableError),
        ("iot.system.IllegalRequest", InvalidRequestError),
        ("iot.common.AuthActionPermissionDeny", PermissionDeniedError),
        ("iot.prod.NotExistedProduct", NotFoundError),
        ("iot.Prod.NotProductOwner", PermissionDeniedError),
        ("iot.device.NotExistedDevice", NotFoundError),
        ("iot.firmware.AlreadyExistedFirmwareName", ConflictError),
        ("iot.firmware.AlreadyExistedFirmwareVersion", ConflictError),
        ("iot.firmware.FirmwareNotFound", NotFoundError),
        ("iot.firmware.InProgressVerifyJobExisted", ConflictError),
        ("iot.firmware.NoDeviceCanUpgrade", ConflictError),
        ("iot.firmware.SystemBusy", UnavailableError),
        ("iot.firmware.SystemBusyForScheduleTime", UnavailableError),
        ("iot.firmware.TooManyDeviceUpgrade", UnavailableError),
        ("iot.firmware.ListOTATaskByJobFailed", UnavailableError),
        ("iot.firmware.InvalidTimeoutSetting", InvalidRequestError),
        ("IOT.FIRMWARE.FIRMWARENOTFOUND", NotFoundError),
        ("iot.ota.OTAModuleNotExist", NotFoundError),
        ("iot.somethingnew", ApiError),
        ("", ApiError),
    ],
)
def test_codes_belong_to_who_has_to_act(code: str, kind: type[ApiError]) -> None:
    assert meaning_of(code, 200).kind is kind


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("", 401, AuthenticationError),
        ("", 403, PermissionDeniedError),
        ("", 404, NotFoundError),
        ("", 429, ThrottledError),
        ("", 418, ApiError),
        ("Unheard", 500, UnavailableError),
        ("iot.firmware.Unheard", 500, UnavailableError),
        ("iot.firmware.Unheard", 499, InvalidRequestError),
        ("iot.firmware.FirmwareNotFound", 500, NotFoundError),
        ("Throttling", 503, ThrottledError),
    ],
)
def test_the_http_status_speaks_where_the_code_does_not(code: str, status: int, kind: type[ApiError]) -> None:
    assert meaning_of(code, status).kind is kind
