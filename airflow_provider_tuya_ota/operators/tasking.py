"""What the worker does for the operators of :mod:`airflow_provider_tuya_ota.operators.task`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.actions import (
    CancelOTATaskByDevice,
    CancelOTATaskByJob,
    ConfirmOTATask,
    ListOTATaskByJob,
)
from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.jobs.cancel_tasks import cancel_tasks_of_devices, cancel_tasks_of_job
from airflow_provider_tuya_ota.core.jobs.confirm import MOST_AT_ONCE, confirm_job, confirm_tasks
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime.arguments import named_as, parse_bool, parse_names, parse_text

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.jobs.cancel_tasks import JobCancel
    from airflow_provider_tuya_ota.operators.task import (
        TuyaOTACancelDeviceTasksOperator,
        TuyaOTACancelJobOperator,
        TuyaOTAConfirmTasksOperator,
    )


def cancel_job(operator: TuyaOTACancelJobOperator) -> JobCancel:
    """Cancel by job, and count what is left."""
    action = CancelOTATaskByJob(
        job_id=operator.job_id,
        cancel_queued_task=parse_bool("cancel_queued", operator.cancel_queued, default=False),
        cancel_notified_task=parse_bool("cancel_notified", operator.cancel_notified, default=False),
        cancel_unconfirmed_task=parse_bool("cancel_unconfirmed", operator.cancel_unconfirmed),
    )
    if not (action.cancel_queued_task or action.cancel_notified_task or action.cancel_unconfirmed_task):
        raise InvalidParameterError(
            field="cancel_queued, cancel_notified, cancel_unconfirmed",
            problem="none of them is on",
            allowed="at least one that says which device tasks to cancel",
        )
    with TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client:
        return client.run(cancel_tasks_of_job(client.settings, action))


def cancel_devices(operator: TuyaOTACancelDeviceTasksOperator) -> list[str]:
    """Cancel by device."""
    with named_as(device_name="device_names"):
        action = CancelOTATaskByDevice(
            firmware_id=operator.firmware_id,
            product_key=operator.product_key,
            device_name=parse_names("device_names", operator.device_names) or [],
            job_id=parse_text("job_id", operator.job_id),
        )
    with TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client:
        client.run(cancel_tasks_of_devices(client.settings, action))
    operator.log.info("Cancelled what %s devices waited for", len(action.device_name))
    return list(action.device_name)


def confirm(operator: TuyaOTAConfirmTasksOperator) -> list[str]:
    """Confirm named tasks, or all that wait in a job."""
    task_ids, job_id = parse_names("task_ids", operator.task_ids), parse_text("job_id", operator.job_id)
    if (task_ids is None) == (job_id is None):
        raise InvalidParameterError(
            field="task_ids, job_id",
            problem="neither is given" if job_id is None else "both are given",
            allowed="exactly one of them",
        )
    if task_ids is not None:
        _require_tasks(task_ids)
        flow = partial(confirm_tasks, task_ids=task_ids)
    else:
        flow = partial(confirm_job, job_id=ListOTATaskByJob(job_id=job_id).job_id)
    with TuyaOTAHook(operator.tuya_ota_conn_id).get_conn(operator.log) as client:
        confirmed = client.run(flow(client.settings))
    operator.log.info("Confirmed %s device tasks", len(confirmed))
    return confirmed


def _require_tasks(task_ids: list[str]) -> None:
    with named_as(task_id="task_ids"):
        for begin in range(0, max(1, len(task_ids)), MOST_AT_ONCE):
            # Built for its complaints, before anything is sent.
            ConfirmOTATask(task_id=task_ids[begin : begin + MOST_AT_ONCE])
    if len(set(task_ids)) < len(task_ids):
        raise InvalidParameterError(field="task_ids", problem="names a task twice", allowed="each task once")
