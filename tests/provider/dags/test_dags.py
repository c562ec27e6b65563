"""The sample Dags, run by Airflow itself."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator
from tests.provider.operators.test_upgrade_operator import seed, upgrade, upload
from tests.provider.operators.test_verify_operator import FAILS, make_firmware, play, verify

if TYPE_CHECKING:
    from airflow.sdk import DAG

    from tests.provider.conftest import Service

DAGS = Path(__file__).parents[3] / "dags_examples"
SAMPLES = sorted(path.stem for path in DAGS.glob("*.py"))
PILOTS = ["device-001", "device-002"]


@pytest.fixture
def dag(request: pytest.FixtureRequest, airflow_database: None) -> DAG:
    return load(request.param)


def load(name: str, folder: Path = DAGS) -> DAG:
    """Give a Dag as Airflow knows it once its processor has read it: a sample, or one of another folder."""
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415 - reads the configuration of the test's Airflow

    bag = DagBag(dag_folder=str(folder), bundle_name="dags-folder")
    assert bag.import_errors == {}
    store(bag.dags[name])
    return bag.dags[name]


def store(dag: Any) -> None:
    """Make a Dag known to Airflow, as its processor does."""
    from airflow.models.dagbundle import DagBundleModel  # noqa: PLC0415 - reads the configuration of the test's Airflow
    from airflow.models.serialized_dag import SerializedDagModel  # noqa: PLC0415 - reads the configuration of the test's Airflow
    from airflow.serialization.definitions.dag import SerializedDAG  # noqa: PLC0415 - reads the configuration of the test's Airflow
    from airflow.serialization.serialized_objects import LazyDeserializedDAG  # noqa: PLC0415 - reads the configuration of the test's Airflow
    from airflow.utils.session import create_session  # noqa: PLC0415 - reads the configuration of the test's Airflow

    with create_session() as session:
        if session.get(DagBundleModel, "dags-folder") is None:
            session.add(DagBundleModel(name="dags-folder"))
            session.flush()
        lazy = LazyDeserializedDAG.from_dag(dag)
        SerializedDAG.bulk_write_to_db("dags-folder", None, [lazy], session=session)
        SerializedDagModel.write_dag(lazy, bundle_name="dags-folder", session=session)


@pytest.mark.airflow
@pytest.mark.parametrize("dag", ["release_firmware"], indirect=True)
@pytest.mark.parametrize(("devices", "state"), [({}, "success"), ({"device_002": FAILS}, "failed")])
def test_release_firmware_uploads_verifies_and_reports(
    service: Service, dag: DAG, firmware: Path, devices: dict[str, Any], state: str
) -> None:
    play(service, **devices)
    names = ["device-001", "device-002"]

    run = dag.test(run_conf={"version": "1.1.0", "source": str(firmware), "device_names": names})

    assert run.state == state
    states = {ti.task_id: ti.state for ti in run.get_task_instances()}
    assert states == {"check": "success", "upload": "success", "verify": state, "notify": "success"}
    (firmware_id,) = service.emulator.world.firmwares.by_id.values()
    assert firmware_id.status == (1 if state == "success" else 3)


@pytest.mark.airflow
@pytest.mark.parametrize("dag", ["release_firmware"], indirect=True)
def test_a_release_that_stops_at_the_upload_is_reported_and_fails(service: Service, dag: DAG, tmp_path: Path) -> None:
    run = dag.test(run_conf={"version": "1.1.0", "source": str(tmp_path / "missing.bin")})

    assert run.state == "failed"
    states = {ti.task_id: ti.state for ti in run.get_task_instances()}
    assert states == {"check": "success", "upload": "failed", "verify": "upstream_failed", "notify": "success"}


@pytest.mark.airflow
@pytest.mark.parametrize("dag", ["verify_firmware"], indirect=True)
def test_verify_firmware_verifies_a_firmware(service: Service, dag: DAG, context: Any, firmware: Path) -> None:
    firmware_id = make_firmware(service, context, firmware)

    run = dag.test(run_conf={"firmware_id": firmware_id, "device_names": ["device-007"]})

    assert run.state == "success"
    assert service.emulator.world.firmwares.by_id[firmware_id].status == 1


def on_xcom_page(run_id: str, task_id: str, key: str) -> Any:
    """Ask as Airflow's XCom page does."""
    from airflow.api_fastapi.core_api.routes.public.xcom import get_xcom_entry  # noqa: PLC0415 - reads the configuration of the test's Airflow
    from airflow.utils.session import create_session  # noqa: PLC0415 - reads the configuration of the test's Airflow

    with create_session() as session:
        shown = get_xcom_entry("verify_firmware", task_id, run_id, key, session, deserialize=True)
        return shown.model_dump(mode="json")["value"]


