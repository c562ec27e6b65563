"""Cancelling what named devices wait for, without failing over an answer that was lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.actions import ListOTAUnfinishedTaskByDevice
from airflow_provider_tuya_ota.core.calls import call
from airflow_provider_tuya_ota.core.errors import ConflictError, NotFoundError
from airflow_provider_tuya_ota.core.flow import Flow, Note

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.actions import CancelOTATaskByDevice
    from airflow_provider_tuya_ota.core.settings import Settings


def cancel_tasks_of_devices(settings: Settings, action: CancelOTATaskByDevice) -> Flow[None]:
    """Cancel the tasks of named devices, all or none.

    The platform refuses devices that wait for nothing. Where that refusal follows on a lost answer, the devices are
    looked at one by one, and only those that still have a task of the package are asked for again.

    :raises ConflictError: a device is flashing.
    :raises NotFoundError: a device does not exist, or waited for nothing from the beginning.
    """
    try:
        yield from call(settings, action)
    except (ConflictError, NotFoundError) as error:
        if not error.in_doubt:
            raise
        yield Note(f"{error.sentence} An answer was lost; looking which devices still have a task.", warning=True)
        left = yield from _with_a_task(settings, action)
        if left:
            yield from call(settings, replace(action, device_name=left))


def _with_a_task(settings: Settings, action: CancelOTATaskByDevice) -> Flow[list[str]]:
    left = []
    for name in action.device_name:
        tasks = yield from call(
            settings, ListOTAUnfinishedTaskByDevice(product_key=action.product_key, device_name=name)
        )
        # An id that is not told speaks neither for nor against a task.
        if any(
            task.firmware_id in {action.firmware_id, ""} and action.job_id in {None, task.job_id or action.job_id}
            for task in tasks
        ):
            left.append(name)
    return left
