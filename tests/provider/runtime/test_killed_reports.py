"""The report if a person ends a task that waits in a worker: the wait continues after ``on_kill``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import create_autospec

import pytest
from airflow.sdk import BaseNotifier
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.transports.runtime import Runtime
from tests.provider.conftest import FakeStore, FakeTask
from tests.provider.operators.test_upgrade_operator import seed, upload
from tests.provider.runtime.test_last_report import FakeRun, released, report_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.provider.conftest import Service

EVENTS: list[str] = []


class Collect(BaseNotifier):
    """Remember the events that it is called with."""

    def notify(self, context: Any) -> None:
        EVENTS.append(context["ota_release"]["event"])


@pytest.fixture(autouse=True)
def no_events() -> None:
    EVENTS.clear()


@pytest.fixture
def ends(
    service: Service, context: Any, firmware: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[FakeRun, Any]]:
    """Run an upgrade that waits in a worker until its task is in a state, which Airflow answers once."""
    seed(service, device={"device-002": {"outcome": "silent"}, "device-003": {"outcome": "silent"}})

    def end(state: str, **changes: Any) -> tuple[FakeRun, Any]:
        run, sleep = FakeRun(), Runtime.sleep
        dag = released(upload(context, firmware), deferrable=False, notifiers=[Collect()], **changes)
        run.tasks["upgrade"] = ti = FakeTask(task_id="upgrade", max_tries=0)
        step: Any = dag.get_task("upgrade")
        states = {"run": {"upgrade": state}}
        asked = create_autospec(RuntimeTaskInstance.get_task_states, return_value=states)
        monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", staticmethod(asked))
        kills: list[str] = []

        def killed_once(runtime: Runtime, seconds: float) -> None:
            if not kills and not step.running.log_only:
                kills.append(step.running.jobs[0].job_id)
                step.on_kill()
            sleep(runtime, seconds)

        monkeypatch.setattr(Runtime, "sleep", killed_once)
        with pytest.raises(TuyaOTAError) as raised:
            step.execute({"ti": ti, "task_state_store": FakeStore()})
        monkeypatch.setattr(Runtime, "sleep", sleep)
        assert kills
        run.states = {"verify": "success", "upgrade": state}
        return run, (report_of(run, dag), raised.type)

    return end


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("failed", "step upgrade was marked failed by a person"),
        ("success", "stopped: step upgrade was marked success by a person, or its last report was not stored"),
    ],
)
def test_a_task_that_a_person_marked_reports_no_outcome_of_its_own_cancel(
    service: Service, ends: Callable[..., tuple[FakeRun, Any]], state: str, said: str
) -> None:
    run, (report, error) = ends(state)

    assert "CancelOTATaskByJob" in service.actions
    assert error is JobFailedError
    assert run.tasks["upgrade"].xcom["ota_release"]["event"] == "waiting"
    assert EVENTS == []
    assert (report["event"], report["counts"]["CANCELED"]) == ("stopped", 2)
    assert said in report["text"]


def test_a_task_that_a_person_marked_reports_no_outcome_of_a_job_that_is_kept(
    service: Service, ends: Callable[..., tuple[FakeRun, Any]]
) -> None:
    run, (report, error) = ends("failed", on_cancel="keep", timeout=1.0)

    assert "CancelOTATaskByJob" not in service.actions
    assert error is WaitTimeoutError
    assert run.tasks["upgrade"].xcom["ota_release"]["event"] == "waiting"
    assert EVENTS == []
    assert (report["event"], report["counts"]["NOTIFIED"]) == ("stopped", 2)


def test_a_process_that_is_asked_to_end_while_its_task_goes_on_reports_its_outcome(
    ends: Callable[..., tuple[FakeRun, Any]],
) -> None:
    run, _ = ends("running", timeout=1.0)

    assert run.tasks["upgrade"].xcom["ota_release"]["event"] == "timeout"
    assert EVENTS == ["timeout"]
