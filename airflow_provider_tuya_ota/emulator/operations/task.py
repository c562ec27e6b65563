"""Operations on device tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.emulator.gateway.encoding import Listing
from airflow_provider_tuya_ota.emulator.messages import BusinessError
from airflow_provider_tuya_ota.emulator.operations.device import which_device

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.operations.page import Values
    from airflow_provider_tuya_ota.emulator.simulation.jobs import Task
    from airflow_provider_tuya_ota.emulator.simulation.world import World

WAITING = frozenset({"CONFIRM", "QUEUED", "NOTIFIED"})
UNFINISHED = WAITING | {"IN_PROGRESS"}


def cancel_by_device(world: World, values: Values, _: str) -> Values:
    """Cancel the waiting tasks of the named devices; all of them or none."""
    firmware = world.firmwares.get(values["FirmwareId"])
    found: list[Task] = []
    for name in values["DeviceName"]:
        tasks = [
            task
            for task in world.engine.tasks_of(world.device(values["ProductKey"], name))
            if task.job.firmware is firmware
            and task.status in UNFINISHED
            and values.get("JobId", task.job.job_id) == task.job.job_id
        ]
        if not tasks:
            raise BusinessError("iot.firmware.DeviceUpgradeRecordNotFound", f"The device {name} upgrades nothing.")
        if any(task.status not in WAITING for task in tasks):
            raise BusinessError("iot.firmware.IncorrectDeviceUpgradeJobStatus", f"The device {name} is flashing.")
        found += tasks
    for task in found:
        world.engine.cancel(task)
    return {}


def confirm(world: World, values: Values, _: str) -> Values:
    """Confirm tasks in CONFIRM; all of them or none."""
    tasks = []
    for task_id in values["TaskId"]:
        task = world.engine.tasks.get(task_id)
        if task is None:
            raise BusinessError("iot.firmware.InvalidOTATaskId", f"The task {task_id} does not exist.")
        if task.status != "CONFIRM":
            raise BusinessError("iot.firmware.InvalidTaskStatus", f"The task {task_id} waits for no confirmation.")
        tasks.append(task)
    for task in tasks:
        world.engine.confirm(task)
    return {}


def list_unfinished(world: World, values: Values, _: str) -> Values:
    """List the unfinished tasks of a device."""
    device = which_device(world, values)
    statuses = values.get("TaskStatusList", [values["TaskStatus"]] if "TaskStatus" in values else UNFINISHED)
    if not set(statuses) <= UNFINISHED:
        raise BusinessError("iot.firmware.InvalidTaskStatus", f"Unfinished are {', '.join(sorted(UNFINISHED))}.")
    entries = []
    for task in world.engine.tasks_of(device):
        module = task.job.firmware.module
        if values.get("ModuleName", module) != module:
            continue
        for seen in world.listed_tasks([task]):
            if seen.status in UNFINISHED and seen.status in statuses:
                shown = seen.describe() | {"ModuleName": module}
                entries.append({key: shown[key] for key in shown if key not in {"Progress", "TaskDesc", "Timeout"}})
    return {"Data": Listing("SimpleOTATaskInfo", entries)}
