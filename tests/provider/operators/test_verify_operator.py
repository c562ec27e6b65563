from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import BaseNotifier
from airflow.sdk.exceptions import TaskDeferred

from airflow_provider_tuya_ota.core.errors import OutcomeError, TriggerEventError
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.operators.firmware import TuyaOTAUploadFirmwareOperator
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.triggers.base import BaseTrigger

    from tests.provider.conftest import FakeTask, Service

DEVICES = ["device-001", "device-002"]
BOTH = pytest.mark.parametrize("deferrable", [False, True], ids=["blocking", "deferred"])
FAILS = {"outcome": "fails", "step": -4, "at_progress": 60, "reason": "flash write failed"}


def play(service: Service, **devices: dict[str, Any]) -> None:
    """Give devices a script."""
    named = {name.replace("_", "-"): values for name, values in devices.items()}
    service.emulator.reset(read({"products": [{"device": named}], "quotas": {"enabled": False}}))


@pytest.fixture
def firmware_id(service: Service, context: Any, firmware: Path) -> str:
    return make_firmware(service, context, firmware)


def make_firmware(service: Service, context: Any, firmware: Path, version: str = "1.1.0") -> str:
    firmware_id = TuyaOTAUploadFirmwareOperator(
        task_id="upload", source=str(firmware), version=version, product_key="k1demoproduct"
    ).execute(context)
    context["ti"].xcom.clear()
    service.emulator.log.clear()
    return firmware_id


def verify(firmware_id: str, **changes: Any) -> TuyaOTACreateVerifyJobOperator:
    arguments: dict[str, Any] = {
        "firmware_id": firmware_id,
        "product_key": "k1demoproduct",
        "device_names": DEVICES,
        "poll_interval": 0.05,
        "timeout": 20,
    }
    return TuyaOTACreateVerifyJobOperator(task_id="verify", **arguments | changes)


def run(operator: TuyaOTACreateVerifyJobOperator, context: Any) -> Any:
    """Execute as Airflow does: through the triggerer where the task defers."""
    try:
        return operator.execute(context)
    except TaskDeferred as deferred:
        go_on = getattr(operator, deferred.method_name)
        return go_on(context, event=fired(deferred.trigger), **(deferred.kwargs or {}))


def fired(trigger: BaseTrigger) -> Any:
    """Run a trigger as a triggerer does: rebuilt from what it serialises, up to its first event."""
    _, kwargs = trigger.serialize()
    rebuilt = type(trigger)(**kwargs)

    async def first() -> Any:
        return (await anext(aiter(rebuilt.run()))).payload

    return asyncio.run(first())


@BOTH
def test_a_verification_returns_its_job_and_pushes_what_follows_need(
    service: Service, context: Any, ti: FakeTask, firmware_id: str, deferrable: bool
) -> None:
    job_id = run(verify(firmware_id, deferrable=deferrable), context)

    (job,) = service.emulator.world.engine.jobs.values()
    assert job_id == job.job_id == ti.xcom["job_id"]
    assert ti.xcom["firmware_id"] == firmware_id
    assert ti.xcom["utc_create"].endswith("Z")
    assert len(ti.xcom["request_id"]) == 36
    release = ti.xcom["ota_release"]
    assert (release["event"], release["counts"], release["failing"]) == ("succeeded", {"SUCCEEDED": 2}, [])
    assert release["text"].startswith(f"OTA job {job_id} for firmware {firmware_id} succeeded: 2 SUCCEEDED")


def test_airflow_gives_a_deferred_wait_up_ten_minutes_after_the_trigger_does(context: Any, firmware_id: str) -> None:
    with pytest.raises(TaskDeferred) as caught:
        verify(firmware_id, deferrable=True, timeout=3600).execute(context)

    assert isinstance(caught.value.timeout, timedelta)
    assert timedelta(minutes=69) < caught.value.timeout <= timedelta(minutes=70)


@BOTH
def test_a_failing_device_is_named_with_reason_and_progress(
    service: Service, context: Any, ti: FakeTask, firmware: Path, deferrable: bool
) -> None:
    play(service, device_002=FAILS)
    firmware_id = make_firmware(service, context, firmware)

    with pytest.raises(JobFailedError) as caught:
        run(verify(firmware_id, deferrable=deferrable), context)

    assert "device-002 FAILED at 60 %: step -4: flash write failed" in str(caught.value)
    assert [device.name for device in caught.value.verdict.failing] == ["device-002"]
    assert ti.xcom["ota_release"]["event"] == "failed"
    assert ti.xcom["ota_release"]["failing"][0]["name"] == "device-002"
    assert ti.xcom["ota_release"]["failure_reasons"] == {
        "most_frequent": [{"reason": "step -4: flash write failed", "number": 1}],
        "others": 0,
        "unread": 0,
    }


