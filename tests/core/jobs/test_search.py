from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import AmbiguousOutcomeError
from airflow_provider_tuya_ota.core.flows.effects import StoredIntent
from airflow_provider_tuya_ota.core.jobs import search as job_search
from airflow_provider_tuya_ota.core.jobs.intent import Intent, Stage
from airflow_provider_tuya_ota.core.jobs.search import find_job
from tests.core.jobs.upgrades import JUST_NOW, OF_NAMED, UPGRADE, jobs
from tests.core.script import NOW, SETTINGS, Script, by_action, job, ok, task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.model.entities import Job
    from tests.core.script import Sent

MINE = replace(OF_NAMED, known=())
EARLIER, LATER = "k1", "k9"
"""Keys that sort before and after this task's own."""


def named(job_id: str = "9", **fields: Any) -> dict[str, Any]:
    return job(job_id, kind=UPGRADE, **{"utcCreate": JUST_NOW, "targetSelection": "SPECIFIC"} | fields)


def script_with(listed: Sequence[dict[str, Any]], devices: dict[str, Sequence[str]]) -> Script:
    by_id = {item["jobId"]: item for item in listed}

    def tasks(sent: Sent) -> Any:
        return ok(data=[task(name, "QUEUED") for name in devices.get(sent.parameters["JobId"], ())])

    usual = by_action({"ListOTAJobByFirmware": jobs(*listed)})

    def answer(sent: Sent) -> Any:
        if sent.action == "QueryOTAJob":
            return ok(data=by_id[sent.parameters["JobId"]])
        return tasks(sent) if sent.action == "ListOTATaskByJob" else usual(sent)

    return Script(answer)


def other(
    key: str = EARLIER, stage: Stage = Stage.LOST, entity_id: str = "", had: tuple[str, ...] = (), **changes: Any
) -> StoredIntent:
    intent: Intent = replace(MINE, **changes).at(stage, entity_id)
    return StoredIntent("task other of run r", key, intent.to_dict(), had)


def search(script: Script, *rounds: Sequence[StoredIntent], intent: Intent = MINE) -> Job | None:
    """Search while the notes of others change from one reading to the next; the last stay."""
    given = list(rounds) or [()]
    script.other_intents = lambda: given.pop(0) if len(given) > 1 else given[0]
    script.saved = intent.to_dict()
    return script.run(find_job(SETTINGS, intent))


def test_the_one_job_with_exactly_the_devices_is_taken_and_written_down() -> None:
    script = script_with([named("8"), named("9")], {"8": ["d1", "d2", "d3"], "9": ["d2", "d1"]})
    found = search(script)

    assert found is not None
    assert (found.job_id, script.saved["stage"], script.saved["entity_id"]) == ("9", "found", "9")


def test_a_job_is_taken_no_sooner_than_all_of_its_devices_can_have_been_listed() -> None:
    script = script_with([named()], {"9": ["d1", "d2"]})
    search(script)

    assert 60 <= sum(script.sleeps) < 97


OF_A_SHARE = replace(MINE, target=replace(MINE.target, selection="GRAY", devices=(), gray_percent="25"))
COMMON_ERRORS = replace(MINE, target=replace(MINE.target, selection="ALL", devices=()))


@pytest.mark.parametrize("intent", [OF_A_SHARE, COMMON_ERRORS], ids=["share", "everybody"])
@pytest.mark.parametrize(("listed_after", "is_reported"), [(None, True), (50, False)])
def test_a_job_without_named_devices_is_taken_no_sooner_than_another_one_can_have_been_listed(
    intent: Intent, listed_after: float | None, is_reported: bool
) -> None:
    theirs, mine = (
        named(job_id, targetSelection=intent.target.selection, grayPercent=intent.target.gray_percent)
        for job_id in ("8", "9")
    )
    script = script_with([theirs, mine], {})
    usual: Any = script.answers
    script.answers = lambda sent: (
        jobs(theirs)
        if sent.action == "ListOTAJobByFirmware" and (listed_after is None or sum(script.sleeps) < listed_after)
        else usual(sent)
    )

    if is_reported:
        assert search(script, intent=intent) is not None
        assert 60 <= sum(script.sleeps) < 97
    else:
        with pytest.raises(AmbiguousOutcomeError, match=r"2 jobs \(8, 9\)"):
            search(script, intent=intent)


def test_a_job_of_which_the_devices_that_were_asked_for_are_listed_first_is_not_taken() -> None:
    devices: dict[str, Sequence[str]] = {"9": ["d1", "d2"]}
    script = script_with([named()], devices)
    polls = iter(range(100))

    def told_later() -> tuple[StoredIntent, ...]:
        if next(polls) == 3:
            devices["9"] = ["d1", "d2", "d3"]
        return ()

    script.other_intents = told_later
    script.saved = MINE.to_dict()

    assert script.run(find_job(SETTINGS, MINE)) is None


