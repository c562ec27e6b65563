from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import (
    AlreadyUnderWayError,
    AmbiguousOutcomeError,
    ConfigurationError,
    ConflictError,
    Delivery,
    FirmwareVersionTakenError,
    NotFoundError,
    PollingFailedError,
    TransportError,
    TuyaOTAError,
    UnavailableError,
)
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.model.verdict import DeviceState, Outcome, Verdict
from airflow_provider_tuya_ota.core.status.report import (
    LONGEST_ERROR,
    LONGEST_TEXT,
    Event,
    ReleaseReport,
    event_of,
    first_line,
    shown,
)

DEVICES = (
    DeviceState(name="d1", status="FAILED", progress="50", reason="step -4"),
    DeviceState(name="d2", status="CANCELED"),
    DeviceState(name="d3", status="SUCCEEDED"),
)
VERDICT = Verdict(
    job_id="9",
    firmware_id="178",
    job_type="UPGRADE_FIRMWARE",
    job_status="COMPLETED",
    firmware_status="",
    outcome=Outcome.FAILED,
    version="1.1.0",
    counts={"FAILED": 1, "CANCELED": 1, "SUCCEEDED": 1},
    devices=DEVICES,
)


def refusal(kind: type[Any], **changes: Any) -> TuyaOTAError:
    error: TuyaOTAError = kind(action="QueryOTAJob", code="x", message="m", request_id="r", http_status=400)
    error.__dict__.update(changes)
    return error


def test_a_report_holds_what_a_look_showed_as_plain_values() -> None:
    report = ReleaseReport(event=Event.FAILED, step="upgrade", product_key="pk", duration=12.34, **shown(VERDICT))
    told = report.to_dict()

    assert json.loads(json.dumps(told)) == told
    assert (told["event"], told["version"], told["job_id"], told["duration"]) == ("failed", "1.1.0", "9", 12.3)
    assert told["counts"] == {"FAILED": 1, "CANCELED": 1, "SUCCEEDED": 1}
    assert [device["name"] for device in told["failing"]] == ["d1", "d2"]
    assert ReleaseReport.from_dict(told | {"added_later": 1}).to_dict() == told


@pytest.mark.parametrize("values", [{}, {"event": "unheard of"}])
def test_what_is_no_report_is_not_taken_for_one(values: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError)):
        ReleaseReport.from_dict(values)


JOB = {"step": "upgrade", "job_id": "9", "firmware_id": "178"}
PACKAGE = {"step": "upload", "firmware_id": "178", "version": "2.0", "product_key": "pk"}


@pytest.mark.parametrize(
    ("event", "values", "text"),
    [
        (
            Event.SUCCEEDED,
            JOB | {"counts": {"SUCCEEDED": 2}},
            "OTA job 9 for firmware 178 succeeded: 2 SUCCEEDED, 0 s.",
        ),
        (Event.SUCCEEDED, {"job_id": "9"}, "OTA job 9 succeeded, 0 s."),
        (Event.FAILED, JOB | {"counts": {"FAILED": 1}}, "OTA job 9 for firmware 178 failed: 1 FAILED, 0 s. Why."),
        (Event.FAILED, JOB, "Step upgrade (OTA job 9 for firmware 178) failed, 0 s. Why."),
        (Event.REFUSED, {"step": "check"}, "Step check was refused, nothing was started, 0 s. Why."),
        (Event.TIMEOUT, JOB, "OTA job 9 for firmware 178 ran out of time, 0 s. Why."),
        (Event.UPLOADED, PACKAGE | {"did": "created"}, "OTA firmware 178 for version 2.0 of product pk created, 0 s."),
        (Event.UPLOADED, {"firmware_id": "178", "product_key": "pk"}, "OTA firmware 178 is uploaded, 0 s."),
        (Event.SUCCEEDED, {"step": "other"}, "Step other succeeded, 0 s."),
    ],
)
def test_the_text_names_what_is_known_and_what_became_of_it(event: Event, values: dict[str, Any], text: str) -> None:
    error = "" if event.is_good else "Why."

    assert ReleaseReport(event=event, error=error, **values).text == text


def test_every_event_has_words() -> None:
    assert all(ReleaseReport(event=event, job_id="9").text for event in Event)


def test_texts_are_one_bounded_line_that_can_be_encoded() -> None:
    hostile = "a\nb\x1b[31m\ud800\u202e" + "c" * 5000
    report = ReleaseReport(event=Event.FAILED, step="upgrade", error=hostile)

    assert len(report.text) == LONGEST_TEXT
    assert "a b\ufffd[31m\ufffd" in report.text
    assert report.text.isprintable()
    report.text.encode()


@pytest.mark.parametrize(
    ("error", "event", "after_begin"),
    [
        (WaitTimeoutError("late"), Event.TIMEOUT, Event.TIMEOUT),
        (PollingFailedError("away"), Event.LOST_SIGHT, Event.LOST_SIGHT),
        (AmbiguousOutcomeError("two"), Event.UNCLEAR, Event.UNCLEAR),
        (JobFailedError("no", verdict=VERDICT), Event.FAILED, Event.FAILED),
        (ConfigurationError("bad"), Event.REFUSED, Event.FAILED),
        (FirmwareVersionTakenError("taken"), Event.REFUSED, Event.FAILED),
        (AlreadyUnderWayError("theirs"), Event.REFUSED, Event.FAILED),
        (refusal(NotFoundError), Event.REFUSED, Event.FAILED),
        (refusal(ConflictError, in_doubt=True), Event.FAILED, Event.FAILED),
        (refusal(UnavailableError), Event.FAILED, Event.FAILED),
        (TransportError("x", endpoint="e", delivery=Delivery.UNKNOWN), Event.FAILED, Event.FAILED),
        (ValueError("?"), Event.FAILED, Event.FAILED),
    ],
)
def test_each_error_is_an_event_and_no_refusal_once_there_is_a_job(
    error: BaseException, event: Event, after_begin: Event
) -> None:
    assert (event_of(error, has_begun=False), event_of(error, has_begun=True)) == (event, after_begin)


@pytest.mark.parametrize("duration", [0.449, 0.45, 0.51, 0.54, 0.55, 1.46, 2.54])
def test_a_report_that_is_read_back_says_the_same(duration: float) -> None:
    told = ReleaseReport(event=Event.FAILED, step="upgrade", duration=duration).to_dict()

    assert ReleaseReport.from_dict(told).to_dict() == told


SECRET = "x" * 40


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (TuyaOTAError("\n\nfirst\nsecond"), "first"),
        (ValueError(), "ValueError"),
        (ValueError(f"key {SECRET}"), "ValueError: key [removed]"),
        (RuntimeError("one\ntwo"), "RuntimeError: one"),
    ],
)
def test_of_an_error_the_first_line_is_told(error: BaseException, line: str) -> None:
    assert first_line(error) == line


def test_a_long_error_is_cut() -> None:
    assert len(first_line(TuyaOTAError("ab " * 1000))) == LONGEST_ERROR
