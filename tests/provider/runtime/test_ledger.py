from __future__ import annotations

import inspect
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import Variable
from airflow.sdk.execution_time import task_runner

from airflow_provider_tuya_ota.core.errors import OutcomeError
from airflow_provider_tuya_ota.core.flows.effects import SavedState
from airflow_provider_tuya_ota.core.jobs.intent import Intent, Stage
from airflow_provider_tuya_ota.core.settings import Credentials, Settings
from airflow_provider_tuya_ota.runtime import ledger
from airflow_provider_tuya_ota.runtime.ledger import KEPT, Ledger
from airflow_provider_tuya_ota.runtime.state_store import KEY, TaskStateStore
from tests.core.jobs.upgrades import NOTE, OF_NAMED
from tests.provider.conftest import FakeStore, FakeTask

if TYPE_CHECKING:
    from collections.abc import Sequence


class Variables:
    """Airflow's variables, as far as a task sees them."""

    values: dict[str, Any]

    @classmethod
    def get(cls, key: str, default: Any = None, deserialize_json: bool = False) -> Any:  # noqa: FBT002 - Airflow's signature
        return cls.values.get(key, default)

    @classmethod
    def set(cls, key: str, value: Any, description: str | None = None, serialize_json: bool = False) -> None:  # noqa: FBT002 - Airflow's signature
        cls.values[key] = value

    @classmethod
    def keys(cls, prefix: str | None = None) -> Sequence[str]:
        return [key for key in cls.values if key.startswith(prefix or "")]

    @classmethod
    def delete(cls, key: str) -> None:
        del cls.values[key]


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> type[Variables]:
    Variables.values = {}
    monkeypatch.setattr(ledger, "Variable", Variables)
    return Variables


def test_the_stand_in_for_variables_has_the_signatures_of_the_real_ones() -> None:
    for name in ("get", "set", "keys", "delete"):
        real, fake = (list(inspect.signature(getattr(kind, name)).parameters) for kind in (Variable, Variables))
        assert real == fake


def task(name: str = "a", firmware_id: str = "p") -> Ledger:
    return Ledger(firmware_id, f"{name:0>16}".replace("a", "1").replace("b", "2"), f"task {name}")


def note(intent: Intent = NOTE, stage: Stage = Stage.ASKING) -> dict[str, Any]:
    return intent.at(stage).to_dict()


def test_each_task_reads_its_own_note_and_sees_those_of_the_others() -> None:
    first, second = task("a"), task("b")
    first.write(note())

    assert first.read() == note()
    assert (second.read(), first.other_intents(None).intents) == (None, ())
    (seen,) = second.other_intents(None).intents
    assert (seen.task, seen.key, seen.value) == ("task a", first.task, note())


def test_a_note_replaces_the_one_before_even_where_the_devices_were_edited(variables: type[Variables]) -> None:
    writer = task()
    writer.write(note(OF_NAMED))
    writer.write(note(NOTE, Stage.CREATED))

    assert len(variables.values) == 1
    assert writer.read()["stage"] == "created"
    assert json.loads(*variables.values.values())["had"] == {}


