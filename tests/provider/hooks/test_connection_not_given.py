"""A wait or a sensor while Airflow's API does not give the connection or the stored state."""

from __future__ import annotations

import asyncio
import traceback
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse

from airflow_provider_tuya_ota.core.errors import ConfigurationError, PollingFailedError, StateUnavailableError
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.core.model.verdict import Verdict
from airflow_provider_tuya_ota.core.status.conditions import FirmwareCondition, describe_condition
from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait, WaitedJob, require_only_success
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.hooks import airflow_api as requests_to_airflow
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.notifications.webhook import require_webhook
from airflow_provider_tuya_ota.runtime.wait import wait_in_worker
from airflow_provider_tuya_ota.sensors.firmware import TuyaOTAFirmwareStatusSensor
from airflow_provider_tuya_ota.sensors.job import TuyaOTAJobSensor
from airflow_provider_tuya_ota.transports.runtime import Runtime
from airflow_provider_tuya_ota.triggers.condition import TuyaOTAConditionTrigger
from airflow_provider_tuya_ota.triggers.job import TuyaOTAJobTrigger
from tests.provider.airflow_api import context_of
from tests.provider.conftest import FakeTask
from tests.provider.operators.test_upgrade_operator import run, upgrade
from tests.provider.runtime.test_notes_not_given import FOR_GOOD, firmware_id, release
from tests.provider.sensors.test_poke_state import Rescheduled
from tests.provider.triggers.fake_triggerer import Log

if TYPE_CHECKING:
    from tests.provider.airflow_api import AirflowAPI
    from tests.provider.conftest import Service

__all__ = ["firmware_id"]
CONN = "tuya_ota_default"
BOTH = pytest.mark.parametrize("deferrable", [False, True], ids=["blocking", "deferred"])


@pytest.fixture
def job(airflow_api: AirflowAPI, firmware_id: str) -> str:
    return str(release(firmware_id, FakeTask(), device_names=["device-001"]))


def options(seconds: float = 20.0, tolerance: float = 7200.0) -> WaitOptions:
    deadline = datetime.now(UTC) + timedelta(seconds=seconds)
    return WaitOptions(deadline=deadline, poll_interval=0.05, poll_error_tolerance=tolerance)


async def aread() -> Any:
    return await TuyaOTAHook(CONN).aget_settings()


async def test_a_connection_that_is_not_given_once_is_read_again(airflow_api: AirflowAPI) -> None:
    airflow_api.fail("GetConnection")
    settings = TuyaOTAHook(CONN).get_settings()
    airflow_api.fail("GetConnection", times=2)

    assert await aread() == settings == TuyaOTAHook(CONN).get_settings()


async def test_a_connection_that_is_never_given_is_not_an_undefined_one(airflow_api: AirflowAPI) -> None:
    airflow_api.fail("GetConnection", times=FOR_GOOD)
    said = r"Airflow's API did not give the connection 'tuya_ota_default'\. Last answer: GENERIC_ERROR"

    with pytest.raises(StateUnavailableError, match=said):
        TuyaOTAHook(CONN).get_settings()
    with pytest.raises(StateUnavailableError, match=said):
        await aread()
    with pytest.raises(StateUnavailableError, match="did not give the connection 'hook'"):
        require_webhook("hook")


async def test_a_connection_that_there_is_not_is_undefined_after_one_question_more(airflow_api: AirflowAPI) -> None:
    for read in (TuyaOTAHook("nowhere").get_settings, lambda: require_webhook("nowhere")):
        airflow_api.sent.clear()
        with pytest.raises(ConfigurationError, match="'nowhere' is not defined"):
            read()
        assert airflow_api.sent.count("GetConnection") == 2
    with pytest.raises(ConfigurationError, match="'nowhere' is not defined"):
        await TuyaOTAHook("nowhere").aget_settings()


@BOTH
def test_a_wait_tolerates_that_its_connection_is_not_given(
    airflow_api: AirflowAPI, firmware_id: str, deferrable: bool
) -> None:
    # A reading asks twice, four times in a row: two readings fail.
    airflow_api.fail("GetConnection", times=16, after=0 if deferrable else 1)
    operator = upgrade(
        firmware_id, target_selection="SPECIFIC", device_names=["device-001"], retries=3, deferrable=deferrable
    )
    ti = FakeTask()
    if deferrable:
        airflow_api.fails = lambda _: False
        run_later(airflow_api, operator, ti)
    else:
        operator.execute(context_of(ti))

    assert ti.xcom["ota_release"]["event"] == "succeeded"


