"""The part of a job operator that worker code uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from airflow.sdk import BaseNotifier
    from airflow.triggers.base import BaseTrigger

    from airflow_provider_tuya_ota.runtime.kill import RunningJobs


class JobOperator(Protocol):
    """An operator that creates a job.

    :param running: what a kill may stop now; None where there is nothing to stop.
    :param drained_by: deadline of the wait for a job from before a clear; None before such a wait.
    """

    firmware_id: str
    product_key: str
    wait_for_completion: bool
    deferrable: bool
    poll_interval: float
    poll_error_tolerance: float
    timeout: float
    on_cancel: str
    on_failed_job: str
    notifiers: BaseNotifier | Sequence[BaseNotifier]
    tuya_ota_conn_id: str
    execution_timeout: timedelta | None
    retries: int | None
    running: RunningJobs | None
    drained_by: datetime | None

    @property
    def log(self) -> Any:
        """Airflow's task log."""

    def defer(self, *, trigger: BaseTrigger, method_name: str, timeout: timedelta | float | None = None) -> NoReturn:
        """Wait in the triggerer."""

    def expected_devices(self) -> tuple[str, ...]:
        """Name the devices that a success must cover; empty if the platform chooses them."""
