"""Landed versions: which version devices run that reported success."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.hooks.connection_id import DEFAULT_CONNECTION_ID
from airflow_provider_tuya_ota.operators.base import TuyaOTAOperator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.client import TuyaOTAClient
    from airflow_provider_tuya_ota.rollout.landed.request import LandedRequest
    from airflow_provider_tuya_ota.rollout.landed.result import LandedVersions


class TuyaOTALandedCheckOperator(TuyaOTAOperator):
    """Ask devices that reported success for the version that they run, and fail where one runs another version.

    Calls ListOTAModuleVersionsByDevice once for a device, and changes nothing. A device that fell back to its old
    version after its success is found by this alone: its task stays SUCCEEDED. The log names each device that does not
    run the version. A device that cannot be asked is asked again after all others; after ten failures in a row the task
    fails, and there is no result.

    Returns plain values of bounded size: ``reported``, ``checked``, ``is_sample``, ``on_target``, ``elsewhere`` and
    ``not_known`` as numbers, the numbers of the most frequent other versions, and the first 50 devices of each class.
    The same is pushed as XCom ``landed_check``, also where the task fails. A retry asks all devices again. Killing the
    task stops nothing, because nothing was started.

    :param product_key: product of the devices.
    :param version: version that they are to run.
    :param device_names: the devices that reported success: a list, or text with one name per line; either these or
        ``job_ids``.
    :param job_ids: upgrade or verification jobs, as a list, or text with one id per line; every device is asked whose
        task has succeeded in one of them. Where none has, there is nothing to ask, and the task fails.
    :param module_name: OTA module that was upgraded; ``default``, the whole device, by default.
    :param sample: how many devices are asked at most; by default all. The same devices are chosen each time.
    :param recheck_after: when to check again, counted from the first check: a list of rising durations, each a text
        such as ``24h`` or a number of seconds. The task waits in the triggerer and holds no worker. Empty by default:
        it checks once. Each check may fail the task. A retry begins with the first check, and counts from there.
    :param on_mismatch: ``fail`` (default), or ``report``: end well although devices do not run the version.
    :param requests_per_second: limit for this task, above 0; 5 by default, half of what the upstream API documents for
        an account. The limit of the connection holds too.
    :param tuya_ota_conn_id: id of the connection.
    :raises InvalidParameterError: before anything is sent.
    :raises LandedVersionError: a device runs another version, the platform knows none of it, or none has succeeded.
    :raises NotFoundError: the product or a job does not exist.

    Source: https://developer.tuya.com/en/docs/tuya-iot/ListOTAModuleVersionsByDevice?id=Kf0lri835b57s
    """

    template_fields: Sequence[str] = (
        "product_key",
        "version",
        "device_names",
        "job_ids",
        "module_name",
        "sample",
        "on_mismatch",
        "tuya_ota_conn_id",
    )
    ui_color = "#f2e8ff"

    def __init__(
        self,
        *,
        product_key: str,
        version: str,
        device_names: Sequence[str] | str | None = None,
        job_ids: Sequence[str] | str | None = None,
        module_name: str | None = None,
        sample: int | str | None = None,
        recheck_after: Sequence[float | str] = (),
        on_mismatch: str = "fail",
        requests_per_second: float = 5.0,
        tuya_ota_conn_id: str = DEFAULT_CONNECTION_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(tuya_ota_conn_id=tuya_ota_conn_id, **kwargs)
        self.product_key = product_key
        self.version = version
        self.device_names = device_names
        self.job_ids = job_ids
        self.module_name = module_name
        self.sample = sample
        self.recheck_after = recheck_after
        self.on_mismatch = on_mismatch
        self.requests_per_second = requests_per_second

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask the devices for the first time."""
        return self._run(context, datetime.now(UTC), 0)

    def recheck(self, context: Context, event: Any, *, first_at: str, number: int) -> dict[str, Any]:  # noqa: ARG002 - Airflow's signature
        """Ask the devices again.

        :param first_at: when the first check was.
        :param number: how many checks were before.
        """
        return self._run(context, datetime.fromisoformat(first_at), number)

    def _run(self, context: Context, first_at: datetime, number: int) -> dict[str, Any]:
        from airflow_provider_tuya_ota.rollout.landed.request import parse_rechecks  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import parse_choice  # noqa: PLC0415 - a parsed Dag needs no worker code
        from airflow_provider_tuya_ota.runtime.xcom import push_landed  # noqa: PLC0415 - a parsed Dag needs no worker code

        with self.reported(context) as report:
            if number:
                report.load_state()
            delays = parse_rechecks(self.recheck_after)
            on_mismatch = parse_choice("on_mismatch", self.on_mismatch, ("fail", "report"), default="fail")
            request, devices, jobs = self._request(), self._devices(), self._jobs()
            if (devices is None) == (jobs is None):
                raise InvalidParameterError(
                    field="device_names, job_ids",
                    problem="are both given, or neither",
                    allowed="one of the two: devices that reported success, or jobs whose successes are asked",
                )
            with self.open_client() as client:
                found = self._check(client, request, devices, jobs or ())
            self.log.info("%s", found)
            summary = found.summary() | {"check": number + 1, "checks": len(delays) + 1}
            push_landed(context["ti"], summary)
            report.update(version=request.version, summary=f"asked devices for their version: {found}")
            if on_mismatch == "fail":
                found.require_landed()
            if number < len(delays):
                report.leave_waiting("waits for the next check of the versions that devices run")
                self._wait(first_at, delays[number], number + 1)
            return summary

    def _wait(self, first_at: datetime, delay: float, number: int) -> None:
        """Wait in the triggerer for the next check."""
        from airflow.providers.standard.triggers.temporal import DateTimeTrigger  # noqa: PLC0415 - most checks do not wait

        moment = (first_at + timedelta(seconds=delay)).isoformat()
        self.log.info("Checking again at %s", moment)
        self.defer(
            trigger=DateTimeTrigger(target_time=moment),
            method_name="recheck",
            kwargs={"first_at": first_at.isoformat(), "number": number},
        )

    def _check(
        self, client: TuyaOTAClient, request: LandedRequest, devices: tuple[str, ...] | None, jobs: tuple[str, ...]
    ) -> LandedVersions:
        from airflow_provider_tuya_ota.rollout.landed.check import check_landed, list_successes  # noqa: PLC0415 - a parsed Dag needs no protocol

        if devices is None:
            devices = client.run(list_successes(client.settings, jobs))
        return client.run(check_landed(client.settings, request, devices))

    def _request(self) -> LandedRequest:
        from airflow_provider_tuya_ota.rollout.landed.request import LandedRequest  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import parse_int, parse_text  # noqa: PLC0415 - a parsed Dag needs no worker code

        module_name = parse_text("module_name", self.module_name)
        return LandedRequest(
            product_key=self.product_key,
            version=self.version,
            module_name="default" if module_name is None else module_name,
            sample=parse_int("sample", self.sample),
            requests_per_second=self.requests_per_second,
        )

    def _devices(self) -> tuple[str, ...] | None:
        from airflow_provider_tuya_ota.rollout.landed.request import require_devices  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import parse_names  # noqa: PLC0415 - a parsed Dag needs no worker code

        names = parse_names("device_names", self.device_names)
        return None if names is None else require_devices(names)

    def _jobs(self) -> tuple[str, ...] | None:
        from airflow_provider_tuya_ota.rollout.landed.request import require_jobs  # noqa: PLC0415 - a parsed Dag needs no protocol
        from airflow_provider_tuya_ota.runtime.arguments import parse_names  # noqa: PLC0415 - a parsed Dag needs no worker code

        job_ids = parse_names("job_ids", self.job_ids)
        return None if job_ids is None else require_jobs(job_ids)
