from __future__ import annotations

import asyncio
import dataclasses
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient, Listeners, LogListener, TuyaOTAClient
from airflow_provider_tuya_ota.core.actions import CancelOTATaskByJob, QueryOTAJob
from airflow_provider_tuya_ota.core.errors import NotFoundError, UnavailableError
from airflow_provider_tuya_ota.core.flows.events import RequestRetried
from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict
from airflow_provider_tuya_ota.core.upload_events import FileUploadStarted, FirmwareOutcomeUnknown
from airflow_provider_tuya_ota.transports.runtime import Runtime
from tests.core.script import job, ok, refused
from tests.transports.servers import answer, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow_provider_tuya_ota.core.flows.events import FlowEvent
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.transports.interfaces import Listener
    from tests.transports.conftest import Recorder

Use: TypeAlias = "Callable[..., Any]"
"""Call a method of a client, then close it."""


class Hasty(Runtime):
    """A world in which waiting takes no time."""

    def sleep(self, seconds: float) -> None:
        """Wait for nothing."""

    async def asleep(self, seconds: float, *, unless: asyncio.Event | None = None) -> None:
        """Wait for nothing."""


def with_client(settings: Settings, method: str, arguments: tuple[Any, ...], listener: Listener | None = None) -> Any:
    with TuyaOTAClient(settings, runtime=Hasty(), listener=listener) as client:
        return getattr(client, method)(*arguments)


def with_async_client(
    settings: Settings, method: str, arguments: tuple[Any, ...], listener: Listener | None = None
) -> Any:
    async def run() -> Any:
        async with AsyncTuyaOTAClient(settings, runtime=Hasty(), listener=listener) as client:
            return await getattr(client, method)(*arguments)

    return asyncio.run(run())


either = pytest.mark.parametrize("use", [with_client, with_async_client])


@either
def test_an_operation_is_carried_out_and_its_answer_read(use: Use, settings: Settings) -> None:
    with serving(answer(ok(data=job("9")).body)) as server:
        found = use(dataclasses.replace(settings, port=server.port), "do", (QueryOTAJob(job_id="9"),))

    assert found.job_id == "9"
    assert server.received[0].target.startswith("/?AccessKeyId=canary-key-id&Action=QueryOTAJob&")


@either
def test_a_refusal_is_raised_as_its_error(use: Use, settings: Settings) -> None:
    body = refused("iot.firmware.FirmwareNotFound").body

    with serving(answer(body, "400 Bad Request")) as server, pytest.raises(NotFoundError):
        use(dataclasses.replace(settings, port=server.port), "do", (QueryOTAJob(job_id="9"),))


@either
@pytest.mark.parametrize("params", [None, {"PageSize": 10, "TaskId": ["a", "b"]}])
def test_any_operation_can_be_called_by_name(use: Use, settings: Settings, params: Mapping[str, Any] | None) -> None:
    with serving(answer(ok(data={"Answer": 42}).body)) as server:
        reply = use(dataclasses.replace(settings, port=server.port), "call", ("Pub", params))

    assert reply.fields.record("data")["answer"] == 42
    assert ("TaskId.2=b" in server.received[0].target) is bool(params)


@either
@pytest.mark.parametrize(
    ("name", "requests"),
    [("QueryOTAJob", 5), ("CancelOTATaskByJob", 5), ("CreateOTAVerifyJob", 1), ("Pub", 1)],
)
def test_only_operations_known_to_be_harmless_are_repeated(
    use: Use, settings: Settings, name: str, requests: int
) -> None:
    with serving(answer(b"", "503 Busy")) as server, pytest.raises(UnavailableError):
        use(dataclasses.replace(settings, port=server.port), "call", (name, {"JobId": "9"}))

    assert len(server.received) == requests


@either
def test_a_warning_is_written_to_the_modules_log(use: Use, settings: Settings, log: Recorder) -> None:
    with serving(answer(ok().body)) as server:
        use(dataclasses.replace(settings, port=server.port), "do", (CancelOTATaskByJob(job_id="9"),))

    assert any("nothing would be cancelled" in line for line in log.lines)
    assert "canary" not in json.dumps(log.lines)


class Lines:
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def info(self, text: str, *values: object) -> None:
        self.lines.append(("info", text % values))

    def warning(self, text: str, *values: object) -> None:
        self.lines.append(("warning", text % values))


def verdict(status: str) -> Verdict:
    return Verdict(
        job_id="9",
        firmware_id="178",
        job_type="VERIFY_FIRMWARE",
        job_status=status,
        firmware_status="VERIFYING",
        outcome=Outcome.RUNNING,
    )


def test_a_job_is_logged_when_it_changes_and_events_by_their_level() -> None:
    log = Lines()
    listener = LogListener(log)

    for status in ("PLANNED", "PLANNED", "IN_PROGRESS", "IN_PROGRESS"):
        listener.report(verdict(status))
    listener.event(FileUploadStarted("lamp 100 %.bin", 4))
    listener.event(FirmwareOutcomeUnknown("No answer."))

    assert [text.split(";")[0] for _, text in log.lines] == [
        "job 9 PLANNED",
        "job 9 IN_PROGRESS",
        "Uploading lamp 100 %.bin, 4 bytes",
        "No answer. Checking whether the firmware exists.",
    ]
    assert [weight for weight, _ in log.lines] == ["info", "info", "info", "warning"]


def test_importing_the_client_loads_no_http_library() -> None:
    program = (
        "import sys, airflow_provider_tuya_ota.client; print([n for n in sys.modules if n in ('requests', 'aiohttp')])"
    )

    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert printed.strip() == "[]"


class Page:
    """What a page that shows progress would keep."""

    def __init__(self) -> None:
        self.events: list[FlowEvent] = []
        self.verdicts: list[Verdict] = []

    def event(self, event: FlowEvent) -> None:
        self.events.append(event)

    def report(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)


@either
def test_a_page_beside_the_log_receives_typed_events(use: Use, settings: Settings) -> None:
    page, log = Page(), Lines()
    with serving(answer(b"", "503 Service Unavailable")) as server, pytest.raises(UnavailableError):
        use(
            dataclasses.replace(settings, port=server.port),
            "do",
            (QueryOTAJob(job_id="9"),),
            Listeners(LogListener(log), page),
        )

    assert {type(event) for event in page.events} == {RequestRetried}
    assert {event.action for event in page.events if isinstance(event, RequestRetried)} == {"QueryOTAJob"}
    assert log.lines == [(event.level, event.line()) for event in page.events]


def test_a_page_beside_the_log_receives_every_state_of_a_job() -> None:
    page, log = Page(), Lines()
    listeners = Listeners(LogListener(log), page)

    for status in ("PLANNED", "PLANNED"):
        listeners.report(verdict(status))

    assert page.verdicts == [verdict("PLANNED")] * 2
    assert len(log.lines) == 1
