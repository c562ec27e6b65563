from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import AlreadyUnderWayError
from airflow_provider_tuya_ota.core.jobs.job_set import JobSet
from tests.core.jobs.job_sets import RETRY, Fake, create, ids, other, request
from tests.core.jobs.upgrades import CREATED
from tests.core.script import NOW, Script

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import StoredIntent

OTHERS = (("d8",), ("d9",))


def note(stage: str, *, jobs: tuple[str, ...] = (), minutes: float = 0, job_id: str = "", began: float = 0) -> Any:
    """Build the note of another task's set, of an age in minutes."""
    theirs = Script(Fake())
    create(theirs, of=request(*OTHERS))
    ages = {"began_at": (NOW - timedelta(minutes=began)).isoformat(), "jobs": list(jobs)}
    started = (NOW - timedelta(minutes=minutes)).isoformat()
    return theirs.saved | {
        "stage": stage,
        "started_at": started,
        "entity_id": job_id,
        "set": theirs.saved["set"] | ages,
    }


@pytest.mark.parametrize(
    ("theirs", "is_refused"),
    [
        (note("preparing", began=1), True),
        (note("preparing", began=-0.1), True),
        (note("preparing", minutes=30, began=30), False),
        (note("asking", began=-1), True),
        (note("created", job_id="6", minutes=29), True),
        (note("created", job_id="6", minutes=30), False),
        (note("created", job_id="7", jobs=("8",)), False),
        (note("created", job_id="6", jobs=("7",)), True),
        (note("preparing", jobs=("7", "8")), True),
        (note("nothing", jobs=("6",)), True),
        (note("nothing", jobs=("7",)), False),
        (note("nothing"), False),
        (CREATED.to_dict() | {"target": CREATED.target.to_dict() | {"selection": "GRAY"}}, False),
        (note("nothing", jobs=("6",)) | {"set": 1}, False),
        (note("nothing", jobs=("6",)) | {"form": 1}, False),
    ],
)
def test_a_set_waits_until_another_tasks_set_is_half_an_hour_old(theirs: Any, is_refused: bool) -> None:
    fake = Fake()
    script = Script(fake, other_intents=lambda: [other(theirs)])
    of = request(earlier=JobSet.of("7", "8"))

    if not is_refused:
        assert ids(create(script, of=of)) == ["101", "102", "103"]
        return
    with pytest.raises(AlreadyUnderWayError, match="task k1 creates a set of upgrade jobs of firmware 178"):
        create(script, of=of)
    assert (fake.creates, script.saved["stage"]) == (0, "nothing")


def test_the_set_that_began_first_waits_for_the_other_to_give_up() -> None:
    fake = Fake()
    reads = 0

    def give_up() -> list[StoredIntent]:
        nonlocal reads
        reads += 1
        return [other(note("preparing" if reads < 3 else "nothing", began=-0.1))]

    script = Script(fake, other_intents=give_up)

    assert ids(create(script)) == ["101", "102", "103"]
    assert script.sleeps == [1.0, 2.0]


def test_a_set_that_gives_up_with_jobs_looks_as_old_as_before() -> None:
    fake = Fake()
    script = Script(fake)
    create(script, of=request())
    script.saved["stage"], script.saved["entity_id"] = "nothing", ""
    script.now += timedelta(minutes=20)
    script.other_intents = lambda: [other(note("created", job_id="6"))]
    fake.gone.add("103")
    before = script.saved["started_at"]

    with pytest.raises(AlreadyUnderWayError):
        create(script, RETRY)
    assert (script.saved["started_at"], script.saved["set"]["jobs"]) == (before, ["101", "102"])


def test_a_set_that_takes_long_is_compared_with_others_again() -> None:
    fake = Fake()
    script = Script(fake)

    def later(number: int) -> None:
        script.now += timedelta(minutes=4)
        if number == 2:
            script.other_intents = lambda: [other(note("created", job_id="6", minutes=-8))]

    fake.after_create = later

    with pytest.raises(AlreadyUnderWayError):
        create(script)
    assert fake.creates == 2
