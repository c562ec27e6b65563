from __future__ import annotations

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId


def test_halt_and_run_have_keys_of_their_own() -> None:
    release = ReleaseId(dag_id="thermostat", run_id="manual__1")
    assert (release.note_key, release.halt_key) == ("release/thermostat/manual__1", "halt/thermostat/manual__1")
    assert str(release) == "thermostat / manual__1"


def test_each_release_of_a_run_has_its_own_keys() -> None:
    release = ReleaseId(dag_id="thermostat", run_id="manual__1", group="valves")
    assert release.note_key == "release/thermostat/manual__1/valves"
    assert release.to_dict() == {"dag_id": "thermostat", "run_id": "manual__1", "group": "valves"}
    assert str(release) == "thermostat / manual__1 / valves"


def test_a_slash_in_an_id_never_gives_the_key_of_another_release() -> None:
    keys = {
        ReleaseId(dag_id="a", run_id="b", group="c").note_key,
        ReleaseId(dag_id="a", run_id="b/c").note_key,
        ReleaseId(dag_id="a/b", run_id="c").note_key,
        ReleaseId(dag_id="a", run_id="b%2Fc").note_key,
    }
    assert len(keys) == 4


@pytest.mark.parametrize("value", ["", " ", ".", "..", "a ", "a\nb", "\ud800", "x" * 251, None, 7])
@pytest.mark.parametrize("field", ["dag_id", "run_id"])
def test_what_is_no_id_is_refused(field: str, value: object) -> None:
    with pytest.raises(InvalidParameterError, match=f"^{field}: .* is not an id"):
        ReleaseId(**{"dag_id": "a", "run_id": "b", field: value})  # type: ignore[arg-type] # as a template may give it


def test_ids_whose_key_airflow_does_not_take_are_refused() -> None:
    assert len(ReleaseId(dag_id="d" * 250, run_id="r" * 250).note_key) == 509
    assert len(ReleaseId(dag_id="d" * 250, run_id="r" * 250, group="gg").note_key) == 512
    with pytest.raises(InvalidParameterError, match=r"^group: 'ggg' makes the key of the control note 513 long"):
        ReleaseId(dag_id="d" * 250, run_id="r" * 250, group="ggg")
