"""Each row of the table that says when being killed stops a job."""

from __future__ import annotations

import pytest
from airflow.utils.state import TaskInstanceState

from airflow_provider_tuya_ota.core.jobs.kill_decision import CLEARED, Kill, Where, decide, state_in

STATES = (*(state.value for state in TaskInstanceState), CLEARED, None)
BY_A_PERSON = {"failed", "success", "skipped", "removed", "restarting"}
STOPS = {Where.WORKER: BY_A_PERSON, Where.TRIGGERER: BY_A_PERSON | {CLEARED}}


@pytest.mark.parametrize("where", Where)
@pytest.mark.parametrize("state", STATES)
def test_only_states_that_a_person_leaves_behind_stop_a_job(where: Where, state: str | None) -> None:
    decision = decide(Kill(where=where, state=state))

    assert decision.stop == (state in STOPS[where])
    assert decision.reason


@pytest.mark.parametrize("where", Where)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("is_out_of_time", [False, True])
def test_nothing_stops_a_job_that_the_task_only_follows(where: Where, state: str | None, is_out_of_time: bool) -> None:
    decision = decide(Kill(where=where, state=state, is_own=False, is_out_of_time=is_out_of_time))

    assert (decision.stop, decision.reason) == (False, "it is not certain that its task created it")


@pytest.mark.parametrize("where", Where)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("is_out_of_time", [False, True])
def test_nothing_stops_a_job_that_its_author_wants_kept(where: Where, state: str | None, is_out_of_time: bool) -> None:
    decision = decide(Kill(where=where, state=state, on_cancel="keep", is_out_of_time=is_out_of_time))

    assert (decision.stop, decision.reason) == (False, "on_cancel is 'keep'")


@pytest.mark.parametrize("where", Where)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("is_out_of_time", [False, True])
def test_a_process_that_stood_still_believes_nothing(where: Where, state: str | None, is_out_of_time: bool) -> None:
    decision = decide(Kill(where=where, state=state, has_stalled=True, is_out_of_time=is_out_of_time))

    assert not decision.stop
    assert f"this {where} stood still" in decision.reason


@pytest.mark.parametrize("state", STATES)
def test_the_execution_timeout_stops_a_job_whatever_the_state(state: str | None) -> None:
    assert decide(Kill(where=Where.WORKER, state=state, is_out_of_time=True)).stop


@pytest.mark.parametrize(
    ("where", "state", "reason"),
    [
        (Where.WORKER, "failed", "was marked failed"),
        (Where.WORKER, "restarting", "was cleared"),
        (Where.WORKER, "up_for_retry", "its task is up_for_retry: the try that comes decides"),
        (Where.WORKER, "running", "nobody asked"),
        (Where.WORKER, "deferred", "its task is deferred: the try that comes decides"),
        (Where.WORKER, CLEARED, "about to be scheduled"),
        (Where.TRIGGERER, CLEARED, "was cleared"),
        (Where.TRIGGERER, "deferred", "another wait has taken over"),
        (Where.TRIGGERER, None, "Airflow did not tell the state"),
    ],
)
def test_the_words_say_what_was_read(where: Where, state: str | None, reason: str) -> None:
    assert reason in decide(Kill(where=where, state=state)).reason


MAPPED: dict[str, dict[str, str | None]] = {
    "run": {"upgrade_0": "failed", "upgrade_1": "deferred", "upgrade_11": None},
    "other": {"upgrade": "success"},
}


@pytest.mark.parametrize(
    ("run_id", "map_index", "state"),
    [
        ("run", 0, "failed"),
        ("run", 1, "deferred"),
        ("run", 11, CLEARED),
        ("run", 2, None),
        ("run", -1, None),
        ("other", -1, "success"),
        ("gone", -1, None),
    ],
)
def test_a_mapped_task_reads_its_own_state(run_id: str, map_index: int, state: str | None) -> None:
    assert state_in(MAPPED, run_id=run_id, task_id="upgrade", map_index=map_index) == state
