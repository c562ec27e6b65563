"""What the worker does for :class:`~airflow_provider_tuya_ota.operators.upgrade.TuyaOTACreateUpgradeJobOperator`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob
from airflow_provider_tuya_ota.core.jobs.upgrade import start_upgrade
from airflow_provider_tuya_ota.runtime import job as releasing
from airflow_provider_tuya_ota.runtime.arguments import (
    given_or_nothing,
    named_as,
    parse_bool,
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
    from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator
    from airflow_provider_tuya_ota.runtime.task_report import TaskReport


def run(operator: TuyaOTACreateUpgradeJobOperator, context: Context) -> str:
    """Go on with the job of an earlier try or create one, then wait for its verdict, or defer."""
    with reported(context, operator) as report:
        return _run(operator, context, report)


def _run(operator: TuyaOTACreateUpgradeJobOperator, context: Context, report: TaskReport) -> str:
    action = _action(operator)

    def flow(settings: Settings, attempt: Attempt) -> Flow[TrackedJob]:
        return start_upgrade(settings, action, attempt)

    started, how = releasing.start(operator, context, report, flow)
    if not operator.wait_for_completion:
        return started.job_id
    return releasing.wait(operator, report, started, how)


def _action(operator: TuyaOTACreateUpgradeJobOperator) -> CreateOTAStaticUpgradeJob:
    devices, share, group = _chosen(operator)
    percent = parse_int("gray_percent", share)
    with named_as(target_device_name="device_names", src_version="source_versions"):
        return CreateOTAStaticUpgradeJob(
            firmware_id=operator.firmware_id,
            product_key=operator.product_key,
            target_selection=operator.target_selection,
            target_device_name=parse_names("device_names", devices),
            gray_percent=None if percent is None else str(percent),
            group_id=parse_text("group_id", group),
            src_version=parse_names("source_versions", operator.source_versions),
            retry_interval=parse_int("retry_interval", operator.retry_interval),
            retry_count=parse_int("retry_count", operator.retry_count),
            timeout_in_minutes=parse_int("timeout_in_minutes", operator.timeout_in_minutes),
            need_push=parse_bool("need_push", operator.need_push),
            need_confirm=parse_bool("need_confirm", operator.need_confirm),
            download_protocol=parse_text("download_protocol", operator.download_protocol),
        )


def _chosen(operator: TuyaOTACreateUpgradeJobOperator) -> list[Any]:
    """Give devices, share and group; what does not belong to the selection may have rendered to nothing.

    Beside SPECIFIC, GRAY and GROUP the platform takes no other choice than their own, so that leaving one out changes
    nothing. Beside ALL a choice that came to nothing would release to everybody, so it stays for the reader to refuse.
    """
    values = [operator.device_names, operator.gray_percent, operator.group_id]
    selection: Any = operator.target_selection
    if not isinstance(selection, str) or selection not in {"SPECIFIC", "GRAY", "GROUP"}:
        return values
    return [value if given_or_nothing(value) else None for value in values]
