"""Poll a job after it was stopped, until no cancelled device task waits any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import Flow, Sleep
from airflow_provider_tuya_ota.core.jobs.cancel import WAITING
from airflow_provider_tuya_ota.core.status.job_snapshot import fetch_verdict

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.settings import Settings

PAUSES: Final = (3.0, 5.0, 10.0)
"""Seconds between polls. The triggerer sends the cancel meanwhile, which takes it some seconds."""


def poll_after_stop(settings: Settings, job_id: str) -> Flow[Verdict]:
    """Poll until no device task waits that can be cancelled, four times at most.

    :returns: the verdict of the last poll that succeeded; :func:`waiting_in` says whether the stop is still under way.
    :raises TuyaOTAError: the first poll failed.
    """
    verdict = yield from fetch_verdict(settings, job_id)
    for seconds in PAUSES:
        if not waiting_in(verdict):
            break
        yield Sleep(seconds)
        try:
            verdict = yield from fetch_verdict(settings, job_id)
        except TuyaOTAError:
            # An older verdict says more than the error of a newer poll.
            break
    return verdict


def waiting_in(verdict: Verdict) -> int:
    """Count the device tasks of a verdict that wait and can still be cancelled."""
    return sum(verdict.counts.get(status.value, 0) for status in WAITING)
