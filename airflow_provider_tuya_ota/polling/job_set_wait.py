"""Wait for a set of jobs through the shared poller, which lists many jobs of one firmware with one request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.client import Listeners
from airflow_provider_tuya_ota.core.errors import AuthenticationError, TuyaOTAError

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.events import FlowEvent
    from airflow_provider_tuya_ota.core.model.job_results import JobResult
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait
    from airflow_provider_tuya_ota.core.status.job_snapshot import EarlierPoll
    from airflow_provider_tuya_ota.core.status.wait import JobWait
    from airflow_provider_tuya_ota.polling.poller import Poller
    from airflow_provider_tuya_ota.transports.interfaces import Listener
    from airflow_provider_tuya_ota.transports.runtime import Runtime


class _Changes:
    """Notes that a job was polled, for the rule that may end the wait."""

    def __init__(self) -> None:
        self.seen = asyncio.Event()

    def event(self, event: FlowEvent) -> None:
        """Events change no result."""

    def report(self, verdict: Verdict) -> None:  # noqa: ARG002 - the protocol's signature
        """Note it; the wait has recorded the verdict before any other coroutine runs."""
        self.seen.set()


async def wait_for_jobs(poller: Poller, wait: JobSetWait, *, listener: Listener, runtime: Runtime) -> None:
    """Wait as :func:`~airflow_provider_tuya_ota.core.status.job_set_wait.wait_for_jobs` does.

    After an error the same wait can continue: jobs that have a result keep it.

    :param wait: receives the results; jobs that have one are not polled.
    :raises AuthenticationError: the AccessKey pair was refused before a job was ever polled.
    :raises KeyRefusedError: as :meth:`.Poller.wait_for_job`.
    :raises PollerBrokenError: as :meth:`.Poller.wait_for_job`.
    """
    changes = _Changes()
    firmware_ids = {job.job_id: job.firmware_id for job in wait.jobs}
    context = runtime.context()

    async def settle(job: JobWait) -> None:
        seen = Listeners(listener, changes)
        earlier = wait.take_queried(job.job_id, context)
        result = await _wait_for(poller, job, firmware_ids[job.job_id], earlier, listener=seen, runtime=runtime)
        _report(listener, wait.settle(job.job_id, result))

    waits = [asyncio.create_task(settle(job)) for job in wait.unfinished]
    for one in waits:
        one.add_done_callback(lambda _: changes.seen.set())
    try:
        while wait.unfinished:
            await changes.seen.wait()
            changes.seen.clear()
            for one in filter(asyncio.Task.done, waits):
                one.result()
            _report(listener, wait.end_early())
    finally:
        for one in waits:
            one.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def _wait_for(
    poller: Poller,
    job: JobWait,
    firmware_id: str,
    earlier: EarlierPoll | None,
    *,
    listener: Listener,
    runtime: Runtime,
) -> JobResult:
    try:
        return await poller.wait_for_job(
            job.job_id,
            job.options,
            firmware_id=firmware_id,
            earlier=earlier,
            listener=listener,
            runtime=runtime,
            state=job.state,
        )
    except AuthenticationError:
        raise
    except TuyaOTAError as error:
        return error


def _report(listener: Listener, events: list[FlowEvent]) -> None:
    for event in events:
        listener.event(event)
