"""Create a verification job: try a firmware on a few devices."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf

from airflow_provider_tuya_ota.hooks.connection_id import DEFAULT_CONNECTION_ID
from airflow_provider_tuya_ota.operators.base import ONE_DAY, TuyaOTAJobOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import BaseNotifier, Context

    from airflow_provider_tuya_ota.core.actions import CreateOTAVerifyJob
    from airflow_provider_tuya_ota.core.jobs.verification import IfVerified


class TuyaOTACreateVerifyJobOperator(TuyaOTAJobOperator):
    """Verify a firmware on devices: the platform offers it to them and they flash it.

    Calls CreateOTAVerifyJob, unless the firmware is being verified already (then the task waits for that job) or was
    verified before (see ``if_verified``). The verification has succeeded when the firmware says so **and** every
    device task has succeeded; COMPLETED alone is not success.

    Returns the job id, as text. Before it waits, the task pushes XCom ``job_id``, ``firmware_id``, ``job`` (both ids in
    a sentence, because Airflow's XCom page rounds texts of digits), ``utc_create`` and ``request_id``; at its end
    ``ota_release`` (counts, up to 50 devices, duration, text). For a firmware that was verified before, the job id is
    that of its newest verification, empty where the platform lists none.

    Before the task sends its request, it stores what it is about to create in Airflow's task state store. A retry
    resumes the job of the try before, even if that try was killed half-way; it never starts a second job. Clearing the
    task asks for a new verification: the task cancels what the old job has not begun, waits until its devices have
    finished (in the triggerer where it is deferrable, for at most another ``timeout``), and creates a new job.

    Killing the task (marking it or its run failed or successful, or clearing it) and running out of time cancel what
    the job has not begun, unless ``on_cancel`` is ``keep``. A device that is flashing cannot be stopped; the log says
    how many there are. A worker or triggerer that restarts or was frozen cancels nothing, and neither does marking the
    task between two tries, when none of its code runs. The task never cancels a job that it did not create.

    :param firmware_id: firmware to verify.
    :param product_key: product of the devices.
    :param device_names: devices that try it: a list, or text with one name per line. None lets the platform choose; how
        it chooses is not documented. An empty list is an error. Alibaba Cloud IoT, the upstream API, takes at most 10.
    :param timeout_in_minutes: 1 to 1440, for each device, from its first progress report on. Without it a device may
        take for ever.
    :param need_push: None leaves the platform's default True: online devices are notified. False: devices must ask.
    :param need_confirm: None leaves the platform's default False. True: each device waits until its task is confirmed.
    :param download_protocol: HTTPS, the only one; None leaves it out.
    :param if_verified: ``succeed`` (default, so that a release can be run again) or ``fail`` for a firmware that is
        verified already.
    :param wait_for_completion: wait for the verdict (default), or return as soon as the job exists.
    :param deferrable: wait in the triggerer instead of a worker; Airflow's ``[operators] default_deferrable`` by
        default.
    :param poll_interval: seconds between two polls; 15 by default. A poll costs one request; one poll a
        minute, and each where no device goes on, costs three or four.
    :param timeout: seconds to wait; 24 hours by default, because the platform itself may wait for ever. An earlier
        ``execution_timeout`` counts instead, also while deferred.
    :param poll_error_tolerance: seconds for which polls may keep failing before the task fails; two hours by default,
        because an outage of the platform stops no device.
    :param on_cancel: ``stop`` (default): killing the task or running out of time cancels the device tasks that are
        queued, notified or unconfirmed. ``keep``: the job goes on.
    :param on_failed_job: what a retry does whose job has failed: ``fail`` (default) again, because a failing firmware
        does not repair itself, or ``new_job``.
    :param notifiers: any Airflow notifiers, called once with ``ota_release`` when the task ends and no retry follows.
    :param tuya_ota_conn_id: id of the connection.
    :raises JobFailedError: names every failing device with its reason and progress.
    :raises WaitTimeoutError: the time was over; the message says how to go on.
    :raises PollingFailedError: the platform was unreachable for too long; a retry resumes the job.
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
        poll_error_tolerance: float = 7200.0,
        timeout: float = ONE_DAY,
        on_cancel: str = "stop",
        on_failed_job: str = "fail",
        notifiers: BaseNotifier | Sequence[BaseNotifier] = (),
        tuya_ota_conn_id: str = DEFAULT_CONNECTION_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(tuya_ota_conn_id=tuya_ota_conn_id, **kwargs)
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
        self.poll_error_tolerance = poll_error_tolerance
        self.timeout = timeout
        self.on_cancel = on_cancel
        self.on_failed_job = on_failed_job
        self.notifiers = notifiers

    def execute(self, context: Context) -> str:
        """Follow or create the verification, then wait for its verdict."""
        return self._verify(context)

    def execute_complete(self, context: Context, event: dict[str, Any] | None) -> str:
        """Continue after the triggerer's event: with the verdict, or from the start after the wait for an old job."""
        from airflow_provider_tuya_ota.runtime.drain import is_drained  # noqa: PLC0415 - a parsed Dag needs no worker code
        from airflow_provider_tuya_ota.runtime.resume import resume  # noqa: PLC0415 - a parsed Dag needs no worker code

        return self._verify(context) if is_drained(self, context, event) else resume(self, context, event)

    def expected_devices(self) -> tuple[str, ...]:
        """Name the devices that the verification must cover; none where the platform chooses them."""
        from airflow_provider_tuya_ota.runtime.arguments import parse_names  # noqa: PLC0415 - a parsed Dag needs no worker code

        return tuple(parse_names("device_names", self.device_names) or ())

    def _verify(self, context: Context) -> str:
        from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.core.jobs.verification import start_verification  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.core.status.event import Event  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.job_wait import wait_for_verdict  # noqa: PLC0415 - a parsed Dag needs no worker code
        from airflow_provider_tuya_ota.runtime.start import start_job  # noqa: PLC0415 - a parsed Dag needs no worker code

        with self.reported(context) as report:
            request, if_verified = self._request(), self._if_verified()
            job, options = start_job(
                self,
                context,
                report,
                lambda settings, attempt: start_verification(
                    settings, request, if_verified=if_verified, attempt=attempt
                ),
            )
            if not job.is_started:
                is_verified = job.origin is JobOrigin.VERIFIED_BEFORE
                summary = "was verified before" if is_verified else "needs no verification, so no device has tried it"
                report.update(Event.SUCCEEDED, summary=f"{summary}; nothing was started")
                return job.job_id
            self._log_request(request)
            return wait_for_verdict(self, report, job, replace(options, expected=self.expected_devices()))

    def _request(self) -> CreateOTAVerifyJob:
        from airflow_provider_tuya_ota.core.actions import CreateOTAVerifyJob  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import (  # noqa: PLC0415 - a parsed Dag needs no worker code
            named_as,
            parse_bool,
            parse_int,
            parse_names,
            parse_text,
        )

        with named_as(target_device_name="device_names"):
            return CreateOTAVerifyJob(
                firmware_id=self.firmware_id,
                product_key=self.product_key,
                target_device_name=parse_names("device_names", self.device_names),
                timeout_in_minutes=parse_int("timeout_in_minutes", self.timeout_in_minutes),
                need_push=parse_bool("need_push", self.need_push),
                need_confirm=parse_bool("need_confirm", self.need_confirm),
                download_protocol=parse_text("download_protocol", self.download_protocol),
            )

    def _if_verified(self) -> IfVerified:
        from airflow_provider_tuya_ota.core.jobs.verification import IfVerified  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import parse_choice  # noqa: PLC0415 - a parsed Dag needs no worker code

        return IfVerified(parse_choice("if_verified", self.if_verified, tuple(IfVerified), default=IfVerified.SUCCEED))

    def _log_request(self, request: CreateOTAVerifyJob) -> None:
        if request.need_push is False:
            self.log.info("need_push is False: nothing is pushed, each device must ask for the firmware itself")
        if request.need_confirm:
            self.log.info("need_confirm is True: each device waits in CONFIRM until its task is confirmed")
