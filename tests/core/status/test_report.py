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
from airflow_provider_tuya_ota.core.model.failure_reasons import FailureReasons, ReasonCount
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.model.verdict import DeviceState, Outcome, Verdict
from airflow_provider_tuya_ota.core.status.event import LONGEST_ERROR, Event, event_of, first_line
from airflow_provider_tuya_ota.core.status.report import LONGEST_TEXT, ReleaseReport, verdict_fields
from tests.report_schema import violations

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
    failure_reasons=FailureReasons(most_frequent=(ReasonCount("step -4", 1),), others=0, unread=0),
    devices=DEVICES,
)


def refusal(kind: type[Any], **changes: Any) -> TuyaOTAError:
    error: TuyaOTAError = kind(action="QueryOTAJob", code="x", message="m", request_id="r", http_status=400)
    error.__dict__.update(changes)
    return error


def test_a_report_holds_what_a_poll_showed_as_plain_values() -> None:
    report = ReleaseReport(
        event=Event.FAILED, step="upgrade", product_key="pk", duration=12.34, **verdict_fields(VERDICT)
    )
    document = report.to_dict()

    assert json.loads(json.dumps(document)) == document
    assert (document["event"], document["version"], document["job_id"], document["duration"]) == (
        "failed",
        "1.1.0",
        "9",
        12.3,
    )
    assert document["counts"] == {"FAILED": 1, "CANCELED": 1, "SUCCEEDED": 1}
    assert [device["name"] for device in document["failing"]] == ["d1", "d2"]
    assert ReleaseReport.from_dict(document | {"added_later": 1}).to_dict() == document


@pytest.mark.parametrize(
    "values",
    [
        None,
        "text",
        {},
        {"event": "failed"},
        {"schema_version": 1},
        {"schema_version": 2, "event": "failed"},
        {"schema_version": 1, "event": "unheard of"},
    ],
)
def test_what_is_no_report_of_this_schema_version_is_not_taken_for_one(values: Any) -> None:
    with pytest.raises(ValueError, match="release report"):
        ReleaseReport.from_dict(values)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("step", 1),
        ("job_id", 178),
        ("version", None),
        ("schema_version", True),
        ("counts", []),
        ("counts", {"FAILED": "1"}),
        ("counts", {"FAILED": True}),
        ("counts", {"FAILED": -1}),
        ("counts", {1: 1}),
        ("duration", "1"),
        ("duration", True),
        ("duration", float("nan")),
        ("duration", 10**400),
        ("on_cancel", "perhaps"),
        ("on_cancel", []),
        ("devices", "d1"),
        ("devices", ["d1"]),
        ("devices", [{"name": "d1"}]),
        ("devices", [{"name": "d1", "status": 1, "progress": "", "reason": ""}]),
        ("failure_reasons", []),
        ("failure_reasons", {}),
        ("failure_reasons", {"most_frequent": [{"reason": 1, "number": 1}], "others": 0, "unread": 0}),
        ("failure_reasons", {"most_frequent": [{"reason": "r", "number": "1"}], "others": 0, "unread": 0}),
        ("failure_reasons", {"most_frequent": [], "others": None, "unread": 0}),
        ("failure_reasons", {"most_frequent": [], "others": 0, "unread": 0.5}),
    ],
)
def test_a_field_with_a_value_of_another_type_is_refused(name: str, value: Any) -> None:
    values = ReleaseReport(event=Event.FAILED, step="upgrade", **verdict_fields(VERDICT)).to_dict()

    with pytest.raises(ValueError, match="release report"):
        ReleaseReport.from_dict(values | {name: value})


def test_a_report_of_an_older_version_has_defaults_for_what_was_added_since() -> None:
    assert ReleaseReport.from_dict({"schema_version": 1, "event": "started"}) == ReleaseReport(event=Event.STARTED)


def test_every_type_of_field_can_be_read() -> None:
    report = ReleaseReport(
        event=Event.STOPPED,
        step="upgrade",
        summary="was stopped",
        error="Why.",
        on_cancel="keep",
        started_at="2026-11-24T12:00:00+00:00",
        duration=3,
        link="https://console/9",
        run_link="https://airflow/9",
        product_key="pk",
        tuya_ota_conn_id="eu",
        **verdict_fields(VERDICT),
    )

    assert ReleaseReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"schema_version": 2}, "$.schema_version"),
        ({"event": "over"}, "$.event"),
        ({"counts": {"FAILED": "1"}}, "$.counts.FAILED"),
        ({"text": "x" * 1001}, "$.text"),
        ({"failure_reasons": {"most_frequent": [], "others": 0}}, "$.failure_reasons"),
    ],
)
def test_the_schema_refuses_what_no_report_contains(changes: dict[str, Any], where: str) -> None:
    values = ReleaseReport(event=Event.FAILED, step="upgrade", **verdict_fields(VERDICT)).to_dict()

    assert violations(values | {"added_later": 1}) == []
    assert [line.partition(":")[0] for line in violations(values | changes)] == [where]


JOB = {"step": "upgrade", "job_id": "9", "firmware_id": "178"}
FIRMWARE = {"step": "upload", "firmware_id": "178", "version": "2.0", "product_key": "pk"}


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
        (
            Event.UPLOADED,
            FIRMWARE | {"summary": "created"},
            "OTA firmware 178 for version 2.0 of product pk created, 0 s.",
        ),
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
        (PollingFailedError("away"), Event.UNREACHABLE, Event.UNREACHABLE),
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
    document = ReleaseReport(event=Event.FAILED, step="upgrade", duration=duration).to_dict()

    assert ReleaseReport.from_dict(document).to_dict() == document


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
def test_of_an_error_the_first_line_is_reported(error: BaseException, line: str) -> None:
    assert first_line(error) == line


def test_a_long_error_is_cut() -> None:
    assert len(first_line(TuyaOTAError("ab " * 1000))) == LONGEST_ERROR
