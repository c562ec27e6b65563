from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.errors import NotFoundError
from airflow_provider_tuya_ota.core.jobs.after_stop import poll_after_stop
from airflow_provider_tuya_ota.core.model.task_counts import count_waiting
from tests.core.script import SETTINGS, Script, job, ok, refused, task

if TYPE_CHECKING:
    from tests.core.script import Answer


def polls(*statuses: str) -> list[Answer]:
    """Answer one poll after the other with a job of two devices, of which one is flashed."""
    found: list[Answer] = []
    for status in statuses:
        found += [
            ok(data=job("9", kind="UPGRADE_FIRMWARE")),
            ok(data=[task("d1", "SUCCEEDED"), task("d2", status)], total=2),
            # Where all have ended, the next page shows that these are all.
            *([ok(data=[], total=2)] if status in {"CANCELED", "FAILED"} else []),
        ]
    return found


@pytest.mark.parametrize("status", ["CONFIRM", "QUEUED", "NOTIFIED"])
def test_a_job_is_looked_at_again_until_nothing_waits_that_is_cancelled(status: str) -> None:
    script = Script(polls(status, status, "CANCELED"))

    verdict = script.run(poll_after_stop(SETTINGS, "9"))

    assert (verdict.counts, count_waiting(verdict.counts)) == ({"CANCELED": 1, "SUCCEEDED": 1}, 0)
    assert script.sleeps == [3.0, 5.0]


@pytest.mark.parametrize("status", ["CANCELED", "IN_PROGRESS", "FAILED"])
def test_a_job_of_which_nothing_can_be_cancelled_is_looked_at_once(status: str) -> None:
    script = Script(polls(status))

    assert count_waiting(script.run(poll_after_stop(SETTINGS, "9")).counts) == 0
    assert script.sleeps == []


def test_a_stop_that_takes_longer_is_not_waited_for() -> None:
    script = Script(polls(*["QUEUED"] * 4))

    assert count_waiting(script.run(poll_after_stop(SETTINGS, "9")).counts) == 1
    assert script.sleeps == [3.0, 5.0, 10.0]


def test_what_was_seen_is_kept_where_the_next_poll_fails() -> None:
    script = Script([*polls("QUEUED"), refused("iot.firmware.InvalidOTAJobId")])

    assert script.run(poll_after_stop(SETTINGS, "9")).counts == {"QUEUED": 1, "SUCCEEDED": 1}
    assert script.sleeps == [3.0]


def test_a_first_poll_that_fails_is_reported() -> None:
    with pytest.raises(NotFoundError):
        Script([refused("iot.firmware.InvalidOTAJobId")]).run(poll_after_stop(SETTINGS, "9"))
