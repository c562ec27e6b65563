"""How a job stands after somebody stopped it: looked at until what is cancelled no longer waits."""

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
"""Seconds between looks. Whoever is told looks while the triggerer sends the cancel, which takes it some seconds."""


def poll_after_stop(settings: Settings, job_id: str) -> Flow[Verdict]:
    """Look until no device task waits that the stop cancels, four times at most.

    :returns: the last look that went well; :func:`waiting_in` says whether the stop is still under way.
    :raises TuyaOTAError: the first look failed.
    """
    verdict = yield from fetch_verdict(settings, job_id)
    for seconds in PAUSES:
        if not waiting_in(verdict):
            break
        yield Sleep(seconds)
        try:
            verdict = yield from fetch_verdict(settings, job_id)
        except TuyaOTAError:
            # What was seen is worth more than why nothing newer was.
            break
    return verdict


def waiting_in(verdict: Verdict) -> int:
    """Give how many device tasks wait that can still be cancelled."""
    return sum(verdict.counts.get(status.value, 0) for status in WAITING)
