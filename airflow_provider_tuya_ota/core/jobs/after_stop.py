"""Poll a job after it was stopped, until no cancelled device task waits any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import Flow, Sleep
from airflow_provider_tuya_ota.core.model.task_counts import count_waiting
from airflow_provider_tuya_ota.core.status.job_snapshot import fetch_verdict

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.settings import Settings

PAUSES: Final = (3.0, 5.0, 10.0)
"""Seconds between polls. The last step of a Dag may poll while the triggerer still sends the cancel."""


def poll_after_stop(settings: Settings, job_id: str) -> Flow[Verdict]:
    """Poll until no device task waits that the stop cancels, at most four times.

    :returns: the verdict of the last poll that succeeded; device tasks that wait in it are not cancelled yet.
    :raises TuyaOTAError: the first poll failed.
    """
    verdict = yield from fetch_verdict(settings, job_id)
    for seconds in PAUSES:
        if not count_waiting(verdict.counts):
            break
        yield Sleep(seconds)
        try:
            verdict = yield from fetch_verdict(settings, job_id)
        except TuyaOTAError:
            # The last known state is worth more than the error of a later poll.
            break
    return verdict
