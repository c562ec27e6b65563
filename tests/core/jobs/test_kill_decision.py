"""Each row of the table that says when being killed stops a job."""

from __future__ import annotations

from dataclasses import replace

import pytest
from airflow.utils.state import TaskInstanceState

from airflow_provider_tuya_ota.core.jobs.kill_decision import (
    Kill,
    KilledProcess,
    TaskState,
    assess_kill,
    is_ended_from_outside,
    parse_task_state,
)

NO_STATE = TaskState(None)
STATES = (*(TaskState(state.value) for state in TaskInstanceState), NO_STATE, None)
BY_A_PERSON = {TaskState(name) for name in ("failed", "success", "skipped", "removed", "restarting")}
STOPS = {KilledProcess.WORKER: BY_A_PERSON, KilledProcess.TRIGGERER: BY_A_PERSON | {NO_STATE}}


@pytest.mark.parametrize("process", KilledProcess)
@pytest.mark.parametrize("state", STATES)
def test_only_states_that_a_person_leaves_behind_stop_a_job(process: KilledProcess, state: TaskState | None) -> None:
    decision = assess_kill(Kill(process=process, state=state))

    assert decision.stop == (state in STOPS[process])
    assert decision.reason


@pytest.mark.parametrize("process", KilledProcess)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("is_out_of_time", [False, True])
def test_nothing_stops_a_job_that_the_task_only_follows(
    process: KilledProcess, state: TaskState | None, is_out_of_time: bool
) -> None:
    decision = assess_kill(Kill(process=process, state=state, is_own=False, is_out_of_time=is_out_of_time))

    assert (decision.stop, decision.reason) == (False, "it is not certain that its task created it")


@pytest.mark.parametrize("process", KilledProcess)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("is_out_of_time", [False, True])
def test_nothing_stops_a_job_that_its_author_wants_kept(
    process: KilledProcess, state: TaskState | None, is_out_of_time: bool
) -> None:
    decision = assess_kill(Kill(process=process, state=state, on_cancel="keep", is_out_of_time=is_out_of_time))

    assert (decision.stop, decision.reason) == (False, "on_cancel is 'keep'")


@pytest.mark.parametrize("process", KilledProcess)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("is_out_of_time", [False, True])
def test_a_process_that_stood_still_believes_nothing(
    process: KilledProcess, state: TaskState | None, is_out_of_time: bool
) -> None:
    decision = assess_kill(Kill(process=process, state=state, has_stalled=True, is_out_of_time=is_out_of_time))

    assert not decision.stop
    assert f"this {process} stood still" in decision.reason


@pytest.mark.parametrize("state", STATES)
def test_where_airflow_was_silent_only_the_execution_timeout_stops_a_job(state: TaskState | None) -> None:
    kill = Kill(process=KilledProcess.WORKER, state=state, was_silent=True)

    assert not assess_kill(kill).stop
    assert "Airflow did not answer for a while" in assess_kill(kill).reason
    assert not is_ended_from_outside(kill)
    assert assess_kill(replace(kill, is_out_of_time=True)).stop


@pytest.mark.parametrize("state", STATES)
def test_the_execution_timeout_stops_a_job_whatever_the_state(state: TaskState | None) -> None:
    assert assess_kill(Kill(process=KilledProcess.WORKER, state=state, is_out_of_time=True)).stop


@pytest.mark.parametrize(
    ("process", "state", "reason"),
    [
        (KilledProcess.WORKER, TaskState("failed"), "was marked failed"),
        (KilledProcess.WORKER, TaskState("restarting"), "was cleared"),
        (KilledProcess.WORKER, TaskState("up_for_retry"), "its task is up_for_retry: its next try decides"),
        (KilledProcess.WORKER, TaskState("running"), "nobody asked"),
        (KilledProcess.WORKER, TaskState("deferred"), "its task is deferred: its next try decides"),
        (KilledProcess.WORKER, NO_STATE, "about to be scheduled"),
        (KilledProcess.TRIGGERER, NO_STATE, "was cleared"),
        (KilledProcess.TRIGGERER, TaskState("deferred"), "another wait has taken over"),
        (KilledProcess.TRIGGERER, None, "Airflow did not give the state"),
    ],
)
def test_the_words_say_what_was_read(process: KilledProcess, state: TaskState | None, reason: str) -> None:
    assert reason in assess_kill(Kill(process=process, state=state)).reason


MAPPED: dict[str, dict[str, str | None]] = {
    "run": {"upgrade_0": "failed", "upgrade_1": "deferred", "upgrade_11": None},
    "other": {"upgrade": "success"},
}


@pytest.mark.parametrize(
    ("run_id", "map_index", "state"),
    [
        ("run", 0, TaskState("failed")),
        ("run", 1, TaskState("deferred")),
        ("run", 11, NO_STATE),
        ("run", 2, None),
        ("run", -1, None),
        ("other", -1, TaskState("success")),
        ("gone", -1, None),
    ],
)
def test_a_mapped_task_reads_its_own_state(run_id: str, map_index: int, state: TaskState | None) -> None:
    assert parse_task_state(MAPPED, run_id=run_id, task_id="upgrade", map_index=map_index) == state


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("on_cancel", ["stop", "keep"])
@pytest.mark.parametrize("is_own", [False, True])
def test_a_task_that_a_person_ended_is_known_whatever_becomes_of_its_job(
    state: TaskState | None, on_cancel: str, is_own: bool
) -> None:
    kill = Kill(process=KilledProcess.WORKER, state=state, on_cancel=on_cancel, is_own=is_own)

    assert is_ended_from_outside(kill) == (state in BY_A_PERSON)
    assert not is_ended_from_outside(replace(kill, has_stalled=True))
    assert not is_ended_from_outside(replace(kill, is_out_of_time=True))