@pytest.mark.airflow
@pytest.mark.parametrize("dag", ["verify_firmware"], indirect=True)
def test_the_xcom_page_shows_the_exact_id_in_words(service: Service, dag: DAG, context: Any, firmware: Path) -> None:
    firmware_id = make_firmware(service, context, firmware)
    run = dag.test(run_conf={"firmware_id": firmware_id, "device_names": ["device-007"]})
    (job_id,) = service.emulator.world.engine.jobs

    assert on_xcom_page(run.run_id, "verify", "job") == f"job {job_id} of firmware {firmware_id}"
    assert on_xcom_page(run.run_id, "verify", "ota_release")["job_id"] == job_id
    # A number, which a browser rounds: once Airflow mends this, "job" is not needed any more.
    assert on_xcom_page(run.run_id, "verify", "job_id") == int(job_id) != int(float(job_id))


@pytest.mark.airflow
@pytest.mark.parametrize("dag", ["watch_job"], indirect=True)
def test_watch_job_waits_for_a_job_started_elsewhere(service: Service, dag: DAG, context: Any, firmware: Path) -> None:
    job_id = verify(make_firmware(service, context, firmware), wait_for_completion=False).execute(context)

    run = dag.test(run_conf={"job_id": job_id})

    assert run.state == "success"
    assert service.emulator.world.engine.jobs[job_id].status == "COMPLETED"


@pytest.mark.airflow
@pytest.mark.parametrize("dag", ["upgrade_firmware"], indirect=True)
@pytest.mark.parametrize(("product", "state", "jobs"), [({}, "success", 2), ({"fails": [{"share": 1.0}]}, "failed", 1)])
def test_upgrade_firmware_stops_at_a_share_that_fails(
    service: Service, dag: DAG, context: Any, firmware: Path, product: dict[str, Any], state: str, jobs: int
) -> None:
    seed(service, **product)
    firmware_id = upload(context, firmware)

    run = dag.test(run_conf={"firmware_id": firmware_id, "percent": 30}, mark_success_pattern="approve")

    assert run.state == state
    kinds = [(job.selection, len(job.tasks)) for job in service.emulator.world.engine.jobs.values()]
    assert kinds == [("GRAY", 3), ("ALL", 7)][:jobs]


@pytest.mark.airflow
@pytest.mark.parametrize("dag", ["verify_and_upgrade"], indirect=True)
@pytest.mark.parametrize(
    ("chosen", "selection", "upgraded"),
    [
        ({"target": "GRAY", "percent": 50}, "GRAY", 4),
        ({"target": "SPECIFIC", "device_names": ["device-008", "device-009"]}, "SPECIFIC", 2),
    ],
)
def test_verify_and_upgrade_hands_a_firmware_on_once_the_pilots_run_it(
    service: Service, dag: DAG, context: Any, firmware: Path, chosen: dict[str, Any], selection: str, upgraded: int
) -> None:
    seed(service)
    firmware_id = upload(context, firmware, need_to_verify=True)

    run = dag.test(run_conf={"firmware_id": firmware_id, **chosen})

    assert run.state == "success"
    verified, upgrade = service.emulator.world.engine.jobs.values()
    assert ([task.device.name for task in verified.tasks], upgrade.selection) == (PILOTS, selection)
    assert upgrade.counts["SUCCEEDED"] == len(upgrade.tasks) == upgraded


@pytest.mark.airflow
@pytest.mark.parametrize("dag", ["verify_and_upgrade"], indirect=True)
def test_verify_and_upgrade_stops_at_a_pilot_that_fails_and_reports(
    service: Service, dag: DAG, context: Any, firmware: Path
) -> None:
    seed(service, device={"device-002": FAILS})
    firmware_id = upload(context, firmware, need_to_verify=True)

    run = dag.test(run_conf={"firmware_id": firmware_id})

    assert run.state == "failed"
    states = {ti.task_id: ti.state for ti in run.get_task_instances()}
    assert states == {
        "check": "success",
        "verify": "failed",
        "tried": "upstream_failed",
        "upgrade": "upstream_failed",
        "notify": "success",
    }
    assert len(service.emulator.world.engine.jobs) == 1


