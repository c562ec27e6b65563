"""One job of a halt, as it was listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.flows.bounded_poll import run_poll
from airflow_provider_tuya_ota.core.flows.lists import list_tasks
from airflow_provider_tuya_ota.core.jobs.cancel import check_unfinished
from airflow_provider_tuya_ota.core.model.states import WAITING

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.model.entities import DeviceTask
    from airflow_provider_tuya_ota.core.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReading:
    """The device tasks of a job.

    :param tasks: those that were listed.
    :param is_whole: whether the platform counts no more than it lists.
    :param has_ended: whether the job has ended; only asked where tasks of it may be missing.
    :param is_all: whether each device of the job has a task, or the job has ended.
    """

    tasks: list[DeviceTask]
    is_whole: bool
    has_ended: bool
    is_all: bool

    @property
    def has_waiting(self) -> bool:
        """Whether a task can still be cancelled."""
        return any(task.status in WAITING for task in self.tasks)

    @property
    def is_clean(self) -> bool:
        """Whether it shows nothing that can be cancelled. A job without any task may begin all of its tasks."""
        return self.is_whole and not self.has_waiting and (bool(self.tasks) or self.has_ended)


def read_job(settings: Settings, job_id: str, devices: tuple[str, ...] | None) -> Flow[JobReading]:
    """List all device tasks of a job.

    :param devices: those for which the job was created; None where the platform chose them.
    :raises TuyaOTAError: it could not be read.
    """
    return run_poll(settings, _read(settings, job_id, devices), f"job {job_id}")


def _read(settings: Settings, job_id: str, devices: tuple[str, ...] | None) -> Flow[JobReading]:
    listing = yield from list_tasks(settings, job_id)
    shown = {task.device_name for task in listing.items}
    has_all = devices is not None and shown.issuperset(devices)
    has_ended = not has_all and not (yield from check_unfinished(settings, job_id, if_missing=True))
    return JobReading(
        tasks=listing.items, is_whole=not listing.missing, has_ended=has_ended, is_all=has_all or has_ended
    )