def test_what_was_accepted_without_an_id_and_has_exactly_the_devices_is_followed_and_never_one_s_own() -> None:
    script = script_with([named()], {"9": ["d1", "d2"]})
    search(script, intent=MINE.at(Stage.ACCEPTED))

    assert script.saved["stage"] == "found"


def test_after_an_accepted_request_a_job_on_some_of_the_devices_may_be_the_own_one_beside_one_on_all_of_them() -> None:
    script = script_with([named("8"), named("9")], {"8": ["d2"], "9": ["d1", "d2"]})

    with pytest.raises(AmbiguousOutcomeError, match=r"2 jobs \(9, 8\).*8 has some of the devices and no other"):
        search(script, intent=MINE.at(Stage.ACCEPTED))
    assert script.saved["stage"] == "accepted"


def test_a_job_whose_devices_are_not_listed_yet_is_waited_for_and_never_taken() -> None:
    script = script_with([named()], {})
    with pytest.raises(AmbiguousOutcomeError, match=r"Job 9 of firmware 178 could be.*may not list all of the devices"):
        search(script)
    assert sum(script.sleeps) >= 65
    assert script.saved["stage"] == "lost"


def test_a_job_on_some_of_the_devices_may_be_the_own_one_whose_other_devices_were_left_out() -> None:
    script = script_with([named()], {"9": ["d1"]})

    with pytest.raises(AmbiguousOutcomeError, match=r"9 has some of the devices and no other: the platform leaves out"):
        search(script)
    assert 60 <= sum(script.sleeps) < 100
    assert script.saved["stage"] == "lost"


@pytest.mark.parametrize(
    ("minutes", "zone", "is_another_s"), [(31, "Z", True), (29, "Z", False), (31, "", False), (-2, "Z", False)]
)
def test_a_job_on_some_of_the_devices_is_somebody_else_s_where_the_own_request_could_no_longer_arrive(
    minutes: int, zone: str, is_another_s: bool
) -> None:
    created = (MINE.started_at + timedelta(minutes=minutes)).replace(tzinfo=None).isoformat() + zone
    script = script_with([named() | {"utcCreate": created}], {"9": ["d1"]})

    if is_another_s:
        assert search(script) is None
    else:
        with pytest.raises(AmbiguousOutcomeError):
            search(script)


def test_a_job_on_some_of_the_devices_keeps_nobody_from_the_one_on_all_of_them() -> None:
    script = script_with([named("8"), named("9")], {"8": ["d1"], "9": ["d1", "d2"]})

    found = search(script)

    assert found is not None
    assert found.job_id == "9"


@pytest.mark.parametrize(
    ("listed_after", "said"), [(90, "some of the devices and no other"), (150, "may not list all of the devices")]
)
def test_a_job_of_which_a_device_was_listed_less_than_a_minute_ago_may_have_more(
    listed_after: float, said: str
) -> None:
    devices: dict[str, Sequence[str]] = {}
    script = script_with([named()], devices)
    usual = script.answers
    assert callable(usual)

    def answer(sent: Sent) -> Any:
        if sum(script.sleeps) > listed_after:
            devices["9"] = ["d1"]
        return usual(sent)

    script.answers = answer

    with pytest.raises(AmbiguousOutcomeError, match=said):
        search(script)


def test_one_that_fits_is_not_taken_while_another_is_not_known() -> None:
    script = script_with([named("8"), named("9")], {"9": ["d1", "d2"]})

    with pytest.raises(AmbiguousOutcomeError, match=r"2 jobs \(9, 8\)"):
        search(script)


def test_several_that_fit_stop_for_a_person() -> None:
    script = script_with([named("8"), named("9")], {"8": ["d1", "d2"], "9": ["d1", "d2"]})

    with pytest.raises(AmbiguousOutcomeError, match=r"2 jobs \(8, 9\).*Nothing was created or stopped"):
        search(script)


def test_what_was_there_before_and_what_is_older_is_none_of_it() -> None:
    script = script_with(
        [job("1", kind=UPGRADE, utcCreate=JUST_NOW), named("8") | {"utcCreate": "2026-03-01T11:44:59.000Z"}],
        {"8": ["d1", "d2"]},
    )

    assert search(script, intent=OF_NAMED) is None
    assert "QueryOTAJob" not in script.actions


def test_the_job_of_another_task_is_excluded_without_asking_the_platform() -> None:
    script = script_with([named()], {"9": ["d1", "d2"]})

    assert search(script, [other(stage=Stage.CREATED, entity_id="9")]) is None
    assert "QueryOTAJob" not in script.actions


