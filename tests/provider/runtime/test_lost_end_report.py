"""A step that succeeded, and whose report of that Airflow's API did not take, is not reported as stopped."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG

from airflow_provider_tuya_ota.hooks import airflow_api
from airflow_provider_tuya_ota.notifications import last_report
from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator
from airflow_provider_tuya_ota.runtime import last_report as polls
from tests.provider.conftest import FakeTask
from tests.provider.operators.test_upgrade_operator import PRODUCT, seed, upload
from tests.provider.runtime.test_last_report import FakeRun, released

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import Service


@pytest.fixture(autouse=True)
def no_end_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow's API takes the report from before a wait, and not the one from its end."""
    push = FakeTask.xcom_push

    def refuse_ends(task: FakeTask, key: str, value: Any) -> None:
        if key == "ota_release" and value["event"] != "waiting":
            raise ConnectionError("API_SERVER_ERROR 500")
        push(task, key, value)

    monkeypatch.setattr(FakeTask, "xcom_push", refuse_ends)
    monkeypatch.setattr(airflow_api, "PAUSES", (0.0,))


def report_of(run: FakeRun, dag: DAG, *steps: str) -> dict[str, Any]:
    context: Any = {"ti": run, "dag": dag, "run_id": "run"}
    return last_report(context, steps)


def test_its_job_is_polled_before_it_is_reported(service: Service, context: Any, firmware: Path) -> None:
    run, dag = FakeRun(), released(upload(context, firmware, need_to_verify=False), deferrable=False)
    run.execute(dag.get_task("upgrade"))

    report = report_of(run, dag, "upgrade")

    assert (run.states, report["event"], report["counts"]) == ({"upgrade": "success"}, "succeeded", {"SUCCEEDED": 3})
    assert "succeeded, as a poll shows: the step's last report was not stored" in report["text"]


def test_what_follows_it_and_was_not_begun_is_still_reported(service: Service, context: Any, firmware: Path) -> None:
    run, dag = FakeRun(), released(upload(context, firmware, need_to_verify=True), deferrable=False)
    run.execute(dag.get_task("verify"))
    run.states["upgrade"] = "upstream_failed"

    report = report_of(run, dag, "verify", "upgrade")

    assert (report["event"], report["step"], report["counts"]) == ("stopped", "verify", {"SUCCEEDED": 1})
    assert "succeeded, but what follows was not begun: upgrade (upstream_failed)" in report["text"]


@pytest.mark.parametrize("passed", [119.0, 121.0])
def test_each_instance_is_polled_until_one_has_not_succeeded_or_two_minutes_are_over(
    service: Service, context: Any, firmware: Path, passed: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(service, device={"device-003": {"outcome": "silent"}})
    own: dict[str, Any] = {
        "task_id": "upgrade",
        "target_selection": "SPECIFIC",
        "firmware_id": upload(context, firmware, need_to_verify=False),
        "product_key": PRODUCT,
        "poll_interval": 0.05,
        "on_cancel": "keep",
    }
    names = ["device-002", "device-003", "device-004"]
    with DAG("dag", schedule=None) as dag:
        groups = [[name] for name in names]
        TuyaOTACreateUpgradeJobOperator.partial(**own).expand(device_names=groups)
    run = FakeRun()
    for number, name in enumerate(names):
        waits = {"deferrable": name == "device-003"}
        run.execute(TuyaOTACreateUpgradeJobOperator(device_names=[name], **own | waits), f"upgrade_{number}")
    run.states["upgrade_1"] = "success"
    service.emulator.log.clear()
    begin = iter([0.0])
    monkeypatch.setattr(polls, "time", SimpleNamespace(monotonic=lambda: next(begin, passed)))

    report = report_of(run, dag, "upgrade")

    assert report["event"] == "stopped"
    if passed < 120:
        assert (report["step"], list(report["counts"])) == ("upgrade[1]", ["NOTIFIED"])
        assert "of 3 instances 2 stopped, 1 succeeded" in report["text"]
    else:
        assert service.actions == []
