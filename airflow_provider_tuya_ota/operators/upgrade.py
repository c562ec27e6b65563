"""Create an upgrade job: hand a verified firmware to many devices."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import conf

from airflow_provider_tuya_ota.hooks.connection_id import DEFAULT_CONNECTION_ID
from airflow_provider_tuya_ota.operators.base import ONE_DAY, TuyaOTAJobOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import BaseNotifier, Context

    from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob


class TuyaOTACreateUpgradeJobOperator(TuyaOTAJobOperator):
    """Upgrade many devices: the platform offers a verified firmware to them and they flash it.

    Calls CreateOTAStaticUpgradeJob. The upgrade has succeeded when every device task of the job has succeeded. If only
    some have, the task fails and names the others.

    Returns the job id, as text. Before it waits, the task pushes XCom ``job_id``, ``firmware_id``, ``job`` (both ids in
    a sentence, because Airflow's XCom page rounds texts of digits), ``utc_create`` and ``request_id``; at its end
    ``ota_release`` (counts, up to 50 devices, duration, text).

    Before the task sends its request, it stores what it is about to create in Airflow's task state store. A retry
    resumes the job of the try before and never starts a second job. Clearing the task cancels what the old job has not
    begun, waits until its devices have finished (in the triggerer where the task is deferrable, for at most another
    ``timeout``), and creates a new job. If another unfinished job upgrades the same devices to the same
    firmware, the task fails, names that job and creates nothing. Killing the task or running out of time cancels what
    the job has not begun (``on_cancel``); a device that is flashing cannot be stopped.

    :param firmware_id: firmware to hand out; it must be verified, unless it was created as needing no verification.
    :param product_key: product of the devices.
    :param target_selection: ``ALL`` devices that can take it, ``SPECIFIC`` ones, a ``GRAY`` share, or a ``GROUP``.
    :param device_names: with SPECIFIC and only with it: a list, or text with one name per line. Alibaba Cloud IoT, the
        upstream API, takes at most 200.
    :param gray_percent: with GRAY and only with it: a whole percent, 1 to 100.
    :param group_id: with GROUP and only with it.
    :param source_versions: only devices on one of these; the upstream API takes up to 10, with ALL and GRAY.
    :param retry_interval: minutes after which a device that failed tries again: 0, 10, 30, 60 or 1440; needs
        ``retry_count``. None: no device tries again.
    :param retry_count: how often a device that failed tries again: 1, 2 or 5.
    :param timeout_in_minutes: 1 to 1440, for each device, from its first progress report on. Without it a device may
        take for ever.
    :param need_push: None leaves the platform's default True: online devices are notified. False: devices must ask.
    :param need_confirm: None leaves the platform's default False. True: each device waits until its task is confirmed.
    :param download_protocol: HTTPS, the only one; None leaves it out.
    :param wait_for_completion: wait for the verdict (default), or return as soon as the job exists.
    :param deferrable: wait in the triggerer instead of a worker; Airflow's ``[operators] default_deferrable`` by
        default.
    :param poll_interval: seconds between two polls; 15 by default. A poll costs one request for up to a hundred
        devices and eight for more, however many there are. One poll a minute, and each where no device goes on, costs
        one to three more.
    :param timeout: seconds to wait; 24 hours by default, because the platform itself may wait for ever. An earlier
        ``execution_timeout`` counts instead, also while deferred.
    :param poll_error_tolerance: seconds for which polls may keep failing before the task fails; two hours by default,
        because an outage of the platform stops no device.
    :param on_cancel: ``stop`` (default): killing the task or running out of time cancels the device tasks that are
        queued, notified or unconfirmed. ``keep``: the job goes on.
    :param on_failed_job: what a retry does whose job has failed: ``fail`` (default) again, or ``new_job``.
    :param notifiers: any Airflow notifiers, called once with ``ota_release`` when the task ends and no retry follows.
    :param tuya_ota_conn_id: id of the connection.
    :raises JobFailedError: names the failing devices with reason and progress.
    :raises AlreadyUnderWayError: another unfinished job does the same.
    :raises WaitTimeoutError: the time was over; the message says how to go on.
    :raises PollingFailedError: the platform was unreachable for too long; a retry resumes the job.
    :raises InvalidParameterError: before anything is sent.

    Source: https://developer.tuya.com/en/docs/tuya-iot/CreateOTAStaticUpgradeJob?id=Kf0lppuhnbyun
    """

    template_fields: Sequence[str] = (
        "firmware_id",
        "product_key",
        "target_selection",
        "device_names",
        "gray_percent",
        "group_id",
        "source_versions",
        "retry_interval",
        "retry_count",
        "timeout_in_minutes",
        "need_push",
        "need_confirm",
        "download_protocol",
        "tuya_ota_conn_id",
    )
    ui_color = "#ffe8e8"

    def __init__(
        self,
        *,
        firmware_id: str,
        product_key: str,
        target_selection: str,
        device_names: Sequence[str] | str | None = None,
        gray_percent: int | str | None = None,
        group_id: str | None = None,
        source_versions: Sequence[str] | str | None = None,
        retry_interval: int | str | None = None,
        retry_count: int | str | None = None,
        timeout_in_minutes: int | str | None = None,
        need_push: bool | str | None = None,
        need_confirm: bool | str | None = None,
        download_protocol: str | None = None,
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
        self.target_selection = target_selection
        self.device_names = device_names
        self.gray_percent = gray_percent
        self.group_id = group_id
        self.source_versions = source_versions
        self.retry_interval = retry_interval
        self.retry_count = retry_count
        self.timeout_in_minutes = timeout_in_minutes
        self.need_push = need_push
        self.need_confirm = need_confirm
        self.download_protocol = download_protocol
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.poll_error_tolerance = poll_error_tolerance
        self.timeout = timeout
        self.on_cancel = on_cancel
        self.on_failed_job = on_failed_job
        self.notifiers = notifiers

    def execute(self, context: Context) -> str:
        """Go on with the job of an earlier try or create one, then wait for its verdict."""
        return self._upgrade(context)

    def execute_complete(self, context: Context, event: dict[str, Any] | None) -> str:
        """Continue after the triggerer's event: with the verdict, or from the start after the wait for an old job."""
        from airflow_provider_tuya_ota.runtime.drain import is_drained  # noqa: PLC0415 - a parsed Dag needs no worker code
        from airflow_provider_tuya_ota.runtime.resume import resume  # noqa: PLC0415 - a parsed Dag needs no worker code

        return self._upgrade(context) if is_drained(self, context, event) else resume(self, context, event)

    def expected_devices(self) -> tuple[str, ...]:
        """Name the devices that the upgrade must cover; none where the platform chooses them."""
        from airflow_provider_tuya_ota.runtime.arguments import parse_names  # noqa: PLC0415 - a parsed Dag needs no worker code

        if self.target_selection != "SPECIFIC":
            return ()
        return tuple(parse_names("device_names", self.device_names) or ())

    def _upgrade(self, context: Context) -> str:
        from airflow_provider_tuya_ota.core.jobs.upgrade import start_upgrade  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.job_wait import wait_for_verdict  # noqa: PLC0415 - a parsed Dag needs no worker code
        from airflow_provider_tuya_ota.runtime.start import start_job  # noqa: PLC0415 - a parsed Dag needs no worker code

        with self.reported(context) as report:
            request = self._request()
            job, options = start_job(
                self, context, report, lambda settings, attempt: start_upgrade(settings, request, attempt)
            )
            return wait_for_verdict(self, report, job, replace(options, expected=self.expected_devices()))

    def _request(self) -> CreateOTAStaticUpgradeJob:
        from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import (  # noqa: PLC0415 - a parsed Dag needs no worker code
            named_as,
            parse_bool,
            parse_int,
            parse_names,
            parse_text,
        )

        device_names, gray_percent, group_id = self._selected()
        percent = parse_int("gray_percent", gray_percent)
        with named_as(target_device_name="device_names", src_version="source_versions"):
            return CreateOTAStaticUpgradeJob(
                firmware_id=self.firmware_id,
                product_key=self.product_key,
                target_selection=self.target_selection,
                target_device_name=parse_names("device_names", device_names),
                gray_percent=None if percent is None else str(percent),
                group_id=parse_text("group_id", group_id),
                src_version=parse_names("source_versions", self.source_versions),
                retry_interval=parse_int("retry_interval", self.retry_interval),
                retry_count=parse_int("retry_count", self.retry_count),
                timeout_in_minutes=parse_int("timeout_in_minutes", self.timeout_in_minutes),
                need_push=parse_bool("need_push", self.need_push),
                need_confirm=parse_bool("need_confirm", self.need_confirm),
                download_protocol=parse_text("download_protocol", self.download_protocol),
            )

    def _selected(self) -> list[Any]:
        """Give devices, share and group; what does not belong to the selection may have rendered to nothing.

        Beside SPECIFIC, GRAY and GROUP the platform takes only their own argument, so leaving another one out changes
        nothing. With ALL an argument that rendered to nothing would release to every device, so it is kept for
        ``parse_*`` to refuse.
        """
        from airflow_provider_tuya_ota.runtime.arguments import given_or_nothing  # noqa: PLC0415 - a parsed Dag needs no worker code

        values = [self.device_names, self.gray_percent, self.group_id]
        selection: Any = self.target_selection
        if not isinstance(selection, str) or selection not in {"SPECIFIC", "GRAY", "GROUP"}:
            return values
        return [value if given_or_nothing(value) else None for value in values]