def test_a_task_lists_the_names_of_its_notes_once(variables: type[Variables], monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[str | None] = []
    keys = variables.keys

    def list_keys(prefix: str | None = None) -> Sequence[str]:
        listed.append(prefix)
        return keys(prefix)

    monkeypatch.setattr(variables, "keys", list_keys)
    writer = task()

    assert writer.read() is None
    for stage in (Stage.NOTHING, Stage.PREPARING, Stage.ASKING, Stage.CREATED):
        writer.write(note(stage=stage))

    assert listed == [f"{ledger.PREFIX}.p."]
    assert writer.read() == note(stage=Stage.CREATED)


def test_a_note_that_another_try_wrote_meanwhile_about_other_devices_stays(variables: type[Variables]) -> None:
    frozen, current = task(), task()
    frozen.write(note())
    current.write(note(OF_NAMED))
    assert len(variables.values) == 1

    frozen.write(note(stage=Stage.CREATED))

    assert sorted(one.value["stage"] for one in task("b").other_intents(None).intents) == ["asking", "created"]


def test_a_job_that_another_try_was_done_with_meanwhile_stays_marked() -> None:
    frozen, current = task("a"), task("a")
    frozen.write(note())
    current.write(NOTE.at(Stage.CREATED, "9").to_dict())
    current.write(note(stage=Stage.NOTHING))

    frozen.write(NOTE.at(Stage.CREATED, "10").to_dict())

    (stored,) = task("b").other_intents(None).intents
    assert (stored.value["entity_id"], stored.past_jobs) == ("10", ("9",))


def test_a_task_that_never_had_a_job_leaves_no_entry(variables: type[Variables]) -> None:
    writer = task()
    writer.write(note(OF_NAMED))
    writer.write(note(stage=Stage.NOTHING))

    assert variables.values == {}


@pytest.mark.parametrize("edited", [NOTE, OF_NAMED], ids=["same devices", "other devices"])
def test_a_job_that_a_task_is_done_with_stays_its_own_and_is_outstanding_no_more(edited: Intent) -> None:
    writer = task("a")
    writer.write(NOTE.at(Stage.CREATED, "9").to_dict())

    def seen() -> tuple[str, str, tuple[str, ...]]:
        (stored,) = task("b").other_intents(None).intents
        return stored.value["stage"], stored.value["entity_id"], stored.past_jobs

    assert seen() == ("created", "9", ())
    writer.write(note(stage=Stage.NOTHING))
    assert (seen(), writer.read()) == (("nothing", "", ("9",)), None)
    later = replace(edited, started_at=NOTE.started_at + timedelta(minutes=5))
    writer.write(note(later, Stage.PREPARING))
    assert seen() == ("preparing", "", ("9",))
    writer.write(later.at(Stage.CREATED, "10").to_dict())
    assert seen() == ("created", "10", ("9",))
    writer.write(note(later, Stage.NOTHING))
    assert seen() == ("nothing", "", ("9", "10"))


def test_a_job_is_marked_also_where_the_task_died_before_it_informed_the_others_that_it_is_done_with_it() -> None:
    writer = task("a")
    writer.write(NOTE.at(Stage.CREATED, "9").to_dict())
    writer.write(note(replace(NOTE, started_at=NOTE.started_at + timedelta(minutes=5)), Stage.PREPARING))

    (stored,) = task("b").other_intents(None).intents
    assert stored.past_jobs == ("9",)


def test_a_job_that_was_left_to_another_task_never_was_one_s_own() -> None:
    writer = task("a")
    writer.write(NOTE.at(Stage.FOUND, "9").to_dict())
    writer.write(note(stage=Stage.LOST))

    (stored,) = task("b").other_intents(None).intents
    assert stored.past_jobs == ()


def test_marks_are_kept_as_long_as_notes_and_damaged_ones_say_nothing(variables: type[Variables]) -> None:
    now = datetime.now(UTC)
    key = f"{ledger.PREFIX}.p.{NOTE.target.mask}.{task().task}"

    def after(had: Any, former: Any) -> set[str]:
        variables.values = {key: json.dumps({"who": "task", "at": now.isoformat(), "note": former, "had": had})}
        task().write(note(stage=Stage.NOTHING))
        return {job_id for value in variables.values.values() for job_id in json.loads(value)["had"]}

    young, old = ((now - age).isoformat() for age in (KEPT - timedelta(hours=1), KEPT + timedelta(hours=1)))
    assert after({"7": young, "8": old, "9": "damaged", "10": None}, note()) == {"7"}
    assert after(["7"], "no note") == set()


def test_what_certainly_concerns_other_devices_is_not_read(variables: type[Variables]) -> None:
    task("a").write(note(OF_NAMED))
    free = f"{~int(OF_NAMED.target.mask, 16) & (1 << 128) - 1:032x}"

    assert task("b").other_intents(free).intents == ()
    assert len(task("b").other_intents(OF_NAMED.target.mask).intents) == 1


def test_notes_of_another_firmware_are_none_of_it() -> None:
    task("a", "p").write(note())

    assert task("b", "p2").other_intents(None).intents == ()


def test_what_is_no_note_says_nothing(variables: type[Variables]) -> None:
    prefix = f"{ledger.PREFIX}.p."
    variables.values = {
        f"{prefix}ff.1": "no json",
        f"{prefix}ff.2": "[]",
        f"{prefix}ff.3": '{"who": 1}',
        f"{prefix}more.dots.in.it": "{}",
    }

    assert task().other_intents(None).intents == ()


def test_old_notes_of_other_firmwares_are_swept_a_few_at_a_time(variables: type[Variables]) -> None:
    def entry(age: timedelta) -> str:
        return json.dumps({"who": "task", "at": (datetime.now(UTC) - age).isoformat(), "note": note()})

    old = {f"{ledger.PREFIX}.q{number}.ff.1": entry(KEPT + timedelta(hours=1)) for number in range(8)}
    young = {f"{ledger.PREFIX}.young.ff.1": entry(timedelta(hours=1))}
    variables.values = {**old, **young, "somebody's": "own", f"{ledger.PREFIX}.x.ff.1": "damaged"}

    task().sweep()
    assert len(variables.values) >= 11 - 5
    for number in range(9):
        task(str(number)).sweep()

    assert set(variables.values) == {*young, "somebody's"}


def test_a_task_remembers_in_its_store_and_informs_the_others() -> None:
    store, own = FakeStore(), task()
    memory = TaskStateStore(store, own)

    memory.save_state(note())
    assert (store.values[KEY], own.read()) == (note(), note())
    assert len(TaskStateStore(FakeStore(), task("b")).other_intents(None).intents) == 1

    memory.save_state(note(stage=Stage.NOTHING))
    assert (store.values[KEY]["stage"], own.read()) == ("nothing", None)


def test_a_store_that_was_emptied_by_hand_is_made_up_for_by_the_ledger() -> None:
    store = FakeStore()
    memory = TaskStateStore(store, task())
    memory.save_state(note(stage=Stage.CREATED))
    store.values.clear()

    assert memory.load_state().value["stage"] == "created"
    assert TaskStateStore(None, task()).load_state().value["stage"] == "created"


@pytest.mark.parametrize("damage", [{"form": 3}, {"stage": "later"}, {"target": None}])
def test_deleting_the_entry_of_the_store_is_enough_to_be_rid_of_a_note_that_cannot_be_read(
    damage: dict[str, Any], variables: type[Variables]
) -> None:
    store = FakeStore()
    memory = TaskStateStore(store, task())
    memory.save_state(note())
    store.values[KEY] |= damage
    (key,) = variables.values
    variables.values[key] = json.dumps(json.loads(variables.values[key]) | {"note": store.values[KEY]})

    with pytest.raises(OutcomeError, match=f"delete the entry '{KEY}' of the task state store"):
        Intent.from_dict(memory.load_state().value)
    store.delete(KEY)

    assert memory.load_state() == SavedState(None, is_durable=True)


def test_outside_of_a_running_task_there_is_no_ledger() -> None:
    context: Any = {"ti": FakeTask()}
    settings: Any = None

    assert Ledger.of(context, settings, "178") is None


def run_of(day: int) -> Any:
    return SimpleNamespace(run_after=datetime(2026, 3, day, tzinfo=UTC))


def opened_by(monkeypatch: pytest.MonkeyPatch, run: Any, map_index: int = -1) -> Ledger:
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", object(), raising=False)
    context: Any = {"ti": FakeTask(map_index=map_index), "dag_run": run}
    opened = Ledger.of(context, Settings(credentials=Credentials("key", "secret"), host="ota.example.com"), "178")
    assert opened is not None
    return opened


def test_a_run_that_is_deleted_and_triggered_again_under_its_id_resumes_no_job_of_the_first_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened_by(monkeypatch, run_of(1)).write(note(stage=Stage.ASKING))

    again = opened_by(monkeypatch, run_of(2))

    assert again.read() is None
    assert [other.value for other in again.other_intents(None).intents] == [note(stage=Stage.ASKING)]
    assert opened_by(monkeypatch, run_of(1)).read() == note(stage=Stage.ASKING)


@pytest.mark.parametrize(("map_index", "named"), [(-1, "task"), (0, "task [0]"), (3, "task [3]")])
def test_an_instance_of_a_mapped_task_is_named_by_its_index(
    monkeypatch: pytest.MonkeyPatch, map_index: int, named: str
) -> None:
    opened = opened_by(monkeypatch, run_of(1), map_index=map_index)

    assert opened.who == f"task {named} of run run of Dag dag"
