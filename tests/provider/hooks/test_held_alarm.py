"""Airflow's alarm for an execution_timeout, during a request to Airflow's supervisor."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout
from airflow.sdk.execution_time.timeout import timeout

from airflow_provider_tuya_ota.core.errors import TransportError
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin, TrackedJob
from airflow_provider_tuya_ota.core.model.states import JobType
from airflow_provider_tuya_ota.hooks.airflow_api import repeat
from airflow_provider_tuya_ota.hooks.held_alarm import alarm_held_back
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.notifications.webhook import TuyaOTAWebhookNotifier
from airflow_provider_tuya_ota.runtime.xcom import pull_job_id, pull_report, push_job

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.provider.airflow_api import AirflowAPI

LATE = 60.0
"""Seconds after which Airflow's own alarm comes, if a test is broken."""


def ring() -> None:
    signal.raise_signal(signal.SIGALRM)


class Supervisor:
    """A task instance whose requests are answered in their order; the alarm rings while the first answer comes."""

    def __init__(self) -> None:
        self.unread: deque[str] = deque()
        self.read: list[tuple[str, str]] = []

    def ask(self, question: str) -> str:
        self.unread.append(question)
        if not self.read and len(self.unread) == 1:
            ring()
            time.sleep(0.001)
        self.read.append((question, self.unread.popleft()))
        return question

    def xcom_push(self, key: str, value: Any) -> None:
        self.ask(key)

    def xcom_pull(self, **asked: Any) -> str:
        return self.ask(asked["key"])


JOB = TrackedJob(job_id="9", firmware_id="178", kind=JobType.UPGRADE_FIRMWARE, origin=JobOrigin.CREATED)
REQUESTS: list[Callable[[Supervisor], object]] = [
    lambda ti: push_job(ti, JOB, link=""),
    lambda ti: pull_job_id(ti, task_id="t", map_index=None),
    lambda ti: pull_report(ti, task_id="t", map_index=None),
    lambda ti: repeat(lambda: ti.ask("a note"), "give the note"),
]


@pytest.mark.parametrize("request_", REQUESTS, ids=["push", "pull of a job", "pull of a report", "note"])
def test_an_alarm_inside_a_request_to_the_supervisor_rings_after_its_answer(
    request_: Callable[[Supervisor], object],
) -> None:
    """Otherwise each later request is given the answer to the one before it."""
    ti = Supervisor()

    with pytest.raises(AirflowTaskTimeout), timeout(LATE):  # type: ignore[no-untyped-call] # Airflow's
        request_(ti)

    assert len(ti.read) == 1
    assert ti.ask("the next question") == ti.read[-1][1]


def notify_webhook() -> None:
    with suppress(TransportError):  # nobody listens there
        TuyaOTAWebhookNotifier(webhook_conn_id="conn").notify({})


@pytest.mark.parametrize(
    ("conn_type", "read"),
    [("tuya_ota", lambda: TuyaOTAHook("conn").get_settings()), ("http", notify_webhook)],
    ids=["hook", "webhook"],
)
def test_an_alarm_interrupts_no_request_that_reads_or_masks_a_connection(
    airflow_api: AirflowAPI, monkeypatch: pytest.MonkeyPatch, conn_type: str, read: Callable[[], object]
) -> None:
    """Airflow masks an extra where it is parsed, so a property of a connection sends requests too."""
    fields = {"host": "http://127.0.0.1", "port": 1, "schema": None, "login": "key-id-1", "password": "word-1"}
    airflow_api.connections["conn"] = fields | {"conn_type": conn_type, "extra": '{"requests_per_second": 5}'}
    answer, answered, rings_at = airflow_api.send, list[str](), -1

    def send(message: Any) -> Any:
        if len(airflow_api.sent) == rings_at:
            ring()
            time.sleep(0.001)
        given = answer(message)
        answered.append(type(message).__name__)
        return given

    monkeypatch.setattr(airflow_api, "send", send)
    read()
    assert set(answered) == {"GetConnection", "MaskSecret"}
    for rings_at in range(len(answered)):
        airflow_api.sent.clear()
        answered.clear()
        with pytest.raises(AirflowTaskTimeout), timeout(LATE):  # type: ignore[no-untyped-call] # Airflow's
            read()
        assert len(answered) > rings_at
        assert answered == airflow_api.sent


def test_an_alarm_between_requests_rings_at_once() -> None:
    reached: list[str] = []

    def request_and_go_on() -> None:
        with alarm_held_back():
            pass
        ring()
        reached.append("the line after the alarm")

    with pytest.raises(AirflowTaskTimeout), timeout(LATE):  # type: ignore[no-untyped-call] # Airflow's
        request_and_go_on()

    assert reached == []


def test_an_alarm_rings_also_where_the_request_fails() -> None:
    def fail() -> None:
        ring()
        raise OSError

    with pytest.raises(AirflowTaskTimeout), timeout(LATE), alarm_held_back():  # type: ignore[no-untyped-call] # Airflow's
        fail()


def test_a_request_without_an_alarm_leaves_no_trace() -> None:
    with timeout(LATE):  # type: ignore[no-untyped-call] # Airflow's
        before = signal.getsignal(signal.SIGALRM)
        assert repeat(lambda: "given", "give it") == "given"
        assert signal.getsignal(signal.SIGALRM) == before


@pytest.mark.parametrize("handler", [signal.SIG_DFL, signal.SIG_IGN])
def test_where_nobody_has_set_an_alarm_nothing_is_held_back(handler: signal.Handlers) -> None:
    before = signal.signal(signal.SIGALRM, handler)
    try:
        with alarm_held_back():
            assert signal.getsignal(signal.SIGALRM) is handler
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_thread_which_no_signal_interrupts_holds_nothing_back() -> None:
    answers: list[str] = []

    def ask() -> None:
        answers.append(repeat(lambda: "given", "give it"))

    with timeout(LATE):  # type: ignore[no-untyped-call] # Airflow's
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()

    assert answers == ["given"]
