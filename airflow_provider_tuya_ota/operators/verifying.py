"""What the worker does for :class:`~airflow_provider_tuya_ota.operators.job.TuyaOTACreateVerifyJobOperator`.

It stands apart from the class because a Dag file is parsed far more often than it runs, and parsing needs no protocol.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.actions import CreateOTAVerifyJob
from airflow_provider_tuya_ota.core.errors import InvalidParameterError, JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.release_report import report_job, report_verified
from airflow_provider_tuya_ota.core.verification import IfVerified, Verification, start_verification
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.links import XCOM_KEY, console_url
from airflow_provider_tuya_ota.notifications.telling import tell
from airflow_provider_tuya_ota.operators.values import names, switch, text, whole_number
from airflow_provider_tuya_ota.waiting import patience, verdict_of, wait_deferred, wait_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.verdicts import Verdict
    from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator


def start(operator: TuyaOTACreateVerifyJobOperator, context: Context) -> str:
    """Adopt or create the verification, then wait for its verdict, or defer."""
    started_at = datetime.now(UTC)
    action = _action(operator)
    if_verified = _if_verified(operator.if_verified)
    how = patience(
        timeout=operator.timeout, poll_interval=operator.poll_interval, execution_timeout=operator.execution_timeout
    )
    hook = TuyaOTAHook(operator.tuya_ota_conn_id)
    with hook.get_conn(operator.log) as client:
        verification = client.run(start_verification(client.settings, action, if_verified=if_verified))
        link = console_url(
            client.settings,
            job_id=verification.job_id,
            firmware_id=verification.firmware_id,
            product_key=action.product_key,
        )
    # Pushed before anything that may fail or take long: whoever looks for the job must find it.
    _push(operator, context, verification, link)
    _announce(operator, action, verification)
    if verification.is_verified or not operator.wait_for_completion:
        return verification.job_id
    carry = {"started_at": started_at.isoformat(), "link": link}
    if operator.deferrable:
        wait_deferred(operator, conn_id=operator.tuya_ota_conn_id, job_id=verification.job_id, how=how, carry=carry)
    return _finish(operator, context, lambda: wait_here(hook, verification.job_id, how, operator.log), carry)


def resume(operator: TuyaOTACreateVerifyJobOperator, context: Context, event: dict[str, Any] | None) -> str:
    """Go on after the triggerer's event."""
    return _finish(operator, context, lambda: verdict_of(event), (event or {}).get("carry", {}))


def _action(operator: TuyaOTACreateVerifyJobOperator) -> CreateOTAVerifyJob:
    return CreateOTAVerifyJob(
        firmware_id=operator.firmware_id,
        product_key=operator.product_key,
        target_device_name=names("device_names", operator.device_names),
        timeout_in_minutes=whole_number("timeout_in_minutes", operator.timeout_in_minutes),
        need_push=switch("need_push", operator.need_push),
        need_confirm=switch("need_confirm", operator.need_confirm),
        download_protocol=text(operator.download_protocol),
    )


def _if_verified(value: str) -> IfVerified:
    if value not in set(IfVerified):
        raise InvalidParameterError(
            field="if_verified", problem=f"{value!r} is not allowed", allowed=", ".join(IfVerified)
        )
    return IfVerified(value)


def _push(operator: TuyaOTACreateVerifyJobOperator, context: Context, verification: Verification, link: str) -> None:
    ti = context["ti"]
    ti.xcom_push(key="job_id", value=verification.job_id)
    ti.xcom_push(key="firmware_id", value=verification.firmware_id)
    ti.xcom_push(key="utc_create", value=verification.utc_create)
    ti.xcom_push(key="request_id", value=verification.request_id)
    ti.xcom_push(key=XCOM_KEY, value=link)
    if verification.is_verified:
        release = report_verified(verification.firmware_id, verification.job_id, operator.product_key, link)
        _tell(operator, context, release)


def _announce(operator: TuyaOTACreateVerifyJobOperator, action: CreateOTAVerifyJob, verification: Verification) -> None:
    log = operator.log
    if verification.is_verified:
        log.info("Package %s is verified already; nothing was started", verification.firmware_id)
        return
    verb = "Created" if verification.is_new else "Following"
    log.info("%s verification job %s of package %s", verb, verification.job_id, verification.firmware_id)
    if action.need_push is False:
        log.info("need_push is False: nothing is pushed, each device must ask for the package itself")
    if action.need_confirm:
        log.info("need_confirm is True: each device waits in CONFIRM until its task is confirmed")


def _finish(
    operator: TuyaOTACreateVerifyJobOperator, context: Context, wait: Callable[[], Verdict], carry: dict[str, str]
) -> str:
    try:
        verdict = wait()
    except (JobFailedError, WaitTimeoutError) as error:
        if error.verdict is not None:
            _report(operator, context, error.verdict, carry, error=str(error))
        raise
    _report(operator, context, verdict, carry)
    operator.log.info("%s", verdict.line())
    return verdict.job_id


def _report(
    operator: TuyaOTACreateVerifyJobOperator,
    context: Context,
    verdict: Verdict,
    carry: dict[str, str],
    *,
    error: str = "",
) -> None:
    now = datetime.now(UTC)
    duration = (now - datetime.fromisoformat(carry.get("started_at", now.isoformat()))).total_seconds()
    link = carry.get("link", "")
    _tell(
        operator,
        context,
        report_job(verdict, product_key=operator.product_key, duration=duration, link=link, error=error),
    )


def _tell(operator: TuyaOTACreateVerifyJobOperator, context: Context, release: dict[str, Any]) -> None:
    context["ti"].xcom_push(key="ota_release", value=release)
    tell(operator.notifiers, context, release, operator.log)