@pytest.mark.airflow
@pytest.mark.parametrize("dag", ["verify_and_upgrade"], indirect=True)
def test_verify_and_upgrade_refuses_a_firmware_that_failed_on_a_pilot_and_was_marked_success(
    service: Service, dag: DAG, context: Any, firmware: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed(service, device={"device-002": FAILS})
    firmware_id = upload(context, firmware, need_to_verify=True)
    inner = TuyaOTACreateVerifyJobOperator.execute_complete

    def marked(self: TuyaOTACreateVerifyJobOperator, context: Any, event: Any) -> None:
        with suppress(JobFailedError):
            inner(self, context, event)

    monkeypatch.setattr(TuyaOTACreateVerifyJobOperator, "execute_complete", marked)

    run = dag.test(run_conf={"firmware_id": firmware_id})

    states = {ti.task_id: ti.state for ti in run.get_task_instances()}
    assert (states["verify"], states["tried"], states["upgrade"]) == ("success", "failed", "upstream_failed")
    assert len(service.emulator.world.engine.jobs) == 1
    said = run.get_task_instance("notify").xcom_pull(task_ids="notify")
    assert "The firmware has not succeeded on its pilots: its status is FAILED" in said


@pytest.mark.airflow
@pytest.mark.parametrize("dag", ["verify_and_upgrade"], indirect=True)
def test_verify_and_upgrade_refuses_a_firmware_that_no_pilot_has_tried(
    service: Service, dag: DAG, context: Any, firmware: Path
) -> None:
    seed(service)
    firmware_id = upload(context, firmware, need_to_verify=False)

    run = dag.test(run_conf={"firmware_id": firmware_id})

    assert run.state == "failed"
    states = {ti.task_id: ti.state for ti in run.get_task_instances()}
    assert (states["verify"], states["tried"], states["upgrade"]) == ("success", "failed", "upstream_failed")
    assert service.emulator.world.engine.jobs == {}
    said = run.get_task_instance("notify").xcom_pull(task_ids="notify")
    assert said.startswith("Step tried was refused, nothing was started")
    assert "No pilot has tried the firmware, because it needs no verification" in said[:160]


@pytest.mark.airflow
@pytest.mark.parametrize("dag", ["verify_and_upgrade"], indirect=True)
def test_verify_and_upgrade_hands_a_firmware_on_that_was_verified_before(
    service: Service, dag: DAG, context: Any, firmware: Path
) -> None:
    seed(service)
    firmware_id = upload(context, firmware, need_to_verify=True)
    verify(firmware_id, device_names=PILOTS).execute(context)

    assert dag.test(run_conf={"firmware_id": firmware_id, "percent": 50}).state == "success"


@pytest.mark.airflow
@pytest.mark.parametrize("dag", ["stop_job"], indirect=True)
def test_stop_job_cancels_what_has_not_begun(service: Service, dag: DAG, context: Any, firmware: Path) -> None:
    seed(service, offline=1.0)
    job_id = upgrade(upload(context, firmware), wait_for_completion=False).execute(context)

    run = dag.test(run_conf={"job_id": job_id})

    assert run.state == "success"
    assert service.emulator.world.engine.jobs[job_id].counts["CANCELED"] == 10


@pytest.mark.airflow
@pytest.mark.parametrize("dag", ["stop_job"], indirect=True)
def test_stop_job_says_that_a_job_had_already_ended(service: Service, dag: DAG, context: Any, firmware: Path) -> None:
    seed(service)
    job_id = upgrade(upload(context, firmware)).execute(context)

    run = dag.test(run_conf={"job_id": job_id})

    assert run.state == "success"
    report = run.get_task_instance("notify").xcom_pull(task_ids="notify")
    assert report.startswith(f"OTA job {job_id} had already ended as COMPLETED; nothing was cancelled")


@pytest.mark.airflow
@pytest.mark.parametrize("name", SAMPLES)
def test_the_last_step_of_every_sample_reports_once(airflow_database: None, name: str) -> None:
    notify: Any = load(name).get_task("notify")

    assert (notify.retries, notify.is_teardown) == (0, True)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_executed_here(name: str) -> None:
    assert f'["{name}"]' in Path(__file__).read_text(encoding="utf-8")
