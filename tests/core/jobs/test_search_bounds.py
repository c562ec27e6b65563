"""How long a search for a job goes on, and which of several tasks goes first, at the bounds of each rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import AmbiguousOutcomeError
from airflow_provider_tuya_ota.core.jobs.intent import Stage
from airflow_provider_tuya_ota.core.jobs.search import find_job, wait_for_rivals
from airflow_provider_tuya_ota.core.jobs.target import Target
from tests.core.jobs.test_search import EARLIER, LATER, MINE, named, other, script_with, search
from tests.core.jobs.upgrades import ACTION, NAMED, jobs, start
from tests.core.script import NOW, SETTINGS, Script, lost

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import StoredIntent


def test_a_job_whose_devices_are_listed_within_a_minute_of_the_last_list_is_still_found() -> None:
    devices: dict[str, Any] = {"9": ["d1"]}
    script = script_with([named()], devices)
    usual: Any = script.answers

    def answer(sent: Any) -> Any:
        if sum(script.sleeps) > 50:
            devices["9"] = ["d1", "d2"]
        return usual(sent)

    script.answers = answer

    found = search(script)

    assert found is not None
    assert (found.job_id, script.sleeps[-1]) == ("9", 60.0)


def test_where_nothing_is_unknown_nobody_waits_that_minute() -> None:
    script = script_with([], {})

    assert search(script) is None
    assert 60.0 not in script.sleeps


def test_after_a_lost_answer_a_job_that_may_be_the_task_s_is_a_question_though_it_has_ended() -> None:
    """Only a person who clears the task says that an ended job counts as none."""
    ended = named(jobStatus="COMPLETED")
    script = Script(script_with_create(ended))

    with pytest.raises(AmbiguousOutcomeError, match="Job 9 of firmware 178"):
        start(script, action=NAMED)


def script_with_create(ended: dict[str, Any]) -> Any:
    usual: Any = script_with([ended], {}).answers
    lists = iter([jobs()])

    def answer(sent: Any) -> Any:
        if sent.action == "CreateOTAStaticUpgradeJob":
            return lost()
        if sent.action == "ListOTAJobByFirmware":
            return next(lists, None) or usual(sent)
        return usual(sent)

    return answer


@pytest.mark.parametrize(
    ("second", "advice"),
    [("IN_PROGRESS", "A retry searches again"), ("COMPLETED", "All of them have ended, so a retry will learn little")],
)
def test_a_retry_is_advised_while_any_of_the_jobs_goes_on(second: str, advice: str) -> None:
    script = script_with(
        [named("8", jobStatus="COMPLETED"), named("9", jobStatus=second)], {"8": ["d1", "d2"], "9": ["d1", "d2"]}
    )

    with pytest.raises(AmbiguousOutcomeError, match=advice):
        search(script)


@pytest.mark.parametrize(("age", "waits"), [(timedelta(minutes=27), True), (timedelta(minutes=30), False)])
def test_a_request_of_another_task_is_a_rival_for_half_an_hour(age: timedelta, waits: bool) -> None:
    rival = other(stage=Stage.ASKING, started_at=NOW - age)
    script = script_with([named()], {"9": ["d1", "d2"]})

    if waits:
        with pytest.raises(AmbiguousOutcomeError, match="requested the same"):
            search(script, [rival])
    else:
        assert search(script, [rival]) is not None


@pytest.mark.parametrize(("has_asked", "is_ours"), [(True, True), (False, False)])
def test_a_task_that_does_not_know_whether_it_asked_leaves_a_job_to_one_that_took_it_later(
    has_asked: bool, is_ours: bool
) -> None:
    script = script_with([named()], {"9": ["d1", "d2"]})
    claims = [other(LATER, Stage.FOUND, "9", started_at=NOW + timedelta(seconds=1))]
    rounds = iter(range(1000))
    # The other one takes the job while this one looks, and steps back after its first wait.
    script.other_intents = lambda: claims if script.saved["stage"] == "found" and next(rounds) < 1 else ()
    script.saved = MINE.to_dict()

    found = script.run(find_job(SETTINGS, MINE, was_sent=has_asked))

    assert found is not None
    assert (1.0 in script.sleeps[-1:]) is is_ours


def first(intent: Any, *rounds: list[StoredIntent]) -> tuple[str | None, list[float]]:
    """Let a task yield to others whose notes change; return who goes first and what was slept."""
    given = list(rounds)
    script = Script(other_intents=lambda: given.pop(0) if len(given) > 1 else given[0])
    rival = script.run(wait_for_rivals(intent, lambda _: True))
    return (None if rival is None else rival.key), script.sleeps


PREPARING = replace(MINE, stage=Stage.PREPARING)
FOUND = replace(MINE, stage=Stage.FOUND, entity_id="9")
LATE: dict[str, Any] = {"started_at": NOW + timedelta(seconds=1)}


@pytest.mark.parametrize(
    ("ours", "theirs", "goes_first"),
    [
        pytest.param(PREPARING, other(LATER, Stage.CREATED, "9", **LATE), LATER, id="has certainly created a job"),
        pytest.param(PREPARING, other(LATER, Stage.FOUND, "9", **LATE), LATER, id="has found a job, and we none"),
        pytest.param(FOUND, other(LATER, Stage.CREATED, "9", **LATE), LATER, id="knows better than we"),
        pytest.param(PREPARING, other(EARLIER, Stage.PREPARING), EARLIER, id="was there first"),
    ],
)
def test_who_goes_first_is_stepped_back_for_at_once(ours: Any, theirs: StoredIntent, goes_first: str) -> None:
    assert first(ours, [theirs]) == (goes_first, [])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (PREPARING, other(LATER, Stage.PREPARING, **LATE)),
        (FOUND, other(LATER, Stage.FOUND, "9", **LATE)),
    ],
)
def test_who_comes_later_is_given_half_a_minute_to_step_back(ours: Any, theirs: StoredIntent) -> None:
    assert first(ours, [theirs]) == (LATER, [1.0, 2.0, 4.0, 8.0, 15.0])
    assert first(ours, [theirs], [theirs], []) == (None, [1.0, 2.0])


def test_a_target_that_names_devices_and_one_that_names_none_overlap_where_their_selection_is_the_same() -> None:
    named_devices, nobody = Target.of(NAMED), replace(Target.of(NAMED), devices=())

    assert named_devices.overlaps(nobody)
    assert nobody.overlaps(named_devices)
    assert not nobody.is_the_same_as(named_devices)


def test_the_mask_of_a_target_is_a_bit_for_each_device_and_all_bits_where_none_is_named() -> None:
    target = replace(Target.of(NAMED), devices=("0000000000", "000000007f", "0000000080"))

    assert target.mask == f"{1 | 1 << 127:032x}"
    assert Target.of(ACTION).mask == "f" * 32
