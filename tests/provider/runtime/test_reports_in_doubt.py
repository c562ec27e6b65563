"""No report denies what an earlier try, a lost request or a part of the work has done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import BaseNotifier, BaseOperator
from airflow.sdk.api.datamodels._generated import DagRun
from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time.context import set_current_context
from jinja2 import UndefinedError

from airflow_provider_tuya_ota.core.errors import AuthenticationError, ConfigurationError, TuyaOTAError
from airflow_provider_tuya_ota.core.jobs.intent import Stage
from airflow_provider_tuya_ota.notifications import reported
from airflow_provider_tuya_ota.runtime.state_store import TaskStateStore
from tests.provider.conftest import FakeStore
from tests.provider.operators.test_verify_operator import make_firmware, verify

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import Context

    from tests.provider.conftest import FakeTask, Service


def test_a_retry_that_is_refused_reports_the_job_of_the_try_before(
    service: Service, context: Any, ti: FakeTask, firmware: Path
) -> None:
    firmware_id = make_firmware(service, context, firmware)
    context["task_state_store"] = FakeStore()
    job_id = verify(firmware_id, wait_for_completion=False).execute(context)
    ti.xcom.clear()
    service.connect(password="another")

    with pytest.raises(AuthenticationError):
        verify(firmware_id).execute(context)

    report = ti.xcom["ota_release"]
    assert (report["event"], report["job_id"]) == ("failed", job_id)
    assert "nothing was started" not in report["text"]


def test_a_retry_that_does_not_come_to_a_poll_reports_the_job_of_the_try_before(
    service: Service, context: Any, ti: FakeTask, firmware: Path
) -> None:
    firmware_id = make_firmware(service, context, firmware)
    context["task_state_store"] = FakeStore()
    job_id = verify(firmware_id, wait_for_completion=False).execute(context)
    report = []
    with set_current_context(context):
        for retry in (
            lambda: verify(firmware_id, tuya_ota_conn_id="nowhere").execute(context),
            lambda: verify(firmware_id, on_cancel="what").execute(context),
            lambda: verify("{{ missing['id'] }}").render_template_fields(context),
        ):
            ti.xcom.clear()
            with pytest.raises((ConfigurationError, UndefinedError)):
                retry()
            report.append((ti.xcom["ota_release"]["event"], ti.xcom["ota_release"]["job_id"]))

    assert report == [("failed", job_id)] * 3


@pytest.mark.parametrize("is_own", [True, False], ids=["this task", "another one"])
def test_a_job_from_before_a_clear_is_reported_where_another_task_was_cleared(
    service: Service, context: Any, ti: FakeTask, firmware: Path, is_own: bool
) -> None:
    firmware_id = make_firmware(service, context, firmware)
    context["task_state_store"] = FakeStore()
    job_id = verify(firmware_id, wait_for_completion=False).execute(context)
    context["dag_run"] = DagRun.model_construct(clear_number=1)
    ti.max_tries += is_own

    with pytest.raises(ConfigurationError):
        verify(firmware_id, tuya_ota_conn_id="nowhere").execute(context)

    report = ti.xcom["ota_release"]
    assert (report["event"], report["job_id"]) == (("refused", "") if is_own else ("failed", job_id))


def test_a_first_try_that_is_refused_before_it_has_stored_anything_leaves_no_doubt(
    service: Service, context: Any, ti: FakeTask
) -> None:
    context["task_state_store"] = FakeStore()

    with pytest.raises(ConfigurationError):
        verify("178", tuya_ota_conn_id="nowhere").execute(context)

    assert (ti.xcom["ota_release"]["event"], ti.xcom["ota_release"]["job_id"]) == ("refused", "")


def test_a_note_that_cannot_be_read_does_not_hide_the_error(service: Service, context: Any, ti: FakeTask) -> None:
    class Away(FakeStore):
        def get(self, key: str, default: Any = None) -> Any:
            raise ConnectionError(key)

    context["task_state_store"] = Away()

    with pytest.raises(ConfigurationError):
        verify("178", tuya_ota_conn_id="nowhere").execute(context)

    assert ti.xcom["ota_release"]["event"] == "refused"


def test_a_lost_create_that_nobody_may_look_for_is_unclear(
    service: Service, context: Any, ti: FakeTask, firmware: Path
) -> None:
    firmware_id = make_firmware(service, context, firmware)
    context["task_state_store"] = FakeStore()
    create = {"action": "CreateOTAVerifyJob", "kind": "drop_after", "nth": 1}
    service.emulator.faults.add(create)
    listing = {"action": "ListOTAJobByFirmware", "kind": "skew", "seconds": 86_400, "nth": 2}
    service.emulator.faults.add(listing)

    with pytest.raises(TuyaOTAError):
        verify(firmware_id).execute(context)

    report = ti.xcom["ota_release"]
    assert (report["event"], report["job_id"]) == ("unclear", "")


@pytest.mark.parametrize(
    ("stage", "event", "has_job"),
    [
        (Stage.PREPARING, "timeout", False),
        (Stage.ASKING, "unclear", False),
        (Stage.CREATED, "timeout", True),
    ],
)
def test_an_alarm_during_the_create_says_whether_there_may_be_a_job(
    service: Service,
    context: Any,
    ti: FakeTask,
    firmware: Path,
    monkeypatch: pytest.MonkeyPatch,
    stage: Stage,
    event: str,
    has_job: bool,
) -> None:
    firmware_id = make_firmware(service, context, firmware)
    context["task_state_store"] = FakeStore()
    save = TaskStateStore.save_state

    def save_until_the_alarm_rings(store: TaskStateStore, value: Any) -> None:
        save(store, value)
        if value["stage"] == stage:
            raise AirflowTaskTimeout

    monkeypatch.setattr(TaskStateStore, "save_state", save_until_the_alarm_rings)
    with pytest.raises(AirflowTaskTimeout):
        verify(firmware_id).execute(context)

    report = ti.xcom["ota_release"]
    assert (report["event"], bool(report["job_id"])) == (event, has_job)
    assert "The task's execution_timeout was over." in report["text"]
    assert ("A job may have been created, and a retry looks for it." in report["text"]) is (event == "unclear")


def test_an_alarm_that_rings_in_a_slow_notifier_changes_no_outcome(context: Any, ti: FakeTask) -> None:
    class Slow(BaseNotifier):
        def notify(self, context: Context) -> None:
            raise AirflowTaskTimeout

    task = BaseOperator(task_id="task")
    task.notifiers = (Slow(),)

    with reported(context, task):
        pass

    assert ti.xcom["ota_release"]["event"] == "succeeded"
