from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.model.entities import DeviceTask
from airflow_provider_tuya_ota.core.model.states import TaskStatus
from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
from airflow_provider_tuya_ota.rollout.gate.outcomes import DeviceOutcome
from airflow_provider_tuya_ota.rollout.halt.scope import HaltScope

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
BUSY = "the device is in another unfinished task"


def record(evidence: Evidence, minute: int, *rows: tuple[str, str, str, str]) -> None:
    tasks = [
        DeviceTask(task_id=name, device_name=name, status=TaskStatus(status), job_id=job, reason=reason)
        for job, name, status, reason in rows
    ]
    evidence.record(tasks, {}, now=NOW + timedelta(minutes=minute), silent_after=60.0)


def test_devices_with_an_outcome_at_the_halt_are_before_it() -> None:
    evidence = Evidence()
    record(evidence, 0, ("1", "a", "SUCCEEDED", ""), ("1", "b", "FAILED", "step -1"), ("1", "c", "NOTIFIED", ""))
    scope = HaltScope.at_halt(["a", "b", "c", "d", "e"], {"1": ["a", "b", "c", "d"]}, evidence)

    assert scope.before == {"a": "succeeded", "b": "flash"}
    assert (scope.rounds, scope.cohort) == (1, ("a", "b", "c", "d", "e"))


def test_rounds_after_the_halt_do_not_count() -> None:
    evidence = Evidence()
    record(evidence, 0, ("1", "a", "SUCCEEDED", ""), ("1", "c", "NOTIFIED", ""))
    at_halt = HaltScope.at_halt(["a", "c"], {"1": ["a", "c"]}, evidence)
    record(evidence, 1, ("1", "c", "CANCELED", ""))

    assert HaltScope.at_halt(["a", "c"], {"1": ["a", "c"]}, evidence, rounds=1) == at_halt
    assert HaltScope.at_halt(["a", "c"], {"1": ["a", "c"]}, evidence).before == {"a": "succeeded", "c": "cancelled"}


def test_a_silent_device_has_an_outcome_and_a_removed_one_too() -> None:
    evidence = Evidence()
    record(evidence, 0, ("1", "a", "NOTIFIED", ""), ("1", "b", "NOTIFIED", ""))
    evidence.exclude(["b", "x"], DeviceOutcome.REMOVED, {}, now=NOW)
    record(evidence, 5, ("1", "a", "NOTIFIED", ""))

    scope = HaltScope.at_halt(["a", "b", "x"], {"1": ["a", "b"]}, evidence)
    assert scope.before == {"a": "silent", "b": "removed"}


def test_a_busy_device_is_in_flight_where_a_later_job_has_it() -> None:
    evidence = Evidence()
    record(evidence, 0, ("1", "a", "FAILED", BUSY), ("1", "b", "FAILED", BUSY), ("1", "c", "FAILED", "step -1"))

    scope = HaltScope.at_halt(["a", "b", "c"], {"1": ["a", "b", "c"], "2": ["a", "c"]}, evidence)

    assert scope.before == {"b": "busy", "c": "flash"}


def test_a_job_whose_devices_the_platform_chose_has_no_names() -> None:
    evidence = Evidence()
    record(evidence, 0, ("1", "a", "SUCCEEDED", ""))

    scope = HaltScope.at_halt(["a"], {"1": None, "2": ["b"]}, evidence)

    assert scope.jobs == {"1": None, "2": ("b",)}
    assert scope.cohort == ("a", "b")


def test_the_digest_is_of_jobs_devices_outcomes_and_rounds() -> None:
    one = HaltScope(jobs={"1": ("a",)}, planned=("a", "b"), before={}, rounds=1)
    others = [
        HaltScope(jobs={"2": ("a",)}, planned=("a", "b"), before={}, rounds=1),
        HaltScope(jobs={"1": None}, planned=("a", "b"), before={}, rounds=1),
        HaltScope(jobs={"1": ("a",)}, planned=("b", "a"), before={}, rounds=1),
        HaltScope(jobs={"1": ("a",)}, planned=("a", "b"), before={"a": "flash"}, rounds=1),
        HaltScope(jobs={"1": ("a",)}, planned=("a", "b"), before={}, rounds=2),
    ]

    assert len({one.digest, *(other.digest for other in others)}) == 6


@pytest.mark.parametrize("jobs", [{"": ("a",)}, {"1": ("a", "a")}])
def test_a_job_without_an_id_or_with_a_device_twice_is_refused(jobs: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(InvalidParameterError, match=r"^jobs: job .* has no id, or has a device twice"):
        HaltScope(jobs=jobs, planned=("a",), before={}, rounds=0)
