"""Every sample Dag, however it ends: what is reported is what is true at the platform.

A person's ways to end a run need a real scheduler: :mod:`tests.campaigns.ends` plays those.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.provider.conftest import CONNECTION
from tests.provider.dags.test_dags import load
from tests.provider.notifications.test_webhook import Receiver
from tests.provider.operators.test_upgrade_operator import seed, upgrade, upload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from airflow.sdk import DAG

    from tests.provider.conftest import Service

DEVICES = ["device-001", "device-002"]
FAILS = {"outcome": "fails", "reason": "worn flash"}
SILENT = {"outcome": "silent"}


@dataclass(frozen=True)
class End:
    """One way to end.

    :param event: what has to be reported, and of which step.
    :param device: what the second device does.
    :param connected: whether the connection exists.
    :param timeout: seconds that the step may wait.
    :param answer: of the person who is asked before everybody gets the firmware.
    """

    dag: str
    event: str
    step: str
    conf: dict[str, Any] = field(default_factory=dict)
    device: dict[str, Any] = field(default_factory=dict)
    connected: bool = True
    timeout: float | None = None
    answer: str = ""
    said: str = ""


RELEASE, BOTH, UPGRADE = "release_firmware", "verify_and_upgrade", "upgrade_firmware"
ONE, STOP, WATCH = "verify_firmware", "stop_job", "watch_job"
EVERYBODY_FAILS = {"percent": 100}
NAMED = {"target": "SPECIFIC", "device_names": ["device-002", "device-003"], "pilots": ["device-001"]}
ENDS = [
    End(RELEASE, "succeeded", "verify", said="2 SUCCEEDED"),
    End(RELEASE, "failed", "verify", device=FAILS, said="worn flash"),
    End(RELEASE, "timeout", "verify", device=SILENT, timeout=1.0, said="1 CANCELED"),
    End(RELEASE, "refused", "upload", conf={"source": "/nowhere/thermostat.exe"}),
    End(RELEASE, "refused", "upload", connected=False, said="Connection 'tuya_ota_default' is not defined"),
    End(RELEASE, "refused", "check", conf={"webhook_conn_id": "typo"}, said="Webhook connection 'typo' is not defined"),
    End(BOTH, "succeeded", "upgrade", conf=NAMED, said="2 SUCCEEDED"),
    End(BOTH, "failed", "verify", device=FAILS, said="worn flash"),
    End(BOTH, "failed", "upgrade", conf=NAMED, device=FAILS, said="1 FAILED, 1 SUCCEEDED"),
    End(BOTH, "timeout", "upgrade", conf=NAMED, device=SILENT, timeout=1.0, said="1 CANCELED, 1 SUCCEEDED"),
    End(BOTH, "refused", "check", conf={"target": "SPECIFIC"}, said="name them with SPECIFIC"),
    End(BOTH, "refused", "check", conf={"device_names": ["device-001"]}, said="leave them empty with GRAY"),
    End(BOTH, "refused", "verify", connected=False, said="is not defined"),
    End(BOTH, "refused", "verify", conf={"firmware_id": "999"}, said="QueryOTAFirmware was refused"),
    End(UPGRADE, "succeeded", "everybody", answer="Approve"),
    End(UPGRADE, "stopped", "share", answer="Reject", said="step approve was rejected, and what follows was"),
    End(UPGRADE, "stopped", "approve", answer="failed", said="; not begun: everybody (upstream_failed)"),
    End(UPGRADE, "failed", "share", conf=EVERYBODY_FAILS, device=FAILS, said="worn flash"),
    End(UPGRADE, "timeout", "share", conf=EVERYBODY_FAILS, device=SILENT, timeout=1.0, said="1 CANCELED"),
    End(UPGRADE, "refused", "share", conf={"firmware_id": "999"}),
    End(UPGRADE, "refused", "check", conf={"webhook_conn_id": "typo"}, said="is not defined"),
    End(ONE, "succeeded", "verify"),
    End(ONE, "failed", "verify", device=FAILS, said="worn flash"),
    End(ONE, "timeout", "verify", device=SILENT, timeout=1.0, said="1 CANCELED"),
    End(ONE, "refused", "verify", conf={"firmware_id": "999"}),
    End(ONE, "refused", "verify", connected=False, said="is not defined"),
    End(STOP, "succeeded", "cancel", device=SILENT, said="nothing is left unfinished"),
    End(
        STOP, "refused", "cancel", conf={"queued": False, "notified": False, "unconfirmed": False}, said="none of them"
    ),
    End(STOP, "refused", "cancel", conf={"job_id": "999"}),
    End(STOP, "refused", "cancel", connected=False, said="is not defined"),
    End(WATCH, "succeeded", "wait_for_job"),
    End(WATCH, "failed", "wait_for_job", device=FAILS, said="worn flash"),
    End(WATCH, "timeout", "wait_for_job", device=SILENT, timeout=1.0),
    End(WATCH, "refused", "wait_for_job", conf={"job_id": "999"}),
]
KEPT = (RELEASE, BOTH, UPGRADE)
"""They have a webhook; the others only say."""


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        there = {"conn_type": "http", "host": f"http://127.0.0.1:{server.server_port}/hook"}
        monkeypatch.setenv("AIRFLOW_CONN_HOOK", json.dumps(there))
        yield server
        server.shutdown()
        thread.join()


def configured(end: End, service: Service, context: Any, firmware: Path) -> dict[str, Any]:
    """Fill in the form, and bring the world where the Dag finds it."""
    seed(service, device={"device-002": end.device} if end.device else {})
    if end.dag == RELEASE:
        conf: dict[str, Any] = {"version": "1.1.0", "source": str(firmware), "device_names": DEVICES}
    else:
        conf = {"firmware_id": upload(context, firmware, need_to_verify=end.dag in {BOTH, ONE})}
    if end.dag == BOTH:
        conf["pilots"] = DEVICES
    if end.dag == ONE:
        conf["device_names"] = DEVICES
    if end.dag in {STOP, WATCH}:
        job = upgrade(conf.pop("firmware_id"), wait_for_completion=False)
        conf["job_id"] = job.execute(context)
    if end.dag in KEPT:
        conf["webhook_conn_id"] = "hook"
    return conf | end.conf


def play(end: End, dag: DAG, conf: dict[str, Any]) -> Any:
    """Run the Dag, and answer as the person who is asked."""
    if end.timeout is not None:
        step: Any = dag.get_task(end.step)
        step.timeout = end.timeout
    if not end.answer:
        return dag.test(run_conf=conf)
    answer = answering(end.dag, end.answer)
    person = threading.Thread(target=answer)
    person.start()
    try:
        return dag.test(run_conf=conf)
    finally:
        person.join()


def answering(dag_id: str, choice: str) -> Callable[[], None]:
    """Give what answers the question of a run as the page does."""
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser  # noqa: PLC0415 - needs the database
    from airflow.api_fastapi.core_api.datamodels.hitl import UpdateHITLDetailPayload  # noqa: PLC0415 - needs the database
    from airflow.api_fastapi.core_api.routes.public.hitl import update_hitl_detail  # noqa: PLC0415 - needs the database
    from airflow.models.taskinstance import TaskInstance  # noqa: PLC0415 - needs the database
    from airflow.utils.session import create_session  # noqa: PLC0415 - needs the database
    from sqlalchemy import select  # noqa: PLC0415 - needs the database

    asked = select(TaskInstance).where(TaskInstance.dag_id == dag_id, TaskInstance.state == "awaiting_input")
    person = SimpleAuthManagerUser(username="ann", role="admin")

    def answer() -> None:
        for _ in range(300):
            with create_session() as session:
                if (ti := session.scalar(asked)) and choice == "failed":
                    mark(ti, session)
                    return
                if ti:
                    reply = UpdateHITLDetailPayload(chosen_options=[choice])
                    update_hitl_detail(dag_id, ti.run_id, ti.task_id, reply, person, session)
                    return
            time.sleep(0.1)

    return answer


def mark(ti: Any, session: Any) -> None:
    """Mark a task failed as the page does."""
    from airflow.models.serialized_dag import SerializedDagModel  # noqa: PLC0415 - needs the database
    from airflow.utils.state import TaskInstanceState  # noqa: PLC0415 - needs the database

    dag: Any = SerializedDagModel.get_dag(ti.dag_id, session=session)
    dag.set_task_instance_state(task_id=ti.task_id, run_id=ti.run_id, state=TaskInstanceState.FAILED, session=session)


def untrue(report: dict[str, Any], service: Service) -> list[str]:
    """Hold a report against the platform."""
    job = service.emulator.world.engine.jobs.get(report["job_id"])
    if job is None:
        return [] if not report["counts"] else ["counts without a job"]
    counts = {status: number for status, number in job.counts.items() if number}
    failing = sorted(task.device.name for task in job.tasks if task.status in {"FAILED", "CANCELED"})
    every = report["event"] != "succeeded" or set(counts) == {"SUCCEEDED"}
    return [
        *([] if not report["counts"] or report["counts"] == counts else [f"{report['counts']} instead of {counts}"]),
        *(
            []
            if not report["counts"] or [one["name"] for one in report["failing"]] == failing
            else ["other devices fail"]
        ),
        *([] if every or report["step"] == "cancel" else ["it is no success"]),
        *([] if report["version"] in {"", job.firmware.version} else ["another version"]),
    ]


@pytest.mark.airflow
@pytest.mark.parametrize("end", ENDS, ids=lambda end: f"{end.dag}-{end.step}-{end.event}")
def test_what_is_reported_is_what_is_true(
    airflow_database: None, service: Service, receiver: Receiver, context: Any, firmware: Path, end: End
) -> None:
    conf = configured(end, service, context, firmware)
    before = set(service.emulator.world.engine.jobs)
    firmwares = len(service.emulator.world.firmwares.by_id)
    if not end.connected:
        service.monkeypatch.delenv(CONNECTION)

    run = play(end, load(end.dag), conf)

    assert run.state == ("success" if end.event == "succeeded" or end.answer == "Reject" else "failed")
    if end.dag in KEPT and conf["webhook_conn_id"] == "hook":
        ((_, _, body),) = receiver.received
        report, text = body["ota_release"], body["text"]
    else:
        report = run.get_task_instance(end.step).xcom_pull(task_ids=end.step, key="ota_release")
        text = run.get_task_instance("notify").xcom_pull(task_ids="notify")
        assert receiver.received == []
    assert (report["event"], report["step"]) == (end.event, end.step), text
    assert end.said in text
    assert report["text"] == text
    assert untrue(report, service) == []
    made = set(service.emulator.world.engine.jobs) - before
    if end.event == "refused":
        assert (made, report["job_id"] in {"", conf.get("job_id")}) == (set(), True)
        assert len(service.emulator.world.firmwares.by_id) == firmwares
    elif end.dag not in {STOP, WATCH} and end.step != "approve":
        assert report["job_id"] in made


@pytest.mark.airflow
@pytest.mark.parametrize("name", KEPT)
def test_what_a_webhook_does_not_take_is_kept_and_sent_once(
    airflow_database: None, service: Service, receiver: Receiver, name: str
) -> None:
    service.monkeypatch.delenv(CONNECTION)
    receiver.status = 500
    conf = {"firmware_id": "178", "webhook_conn_id": "hook"}
    if name == RELEASE:
        conf = {"version": "1.1.0", "source": "x.bin", "webhook_conn_id": "hook"}

    run = load(name).test(run_conf=conf)

    notify = run.get_task_instance("notify")
    assert notify.state == "failed"
    ((_, _, body),) = receiver.received
    assert notify.xcom_pull(task_ids="notify") == body["text"]


@pytest.mark.airflow
@pytest.mark.parametrize(
    ("name", "conf"),
    [
        (RELEASE, {"version": "1.1.0", "source": "x.bin", "device_names": [f"device-{n:03d}" for n in range(11)]}),
        (RELEASE, {"version": "1.1.0", "source": "x.bin", "device_names": ["device-001", "device-001"]}),
        (RELEASE, {"version": "1.1.0", "source": "x.bin", "device_names": [" "]}),
        (RELEASE, {"version": "1 1", "source": "x.bin"}),
        (BOTH, {"firmware_id": "178", "pilots": [f"device-{n:03d}" for n in range(11)]}),
        (BOTH, {"firmware_id": "178", "pilots": ["device-001"] * 2}),
        (BOTH, {"firmware_id": "178", "device_names": [f"device-{n:03d}" for n in range(201)], "target": "SPECIFIC"}),
        (BOTH, {"firmware_id": "178", "device_names": ["device-001"] * 2, "target": "SPECIFIC"}),
        (BOTH, {"firmware_id": "1 78"}),
        (BOTH, {"firmware_id": "178", "percent": 0}),
        (ONE, {"firmware_id": "178", "device_names": ["device-001"] * 2}),
        (ONE, {"firmware_id": "178", "device_names": []}),
        (UPGRADE, {"firmware_id": "178", "percent": 101}),
        (UPGRADE, {"firmware_id": "178", "product_key": ""}),
        (STOP, {"job_id": "12a"}),
        (WATCH, {"job_id": "1.5"}),
    ],
)
def test_a_form_refuses_what_would_be_refused_later(airflow_database: None, name: str, conf: dict[str, Any]) -> None:
    from airflow.exceptions import ParamValidationError  # noqa: PLC0415 - reads the configuration of the test's Airflow

    with pytest.raises(ParamValidationError):
        load(name).test(run_conf=conf)
