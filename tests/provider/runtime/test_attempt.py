"""What Airflow knows of a try: when its run began, whether it is a retry, and what was cleared."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.jobs.intent import OnFailedJob
from airflow_provider_tuya_ota.runtime.attempt import attempt_of, last_clear
from tests.provider.conftest import FakeTask
from tests.provider.operators.test_create_once import FakeRun

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def attempt(ti: Any, *, on_failed_job: str = "fail", **context: Any) -> Any:
    return attempt_of(
        {"ti": ti, **context},  # type: ignore[typeddict-item] # all that is asked of a context
        retries=3,
        on_failed_job=on_failed_job,
        may_cancel=True,
        drained_by=BEGAN,
        poll_interval=5.0,
    )


def test_no_job_from_before_the_run_began_is_taken_for_its_own() -> None:
    assert attempt(FakeTask(), dag_run=FakeRun(start_date=BEGAN)).run_started_at == BEGAN
    assert attempt(FakeTask()).run_started_at is None


@pytest.mark.parametrize(
    ("try_number", "max_tries", "is_retry"), [(1, 3, False), (2, 3, True), (2, 4, False), (3, 4, True)]
)
def test_the_first_try_after_a_clear_is_no_retry(try_number: int, max_tries: int, is_retry: bool) -> None:
    assert attempt(FakeTask(try_number=try_number, max_tries=max_tries)).is_retry == is_retry


def test_a_stand_in_that_knows_nothing_of_tries_is_in_its_first_one() -> None:
    found = attempt(SimpleNamespace())

    assert (found.is_retry, found.clear_number, found.cleared_after) == (False, 0, None)


def test_a_clear_is_recognised_by_the_run_and_by_the_tries_that_it_added() -> None:
    context: Any = {"ti": FakeTask(max_tries=5), "dag_run": FakeRun(clear_number=2)}

    assert last_clear(context, retries=3) == (2, 2)


def test_what_the_dag_s_author_has_set_reaches_the_try() -> None:
    found = attempt(FakeTask(max_tries=5), on_failed_job="new_job")

    assert (found.on_failed_job, found.may_cancel, found.poll_interval) == (OnFailedJob.NEW_JOB, True, 5.0)
    assert (found.drained_by, found.cleared_after) == (BEGAN, 2)


def test_the_task_itself_waits_for_a_job_from_before_a_clear_so_that_it_may_defer() -> None:
    assert not attempt(FakeTask()).drain_here
