"""How often a wait in a worker reads its connection while polls fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import AuthenticationError
from airflow_provider_tuya_ota.core.model.verdict import Outcome, Verdict
from airflow_provider_tuya_ota.core.settings import Credentials
from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait, WaitedJob
from airflow_provider_tuya_ota.core.status.poll_events import JobFailureObserved, PollFailed
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.hooks.shared_settings import FRESH, JUST_READ
from airflow_provider_tuya_ota.runtime.connection_watch import ConnectionChangedError, ConnectionWatch
from tests.contract.worlds import Quiet, VirtualWorld
from tests.core.script import NOW, SETTINGS, lost

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.errors import TuyaOTAError
    from airflow_provider_tuya_ota.transports.interfaces import Listener

OTHER = replace(SETTINGS, credentials=Credentials(access_key_id="another", access_key_secret="secret"))
REFUSED = AuthenticationError(action="QueryOTAJob", code="No", message="", request_id="r", http_status=403)


class Wait:
    """A wait for jobs of which the polls of the first fail, and Airflow's connection."""

    def __init__(self, *job_ids: str, listener: Listener | None = None) -> None:
        self.world = VirtualWorld()
        self.reads = 0
        self.connection: Any = SETTINGS
        options = WaitOptions(deadline=NOW + timedelta(days=9999))
        jobs = [WaitedJob(job_id=job_id, is_known=True) for job_id in job_ids or ("1",)]
        self.wait = JobSetWait(jobs, options)
        hook: Any = SimpleNamespace(get_settings=self.read)
        self.watch = ConnectionWatch(hook, SETTINGS, wait=self.wait, listener=listener or Quiet(), runtime=self.world)

    def read(self) -> Any:
        self.reads += 1
        if isinstance(self.connection, Exception):
            raise self.connection
        return self.connection

    def fail(self, error: TuyaOTAError, *, after: float) -> None:
        self.world.sleep(after)
        one, *_ = self.wait.unfinished
        self.watch.event(one.record_failure(error, self.world.context().steady))


def test_it_is_read_once_a_minute_where_nobody_answers() -> None:
    wait = Wait()

    for _ in range(40):
        wait.fail(lost(), after=15)

    assert wait.reads == 40 * 15 // FRESH


@pytest.mark.parametrize("job_ids", [("1",), ("1", "2")])
def test_it_is_read_at_each_poll_where_its_key_is_refused_but_not_more_often_than_is_of_use(
    job_ids: tuple[str, ...],
) -> None:
    wait = Wait(*job_ids)

    wait.fail(REFUSED, after=JUST_READ - 1)
    assert wait.reads == 0
    for _ in range(10):
        wait.fail(REFUSED, after=JUST_READ)

    assert wait.reads == 10


@pytest.mark.parametrize(("error", "after"), [(lost(), FRESH), (REFUSED, JUST_READ)])
def test_a_changed_connection_ends_the_flow_and_brings_its_settings(error: TuyaOTAError, after: float) -> None:
    wait = Wait()
    wait.connection = OTHER

    with pytest.raises(ConnectionChangedError) as caught:
        wait.fail(error, after=after)

    assert caught.value.settings == OTHER
    assert "secret" not in repr(caught.value)


def test_a_connection_that_cannot_be_read_ends_nothing() -> None:
    wait = Wait()
    wait.connection = RuntimeError("Airflow is unavailable")

    wait.fail(lost(), after=FRESH)

    assert wait.reads == 1


def test_other_events_read_nothing() -> None:
    wait = Wait()
    wait.connection = OTHER
    wait.world.sleep(FRESH)

    wait.watch.event(JobFailureObserved("1", "it failed"))

    assert wait.reads == 0


def test_events_and_states_reach_the_log_also_where_the_connection_has_changed() -> None:
    heard: list[Any] = []
    wait = Wait(listener=SimpleNamespace(event=heard.append, report=heard.append))
    wait.connection = OTHER
    state = Verdict(job_id="1", firmware_id="", job_type="", job_status="", firmware_status="", outcome=Outcome.RUNNING)

    wait.watch.report(state)
    with pytest.raises(ConnectionChangedError):
        wait.fail(lost(), after=FRESH)

    assert heard[0] is state
    assert [type(event) for event in heard[1:]] == [PollFailed]
