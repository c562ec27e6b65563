from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import ErrorType
from airflow.sdk.execution_time import comms

from airflow_provider_tuya_ota.core.errors import StateUnavailableError
from airflow_provider_tuya_ota.hooks import control_store
from airflow_provider_tuya_ota.hooks.control_store import ControlStore, aread_control
from airflow_provider_tuya_ota.rollout.control.release_control import ControlState
from tests.rollout.control.notes import RELEASE, begun, stored, stored_halt

if TYPE_CHECKING:
    from tests.provider.airflow_api import AirflowAPI


def test_a_worker_reads_what_it_has_written(airflow_api: AirflowAPI) -> None:
    store = ControlStore()
    assert store.read("release/a/b") is None
    store.write("release/a/b", {"seq": 1})
    assert store.read("release/a/b") == {"seq": 1}


def test_requests_are_repeated(airflow_api: AirflowAPI) -> None:
    for kind in ("GetAssetStateStoreByName", "SetAssetStateStoreByName"):
        airflow_api.fail(kind, times=2)
        ControlStore().write("release/a/b", {"seq": 1})
        assert ControlStore().read("release/a/b") == {"seq": 1}
    airflow_api.fail("GetAssetStateStoreByName", times=99)
    with pytest.raises(StateUnavailableError, match=r"^Airflow's API did not give the control note of the release"):
        ControlStore().read("release/a/b")


def test_an_asset_that_no_dag_names_is_said(airflow_api: AirflowAPI) -> None:
    airflow_api.asset = "another"
    assert ControlStore().read("release/a/b") is None
    with pytest.raises(StateUnavailableError, match="a Dag has to name the asset ota-control in its inlets"):
        ControlStore().write("release/a/b", {"seq": 1})


def test_another_error_of_the_store_is_no_missing_note(
    airflow_api: AirflowAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = comms.ErrorResponse(error=ErrorType.API_SERVER_ERROR)
    monkeypatch.setattr(airflow_api, "_answer_GetAssetStateStoreByName", lambda _: error)
    with pytest.raises(StateUnavailableError):
        ControlStore().read("release/a/b")


async def test_a_trigger_reads_both_notes(airflow_api: AirflowAPI) -> None:
    assert (await aread_control(RELEASE)).state is ControlState.HOLD
    ControlStore().write(RELEASE.note_key, stored(begun()))
    assert (await aread_control(RELEASE)).state is ControlState.RUN
    ControlStore().write(RELEASE.halt_key, stored_halt())
    assert (await aread_control(RELEASE)).state is ControlState.HALT


async def test_a_trigger_reads_a_halt_also_where_the_other_note_is_not_given(airflow_api: AirflowAPI) -> None:
    ControlStore().write(RELEASE.note_key, stored(begun()))
    airflow_api.fail("GetAssetStateStoreByName", key="release/", times=99)
    with pytest.raises(StateUnavailableError):
        await aread_control(RELEASE)
    ControlStore().write(RELEASE.halt_key, stored_halt())
    assert (await aread_control(RELEASE)).state is ControlState.HALT


async def test_a_trigger_does_not_wait_for_ever(airflow_api: AirflowAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: Any) -> Any:
        await asyncio.sleep(60)

    monkeypatch.setattr(airflow_api, "asend", never)
    monkeypatch.setattr(control_store, "ANSWERED_WITHIN", 0.01)
    with pytest.raises(StateUnavailableError, match="none within 0 s"):
        await aread_control(RELEASE)
