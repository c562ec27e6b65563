"""A job is polled in the account that created it: each instance of a mapped step may use a connection of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG, task_group

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.status.event import LONGEST_ERROR
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.notifications import last_report
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator
from tests.provider.conftest import CONNECTION, FakeTask
from tests.provider.operators.test_upgrade_operator import PRODUCT, seed, upload
from tests.provider.runtime.test_last_report import FakeRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.provider.conftest import Service

FAST: dict[str, Any] = {"product_key": PRODUCT, "firmware_id": "178", "poll_interval": 0.05, "deferrable": True}
OF_TWO = [{"tuya_ota_conn_id": "eu"}, {"tuya_ota_conn_id": "us"}]


def partial() -> Any:
    return TuyaOTACreateVerifyJobOperator.partial(task_id="verify", **FAST)


def in_a_group(conn_id: Callable[[Any], Any]) -> None:
    @task_group
    def account(which: Any) -> None:
        TuyaOTACreateVerifyJobOperator(task_id="verify", tuya_ota_conn_id=conn_id(which), **FAST)

    account.expand(which=["eu", "us"])


def returned_before() -> Any:
    return TuyaOTACreateVerifyJobOperator(task_id="before", **FAST).output


MAPPED: dict[str, Callable[[], Any]] = {
    "expand": lambda: partial().expand(tuya_ota_conn_id=["eu", "us"]),
    "expand_kwargs": lambda: partial().expand_kwargs(OF_TWO),
    "expand_kwargs over a result": lambda: partial().expand_kwargs(returned_before()),
    "expand_kwargs with one result": lambda: partial().expand_kwargs([{"device_names": ["d"]}, returned_before()]),
    "a mapped group": lambda: in_a_group(lambda which: which),
    "a template of a mapped group": lambda: in_a_group(lambda _: "{{ ti.map_index }}"),
}


def report_of(run: FakeRun, dag: DAG, task_id: str) -> dict[str, Any]:
    context: Any = {"ti": run, "dag": dag, "run_id": "run"}
    return last_report(context, [task_id])


def stop_second(run: FakeRun, task_id: str, xcom: dict[str, Any]) -> None:
    """A person marks the second instance failed while it waits."""
    run.states = {f"{task_id}_1": "failed"}
    run.tasks = {f"{task_id}_1": FakeTask(task_id=task_id, map_index=1, xcom=xcom)}


@pytest.mark.parametrize("how", MAPPED)
def test_each_instance_is_polled_with_the_connection_that_it_used(
    service: Service, context: Any, firmware: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(service, device={"device-001": {"outcome": "fails", "reason": "worn"}})
    firmware_id = upload(context, firmware, need_to_verify=True)
    monkeypatch.setenv("AIRFLOW_CONN_US", os.environ[CONNECTION])
    with DAG("dag", schedule=None) as dag:
        MAPPED[how]()
        own = FAST | {"firmware_id": firmware_id, "tuya_ota_conn_id": "us", "on_cancel": "keep"}
        instance = TuyaOTACreateVerifyJobOperator(task_id="verify_of_us", device_names=["device-001"], **own)
    run = FakeRun()
    run.execute(instance)
    (task_id,) = (name for name in dag.task_ids if name.endswith("verify"))
    stop_second(run, task_id, run.tasks["verify_of_us"].xcom)
    service.connect(port=1)

    report = report_of(run, dag, task_id)

    assert (report["tuya_ota_conn_id"], report["event"], report["error"]) == ("us", "stopped", "")
    assert sum(report["counts"].values()) == 1


@pytest.mark.parametrize("how", MAPPED)
def test_no_account_is_asked_for_an_instance_whose_connection_is_unknown(service: Service, how: str) -> None:
    with DAG("dag", schedule=None) as dag:
        MAPPED[how]()
    run = FakeRun()
    (task_id,) = (name for name in dag.task_ids if name.endswith("verify"))
    stop_second(run, task_id, {"job_id": "1836"})

    report = report_of(run, dag, task_id)

    assert (report["event"], report["job_id"], report["counts"]) == ("stopped", "1836", {})
    assert "The job was not polled: the step is mapped" in report["text"]
    assert service.actions == []


@pytest.mark.parametrize(
    "step",
    [
        lambda: TuyaOTACreateVerifyJobOperator(task_id="verify", tuya_ota_conn_id="{{ run_id }}", **FAST),
        lambda: TuyaOTACreateVerifyJobOperator.partial(task_id="verify", tuya_ota_conn_id="run", **FAST).expand(
            device_names=[["d1"], ["d2"]]
        ),
        lambda: TuyaOTACreateVerifyJobOperator.partial(task_id="verify", tuya_ota_conn_id="run", **FAST).expand_kwargs(
            [{"device_names": ["d1"]}, {"device_names": ["d2"]}]
        ),
    ],
)
def test_a_connection_that_all_instances_share_is_used_without_a_report(
    service: Service, step: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_RUN", os.environ[CONNECTION])
    service.connect(port=1)
    with DAG("dag", schedule=None) as dag:
        step()
    run = FakeRun()
    stop_second(run, "verify", {"job_id": "1836"})

    report = report_of(run, dag, "verify")

    assert "The job could not be polled: " in report["error"]
    assert service.actions == ["QueryOTAJob"]


def test_an_address_given_as_connection_is_not_repeated(ti: FakeTask, context: Any) -> None:
    address = "https://user:pass@host/?sig=secret"
    step = TuyaOTACreateVerifyJobOperator(task_id="verify", device_names=["d"], tuya_ota_conn_id=address, **FAST)

    with pytest.raises(Exception, match="tuya_ota_conn_id"):
        step.execute(context)

    assert ti.xcom["ota_release"]["tuya_ota_conn_id"] == ""


def test_the_longest_error_of_a_poll_fits_into_the_report(run_of_one: tuple[FakeRun, DAG]) -> None:
    """The schema bounds it, which holds for every report of a test."""
    run, dag = run_of_one

    report = report_of(run, dag, "verify")

    assert report["error"].startswith("The job could not be polled: Connection 'nowhere' xxx")
    assert len(report["error"]) == LONGEST_ERROR


@pytest.fixture
def run_of_one(monkeypatch: pytest.MonkeyPatch) -> tuple[FakeRun, DAG]:
    """A step whose connection cannot be read for a reason that takes long to say."""

    def fail(_: TuyaOTAHook) -> Any:
        raise ConfigurationError("Connection 'nowhere' " + "x" * 2000)

    monkeypatch.setattr(TuyaOTAHook, "get_settings", fail)
    run = FakeRun(states={"verify": "failed"}, tasks={"verify": FakeTask(task_id="verify", xcom={"job_id": "1836"})})
    with DAG("dag", schedule=None) as dag:
        TuyaOTACreateVerifyJobOperator(task_id="verify", **FAST)
    return run, dag
