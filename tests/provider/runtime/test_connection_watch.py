"""How often a wait in a worker reads its connection while polls fail."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import AuthenticationError
from airflow_provider_tuya_ota.core.settings import Credentials
from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait, WaitedJob
from airflow_provider_tuya_ota.core.status.poll_events import JobFailureObserved
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.hooks.shared_settings import FRESH, JUST_READ
from airflow_provider_tuya_ota.runtime.connection_watch import ConnectionChangedError, ConnectionWatch
from tests.contract.worlds import Quiet, VirtualWorld
from tests.core.script import NOW, SETTINGS, lost

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.errors import TuyaOTAError

OTHER = replace(SETTINGS, credentials=Credentials(access_key_id="another", access_key_secret="secret"))
REFUSED = AuthenticationError(action="QueryOTAJob", code="No", message="", request_id="r", http_status=403)


class Wait:
    """A wait for one job whose polls fail, and Airflow's connection."""

    def __init__(self) -> None:
        self.world = VirtualWorld()
        self.reads = 0
        self.connection: Any = SETTINGS
        options = WaitOptions(deadline=NOW + timedelta(days=9999))
        self.wait = JobSetWait([WaitedJob(job_id="1", is_known=True)], options)
        hook: Any = SimpleNamespace(get_settings=self.read)
        self.watch = ConnectionWatch(hook, SETTINGS, wait=self.wait, listener=Quiet(), runtime=self.world)

    def read(self) -> Any:
        self.reads += 1
        if isinstance(self.connection, Exception):
            raise self.connection
        return self.connection

    def fail(self, error: TuyaOTAError, *, after: float) -> None:
        self.world.sleep(after)
        (one,) = self.wait.unfinished
        self.watch.event(one.record_failure(error, self.world.context().steady))


def test_it_is_read_once_a_minute_where_nobody_answers() -> None:
    wait = Wait()

    for _ in range(40):
        wait.fail(lost(), after=15)

    assert wait.reads == 40 * 15 // FRESH


def test_it_is_read_at_each_poll_where_its_key_is_refused_but_not_more_often_than_is_of_use() -> None:
    wait = Wait()

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
