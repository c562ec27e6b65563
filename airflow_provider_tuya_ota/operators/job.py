"""Starting jobs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf
from airflow.sdk import BaseOperator

from airflow_provider_tuya_ota.core.actions import CreateOTAVerifyJob
from airflow_provider_tuya_ota.core.errors import InvalidParameterError, JobFailedError, WaitTimeoutError
from airflow_provider_tuya_ota.core.release_report import report_job, report_verified
from airflow_provider_tuya_ota.core.verification import IfVerified, Verification, start_verification
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.links import XCOM_KEY, TuyaOTAJobLink, console_url
from airflow_provider_tuya_ota.notifications.telling import tell
from airflow_provider_tuya_ota.operators.values import names, switch, text, whole_number
from airflow_provider_tuya_ota.waiting import DAY, patience, verdict_of, wait_deferred, wait_here

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow.sdk import BaseNotifier, Context

    from airflow_provider_tuya_ota.core.verdicts import Verdict


class TuyaOTACreateVerifyJobOperator(BaseOperator):
    """Verify a package on devices: the platform offers it to them and they flash it.

    Calls CreateOTAVerifyJob, unless the package is being verified already (that job is followed instead) or is
    verified already (see ``if_verified``). The verification has succeeded when the package says so **and** every
    device task does; a job that is merely COMPLETED has not.

    Returns the job id, as text. Pushes XCom ``job_id``, ``firmware_id``, ``utc_create`` and ``request_id`` before
    waiting, and ``ota_release`` (counts, up to 50 devices, duration, text) at the end. For a package that was
    verified before, the job id is that of its newest verification, empty where the platform lists none.

    A retry adopts a verification that is still running; after one that failed it starts another. Killing the task
    does not stop the job: a device that is flashing cannot be stopped.

    :param firmware_id: package to verify.
    :param product_key: product of the devices.
    :param device_names: devices to try it on: a list, or text with one name per line. None leaves the choice to the
        platform, which is not documented; an empty list is an error. The original of the API takes at most 10.
    :param timeout_in_minutes: 1 to 1440, for each device from its first progress report on; without it a device may
        take for ever.
    :param need_push: None leaves the platform's True: online devices are told. False: devices must ask.
    :param need_confirm: None leaves the platform's False. True: each device waits until its task is confirmed.
    :param download_protocol: HTTPS, the only one; None leaves it out.
    :param if_verified: ``succeed`` (default, so that a release can be run again) or ``fail`` for a package that is
        verified already.
    :param wait_for_completion: wait for the verdict (default), or return as soon as the job exists.
    :param deferrable: wait in the triggerer instead of a worker; Airflow's ``[operators] default_deferrable`` by
        default.
    :param poll_interval: seconds between two looks; 15 by default, a look costs three requests.
    :param timeout: seconds to wait, 24 hours by default because the platform itself may wait for ever; an earlier
        ``execution_timeout`` counts instead. The job goes on afterwards.
    :param notifiers: any Airflow notifiers, called once with ``ota_release`` when the verdict or the timeout is there.
    :param tuya_ota_conn_id: id of the connection.
    :raises JobFailedError: naming every failing device with its reason and progress.
    :raises WaitTimeoutError: the time was over; says how to go on.
    :raises InvalidParameterError: before anything is sent.

    Source: https://developer.tuya.com/en/docs/tuya-iot/CreateOTAVerifyJob?id=Kf0louscz3hvc
    """

    template_fields: Sequence[str] = (
        "firmware_id",
        "product_key",
        "device_names",
        "timeout_in_minutes",
        "need_push",
        "need_confirm",
        "download_protocol",
        "if_verified",
        "tuya_ota_conn_id",
    )
    operator_extra_links = (TuyaOTAJobLink(),)
    ui_color = "#fff1e8"

    def __init__(
        self,
        *,
        firmware_id: str,
        product_key: str,
        device_names: Sequence[str] | str | None = None,
        timeout_in_minutes: int | str | None = None,
        need_push: bool | str | None = None,
        need_confirm: bool | str | None = None,
        download_protocol: str | None = None,
        if_verified: str = "succeed",
        wait_for_completion: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float = 15.0,
        timeout: float = DAY,
        notifiers: Sequence[BaseNotifier] = (),
        tuya_ota_conn_id: str = TuyaOTAHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.firmware_id = firmware_id
        self.product_key = product_key
        self.device_names = device_names
        self.timeout_in_minutes = timeout_in_minutes
        self.need_push = need_push
        self.need_confirm = need_confirm
        self.download_protocol = download_protocol
        self.if_verified = if_verified
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.notifiers = notifiers
        self.tuya_ota_conn_id = tuya_ota_conn_id

    def execute(self, context: Context) -> str:
        """Adopt or create the verification, then wait for its verdict."""
        started_at = datetime.now(UTC)
        action = self._action()
        if_verified = self._if_verified()
        how = patience(timeout=self.timeout, poll_interval=self.poll_interval, execution_timeout=self.execution_timeout)
        hook = TuyaOTAHook(self.tuya_ota_conn_id)
        with hook.get_conn(self.log) as client:
            verification = client.run(start_verification(client.settings, action, if_verified=if_verified))
            link = console_url(
                client.settings,
                job_id=verification.job_id,
                firmware_id=verification.firmware_id,
                product_key=action.product_key,
            )
        self._push(context, verification, link)
        self._announce(action, verification)
        if verification.is_verified or not self.wait_for_completion:
            return verification.job_id
        carry = {"started_at": started_at.isoformat(), "link": link}
        if self.deferrable:
            wait_deferred(self, conn_id=self.tuya_ota_conn_id, job_id=verification.job_id, how=how, carry=carry)
        return self._finish(context, lambda: wait_here(hook, verification.job_id, how, self.log), carry)

    def execute_complete(self, context: Context, event: dict[str, Any] | None) -> str:
        """Go on after the triggerer's event."""
        return self._finish(context, lambda: verdict_of(event), (event or {}).get("carry", {}))

    def _action(self) -> CreateOTAVerifyJob:
        return CreateOTAVerifyJob(
            firmware_id=self.firmware_id,
            product_key=self.product_key,
            target_device_name=names("device_names", self.device_names),
            timeout_in_minutes=whole_number("timeout_in_minutes", self.timeout_in_minutes),
            need_push=switch("need_push", self.need_push),
            need_confirm=switch("need_confirm", self.need_confirm),
            download_protocol=text(self.download_protocol),
        )

    def _if_verified(self) -> IfVerified:
        if self.if_verified not in set(IfVerified):
            raise InvalidParameterError(
                field="if_verified", problem=f"{self.if_verified!r} is not allowed", allowed=", ".join(IfVerified)
            )
        return IfVerified(self.if_verified)

    def _push(self, context: Context, verification: Verification, link: str) -> None:
        ti = context["ti"]
        ti.xcom_push(key="job_id", value=verification.job_id)
        ti.xcom_push(key="firmware_id", value=verification.firmware_id)
        ti.xcom_push(key="utc_create", value=verification.utc_create)
        ti.xcom_push(key="request_id", value=verification.request_id)
        ti.xcom_push(key=XCOM_KEY, value=link)
        if verification.is_verified:
            release = report_verified(verification.firmware_id, verification.job_id, self.product_key, link)
            ti.xcom_push(key="ota_release", value=release)
            tell(self.notifiers, context, release, self.log)

    def _announce(self, action: CreateOTAVerifyJob, verification: Verification) -> None:
        if verification.is_verified:
            self.log.info("Package %s is verified already; nothing was started", verification.firmware_id)
            return
        verb = "Created" if verification.is_new else "Following"
        self.log.info("%s verification job %s of package %s", verb, verification.job_id, verification.firmware_id)
        if action.need_push is False:
            self.log.info("need_push is False: nothing is pushed, each device must ask for the package itself")
        if action.need_confirm:
            self.log.info("need_confirm is True: each device waits in CONFIRM until its task is confirmed")

    def _finish(self, context: Context, wait: Callable[[], Verdict], carry: dict[str, str]) -> str:
        try:
            verdict = wait()
        except (JobFailedError, WaitTimeoutError) as error:
            if error.verdict is not None:
                self._report(context, error.verdict, carry, error=str(error))
            raise
        self._report(context, verdict, carry)
        self.log.info("%s", verdict.line())
        return verdict.job_id

    def _report(self, context: Context, verdict: Verdict, carry: dict[str, str], *, error: str = "") -> None:
        now = datetime.now(UTC)
        duration = (now - datetime.fromisoformat(carry.get("started_at", now.isoformat()))).total_seconds()
        release = report_job(
            verdict, product_key=self.product_key, duration=duration, link=carry.get("link", ""), error=error
        )
        context["ti"].xcom_push(key="ota_release", value=release)
        tell(self.notifiers, context, release, self.log)
