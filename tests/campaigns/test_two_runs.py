"""The short form of the stories of two runs; ``make campaigns`` runs the long one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.flows.effects import OtherIntents, Send
from airflow_provider_tuya_ota.core.jobs import current_try, recover
from airflow_provider_tuya_ota.core.jobs import search as job_search
from airflow_provider_tuya_ota.core.jobs import target as targets
from airflow_provider_tuya_ota.core.jobs.target import Match
from tests.campaigns.actor import Actor
from tests.campaigns.two_runs import campaign

if TYPE_CHECKING:
    import pytest

    from airflow_provider_tuya_ota.core.flows.effects import Flow

STORIES = 600


def test_of_two_runs_nobody_takes_stops_or_holds_up_the_other_s_job() -> None:
    counts, wrong = campaign(STORIES)

    assert wrong == []
    assert sum(number for (_, column), number in counts.items() if column == "succeeded") > STORIES
    assert sum(number for (_, column), number in counts.items() if column == "lost") > STORIES / 2


def fits_anything(*_: object) -> Flow[Match]:
    """Take a job without listed tasks for one that fits."""
    yield from ()
    return Match.YES


def test_the_stories_find_a_task_that_takes_whatever_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_search, "match_job", fits_anything)

    _, wrong = campaign(150)

    assert any("job for its own" in line for line in wrong)


def test_the_stories_find_tasks_that_do_not_see_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Actor, "_other_intents", lambda *_: OtherIntents())

    _, wrong = campaign(300)

    assert any("job for its own" in line for line in wrong)


def test_the_stories_find_a_job_that_is_recognised_by_a_part_of_its_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    lax = {"YES": Match.YES, "NO": Match.NO, "UNKNOWN": Match.YES, "SOME": Match.YES}
    monkeypatch.setattr(targets, "Match", type("Lax", (), lax))

    _, wrong = campaign(300)

    assert any("job for its own" in line or "succeeded with" in line for line in wrong)


def test_the_stories_find_a_try_that_goes_on_as_if_it_had_not_stood_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_try, "_check_current", always)
    monkeypatch.setattr(Send, "is_late", lambda *_: False)

    _, wrong = campaign(STORIES)

    assert any("has 2 jobs" in line for line in wrong)


def always(*_: object) -> Flow[bool]:
    """Take every try for the one that acts."""
    yield from ()
    return True


def test_the_stories_find_a_task_that_takes_a_job_at_first_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_search, "LISTED_WITHIN", timedelta(0))

    _, wrong = campaign(400)

    assert any("its own was listed within a minute" in line for line in wrong)


def test_the_stories_find_a_task_that_stays_ambiguous_after_a_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recover, "was_surely_cleared", lambda *_: False)

    _, wrong = campaign(400)

    assert any("stays ambiguous" in line for line in wrong)
