"""What the worker does for :class:`~airflow_provider_tuya_ota.operators.job.TuyaOTACreateVerifyJobOperator`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.actions import CreateOTAVerifyJob
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin
from airflow_provider_tuya_ota.core.jobs.verification import IfVerified, start_verification
from airflow_provider_tuya_ota.core.status.event import Event
from airflow_provider_tuya_ota.runtime import job as releasing
from airflow_provider_tuya_ota.runtime.arguments import (
    named_as,
    parse_bool,
    parse_choice,
    parse_int,
    parse_names,
    parse_text,
)
from airflow_provider_tuya_ota.runtime.task_report import reported

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.jobs.intent import Attempt
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator
    from airflow_provider_tuya_ota.runtime.task_report import TaskReport


def run(operator: TuyaOTACreateVerifyJobOperator, context: Context) -> str:
    """Adopt or create the verification, then wait for its verdict, or defer."""
    with reported(context, operator) as report:
        return _run(operator, context, report)


def _run(operator: TuyaOTACreateVerifyJobOperator, context: Context, report: TaskReport) -> str:
    action = _action(operator)
    if_verified = IfVerified(
        parse_choice("if_verified", operator.if_verified, tuple(IfVerified), default=IfVerified.SUCCEED)
    )

    def flow(settings: Settings, attempt: Attempt) -> Flow[TrackedJob]:
        return start_verification(settings, action, if_verified=if_verified, attempt=attempt)

    started, how = releasing.start(operator, context, report, flow)
    if not started.is_started:
        is_verified = started.origin is JobOrigin.VERIFIED_BEFORE
        summary = "was verified before" if is_verified else "needs no verification, so no device has tried it"
        report.know(Event.SUCCEEDED, summary=f"{summary}; nothing was started")
        return started.job_id
    _announce(operator, action)
    if not operator.wait_for_completion:
        return started.job_id
    return releasing.wait(operator, report, started, how)


def _action(operator: TuyaOTACreateVerifyJobOperator) -> CreateOTAVerifyJob:
    with named_as(target_device_name="device_names"):
        return CreateOTAVerifyJob(
            firmware_id=operator.firmware_id,
            product_key=operator.product_key,
            target_device_name=parse_names("device_names", operator.device_names),
            timeout_in_minutes=parse_int("timeout_in_minutes", operator.timeout_in_minutes),
            need_push=parse_bool("need_push", operator.need_push),
            need_confirm=parse_bool("need_confirm", operator.need_confirm),
            download_protocol=parse_text("download_protocol", operator.download_protocol),
        )


def _announce(operator: TuyaOTACreateVerifyJobOperator, action: CreateOTAVerifyJob) -> None:
    if action.need_push is False:
        operator.log.info("need_push is False: nothing is pushed, each device must ask for the firmware itself")
    if action.need_confirm:
        operator.log.info("need_confirm is True: each device waits in CONFIRM until its task is confirmed")
