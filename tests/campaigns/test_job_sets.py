"""The short form of the campaign of job sets; ``make campaigns`` runs the long one."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.jobs import create_set, recover, recover_set
from tests.campaigns.job_sets import beside_another_set, count_requests, drawn, killed_everywhere, on_our_devices
from tests.campaigns.set_field import LOSSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from tests.campaigns.job_sets import Story

SMALL: dict[str, Any] = {"sizes": (2, 1), "quirks": {"list_delay": 30.0}}


def wrong_in(stories: Iterable[tuple[Story, str]]) -> list[str]:
    return [f"seed {story.seed}: {wrong}" for story, wrong in stories if wrong]


def test_a_kill_after_any_effect_changes_nothing_about_the_jobs() -> None:
    stories = list(killed_everywhere({}, **SMALL))

    assert wrong_in(stories) == []
    assert len(stories) > 20
    assert sum(story.kills for story, _ in stories) == len(stories) - 1


@pytest.mark.parametrize("loss", LOSSES)
def test_a_kill_beside_a_lost_answer_changes_nothing_either(loss: str) -> None:
    assert wrong_in(killed_everywhere({2: loss}, step=4, **SMALL)) == []


def test_no_story_of_kills_losses_and_clears_gives_a_device_two_jobs() -> None:
    assert wrong_in(map(drawn, range(12))) == []


def test_no_story_beside_others_gives_a_device_two_jobs_of_the_set() -> None:
    assert wrong_in(chain(map(on_our_devices, range(8)), map(beside_another_set, range(8)))) == []


def test_each_job_costs_three_requests_however_many_there_are() -> None:
    pages = {}
    for jobs in (1, 10, 250):
        requests, note = count_requests(jobs)
        pages[jobs] = requests.pop("ListOTAJobByFirmware")

        assert sum(requests.values()) == 3 * jobs
        assert note < 32_000
    # One listing at the beginning and one at each doubling; one of more than 200 jobs has two pages.
    assert pages == {1: 2, 10: 6, 250: 13}


def nobody(*_: object, **__: object) -> Flow[None]:
    """Find no job."""
    yield from ()


def test_the_campaign_finds_a_set_that_does_not_look_for_its_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recover, "find_job", nobody)

    assert wrong_in(killed_everywhere({}, **SMALL))


def test_the_campaign_finds_a_set_that_forgets_its_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    load = recover_set.load_set

    def forget(*arguments: Any) -> Flow[Any]:
        loaded = yield from load(*arguments)
        return None if loaded is None else (replace(loaded[0], jobs=()), loaded[1])

    monkeypatch.setattr(create_set, "load_set", forget)
    monkeypatch.setattr(recover_set, "require_target", nobody)

    assert wrong_in(killed_everywhere({}, step=7, **SMALL))
