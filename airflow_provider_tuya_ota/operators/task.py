"""Device tasks: confirm them, or cancel those that have not begun."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.hooks.connection_id import DEFAULT_CONNECTION_ID
from airflow_provider_tuya_ota.operators.base import TuyaOTAOperator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.actions import CancelOTATaskByJob
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.settings import Settings


class TuyaOTACancelJobOperator(TuyaOTAOperator):
    """Cancel device tasks of a job that have not begun, by their status; at least one switch is needed.

    Calls CancelOTATaskByJob. The log says how many device tasks were in which status before and afterwards. A device
    that is flashing cannot be stopped; the log says how many go on. A job that had already ended is no error: log and
    XCom ``ota_release`` give its status and say that nothing was cancelled. Where an answer was lost, they say that
    this is not known.

    Returns how many device tasks of the job wait for confirmation, are queued, notified and in progress afterwards, by
    status. A retry repeats the cancel, which has no further effect; killing the task changes nothing.

    :param job_id: verification or upgrade job.
    :param cancel_queued: tasks whose device has not been notified.
    :param cancel_notified: tasks whose device was notified and has reported nothing yet.
    :param cancel_unconfirmed: tasks that wait for confirmation. None leaves it to the platform: upstream they
        follow ``cancel_queued``.
    :param tuya_ota_conn_id: id of the connection.
    :raises InvalidParameterError: no switch is on; nothing is sent.

    Source: https://developer.tuya.com/en/docs/tuya-iot/CancelOTATaskByJob?id=Kf0lq5eza4vt4
    """

    template_fields: Sequence[str] = (
        "job_id",
        "cancel_queued",
        "cancel_notified",
        "cancel_unconfirmed",
        "tuya_ota_conn_id",
    )
    ui_color = "#ffe8e8"

    def __init__(
        self,
        *,
        job_id: str,
        cancel_queued: bool | str = False,
        cancel_notified: bool | str = False,
        cancel_unconfirmed: bool | str | None = None,
        tuya_ota_conn_id: str = DEFAULT_CONNECTION_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(tuya_ota_conn_id=tuya_ota_conn_id, **kwargs)
        self.job_id = job_id
        self.cancel_queued = cancel_queued
        self.cancel_notified = cancel_notified
        self.cancel_unconfirmed = cancel_unconfirmed

    def execute(self, context: Context) -> dict[str, int]:
        """Cancel, and count what is left."""
        from airflow_provider_tuya_ota.core.jobs.cancel_tasks import cancel_tasks_of_job  # noqa: PLC0415 - a parsed Dag needs no protocol

        with self.reported(context) as report:
            request = self._request()
            with self.open_client() as client:
                cancelled = client.run(cancel_tasks_of_job(client.settings, request))
            report.update(summary=cancelled.summary)
            return {status.value: number for status, number in cancelled.left.items()}

    def _request(self) -> CancelOTATaskByJob:
        from airflow_provider_tuya_ota.core.actions import CancelOTATaskByJob  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import parse_bool  # noqa: PLC0415 - a parsed Dag needs no worker code

        request = CancelOTATaskByJob(
            job_id=self.job_id,
            cancel_queued_task=parse_bool("cancel_queued", self.cancel_queued, default=False),
            cancel_notified_task=parse_bool("cancel_notified", self.cancel_notified, default=False),
            cancel_unconfirmed_task=parse_bool("cancel_unconfirmed", self.cancel_unconfirmed),
        )
        if not (request.cancel_queued_task or request.cancel_notified_task or request.cancel_unconfirmed_task):
            raise InvalidParameterError(
                field="cancel_queued, cancel_notified, cancel_unconfirmed",
                problem="none of them is on",
                allowed="at least one that says which device tasks to cancel",
            )
        return request


class TuyaOTACancelDeviceTasksOperator(TuyaOTAOperator):
    """Cancel the unconfirmed, queued and notified tasks of one firmware on named devices.

    Calls CancelOTATaskByDevice. The platform cancels all of a call or nothing: where one device has nothing to cancel,
    or is flashing, it refuses the call and names the device.

    Returns the device names. After a lost answer the task checks the devices one by one and cancels what is left. A
    retry of the task is refused where the try before has cancelled.

    :param firmware_id: firmware.
    :param product_key: product of the devices.
    :param device_names: a list, or text with one name per line; the upstream API takes at most 200.
    :param job_id: only tasks of this job; by default of any job of the firmware.
    :param tuya_ota_conn_id: id of the connection.
    :raises InvalidParameterError: before anything is sent.
    :raises ConflictError: a device is flashing.
    :raises NotFoundError: a device does not exist or has nothing to cancel.

    Source: https://developer.tuya.com/en/docs/tuya-iot/CancelOTATaskByDevice?id=Kf0lqc4ulorvw
    """

    template_fields: Sequence[str] = ("firmware_id", "product_key", "device_names", "job_id", "tuya_ota_conn_id")
    ui_color = "#ffe8e8"

    def __init__(
        self,
        *,
        firmware_id: str,
        product_key: str,
        device_names: Sequence[str] | str,
        job_id: str | None = None,
        tuya_ota_conn_id: str = DEFAULT_CONNECTION_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(tuya_ota_conn_id=tuya_ota_conn_id, **kwargs)
        self.firmware_id = firmware_id
        self.product_key = product_key
        self.device_names = device_names
        self.job_id = job_id

    def execute(self, context: Context) -> list[str]:
        """Cancel."""
        from airflow_provider_tuya_ota.core.actions import CancelOTATaskByDevice  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.core.jobs.cancel_tasks import cancel_tasks_of_devices  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import named_as, parse_names, parse_text  # noqa: PLC0415 - a parsed Dag needs no worker code

        with self.reported(context) as report:
            with named_as(device_name="device_names"):
                request = CancelOTATaskByDevice(
                    firmware_id=self.firmware_id,
                    product_key=self.product_key,
                    device_name=parse_names("device_names", self.device_names) or [],
                    job_id=parse_text("job_id", self.job_id),
                )
            with self.open_client() as client:
                client.run(cancel_tasks_of_devices(client.settings, request))
            self.log.info("Cancelled what %s devices waited for", len(request.device_name))
            report.update(summary=f"is cancelled on {len(request.device_name)} devices")
            return list(request.device_name)


class TuyaOTAConfirmTasksOperator(TuyaOTAOperator):
    """Confirm device tasks that wait for confirmation (``need_confirm=True``), so that their devices may begin.

    Calls ConfirmOTATask, ten tasks at a time: the named ones, or with ``job_id`` all that wait in the job now. Tasks
    that no longer wait are skipped with a warning; after a lost answer they count as confirmed by it.

    Returns the ids of the tasks that were confirmed. A retry confirms what is left; a confirmation cannot be revoked.

    :param task_ids: device tasks: a list, or text with one id per line.
    :param job_id: all tasks of this job that wait; exactly one of the two is needed.
    :param tuya_ota_conn_id: id of the connection.
    :raises InvalidParameterError: neither or both are given; nothing is sent.
    :raises NotFoundError: a task or the job does not exist.

    Source: https://developer.tuya.com/en/docs/tuya-iot/ConfirmOTATask?id=Kf0lqj1jc9vlr
    """

    template_fields: Sequence[str] = ("task_ids", "job_id", "tuya_ota_conn_id")
    ui_color = "#e8ffe9"

    def __init__(
        self,
        *,
        task_ids: Sequence[str] | str | None = None,
        job_id: str | None = None,
        tuya_ota_conn_id: str = DEFAULT_CONNECTION_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(tuya_ota_conn_id=tuya_ota_conn_id, **kwargs)
        self.task_ids = task_ids
        self.job_id = job_id

    def execute(self, context: Context) -> list[str]:
        """Confirm the named tasks, or all that wait in a job."""
        with self.reported(context) as report:
            confirm = self._checked_flow()
            with self.open_client() as client:
                confirmed = client.run(confirm(client.settings))
            self.log.info("Confirmed %s device tasks", len(confirmed))
            report.update(summary=f"got {len(confirmed)} device tasks confirmed")
            return confirmed

    def _checked_flow(self) -> Callable[[Settings], Flow[list[str]]]:
        """Check the arguments before anything is sent, and give the flow that confirms."""
        from airflow_provider_tuya_ota.core.actions import ListOTATaskByJob  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.core.jobs.confirm import confirm_job, confirm_tasks  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import parse_names, parse_text  # noqa: PLC0415 - a parsed Dag needs no worker code

        task_ids, job_id = parse_names("task_ids", self.task_ids), parse_text("job_id", self.job_id)
        if (task_ids is None) == (job_id is None):
            raise InvalidParameterError(
                field="task_ids, job_id",
                problem="neither is given" if job_id is None else "both are given",
                allowed="exactly one of them",
            )
        if task_ids is None:
            return partial(confirm_job, job_id=ListOTATaskByJob(job_id=job_id).job_id)
        self._require_tasks(task_ids)
        return partial(confirm_tasks, task_ids=task_ids)

    def _require_tasks(self, task_ids: list[str]) -> None:
        from airflow_provider_tuya_ota.core.actions import ConfirmOTATask  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.core.jobs.confirm import MOST_AT_ONCE  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import named_as  # noqa: PLC0415 - a parsed Dag needs no worker code

        with named_as(task_id="task_ids"):
            for begin in range(0, max(1, len(task_ids)), MOST_AT_ONCE):
                # Built for its complaints.
                ConfirmOTATask(task_id=task_ids[begin : begin + MOST_AT_ONCE])
        if len(set(task_ids)) < len(task_ids):
            raise InvalidParameterError(field="task_ids", problem="names a task twice", allowed="each task once")
