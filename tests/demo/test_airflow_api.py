from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

import pytest

from airflow_provider_tuya_ota.core.settings import Settings
from airflow_provider_tuya_ota.demo import airflow_api
from airflow_provider_tuya_ota.demo.airflow_api import AirflowApi
from airflow_provider_tuya_ota.demo.emulator_process import Announcement
from airflow_provider_tuya_ota.demo.processes import DemoError, free_ports
from airflow_provider_tuya_ota.links import console_url

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVICE = Announcement("http://127.0.0.1:4711", "some-id", "some-secret", ("k1",))


class StubAirflow:
    """Answers by table, first with what the table of earlier answers has, and remembers what it was sent."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {"GET /auth/token": (201, {"access_token": "token"})}
        self.earlier: dict[str, list[tuple[int, Any]]] = {}
        self.requests: list[tuple[str, Any]] = []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                what = f"{self.command} {self.path.removeprefix('/api/v2')}"
                length = int(self.headers.get("Content-Length") or 0)
                stub.requests.append((what, json.loads(self.rfile.read(length)) if length else None))
                earlier = stub.earlier.get(what)
                status, body = earlier.pop(0) if earlier else stub.answers.get(what, (404, {"detail": "not found"}))
                content = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the library's names

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def airflow() -> Iterator[StubAirflow]:
    with StubAirflow() as stub:
        yield stub


def test_the_connection_replaces_an_older_one_and_points_at_the_emulator(airflow: StubAirflow) -> None:
    airflow.answers["POST /connections"] = (201, {})

    with AirflowApi(airflow.url) as api:
        api.set_connection(SERVICE)

    (_, _), (deletion, _), (creation, sent) = airflow.requests
    assert deletion == "DELETE /connections/tuya_ota_default"
    assert creation == "POST /connections"
    assert {name: sent[name] for name in ("connection_id", "conn_type", "host", "port", "login", "password")} == {
        "connection_id": "tuya_ota_default",
        "conn_type": "tuya_ota",
        "host": "http://127.0.0.1",
        "port": 4711,
        "login": "some-id",
        "password": "some-secret",
    }
    settings = Settings.from_connection_fields(
        host="http://127.0.0.1", port=4711, login="some-id", password="some-secret", extra=json.loads(sent["extra"])
    )
    link = console_url(settings, job_id="17", firmware_id="1", product_key="k1")
    assert link == "http://127.0.0.1:4711/_emulator/console/?job=17"


def test_a_refusal_says_which_field_but_never_repeats_what_was_sent(airflow: StubAirflow) -> None:
    refusal = {"loc": ["body", "password"], "msg": "too short", "input": "some-secret"}
    airflow.answers["POST /connections"] = (422, {"detail": [refusal]})

    with AirflowApi(airflow.url) as api, pytest.raises(DemoError) as refused:
        api.set_connection(SERVICE)

    assert str(refused.value) == "Airflow refused POST connections: HTTP 422, body.password: too short"


LOCKED = (500, {"detail": {"reason": "Database error", "statement": "hidden"}})


def test_a_run_is_started_once_airflow_s_database_is_free(
    airflow: StubAirflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow_api, "PAUSE", 0.0)
    airflow.earlier["POST /dags/release/dagRuns"] = [LOCKED, LOCKED]
    airflow.answers["POST /dags/release/dagRuns"] = (200, {"dag_run_id": "manual__1"})

    with AirflowApi(airflow.url) as api:
        assert api.trigger("release", {}) == "manual__1"

    assert len(airflow.requests) == 1 + 3


@pytest.mark.parametrize(
    ("answer", "tries"), [(LOCKED, airflow_api.TRIES), ((500, {"detail": "no answer"}), 1)], ids=["locked", "other"]
)
def test_a_run_that_airflow_never_starts_is_an_error(
    airflow: StubAirflow, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, Any], tries: int
) -> None:
    monkeypatch.setattr(airflow_api, "PAUSE", 0.0)
    airflow.answers["POST /dags/release/dagRuns"] = answer

    with AirflowApi(airflow.url) as api, pytest.raises(DemoError, match="HTTP 500"):
        api.trigger("release", {})

    assert len(airflow.requests) == 1 + tries


def test_a_run_is_started_with_the_values_of_the_form(airflow: StubAirflow) -> None:
    airflow.answers["POST /dags/release/dagRuns"] = (200, {"dag_run_id": "manual__1"})

    with AirflowApi(airflow.url) as api:
        assert api.trigger("release", {"version": "1.1"}) == "manual__1"

    assert airflow.requests[-1][1] == {"logical_date": None, "conf": {"version": "1.1"}}


def test_a_task_without_a_state_waits(airflow: StubAirflow) -> None:
    tasks = [{"task_id": "upload", "state": "success"}, {"task_id": "verify", "state": None}]
    airflow.answers["GET /dags/d/dagRuns/r/taskInstances"] = (200, {"task_instances": tasks})

    with AirflowApi(airflow.url) as api:
        assert api.task_states("d", "r") == {"upload": "success", "verify": "waiting"}


def test_what_a_task_did_not_push_is_none(airflow: StubAirflow) -> None:
    airflow.answers["GET /dags/d/dagRuns/r/taskInstances/t/xcomEntries/there"] = (200, {"value": {"a": 1}})

    with AirflowApi(airflow.url) as api:
        assert api.xcom("d", "r", "t", "there") == {"a": 1}
        assert api.xcom("d", "r", "t", "missing") is None


def test_a_log_shows_what_was_raised_and_leaves_out_the_marks_of_groups(airflow: StubAirflow) -> None:
    content = [
        {"event": "::group::Pre Execute"},
        {"event": "first"},
        "second",
        {"event": "Task failed", "error_detail": [{"exc_type": "ConfigurationError", "exc_value": "wrong suffix"}]},
        {"event": "::endgroup::", "error_detail": None},
    ]
    airflow.answers["GET /dags/d/dagRuns/r/taskInstances/t/logs/1"] = (200, {"content": content})

    with AirflowApi(airflow.url) as api:
        assert api.log_lines("d", "r", "t") == ["first", "second", "Task failed", "ConfigurationError: wrong suffix"]


def test_a_dag_that_cannot_be_read_is_reported_with_its_import_error(airflow: StubAirflow) -> None:
    errors = [{"stack_trace": "Traceback\n  line 1\nModuleNotFoundError: No module named 'x'\n"}]
    airflow.answers["GET /importErrors"] = (200, {"import_errors": errors})

    with AirflowApi(airflow.url) as api, pytest.raises(DemoError, match="No module named 'x'"):
        api.wait_for_dag("release", seconds=0.01)


def test_a_dag_that_is_there_is_not_waited_for(airflow: StubAirflow) -> None:
    airflow.answers["GET /dags/release"] = (200, {})

    with AirflowApi(airflow.url) as api:
        api.wait_for_dag("release", seconds=60)

    assert airflow.requests[-1][0] == "GET /dags/release"


def test_an_airflow_that_is_gone_is_one_clear_sentence() -> None:
    with pytest.raises(DemoError, match="does not answer GET auth/token"):
        AirflowApi(f"http://127.0.0.1:{free_ports(1)[0]}")
