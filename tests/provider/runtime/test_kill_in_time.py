"""Requests of a process after SIGTERM, and their duration: Airflow leaves it five seconds."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn
from unittest.mock import create_autospec

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin, TrackedJob
from airflow_provider_tuya_ota.core.model.states import JobType
from airflow_provider_tuya_ota.core.settings import Credentials, Settings
from airflow_provider_tuya_ota.runtime import kill as killing
from airflow_provider_tuya_ota.runtime.kill import RunningJobs, answer_kill
from airflow_provider_tuya_ota.runtime.wait import BACKSTOP
from airflow_provider_tuya_ota.triggers import kill_answer
from airflow_provider_tuya_ota.triggers.job_set import LONGEST_STOP
from tests.provider.triggers.fake_triggerer import Log

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = Settings(credentials=Credentials("key", "secret"), host="ota.example.com")
LOG = logging.getLogger("test")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let a person have marked the task failed, and listen to the questions for its state."""
    asked = create_autospec(RuntimeTaskInstance.get_task_states, return_value={"r": {"t": "failed", "t_2": "failed"}})
    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", staticmethod(asked))
    return asked


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Collect the settings with which a job is stopped; nothing is sent."""
    used: list[Settings] = []

    def connect(settings: Settings, **_: Any) -> NoReturn:
        used.append(settings)
        raise ConnectionError

    monkeypatch.setattr(killing, "TuyaOTAClient", connect)
    return used


def running(map_index: int = -1) -> RunningJobs:
    job = TrackedJob(job_id="9001", firmware_id="178", kind=JobType.UPGRADE_FIRMWARE, origin=JobOrigin.CREATED)
    return RunningJobs(SETTINGS, (job,), "d", "r", "t", map_index)


def kill() -> None:
    answer_kill(running(), LOG)


def run_out() -> None:
    """End the task as Airflow does when its execution_timeout is over."""
    try:
        raise AirflowTaskTimeout  # noqa: TRY301 - Airflow calls on_kill while it handles this
    except AirflowTaskTimeout:
        kill()


@pytest.mark.parametrize("map_index", [-1, 2])
def test_the_state_of_this_very_task_is_asked_for(asked: Any, used: list[Settings], map_index: int) -> None:
    answer_kill(running(map_index), LOG)

    asked.assert_called_once_with(dag_id="d", task_ids=["t"], run_ids=["r"], map_index=map_index)
    assert len(used) == 1


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(("end", "timeouts"), [(kill, (1.0, 2.0)), (run_out, (10.0, 30.0))])
def test_who_is_killed_waits_no_longer_for_an_answer_than_airflow_lets_it_live(
    used: list[Settings], end: Callable[[], None], timeouts: tuple[float, float]
) -> None:
    end()

    assert [(settings.connect_timeout, settings.read_timeout) for settings in used] == [timeouts]


def test_a_killed_process_has_said_everything_before_airflow_kills_it_for_good() -> None:
    assert killing.PROBE_SECONDS < killing.KILLED_SECONDS
    assert killing.KILLED_SECONDS + killing.LOG_SECONDS < 5


def test_a_trigger_that_stops_a_job_whose_time_is_over_ends_before_airflow_gives_it_up() -> None:
    assert BACKSTOP.total_seconds() >= 2 * LONGEST_STOP


def test_a_triggerer_asks_for_a_state_four_times_and_leaves_a_line_to_others() -> None:
    *pauses, last = kill_answer.ASK_PAUSES

    assert (pauses, last) == ([1.0, 3.0, 6.0], None)
    assert (kill_answer.ASK_SECONDS, kill_answer.ASK_AT_ONCE) == (10.0, 8)


def test_what_keeps_a_job_from_being_stopped_is_logged_with_what_a_person_has_to_do(asked: Any, used: Any) -> None:
    log = Log()

    assert answer_kill(running(), log)

    assert log.lines[-1].startswith("Whether job 9001 was stopped is not known; look at its device tasks")
    assert log.lines[-1].endswith("ConnectionError.")


def test_a_stop_that_hangs_does_not_keep_a_process_alive_that_airflow_wants_to_end(
    asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_daemon: list[bool] = []

    def connect(*_: Any, **__: Any) -> NoReturn:
        is_daemon.append(threading.current_thread().daemon)
        raise ConnectionError

    monkeypatch.setattr(killing, "TuyaOTAClient", connect)
    kill()

    assert is_daemon == [True]


def test_a_kill_while_a_job_is_created_leaves_the_outcome_to_the_task() -> None:
    assert not answer_kill(replace(running(), log_only="while it was creating a job"), LOG)


def test_a_stand_in_for_a_task_instance_is_no_mapped_one() -> None:
    context: Any = {"ti": SimpleNamespace()}

    assert RunningJobs.of(context, SETTINGS).map_index == -1


def test_a_freeze_is_noticed_from_the_moment_that_a_job_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[bool] = []
    monkeypatch.setattr(killing, "stall_detector", lambda: begun.append(True))
    context: Any = {"ti": SimpleNamespace()}

    RunningJobs.of(context, SETTINGS)

    assert begun == [True]


def test_a_log_that_hangs_holds_a_kill_up_for_less_than_the_second_that_is_left() -> None:
    is_over = threading.Event()
    log = SimpleNamespace(warning=lambda *_: is_over.wait())
    before = time.monotonic()

    answer_kill(replace(running(), log_only="while it was creating a job"), log)

    assert time.monotonic() - before < 1
    is_over.set()


def test_half_of_the_time_without_a_heartbeat_is_a_freeze(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT", "10")
    monkeypatch.setattr(killing, "ThreadStallDetector", lambda seconds: seconds)

    found: Any = killing.stall_detector.__wrapped__()

    assert found == 5.0
