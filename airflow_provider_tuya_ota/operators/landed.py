"""Landed versions: which version devices run that reported success."""

from __future__ import annotations

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
        self.on_mismatch = on_mismatch
        self.requests_per_second = requests_per_second

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask the devices."""
        from airflow_provider_tuya_ota.runtime.arguments import parse_choice  # noqa: PLC0415 - a parsed Dag needs no worker code
        from airflow_provider_tuya_ota.runtime.xcom import push_landed  # noqa: PLC0415 - a parsed Dag needs no worker code

        with self.reported(context) as report:
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
            push_landed(context["ti"], found)
            report.update(version=request.version, summary=f"asked devices for their version: {found}")
            if on_mismatch == "fail":
                found.require_landed()
            return found.summary()

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