def test_blocking_and_deferred_fail_with_the_same_words(service: Service, context: Any, firmware: Path) -> None:
    said = []
    for deferrable in (False, True):
        play(service, device_001=FAILS)
        firmware_id = make_firmware(service, context, firmware)
        with pytest.raises(JobFailedError) as caught:
            run(verify(firmware_id, deferrable=deferrable), context)
        (job,) = service.emulator.world.engine.jobs
        assert job in str(caught.value)
        said.append(str(caught.value).replace(job, "JOB"))

    assert said[0] == said[1]


@BOTH
def test_a_silent_device_ends_in_a_timeout_that_says_how_to_go_on(
    service: Service, context: Any, ti: FakeTask, firmware: Path, deferrable: bool
) -> None:
    play(service, device_001={"outcome": "silent"})
    firmware_id = make_firmware(service, context, firmware)

    with pytest.raises(WaitTimeoutError, match=r"It goes on at the platform.*TuyaOTAJobSensor"):
        run(verify(firmware_id, deferrable=deferrable, timeout=0.3, on_cancel="keep"), context)

    assert ti.xcom["ota_release"]["event"] == "timeout"
    assert "CancelOTATaskByJob" not in service.actions


@BOTH
def test_running_out_of_time_stops_what_has_not_begun_and_says_so(
    service: Service, context: Any, ti: FakeTask, firmware: Path, deferrable: bool
) -> None:
    play(service, device_001={"outcome": "silent"})
    firmware_id = make_firmware(service, context, firmware)

    with pytest.raises(WaitTimeoutError, match=r"on_cancel is 'stop'\): job \d+: 1 device tasks cancelled"):
        run(verify(firmware_id, deferrable=deferrable, timeout=0.3), context)

    (job,) = service.emulator.world.engine.jobs.values()
    assert {task.device.name: task.status for task in job.tasks}["device-001"] == "CANCELED"
    assert "1 device tasks cancelled" in ti.xcom["ota_release"]["text"]
    assert "goes on at the platform" not in ti.xcom["ota_release"]["text"]


def test_an_earlier_execution_timeout_is_the_deadline(service: Service, context: Any, firmware: Path) -> None:
    play(service, device_001={"outcome": "silent"})
    firmware_id = make_firmware(service, context, firmware)

    with pytest.raises(WaitTimeoutError):
        run(verify(firmware_id, deferrable=True, execution_timeout=timedelta(seconds=0.3)), context)


def test_job_id_comes_at_once_without_waiting(service: Service, context: Any, ti: FakeTask, firmware_id: str) -> None:
    job_id = run(verify(firmware_id, wait_for_completion=False), context)

    assert service.emulator.world.engine.jobs[job_id].status == "IN_PROGRESS"
    assert ti.xcom["job_id"] == job_id
    assert (ti.xcom["ota_release"]["event"], ti.xcom["ota_release"]["job_id"]) == ("started", job_id)


@pytest.mark.parametrize("quirk", ["jobId", "firmwareId", "absent"])
def test_the_job_id_is_found_wherever_the_platform_puts_it(
    service: Service, context: Any, firmware_id: str, quirk: str
) -> None:
    service.emulator.world.quirks = service.emulator.world.quirks.changed({"job_id": quirk})

    job_id = run(verify(firmware_id), context)

    assert job_id in service.emulator.world.engine.jobs


@pytest.mark.parametrize("shape", ["flat", "wrapped", "single"])
@pytest.mark.parametrize("keys", ["lower_camel", "pascal"])
@pytest.mark.parametrize("status", [200, 400])
def test_a_release_succeeds_under_every_reading_of_the_documents(
    service: Service, context: Any, firmware: Path, shape: str, keys: str, status: int
) -> None:
    quirks = {"list_shape": shape, "key_case": keys, "error_status": status}
    service.emulator.world.quirks = service.emulator.world.quirks.changed(quirks)
    firmware_id = make_firmware(service, context, firmware)

    run(verify(firmware_id), context)

    assert service.emulator.world.firmwares.by_id[firmware_id].status == 1


@pytest.mark.parametrize("kind", ["drop_after", "garbage", "truncate"])
def test_a_lost_answer_never_makes_a_second_job(service: Service, context: Any, firmware_id: str, kind: str) -> None:
    service.emulator.faults.add({"action": "CreateOTAVerifyJob", "kind": kind, "nth": 1})

    job_id = run(verify(firmware_id), context)

    assert list(service.emulator.world.engine.jobs) == [job_id]
    assert service.actions.count("CreateOTAVerifyJob") == 1


def test_a_running_verification_is_followed_instead_of_starting_another(
    service: Service, context: Any, firmware_id: str
) -> None:
    service.emulator.clock.freeze(frozen=True)
    first = run(verify(firmware_id, wait_for_completion=False), context)

    second = run(verify(firmware_id, wait_for_completion=False), context)

    assert first == second
    assert service.actions.count("CreateOTAVerifyJob") == 1