@pytest.mark.parametrize(("stage", "entity_id"), [(Stage.NOTHING, ""), (Stage.CREATED, "77")])
def test_a_job_that_another_task_had_once_is_excluded_as_the_one_that_it_has(stage: Stage, entity_id: str) -> None:
    script = script_with([named()], {"9": ["d1", "d2"]})

    assert search(script, [other(stage=stage, entity_id=entity_id, had=("9",))]) is None
    assert "QueryOTAJob" not in script.actions


@pytest.mark.parametrize(
    ("rival", "waits"),
    [
        (other(LATER, Stage.ASKING), True),
        (other(EARLIER, Stage.LOST), True),
        (other(LATER, Stage.LOST), False),
        (other(LATER, Stage.ACCEPTED), True),
        (other(EARLIER, Stage.PREPARING), False),
        (other(EARLIER, Stage.NOTHING), False),
        (other(EARLIER, Stage.LOST, started_at=NOW - timedelta(minutes=31)), False),
        (other(EARLIER, Stage.LOST, target=replace(MINE.target, devices=("00" * 5,))), False),
        (other(EARLIER, Stage.ASKING, target=replace(MINE.target, devices=MINE.target.devices[:1])), False),
        (StoredIntent("task of a later version", EARLIER, {"form": 3}), False),
    ],
)
def test_a_job_is_not_taken_while_another_task_may_have_created_it(rival: StoredIntent, waits: bool) -> None:
    script = script_with([named()], {"9": ["d1", "d2"]})

    if waits:
        with pytest.raises(AmbiguousOutcomeError, match="task other of run r requested the same"):
            search(script, [rival])
    else:
        assert search(script, [rival]) is not None


def test_a_task_that_asked_for_another_group_keeps_nobody_from_its_job() -> None:
    grouped = replace(MINE.target, selection="GROUP", devices=(), group_id="g1")
    mine = replace(MINE, target=grouped)
    script = script_with([named(targetSelection="GROUP", groupId="g1")], {})
    rival = other(EARLIER, Stage.ASKING, target=replace(grouped, group_id="g2"))

    assert search(script, [rival], intent=mine) is not None
    with pytest.raises(AmbiguousOutcomeError, match="task other of run r requested the same"):
        search(script, [other(EARLIER, Stage.ASKING, target=grouped)], intent=mine)


@pytest.fixture
def devices_are_listed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_search, "LISTED_WITHIN", timedelta(0))


def test_a_job_is_taken_once_the_other_task_knows_its_own() -> None:
    script = script_with([named()], {"9": ["d1", "d2"]})

    assert search(script, [other(stage=Stage.ASKING)], [other(stage=Stage.CREATED, entity_id="77")]) is not None


@pytest.mark.parametrize(
    ("claim", "is_ours"),
    [
        (other(EARLIER, Stage.FOUND, "9"), False),
        (other(LATER, Stage.FOUND, "9"), False),
        (other(LATER, Stage.CREATED, "9"), False),
        (other(EARLIER, Stage.FOUND, "8"), True),
    ],
)
@pytest.mark.usefixtures("devices_are_listed_at_once")
def test_of_two_that_take_the_same_job_at_most_one_gets_it(claim: StoredIntent, is_ours: bool) -> None:
    script = script_with([named()], {"9": ["d1", "d2"]})

    found = search(script, [], [claim])

    assert (found is not None, script.saved["stage"]) == (is_ours, "found" if is_ours else "lost")


@pytest.mark.usefixtures("devices_are_listed_at_once")
def test_the_first_of_two_gets_it_when_the_other_one_steps_back() -> None:
    script = script_with([named()], {"9": ["d1", "d2"]})

    assert search(script, [], [other(LATER, Stage.FOUND, "9")], []) is not None


def test_who_knows_that_there_is_a_job_goes_before_who_may_have_one() -> None:
    script = script_with([named()], {"9": ["d1", "d2"]})

    assert search(script, [other(EARLIER, Stage.LOST)], intent=MINE.at(Stage.ACCEPTED)) is not None


@pytest.mark.usefixtures("devices_are_listed_at_once")
def test_who_has_noted_nothing_leaves_a_job_to_everybody_who_takes_it() -> None:
    script = script_with([named()], {"9": ["d1", "d2"]})
    rounds: list[list[StoredIntent]] = [[], [other(LATER, Stage.FOUND, "9")]]
    script.other_intents = lambda: rounds.pop(0) if len(rounds) > 1 else rounds[0]

    assert script.run(find_job(SETTINGS, MINE, was_sent=False)) is None
