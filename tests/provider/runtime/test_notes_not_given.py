"""A task while Airflow's API does not give or take the tasks' notes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import StateUnavailableError
from airflow_provider_tuya_ota.core.jobs.intent import Stage
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.runtime.ledger import KEPT, PREFIX
from airflow_provider_tuya_ota.runtime.state_store import KEY
from tests.core.jobs.upgrades import NOTE
from tests.provider.airflow_api import context_of
from tests.provider.conftest import FakeTask
from tests.provider.operators.test_upgrade_operator import seed, upgrade, upload
from tests.provider.runtime.test_ledger import note, task

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.airflow_api import AirflowAPI
    from tests.provider.conftest import Service

FOR_GOOD = 1000
KINDS = ("GetVariable", "GetVariableKeys", "PutVariable", "GetTaskStateStore", "SetTaskStateStore")


def jobs(service: Service) -> list[str]:
    return list(service.emulator.world.engine.jobs)


@pytest.fixture
def firmware_id(service: Service, airflow_api: AirflowAPI, firmware: Path) -> str:
    seed(service, devices=100)
    return upload(context_of(FakeTask()), firmware)


def release(firmware_id: str, ti: FakeTask, **changes: Any) -> Any:
    operator = upgrade(firmware_id, target_selection="SPECIFIC", retries=3, wait_for_completion=False, **changes)
    return operator.execute(context_of(ti))


def failure_of(firmware_id: str, ti: FakeTask, **changes: Any) -> StateUnavailableError | None:
    try:
        release(firmware_id, ti, **changes)
    except StateUnavailableError as error:
        return error
    return None


def test_a_neighbour_s_note_that_is_not_given_once_is_read_again(airflow_api: AirflowAPI) -> None:
    task("a").write(note())
    airflow_api.fail("GetVariable")

    assert len(task("b").other_intents(None).intents) == 1


def test_a_note_that_is_never_given_is_no_missing_note(airflow_api: AirflowAPI) -> None:
    task("a").write(note())
    airflow_api.fail("GetVariable", times=FOR_GOOD)

    for use in (task("a").read, lambda: task("b").other_intents(None), lambda: task("a").write(note())):
        with pytest.raises(StateUnavailableError, match=r"Airflow's API did not give the note tuya_ota\.intent\.p\."):
            use()


def test_a_key_with_a_part_more_is_no_note_of_this_firmware(airflow_api: AirflowAPI) -> None:
    task("a").write(note())
    ((key, entry),) = airflow_api.variables.items()
    *firmware, mask, who = key.split(".")
    airflow_api.variables = {".".join([*firmware, "more", mask, who]): entry}

    assert task("b").other_intents(None).intents == ()


def test_a_note_that_is_deleted_while_it_is_read_is_gone(airflow_api: AirflowAPI) -> None:
    task("a").write(note())

    def fails(message: Any) -> bool:
        if type(message).__name__ == "GetVariable":
            airflow_api.variables.clear()
        return False

    airflow_api.fails = fails

    assert task("b").other_intents(None).intents == ()
    assert airflow_api.sent.count("GetVariable") == 1


def test_a_job_that_a_task_is_done_with_stays_marked_though_its_note_was_not_given_at_once(
    airflow_api: AirflowAPI,
) -> None:
    task("a").write(NOTE.at(Stage.CREATED, "9").to_dict())
    airflow_api.fail("GetVariable")
    task("a").write(note(stage=Stage.NOTHING))

    (entry,) = airflow_api.variables.values()
    assert list(json.loads(entry)["had"]) == ["9"]


@pytest.mark.parametrize("answers_lost", [False, True])
def test_deleting_and_writing_are_repeated_and_what_is_gone_is_no_error(
    airflow_api: AirflowAPI, answers_lost: bool
) -> None:
    airflow_api.answers_lost = answers_lost
    airflow_api.fail("PutVariable")
    task("a").write(note())
    airflow_api.fail("DeleteVariable")
    task("a").write(note(stage=Stage.NOTHING))

    assert airflow_api.variables == {}


@pytest.mark.parametrize("kind", ["GetVariable", "GetVariableKeys", "DeleteVariable"])
def test_sweeping_deletes_only_what_it_has_read_and_ends_no_task(airflow_api: AirflowAPI, kind: str) -> None:
    def entry(age: timedelta) -> str:
        return json.dumps({"who": "task", "at": (datetime.now(UTC) - age).isoformat(), "note": note()})

    old, young = f"{PREFIX}.q.ff.1", f"{PREFIX}.r.ff.1"
    airflow_api.variables = {old: entry(KEPT + timedelta(hours=1)), young: entry(timedelta(0))}
    airflow_api.fail(kind, times=FOR_GOOD)
    task().sweep()
    assert len(airflow_api.variables) == 2

    airflow_api.fails = lambda _: False
    task().sweep()
    assert set(airflow_api.variables) == {young}


@pytest.mark.parametrize("answers_lost", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_one_failure_anywhere_ends_no_task(
    service: Service, airflow_api: AirflowAPI, firmware_id: str, kind: str, answers_lost: bool
) -> None:
    airflow_api.answers_lost = answers_lost
    counting = FakeTask(run_id="other")
    airflow_api.sent.clear()
    release(firmware_id, counting, device_names=["device-002"])
    count = airflow_api.sent.count(kind)
    assert count

    for number in range(count):
        airflow_api.entries.clear()
        airflow_api.fail(kind, after=number)
        release(firmware_id, FakeTask(run_id=f"run {number}"), device_names=[f"device-{number + 10:03}"])

    assert len(jobs(service)) == 1 + count


@pytest.mark.parametrize("kind", KINDS)
def test_a_task_whose_notes_fail_for_good_creates_one_job_and_says_whether_it_goes_on(
    service: Service, airflow_api: AirflowAPI, firmware_id: str, kind: str
) -> None:
    for number in range(FOR_GOOD):
        made = len(jobs(service))
        airflow_api.entries.clear()
        # A task reads the notes of all unfinished jobs of its firmware, so a growing number of them would end no loop.
        airflow_api.variables.clear()
        airflow_api.fail(kind, times=FOR_GOOD, after=number)
        ti = FakeTask(run_id=f"run {number}")
        names = {"device_names": [f"device-{number + 10:03}"]}
        if (error := failure_of(firmware_id, ti, **names)) is None:
            break
        new = jobs(service)[made:]
        said = f"job {error.job_id} goes on, and a retry resumes it" if new else "this try has created nothing"
        assert (error.job_id, said in str(error)) == ("".join(new), True)
        assert ti.xcom["ota_release"]["job_id"] == error.job_id
        assert ti.xcom["ota_release"]["event"] in {"failed", "unclear"}
        airflow_api.fails = lambda _: False
        ti.try_number += 1
        assert release(firmware_id, ti, **names) in jobs(service)[made:]
        assert len(jobs(service)) == made + 1

    assert number > 1


def test_a_first_try_that_is_not_given_the_notes_of_others_has_created_nothing(
    airflow_api: AirflowAPI, firmware_id: str
) -> None:
    airflow_api.fail("GetVariableKeys", times=FOR_GOOD)

    error = failure_of(firmware_id, FakeTask(), device_names=["device-001"])

    assert error is not None
    assert not error.in_doubt
    assert "this try has created nothing" in str(error)


def test_a_retry_that_may_have_a_job_says_so_where_a_note_is_not_given(
    airflow_api: AirflowAPI, firmware_id: str
) -> None:
    ti, names = FakeTask(), {"device_names": ["device-001"]}
    release(firmware_id, ti, **names)
    # The try before has ended between its request and the answer.
    asking = json.loads(airflow_api.entries[KEY]) | {"entity_id": "", "stage": "asking"}
    airflow_api.entries[KEY] = json.dumps(asking)
    airflow_api.fail("GetVariable", times=FOR_GOOD)
    ti.try_number += 1

    error = failure_of(firmware_id, ti, **names)

    assert error is not None
    assert error.in_doubt
    assert "a job may have been created, and a retry looks for it" in str(error)
    assert ti.xcom["ota_release"]["event"] == "unclear"


def test_two_equal_upgrades_stay_one_though_the_other_s_note_is_not_given(
    service: Service, airflow_api: AirflowAPI, firmware: Path
) -> None:
    service.emulator.reset(read({"quirks": {"list_delay": 3600}, "quotas": {"enabled": False}}))
    firmware_id = upload(context_of(FakeTask()), firmware)
    release(firmware_id, FakeTask(run_id="A"), device_names=["device-001"])
    airflow_api.entries.clear()
    airflow_api.fail("GetVariable", times=FOR_GOOD)

    ti = FakeTask(run_id="B")
    with pytest.raises(StateUnavailableError, match="this try has created nothing"):
        release(firmware_id, ti, device_names=["device-001"])

    assert len(jobs(service)) == 1
    assert json.loads(airflow_api.entries[KEY])["stage"] == "preparing"
    assert ti.xcom["ota_release"]["event"] == "failed"
