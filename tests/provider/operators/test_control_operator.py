from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError, StateUnavailableError
from airflow_provider_tuya_ota.hooks.control_store import ControlStore
from airflow_provider_tuya_ota.operators.control import TuyaOTAControlReleaseOperator
from airflow_provider_tuya_ota.rollout.control import steer
from airflow_provider_tuya_ota.rollout.control.refused import ControlRefusedError
from airflow_provider_tuya_ota.rollout.control.release_control import ControlState
from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId
from airflow_provider_tuya_ota.runtime.control_note import begin_control, read_control, release_of

if TYPE_CHECKING:
    from tests.provider.airflow_api import AirflowAPI
    from tests.provider.conftest import FakeTask

OWN = ReleaseId(dag_id="dag", run_id="run")
OTHER = ReleaseId(dag_id="thermostat", run_id="manual__1", group="valves")


@dataclass
class FakeRun:
    triggering_user_name: str | None = "ann"
    start_date: datetime = field(default_factory=lambda: datetime.now(UTC) - timedelta(hours=1))


@pytest.fixture
def context(ti: FakeTask, airflow_api: AirflowAPI, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(steer, "SETTLED", 0.0)
    return {"ti": ti, "dag_run": FakeRun()}


def control(context: Any, action: str, **given: Any) -> dict[str, Any]:
    operator = TuyaOTAControlReleaseOperator(task_id="control", action=action, **{"why": "odd noises"} | given)
    result: dict[str, Any] = operator.execute(context)
    return result


def test_the_whole_life_of_a_note(context: Any) -> None:
    begin_control(context, OWN)
    assert control(context, "hold") == {"state": "hold", "who": "ann", "why": "odd noises", "seq": 2}
    assert control(context, "exclude", devices="['a', 'b']")["seq"] == 3
    assert control(context, "resume", why="it was the fan")["state"] == "run"
    control(context, "advance", wave="2")
    now = read_control(OWN)
    assert now.advance is not None
    assert (now.state, now.advance.wave, now.excluded) == (ControlState.RUN, 2, ("a", "b"))
    assert control(context, "halt")["state"] == "halt"
    with pytest.raises(ControlRefusedError):
        control(context, "resume")


def test_a_retried_advance_is_made_once(context: Any) -> None:
    begin_control(context, OWN)
    first = control(context, "advance", wave=2)
    assert control(context, "advance", wave=2) == first


def test_another_release_is_named(context: Any, ti: FakeTask) -> None:
    begin_control(context, OTHER)
    named = {"release_dag_id": "thermostat", "release_run_id": "manual__1", "release_group": "valves"}
    assert control(context, "halt", **named)["state"] == "halt"
    assert read_control(OTHER).state is ControlState.HALT
    assert read_control(OWN).state is ControlState.HOLD
    assert release_of(context, "valves") == ReleaseId(dag_id="dag", run_id="run", group="valves")


def test_who_is_the_user_who_triggered_the_run_or_the_run(context: Any) -> None:
    context["dag_run"] = FakeRun(triggering_user_name=None)
    assert begin_control(context, OWN).who == "Dag dag, run run"
    assert control(context, "halt")["who"] == "Dag dag, run run"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"action": "abort"}, "^action: 'abort' is not allowed. Allowed: hold, resume, halt, advance, exclude"),
        ({"action": "hold", "why": "None"}, "^why: 'None' is what a missing value renders to"),
        ({"action": "hold", "why": " "}, "^why: "),
        ({"action": "halt", "why": "x", "release_dag_id": "None"}, "^release_dag_id: "),
        ({"action": "halt", "why": "x", "release_dag_id": "other"}, "^release_run_id: is missing"),
        ({"action": "halt", "why": "x", "release_run_id": ""}, "^release_run_id: "),
        ({"action": "advance"}, "^wave: is missing, and the action is advance"),
        ({"action": "advance", "wave": "0"}, "^wave: 0 is no wave"),
        ({"action": "hold", "wave": 2}, "^wave: is given, and the action is hold"),
        ({"action": "exclude"}, "^devices: is missing, and the action is exclude"),
        ({"action": "exclude", "devices": []}, "^devices: 0 are given"),
        ({"action": "halt", "devices": "a"}, "^devices: is given, and the action is halt"),
    ],
)
def test_a_wrong_or_missing_argument_changes_nothing(context: Any, given: dict[str, Any], problem: str) -> None:
    before = begin_control(context, OWN)
    with pytest.raises(InvalidParameterError, match=problem):
        control(context, **given)
    assert read_control(OWN) == before


def test_a_release_whose_note_is_not_given_holds(context: Any, airflow_api: AirflowAPI) -> None:
    begin_control(context, OWN)
    airflow_api.fail("GetAssetStateStoreByName", times=99)
    found = read_control(OWN)
    assert (found.state, found.seq) == (ControlState.HOLD, 0)
    assert found.problem.startswith("cannot be read: Airflow's API did not give")
    with pytest.raises(StateUnavailableError):
        control(context, "halt")


def test_a_halt_is_stored_without_a_note(context: Any) -> None:
    assert control(context, "halt")["state"] == "halt"
    assert ControlStore().read(OWN.note_key) is None


def test_the_task_keeps_the_asset_of_the_notes() -> None:
    operator = TuyaOTAControlReleaseOperator(task_id="control", action="hold", why="x")
    assert [inlet.name for inlet in operator.inlets] == ["ota-control"]