def run_later(airflow_api: AirflowAPI, operator: Any, ti: FakeTask) -> None:
    """Let the connection fail from the deferral on."""
    inner = operator.defer

    def defer(**how: Any) -> None:
        airflow_api.fail("GetConnection", times=16)
        inner(**how)

    operator.defer = defer
    run(operator, context_of(ti))


def test_a_wait_whose_connection_is_never_given_says_that_the_job_goes_on(airflow_api: AirflowAPI, job: str) -> None:
    airflow_api.fail("GetConnection", times=FOR_GOOD)
    hook = TuyaOTAHook(CONN)

    with pytest.raises(PollingFailedError, match=r"goes on at the platform.*Last: Airflow's API did not give"):
        blocking(hook, job, options(tolerance=0.1))
    with pytest.raises(WaitTimeoutError, match=f"job {job} had not ended"):
        blocking(hook, job, options(0.2))


def blocking(hook: TuyaOTAHook, job: str, options: WaitOptions) -> None:
    require_only_success(wait_in_worker(hook, JobSetWait([WaitedJob(job_id=job)], options), hook.log))


@pytest.mark.parametrize("is_known", [True, False])
def test_a_wait_in_a_worker_whose_connection_is_being_changed_goes_on_if_it_knows_its_job(
    service: Service, airflow_api: AirflowAPI, job: str, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    stored = airflow_api.connections.pop(CONN)
    before = len(service.emulator.log)
    monkeypatch.setattr(Runtime, "sleep", lambda *_: airflow_api.connections.update({CONN: stored}))
    wait = JobSetWait([WaitedJob(job_id=job, is_known=is_known)], options())

    results = wait_in_worker(TuyaOTAHook(CONN), wait, TuyaOTAHook(CONN).log)

    assert isinstance(results[job], Verdict if is_known else ConfigurationError)
    assert (len(service.emulator.log) > before) == is_known


def condition_of(firmware_id: str, status: str, failing: str) -> FirmwareCondition:
    return FirmwareCondition(firmware_id=firmware_id, statuses=[status], failing_statuses=[failing])


async def fire(trigger: Any) -> Any:
    (event,) = [event.payload async for event in trigger.run()]
    return event


async def test_a_trigger_whose_connection_is_never_given_ends_at_its_deadline(
    airflow_api: AirflowAPI, job: str, firmware_id: str
) -> None:
    airflow_api.fail("GetConnection", times=FOR_GOOD)
    waiting = TuyaOTAJobTrigger(job_id=job, tuya_ota_conn_id=CONN, options=options(0.3).to_dict())
    condition = describe_condition(condition_of(firmware_id, "FAILED", "VERIFYING"))
    watching = TuyaOTAConditionTrigger(
        condition=condition, deadline=options(0.3).deadline.isoformat(), poll_interval=0.05, tuya_ota_conn_id=CONN
    )

    assert (await fire(waiting))["status"] == "timeout"
    assert (await fire(watching))["error"]["kind"] == "WaitTimeoutError"


async def test_a_condition_s_trigger_tolerates_that_its_connection_is_not_given(
    airflow_api: AirflowAPI, firmware_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log()
    monkeypatch.setattr(TuyaOTAConditionTrigger, "log", log)
    condition = describe_condition(condition_of(firmware_id, "NOT_NEEDED", "FAILED"))
    watching = TuyaOTAConditionTrigger(
        condition=condition, deadline=options().deadline.isoformat(), poll_interval=0.05, tuya_ota_conn_id=CONN
    )
    airflow_api.fail("GetConnection", times=16)

    assert (await fire(watching))["status"] == "met"
    assert any("Airflow's API did not give the connection" in line for line in log.lines)


def sensors(firmware_id: str, job: str, **more: Any) -> list[Any]:
    arguments: dict[str, Any] = {"task_id": "s", "poke_interval": 0.05, "timeout": 20.0, "deferrable": False} | more
    return [
        TuyaOTAJobSensor(job_id=job, **arguments),
        TuyaOTAFirmwareStatusSensor(firmware_id=firmware_id, statuses=["NOT_NEEDED"], **arguments),
    ]


@pytest.mark.parametrize("at", [0, 1])
def test_a_poke_without_its_connection_is_a_poll_that_failed(
    service: Service,
    airflow_api: AirflowAPI,
    firmware_id: str,
    job: str,
    at: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sensor = sensors(firmware_id, job)[at]
    airflow_api.fail("GetConnection", times=FOR_GOOD)
    assert sensor.poke(context_of(FakeTask())) is False
    assert "Airflow's API did not give the connection" in capsys.readouterr().out
    airflow_api.fails = lambda _: False

    sensor.execute(context_of(FakeTask()))


def test_a_sensor_that_has_seen_its_job_is_not_refused(airflow_api: AirflowAPI, job: str) -> None:
    for mode in ("poke", "reschedule"):
        ti = Rescheduled(start_date=datetime.now(UTC))
        airflow_api.entries.clear()
        first = TuyaOTAJobSensor(task_id="s", job_id=job, mode=mode, deferrable=False)
        assert first.poke(context_of(ti)) is False
        second = first if mode == "poke" else TuyaOTAJobSensor(task_id="s", job_id=job, mode=mode, deferrable=False)
        stored = airflow_api.connections.pop(CONN)
        with pytest.raises(ConfigurationError, match="is not defined"):
            second.execute(context_of(ti))
        airflow_api.connections[CONN] = stored

        assert ti.xcom["ota_release"]["event"] == "failed"
        assert "nothing was started" not in ti.xcom["ota_release"]["text"]


@pytest.mark.parametrize("kind", ["GetTaskStateStore", "SetTaskStateStore"])
@pytest.mark.parametrize("at", [0, 1])
def test_a_poke_does_without_what_is_kept(
    airflow_api: AirflowAPI, firmware_id: str, job: str, at: int, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sensor = sensors(firmware_id, job, mode="reschedule")[at]
    airflow_api.fail(kind, times=FOR_GOOD)
    before = dict(airflow_api.entries)

    sensor.poke(context_of(Rescheduled()))

    assert airflow_api.entries == before
    assert (
        f"Airflow's API did not {'give' if kind.startswith('Get') else 'take'} what was seen" in capsys.readouterr().out
    )
    airflow_api.fails = lambda _: False
    sensor.poke(context_of(Rescheduled()))
    assert len(airflow_api.entries) == len(before) + 1


def test_what_the_sdk_says_of_a_connection_is_taken_where_nobody_can_be_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("_AIRFLOW_PROCESS_CONTEXT", "server")

    with pytest.raises(ConfigurationError, match="is not defined"):
        TuyaOTAHook("nowhere").get_settings()


async def test_a_request_that_fails_slowly_is_repeated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def fails() -> str:
        nonlocal now
        now += 60.0
        raise TimeoutError("database is locked")

    async def afails() -> str:
        return fails()

    clock = SimpleNamespace(monotonic=lambda: now, sleep=lambda _: None)
    monkeypatch.setattr(requests_to_airflow, "time", clock)
    monkeypatch.setattr(requests_to_airflow, "PAUSES", (0.0, 0.0, 0.0))
    with pytest.raises(StateUnavailableError, match="Last answer: TimeoutError: database is locked"):
        requests_to_airflow.repeat(fails, "take it")
    assert now == 120.0
    with pytest.raises(StateUnavailableError, match="Last answer: TimeoutError: database is locked"):
        await requests_to_airflow.arepeat(afails, "take it")
    assert now == 240.0


@pytest.mark.parametrize("given", [{}, {"port": "86 86", "schema": None}], ids=["a field too few", "a wrong type"])
async def test_an_error_of_a_library_is_not_quoted_because_it_quotes_the_connection(
    airflow_api: AirflowAPI, given: dict[str, Any]
) -> None:
    """Pydantic's error shows the connection that it refuses, with its password."""
    airflow_api.connections[TuyaOTAHook.default_conn_name] = {
        "conn_type": "tuya_ota",
        "login": "key",
        "password": "sekret",
    } | given

    for read in (TuyaOTAHook().aget_settings, partial(asyncio.to_thread, TuyaOTAHook().get_settings)):
        with pytest.raises(StateUnavailableError) as caught:
            await read()
        assert str(caught.value).endswith("Last answer: ValidationError")
        assert "sekret" not in "".join(traceback.format_exception(caught.value))


class OtherLibraryError(Exception):
    """Quotes a secret."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OtherLibraryError("sekret"), "OtherLibraryError"),
        (ValueError("sekret"), "ValueError"),
        (ConnectionError("connection refused"), "ConnectionError: connection refused"),
        (AirflowException("not now"), "AirflowException: not now"),
        (AirflowRuntimeError(ErrorResponse(error=ErrorType.GENERIC_ERROR)), "AirflowRuntimeError: GENERIC_ERROR"),
        (requests_to_airflow.NoAnswerError("it gave nothing"), "it gave nothing"),
    ],
)
def test_only_what_airflow_or_the_system_says_is_quoted(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def fails() -> None:
        raise error

    monkeypatch.setattr(requests_to_airflow, "PAUSES", (0.0,))
    with pytest.raises(StateUnavailableError) as caught:
        requests_to_airflow.repeat(fails, "take it")

    assert caught.value.reason.startswith(said)
    assert "sekret" not in caught.value.reason
