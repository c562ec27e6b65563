"""A template that raises ends a step before Airflow runs it; its end is reported and notified like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG, BaseOperator
from airflow.sdk.api.datamodels._generated import DagRun
from airflow.sdk.exceptions import AirflowSkipException
from airflow.sdk.execution_time.context import set_current_context
from jinja2 import TemplateSyntaxError, UndefinedError

from airflow_provider_tuya_ota.notifications import last_report
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator
from airflow_provider_tuya_ota.sensors.job import TuyaOTAJobSensor
from tests.provider.conftest import FakeStore
from tests.provider.dags.test_dags import store
from tests.provider.operators.test_rendered_arguments import EVERY_FIELD, OPERATORS, PRODUCT
from tests.provider.operators.test_verify_operator import RecordingNotifier

if TYPE_CHECKING:
    from tests.provider.conftest import FakeTask

RAISES = "{{ missing['id'] }}"


@pytest.fixture
def running(context: Any) -> Any:
    """The context of a task whose process has begun, and whose notifiers remember what they hear."""
    RecordingNotifier.calls.clear()
    context |= {"task_state_store": FakeStore(), "missing": None, "dag_run": DagRun.model_construct(clear_number=0)}
    with set_current_context(context):
        yield context


def verification(**changes: Any) -> BaseOperator:
    arguments: dict[str, Any] = {
        "firmware_id": RAISES,
        "notifiers": RecordingNotifier("{{ ota_release.text }}"),
        **PRODUCT,
    } | changes
    with DAG("d", schedule=None):
        return TuyaOTACreateVerifyJobOperator(task_id="task", **arguments)


def end(task: BaseOperator, context: Any) -> None:
    with pytest.raises(UndefinedError):
        task.render_template_fields(context)


@EVERY_FIELD
def test_every_argument_that_cannot_be_rendered_is_a_refusal_that_names_it(
    running: Any, ti: FakeTask, operator: type[Any], name: str
) -> None:
    with DAG("d", schedule=None):
        asked = operator(task_id="task", **OPERATORS[operator] | {name: RAISES})

    end(asked, running)

    report = ti.xcom["ota_release"]
    assert (report["event"], report["step"]) == ("refused", "task")
    assert report["error"].startswith(f"The template of {name} cannot be rendered: UndefinedError: 'None' has no")
    assert report["error"] in report["text"]
    assert "{{" not in str(report)


def test_a_template_that_raises_is_reported_once(running: Any, ti: FakeTask) -> None:
    ti.max_tries = 1
    report = []
    for ti.try_number in (1, 2):
        end(verification(), running)
        report.append(len(RecordingNotifier.calls))

    assert report == [0, 1]
    assert RecordingNotifier.calls[0][0].startswith(
        "Step task was refused, nothing was started, 0 s. The template of firmware"
    )


def test_a_notifier_that_cannot_be_used_leaves_the_error_as_it_is(running: Any, ti: FakeTask) -> None:
    end(verification(notifiers=["a@example.com"]), running)

    assert ti.xcom["ota_release"]["event"] == "refused"


@pytest.mark.parametrize("job_id", ["77", ""])
def test_a_step_that_goes_on_after_a_wait_is_reported_with_its_job(running: Any, ti: FakeTask, job_id: str) -> None:
    ti.max_tries = 0
    ti.xcom["ota_release"] = {"event": "waiting", "job_id": job_id, "started_at": "2026-01-01T00:00:00+00:00"}

    end(verification(), running)

    report = ti.xcom["ota_release"]
    assert (report["event"], report["job_id"]) == ("failed" if job_id else "refused", job_id)


def test_an_earlier_report_that_cannot_be_read_does_not_hide_the_error(
    running: Any, ti: FakeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(type(ti), "xcom_pull", away)

    end(verification(), running)

    assert ti.xcom["ota_release"]["event"] == "refused"


def test_one_of_many_is_reported_alone(running: Any, ti: FakeTask) -> None:
    ti.map_index, ti.max_tries = 1, 0
    with DAG("d", schedule=None):
        mapped = TuyaOTACreateVerifyJobOperator.partial(
            task_id="task",
            device_names=[RAISES],
            product_key="k1demoproduct",
            notifiers=RecordingNotifier("{{ ota_release.event }}"),
        ).expand(firmware_id=["178", "179"])
    running |= {"dag": mapped.dag, "dag_run": DagRun.model_construct(conf={}, clear_number=0)}

    with pytest.raises(UndefinedError):
        mapped.render_template_fields(running)

    assert [text for text, _ in RecordingNotifier.calls] == ["refused"]


def test_a_template_that_skips_the_step_has_not_failed(running: Any, ti: FakeTask) -> None:
    def skip(**_: Any) -> None:
        raise AirflowSkipException("not today")

    with pytest.raises(AirflowSkipException):
        verification(firmware_id=skip).render_template_fields(running)

    assert (ti.xcom, RecordingNotifier.calls) == ({}, [])


def test_rendering_templates_for_display_calls_no_notifier(context: Any, ti: FakeTask) -> None:
    """As ``airflow tasks render`` does."""
    RecordingNotifier.calls.clear()

    end(verification(), context | {"missing": None})

    assert (ti.xcom, RecordingNotifier.calls) == ({}, [])


@pytest.mark.airflow
@pytest.mark.usefixtures("airflow_database")
def test_in_airflow_the_step_fails_with_its_report_and_the_run_reports_it() -> None:
    RecordingNotifier.calls.clear()
    seen: list[str] = []
    wrong = "{{ ti.xcom_pull(task_ids='nobody')['id'] }}"
    with DAG("unrendered", schedule=None) as dag:
        TuyaOTACreateVerifyJobOperator(
            task_id="verify",
            firmware_id=wrong,
            product_key="k1demoproduct",
            notifiers=[RecordingNotifier("{{ ota_release.text }}")],
        )
        TuyaOTAJobSensor(task_id="watch", job_id="{% if %}")
    for task in dag.tasks:
        task.on_failure_callback = [lambda context: seen.append(last_report(context, [context["ti"].task_id])["text"])]
    store(dag)

    run = dag.test()

    assert run.state == "failed"
    assert [text.partition(",")[0] for text, _ in RecordingNotifier.calls] == ["Step verify was refused"]
    assert any("The template of firmware_id cannot be rendered: UndefinedError" in text for text in seen)
    assert any(f"The template of job_id cannot be rendered: {TemplateSyntaxError.__name__}" in text for text in seen)