def test_a_verified_firmware_succeeds_at_once_or_fails_as_asked(
    service: Service, context: Any, ti: FakeTask, firmware_id: str
) -> None:
    job_id = run(verify(firmware_id), context)

    assert run(verify(firmware_id), context) == job_id
    assert "was verified before" in ti.xcom["ota_release"]["text"]
    with pytest.raises(OutcomeError, match="is verified already"):
        run(verify(firmware_id, if_verified="fail"), context)
    assert service.actions.count("CreateOTAVerifyJob") == 1


def test_a_firmware_that_needs_no_verification_is_said_not_to_have_been_tried(
    service: Service, context: Any, ti: FakeTask, firmware: Path
) -> None:
    firmware_id = TuyaOTAUploadFirmwareOperator(
        task_id="upload", source=str(firmware), version="1.2.0", product_key="k1demoproduct", need_to_verify=False
    ).execute(context)

    assert run(verify(firmware_id), context) == ""
    assert ti.xcom["ota_release"]["text"] == (
        f"OTA firmware {firmware_id} needs no verification, so no device has tried it; nothing was started, 0 s."
    )
    assert service.emulator.world.engine.jobs == {}


def test_values_rendered_from_a_form_are_understood(service: Service, context: Any, firmware_id: str) -> None:
    operator = verify(
        firmware_id,
        device_names="['device-001', 'device-004']",
        timeout_in_minutes="30",
        need_push="true",
        need_confirm="<leave out>",
        download_protocol="<leave out>",
    )

    run(operator, context)

    (entry,) = [entry for entry in service.emulator.log if entry["action"] == "CreateOTAVerifyJob"]
    own = {name: entry["parameters"][name] for name in entry["parameters"] if name[0] in "DNT" and name != "Timestamp"}
    assert own == {
        "TimeoutInMinutes": "30",
        "NeedPush": "true",
        "TargetDeviceName.1": "device-001",
        "TargetDeviceName.2": "device-004",
    }


def test_without_names_the_choice_is_the_platforms(context: Any, ti: FakeTask, firmware_id: str) -> None:
    run(verify(firmware_id, device_names=None), context)

    assert sum(ti.xcom["ota_release"]["counts"].values()) == 10


class RecordingNotifier(BaseNotifier):
    """Remembers each notification."""

    template_fields = ("text",)
    calls: list[tuple[str, dict[str, Any]]] = []  # noqa: RUF012 - shared on purpose, notifiers are copied

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def notify(self, context: Any) -> None:
        RecordingNotifier.calls.append((self.text, context["ota_release"]))


class FailingNotifier(BaseNotifier):
    """Fails like a webhook that is down."""

    def notify(self, context: Any) -> None:
        raise RuntimeError("no route")


@BOTH
def test_notifiers_hear_the_outcome_and_cannot_break_the_release(
    service: Service, context: Any, ti: FakeTask, firmware: Path, deferrable: bool
) -> None:
    RecordingNotifier.calls.clear()
    ti.max_tries = 0
    play(service, device_002=FAILS)
    notifiers = [FailingNotifier(), RecordingNotifier("{{ ota_release.event }}: {{ ota_release.failing[0].name }}")]
    firmware_id = make_firmware(service, context, firmware)

    with pytest.raises(JobFailedError):
        run(verify(firmware_id, deferrable=deferrable, notifiers=notifiers), context)

    ((text, release),) = RecordingNotifier.calls
    assert text == "failed: device-002"
    assert release["product_key"] == "k1demoproduct"
    assert "ota_release" not in context


def test_one_notifier_needs_no_list(service: Service, context: Any, firmware_id: str) -> None:
    RecordingNotifier.calls.clear()

    run(verify(firmware_id, notifiers=RecordingNotifier("{{ ota_release.event }}")), context)

    assert [text for text, _ in RecordingNotifier.calls] == ["succeeded"]


def test_the_console_link_is_there_before_the_wait(
    service: Service, context: Any, ti: FakeTask, firmware_id: str
) -> None:
    service.connect(extra={"console_url": "https://console.example/{product_key}/jobs/{job_id}"})

    job_id = run(verify(firmware_id, wait_for_completion=False), context)

    assert ti.xcom["tuya_ota_console_url"] == f"https://console.example/k1demoproduct/jobs/{job_id}"


@pytest.mark.parametrize("event", [None, {}, {"status": "gone"}, {"status": "success"}])
def test_an_unknown_event_is_an_error_that_says_what_to_do(context: Any, event: Any) -> None:
    with pytest.raises(TriggerEventError, match="same version"):
        verify("178").execute_complete(context, event=event)
