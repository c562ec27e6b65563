"""A step calls its notifiers once for each outcome, in whichever try."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import create_autospec

import pytest
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, BaseHook, RetryPolicy
from airflow.sdk.api.datamodels._generated import DagRun
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.execution_time.context import TaskStateStoreAccessor

from airflow_provider_tuya_ota.core.errors import ConfigurationError, InvalidParameterError, TransportError
from airflow_provider_tuya_ota.notifications import reported
from airflow_provider_tuya_ota.notifications.webhook import TuyaOTAWebhookNotifier
from airflow_provider_tuya_ota.retry_policy import tuya_ota_retry_policy
from airflow_provider_tuya_ota.runtime.notify import require_notifiers
from airflow_provider_tuya_ota.runtime.retry_forecast import will_be_tried_again
from tests.provider.conftest import FakeStore
from tests.provider.operators.test_verify_operator import RecordingNotifier, make_firmware, run, verify
from tests.provider.runtime.test_reports import Quiet, one

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import FakeTask, Service


@pytest.fixture
def firmware_id(service: Service, context: Any, firmware: Path) -> str:
    return make_firmware(service, context, firmware)


@pytest.fixture
def hearing(context: Any, ti: FakeTask) -> Any:
    """A task with a notifier, and the store that survives its tries."""
    RecordingNotifier.calls.clear()
    context |= {"task_state_store": FakeStore(), "dag_run": DagRun.model_construct(clear_number=0)}
    task = Quiet(task_id="check")
    task.notifiers = (RecordingNotifier("{{ ota_release.event }}"),)
    return task


def heard() -> list[str]:
    return [text for text, _ in RecordingNotifier.calls]


def fail(context: Any, task: Any, error: BaseException) -> None:
    with pytest.raises(type(error)), reported(context, task):
        raise error


def test_a_failure_is_reported_at_the_last_try_alone(
    context: Any, ti: FakeTask, hearing: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ti.max_tries = 3
    notified = []
    for ti.try_number in (1, 2, 3, 4):
        fail(context, hearing, ValueError("again"))
        notified.append(len(heard()))

    assert notified == [0, 0, 0, 1]
    assert capsys.readouterr().out.count("The notifiers are not called yet: Airflow tries this task again") == 3


def test_without_retries_a_failure_is_reported_at_once(context: Any, ti: FakeTask, hearing: Any) -> None:
    ti.max_tries = 0

    fail(context, hearing, ValueError("once"))

    assert heard() == ["failed"]


AWAY = TransportError("x", endpoint="e", delivery="unknown")  # type: ignore[arg-type] # a retry reads no delivery


@pytest.mark.parametrize(
    ("error", "is_reported"),
    [(ConfigurationError("wrong"), True), (AirflowFailException("no"), True), (AWAY, False), (ValueError("?"), False)],
)
def test_what_no_retry_follows_is_reported_at_once(
    context: Any, ti: FakeTask, hearing: Any, error: BaseException, is_reported: bool
) -> None:
    hearing.retry_policy = tuya_ota_retry_policy()

    fail(context, hearing, error)

    assert bool(heard()) is is_reported


@pytest.mark.parametrize("most", [0, 2])
def test_a_retry_policy_that_raises_hides_neither_the_error_nor_the_notification(
    context: Any, ti: FakeTask, hearing: Any, most: int
) -> None:
    """Airflow then goes by the number of tries."""
    policy = create_autospec(RetryPolicy, instance=True)
    policy.evaluate.side_effect = KeyError("a mistake in the policy")
    hearing.retry_policy, ti.max_tries = policy, most
    error = ValueError("once")

    fail(context, hearing, error)

    assert heard() == ([] if most else ["failed"])
    policy.evaluate.assert_called_once_with(exception=error, try_number=1, max_tries=most, context=context)


@pytest.mark.parametrize(("ti", "is_tried_again"), [(SimpleNamespace(), False), (SimpleNamespace(max_tries=1), True)])
def test_a_stand_in_for_a_task_instance_is_in_its_first_try_and_has_no_other(ti: Any, is_tried_again: bool) -> None:
    context: Any = {"ti": ti}

    assert will_be_tried_again(context, Quiet(task_id="check"), ValueError("once")) is is_tried_again


@pytest.mark.parametrize(
    ("clears", "tries"),
    [(1, 0), (0, 1), (1, 1)],
    ids=["another task is cleared", "without resetting the run", "with resetting it"],
)
def test_an_outcome_is_reported_once_and_again_after_each_clear(
    context: Any, ti: FakeTask, hearing: Any, clears: int, tries: int
) -> None:
    ti.max_tries = 0
    notified = []
    for _ in range(3):
        for _ in range(2):
            with reported(context, hearing):
                pass
        notified.append(len(heard()))
        context["dag_run"].clear_number += clears
        ti.max_tries += tries

    assert notified == [1, 2, 3]


def test_a_clear_is_noticed_also_where_the_dag_has_fewer_retries_since(
    context: Any, ti: FakeTask, hearing: Any
) -> None:
    for hearing.retries in (3, 2):
        # Airflow has given the cleared task two more tries after its first.
        ti.max_tries = 3
        with reported(context, hearing):
            pass

    assert heard() == ["succeeded"] * 2


def test_an_outcome_that_an_earlier_version_has_reported_is_known(context: Any, ti: FakeTask, hearing: Any) -> None:
    ti.max_tries = 0
    stored = {"clear_number": 0, "cleared_after": 0, "outcome": ["succeeded", "", ""]}
    context["task_state_store"].set("tuya_ota.notified", stored)

    with reported(context, hearing):
        pass

    assert heard() == []


@pytest.mark.parametrize("notifiers", [None, (), []])
def test_a_task_without_notifiers_is_not_refused_and_stores_nothing(context: Any, hearing: Any, notifiers: Any) -> None:
    hearing.notifiers = notifiers

    require_notifiers(notifiers, hearing.log)
    with reported(context, hearing):
        pass

    assert context["task_state_store"].values == {}


def test_another_outcome_is_reported_too(context: Any, ti: FakeTask, hearing: Any) -> None:
    ti.max_tries = 0
    fail(context, hearing, ValueError("once"))
    with reported(context, hearing):
        pass

    assert heard() == ["failed", "succeeded"]


BROKEN = create_autospec(TaskStateStoreAccessor, instance=True)
BROKEN.get.side_effect = ZeroDivisionError


BROKEN.set.side_effect = ZeroDivisionError


@pytest.mark.parametrize("store", [None, BROKEN], ids=["no store", "a broken one"])
def test_without_a_store_every_notifier_is_called(
    context: Any, hearing: Any, store: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    context["task_state_store"] = store
    with reported(context, hearing):
        pass

    assert heard() == ["succeeded"]
    said = capsys.readouterr().out
    assert ("Whether the notifiers were called already cannot be read" in said) is (store is BROKEN)
    assert ("The notifiers may be called again" in said) is (store is BROKEN)


@pytest.mark.parametrize(
    "name", ["TuyaOTAUploadFirmwareOperator", "TuyaOTACreateVerifyJobOperator", "TuyaOTACreateUpgradeJobOperator"]
)
def test_a_webhook_that_does_not_exist_is_found_before_anything_is_sent(
    service: Service, context: Any, firmware: Path, name: str
) -> None:
    with pytest.raises(ConfigurationError, match="Webhook connection 'typo' is not defined"):
        one(name, firmware, notifiers=TuyaOTAWebhookNotifier(webhook_conn_id="typo")).execute(context)

    assert service.actions == []


@pytest.mark.parametrize("conn_id", [None, 5, "", ["hook"]])
def test_a_webhook_whose_connection_id_is_none_is_refused_before_anything_is_sent(
    service: Service, context: Any, firmware: Path, conn_id: Any
) -> None:
    with pytest.raises(InvalidParameterError, match=r"^webhook_conn_id: "):
        one(
            "TuyaOTACreateUpgradeJobOperator", firmware, notifiers=TuyaOTAWebhookNotifier(webhook_conn_id=conn_id)
        ).execute(context)

    assert service.actions == []


def test_a_webhook_whose_connection_id_is_the_output_of_a_task_is_not_checked(
    service: Service, context: Any, firmware_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with DAG("dag", schedule=None):
        chosen = EmptyOperator(task_id="choose").output
    run(verify(firmware_id, notifiers=[TuyaOTAWebhookNotifier(webhook_conn_id=chosen)]), context)  # type: ignore[arg-type] # as a Dag may give it

    assert "cannot be checked now" not in capsys.readouterr().out


def test_a_connection_that_cannot_be_read_now_stops_nothing(
    service: Service,
    context: Any,
    firmware_id: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    notifier = TuyaOTAWebhookNotifier(webhook_conn_id="hook")
    monkeypatch.setattr("airflow.sdk.BaseHook.get_connection", away_for("hook", BaseHook.get_connection))

    assert run(verify(firmware_id, notifiers=[notifier]), context)
    assert "TuyaOTAWebhookNotifier cannot be checked now" in capsys.readouterr().out


def away_for(conn_id: str, otherwise: Any) -> Any:
    """Make one connection unreadable."""

    def get_connection(asked: str) -> Any:
        if asked == conn_id:
            raise RuntimeError("the API server is away")
        return otherwise(asked)

    return staticmethod(get_connection)


def test_what_is_no_notifier_is_refused_and_hides_no_other_error(context: Any, ti: FakeTask) -> None:
    ti.max_tries = 0
    with pytest.raises(InvalidParameterError, match="notifiers"):
        verify("178", notifiers="ops@example.com").execute(context)
    assert ti.xcom["ota_release"]["event"] == "refused"
    with pytest.raises(InvalidParameterError, match="if_verified"):
        verify("178", notifiers="ops@example.com", if_verified="maybe").execute(context)


def test_a_job_that_a_retry_goes_on_with_is_reported_once(
    service: Service, context: Any, ti: FakeTask, firmware: Path
) -> None:
    RecordingNotifier.calls.clear()
    firmware_id = make_firmware(service, context, firmware)
    context["task_state_store"] = FakeStore()
    notified = {"notifiers": RecordingNotifier("{{ ota_release.event }}")}

    for ti.try_number in (1, 2):
        # The process of the first try is lost after its notifiers ran and before Airflow knows.
        run(verify(firmware_id, **notified), context)

    assert heard() == ["succeeded"]
