from __future__ import annotations

import json
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import AuthenticationError, PollingFailedError, ProtocolError, TuyaOTAError
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict
from airflow_provider_tuya_ota.core.status import job_snapshot
from airflow_provider_tuya_ota.core.status.job_snapshot import fetch_verdict
from airflow_provider_tuya_ota.core.status.wait import WaitOptions, require_success
from airflow_provider_tuya_ota.core.wire.http import Response
from tests.core.one_job import wait_for_job
from tests.core.script import NOW, SETTINGS, Script, Sent, firmware, gateway, job, lost, ok, task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

State = tuple[str, int, list[tuple[str, str]]]
"""Status of the job, of the firmware, and of each device."""

RUNNING: State = ("IN_PROGRESS", 2, [("d1", "NOTIFIED")])
DONE: State = ("COMPLETED", 1, [("d1", "SUCCEEDED")])
BROKEN: State = ("COMPLETED", 3, [("d1", "FAILED")])
UNSETTLED: State = ("COMPLETED", 2, [("d1", "SUCCEEDED")])


@pytest.fixture(autouse=True)
def every_poll_queries_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count polls by their first request; test_earlier_poll holds what polls save."""
    monkeypatch.setattr(job_snapshot, "FRESH", timedelta(0))


def platform(polls: Sequence[State | Response | Exception], **more: Any) -> Callable[[Sent], Response | Exception]:
    """Show one state for each poll; the last one stays. An answer in place of a state ends the poll at its start."""
    number = -1

    def answer(sent: Sent) -> Response | Exception:
        nonlocal number
        number += sent.action == "QueryOTAJob"
        state = polls[min(number, len(polls) - 1)]
        if not isinstance(state, tuple):
            return state
        status, firmware_status, devices = state
        if sent.action == "QueryOTAJob":
            return ok(data=job(status=status, **more))
        if sent.action == "ListOTATaskByJob":
            return ok(data=[task(*device) for device in devices], total=len(devices))
        return ok(firmwareInfo=firmware(status=firmware_status))

    return answer


def watch(
    polls: Sequence[State | Response | Exception], *, seconds: float = 3600, **options: Any
) -> tuple[Verdict, Script]:
    script = Script(platform(polls))
    return script.run(
        wait_for_job(SETTINGS, "9001", WaitOptions(deadline=NOW + timedelta(seconds=seconds), **options))
    ), script


def failing(
    polls: Sequence[State | Response | Exception], kind: type[TuyaOTAError], *, seconds: float = 3600, **options: Any
) -> tuple[Any, Script]:
    script = Script(platform(polls))
    with pytest.raises(kind) as caught:
        script.run(wait_for_job(SETTINGS, "9001", WaitOptions(deadline=NOW + timedelta(seconds=seconds), **options)))
    return caught.value, script


def test_a_poll_reads_job_then_tasks_then_firmware() -> None:
    script = Script(platform([RUNNING]))

    verdict = script.run(fetch_verdict(SETTINGS, "9001"))

    assert script.actions == ["QueryOTAJob", "ListOTATaskByJob", "QueryOTAFirmware"]
    assert script.sent[2].parameters["FirmwareId"] == "178"
    assert (verdict.outcome, verdict.counts) == (Outcome.RUNNING, {"NOTIFIED": 1})


def test_a_poll_of_an_upgrade_leaves_the_firmware_alone() -> None:
    script = Script(platform([DONE], jobType="UPGRADE_FIRMWARE"))

    assert script.run(fetch_verdict(SETTINGS, "9001")).outcome is Outcome.SUCCEEDED
    assert set(script.actions) == {"QueryOTAJob", "ListOTATaskByJob"}


@pytest.mark.parametrize("kind", ["", "SOMETHING_NEW"])
def test_a_job_of_unknown_type_needs_its_firmware_verified_too(kind: str) -> None:
    script = Script(platform([UNSETTLED], jobType=kind))

    assert script.run(fetch_verdict(SETTINGS, "9001")).outcome is Outcome.SETTLING


def test_a_verification_that_names_no_firmware_is_no_documented_answer() -> None:
    with pytest.raises(ProtocolError, match="no FirmwareId"):
        Script(platform([RUNNING], firmwareId="")).run(fetch_verdict(SETTINGS, "9001"))


def test_every_poll_is_reported_and_the_end_returned() -> None:
    verdict, script = watch([RUNNING, RUNNING, DONE], poll_interval=15)

    assert verdict.outcome is Outcome.SUCCEEDED
    assert [report.outcome for report in script.reports] == [Outcome.RUNNING, Outcome.RUNNING, Outcome.SUCCEEDED]
    assert script.sleeps == [15, 15]


def test_a_failed_job_is_returned_and_becomes_the_one_error() -> None:
    verdict, _ = watch([BROKEN])

    with pytest.raises(JobFailedError, match="d1 FAILED") as caught:
        require_success(verdict)
    assert caught.value.verdict == verdict


def test_success_is_no_error() -> None:
    require_success(watch([DONE])[0])


def test_the_last_poll_comes_at_the_deadline() -> None:
    error, script = failing([RUNNING], WaitTimeoutError, seconds=40, poll_interval=15)

    assert script.sleeps == [15, 15, 10]
    assert script.now == NOW + timedelta(seconds=40)
    assert error.verdict == script.reports[-1]
    assert "It goes on at the platform" in str(error)
    assert "1 NOTIFIED" in str(error)


def test_what_ends_by_the_last_poll_has_ended() -> None:
    verdict, script = watch([RUNNING, DONE], seconds=10, poll_interval=600)

    assert (verdict.outcome, script.sleeps) == (Outcome.SUCCEEDED, [10])


def test_a_deadline_that_has_passed_allows_one_poll() -> None:
    assert watch([DONE], seconds=-60)[0].outcome is Outcome.SUCCEEDED
    _, script = failing([RUNNING], WaitTimeoutError, seconds=-60)
    assert (len(script.reports), script.sleeps) == (1, [])


@pytest.mark.parametrize("failure", [lost(), gateway("", 503), gateway("Throttling"), ok(data=None)])
def test_a_lost_poll_is_no_lost_job(failure: Response | Exception) -> None:
    # Each poll repeats its first request up to five times, so five failures are one lost poll at the most.
    verdict, script = watch([RUNNING, *[failure] * 5, RUNNING, DONE], poll_interval=1)

    assert verdict.outcome is Outcome.SUCCEEDED
    assert any("The wait for job 9001 goes on." in warning for warning in script.warnings)


def test_polls_that_keep_failing_are_given_up_after_the_tolerance() -> None:
    error, script = failing([lost()], PollingFailedError, poll_interval=10, poll_error_tolerance=60)

    assert "job 9001 could not be polled for 60 s; it goes on at the platform" in str(error)
    assert "Run the task again to resume the wait for this job" in str(error)
    assert timedelta(seconds=60) <= script.now - NOW < timedelta(seconds=90)


def test_one_good_poll_renews_the_tolerance() -> None:
    bad = ok(data=None)

    verdict, _ = watch([bad, bad, RUNNING, bad, bad, DONE], poll_interval=10, poll_error_tolerance=15)

    assert verdict.outcome is Outcome.SUCCEEDED


def test_without_tolerance_the_first_lost_poll_ends_the_wait() -> None:
    _, script = failing([ok(data=None)], PollingFailedError, poll_error_tolerance=0)

    assert script.actions == ["QueryOTAJob"]


def test_a_wait_without_any_good_poll_says_so_at_the_deadline() -> None:
    error, _ = failing([ok(data=None)], WaitTimeoutError, seconds=30)

    assert error.verdict is None
    assert "No poll of it succeeded" in str(error)


def test_what_waiting_does_not_mend_ends_a_wait_that_has_seen_nothing_at_once() -> None:
    _, script = failing([gateway("SignatureDoesNotMatch", 403)], AuthenticationError)

    assert script.sleeps == []


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "Forbidden.RAM", "iot.firmware.FirmwareNotFound"])
def test_a_refusal_of_a_job_that_was_seen_may_pass(code: str) -> None:
    refusal = gateway(code, 403)

    verdict, script = watch([RUNNING, refusal, refusal, DONE], poll_interval=100)

    assert verdict.outcome is Outcome.SUCCEEDED
    assert any(code in warning and "The wait for job 9001 goes on." in warning for warning in script.warnings)


@pytest.mark.parametrize(("tolerance", "seconds"), [(7200, 300), (60, 60)])
def test_a_refusal_that_lasts_says_that_the_job_goes_on(tolerance: float, seconds: float) -> None:
    refusal = gateway("SignatureDoesNotMatch", 403)

    error, script = failing([RUNNING, refusal], PollingFailedError, poll_interval=20, poll_error_tolerance=tolerance)

    assert f"could not be polled for {seconds} s; it goes on at the platform" in str(error)
    assert "SignatureDoesNotMatch" in str(error)
    assert script.now - NOW == timedelta(seconds=20 + seconds)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 407, 418, 451])
def test_what_a_proxy_says_is_nothing_about_the_job(status: int) -> None:
    page = Response(status, {}, b"<html>not for you</html>")

    verdict, _ = watch([RUNNING, *[page] * 5, RUNNING, DONE], poll_interval=1)

    assert verdict.outcome is Outcome.SUCCEEDED


def test_a_firmware_may_follow_its_tasks_within_the_settle_time() -> None:
    verdict, _ = watch([UNSETTLED, UNSETTLED, DONE], poll_interval=10, settle_time=60)

    assert verdict.outcome is Outcome.SUCCEEDED


def test_a_lasting_contradiction_is_a_failure() -> None:
    error, script = failing([UNSETTLED], JobFailedError, poll_interval=10, settle_time=30)

    assert error.verdict.outcome is Outcome.SETTLING
    assert "for 30 s" in str(error)
    assert script.sleeps == [10, 10, 10]


def test_the_settle_time_begins_anew_after_a_job_went_on() -> None:
    verdict, _ = watch([UNSETTLED, RUNNING, UNSETTLED, DONE], poll_interval=20, settle_time=30)

    assert verdict.outcome is Outcome.SUCCEEDED


def test_wait_options_survive_json_and_later_versions() -> None:
    options = WaitOptions(deadline=NOW, poll_interval=1, poll_error_tolerance=2, settle_time=3)

    values = json.loads(json.dumps(options.to_dict()))

    assert WaitOptions.from_dict(values | {"new": 1}) == options
    assert WaitOptions.from_dict({"deadline": values["deadline"]}) == WaitOptions(deadline=NOW)


def test_a_deadline_of_another_time_zone_is_kept_as_an_instant() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=8)))

    assert WaitOptions.from_dict(WaitOptions(deadline=there).to_dict()).deadline == NOW
    assert WaitOptions(deadline=there).to_dict()["deadline"] == "2026-03-01T12:00:00+00:00"


@pytest.mark.parametrize("hours", [1, -1])
def test_setting_the_wall_clock_moves_no_deadline_and_no_tolerance(hours: int) -> None:
    def waits(set_at: int, polls: Sequence[State | Response | Exception], **options: Any) -> tuple[str, timedelta]:
        answers = platform(polls)
        script = Script()

        def answer(sent: Sent) -> Response | Exception:
            if len(script.sent) == set_at:
                script.set_by = timedelta(hours=hours)
            return answers(sent)

        script.answers = answer
        with pytest.raises(TuyaOTAError) as caught:
            script.run(wait_for_job(SETTINGS, "9001", WaitOptions(deadline=NOW + timedelta(minutes=20), **options)))
        return type(caught.value).__name__, script.now - NOW

    for set_at in (1, 4, 8):
        assert waits(set_at, [RUNNING]) == ("WaitTimeoutError", timedelta(minutes=20))
        assert waits(set_at, [UNSETTLED], settle_time=60) == ("JobFailedError", timedelta(seconds=60))
        assert waits(set_at, [RUNNING, gateway("SignatureDoesNotMatch", 403)])[0] == "PollingFailedError"
