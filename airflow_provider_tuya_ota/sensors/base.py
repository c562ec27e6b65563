"""What all sensors share: templated arguments, intervals that are checked when a Dag is parsed, and soft failures."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseSensorOperator
from airflow.sdk.exceptions import (
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
    TaskDeferralError,
    TaskDeferralTimeout,
)

from airflow_provider_tuya_ota.core.durations import require_interval
from airflow_provider_tuya_ota.operators.base import TuyaOTATask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

    from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
    from airflow_provider_tuya_ota.core.status.wait_state import WaitState
    from airflow_provider_tuya_ota.runtime.poke_state import PokeState


class TuyaOTASensor(TuyaOTATask, BaseSensorOperator):
    """The base of this package's sensors: each leaves a report of its end as XCom ``ota_release``.

    Airflow's flags mean the same in every mode. ``soft_fail`` skips the task for a timeout, a failed job and a failing
    status. ``never_fail`` skips it for every error but a timeout, which fails it. ``silent_fail`` polls on after every
    error until the timeout; such a sensor polls from a worker, also where it is deferrable. The ``execution_timeout``
    is a timeout too.

    :param tuya_ota_conn_id: id of the connection.
    :param poke_interval: seconds between two polls.
    :cvar waits_for: what it waits for, as the end of a sentence, where that is not a job.
    :cvar succeeded: what became of that where it ends well, likewise.
    :ivar poke_state: what this try has seen so far; None before its first poke.
    """

    deferrable: bool
    waits_for: ClassVar[str] = ""
    succeeded: ClassVar[str] = ""

    def __init__(self, *, tuya_ota_conn_id: str, poke_interval: float, **kwargs: Any) -> None:
        # Airflow's constructor fails on some of these in its own words, and misreads others.
        require_interval("poke_interval", poke_interval)
        require_interval("timeout", kwargs.get("timeout"))
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.tuya_ota_conn_id = tuya_ota_conn_id
        self.poke_state: PokeState | None = None

    def execute(self, context: Context) -> Any:
        """Wait in a worker, or hand over to the triggerer."""
        from airflow_provider_tuya_ota.runtime.first_poke import with_known_start  # noqa: PLC0415 - a parsed Dag needs no worker code

        with self.reported(context, summary=self.succeeded) as report:
            # Each poke has a process of its own then; the step began with the first.
            if self.reschedule:
                context = with_known_start(context, self.log)
                report.started_at = context["ti"].get_first_reschedule_date(context) or report.started_at
            report.leave_waiting(self.waits_for)
            # The triggerer ends with an error that silent_fail passes over.
            with self._alarm_is_a_timeout():
                if self.deferrable is not True or self.silent_fail:
                    return self._poke_until_timeout(context)
                with self._skipping_if_never_fail():
                    self.hand_over(context)
        return None

    @contextmanager
    def _alarm_is_a_timeout(self) -> Iterator[None]:
        """End as at every timeout where Airflow's alarm for the ``execution_timeout`` rings: only ``soft_fail`` skips.

        Airflow itself skips for ``never_fail`` where the alarm interrupts a poke, and for no flag where it does not.

        :raises AirflowTaskTimeout: the task is to fail.
        """
        try:
            yield
        except (AirflowTaskTimeout, AirflowSkipException) as error:
            alarm = error.__cause__ if isinstance(error, AirflowSkipException) else error
            if not isinstance(alarm, AirflowTaskTimeout):
                raise
            if self.soft_fail:
                raise AirflowSkipException("The execution_timeout is over, and soft_fail is set.") from alarm
            raise alarm from None

    def _poke_until_timeout(self, context: Context) -> Any:
        """Poke as Airflow does; a timeout names what was seen last."""
        from airflow_provider_tuya_ota.core.status.wait_state import WaitState  # noqa: PLC0415 - a parsed Dag needs no protocol

        try:
            return super().execute(context)
        except (AirflowSensorTimeout, AirflowSkipException) as error:
            # What a poke raises has a cause; Airflow's own timeout has none, and skips only where soft_fail is set.
            if error.__cause__ is not None or (isinstance(error, AirflowSkipException) and not self.soft_fail):
                raise
            timeout = self.timeout_error(self.poke_state.wait if self.poke_state else WaitState())
            raise type(error)(str(timeout)) from timeout

    def timeout_error(self, state: WaitState) -> WaitTimeoutError:
        """Build the error for a wait whose time is over.

        :param state: what its polls have shown.
        """
        from airflow_provider_tuya_ota.core.status.condition_wait import condition_timeout  # noqa: PLC0415 - a parsed Dag needs no protocol

        return condition_timeout(state)

    @contextmanager
    def _skipping_if_never_fail(self) -> Iterator[None]:
        """End as a poke does with ``never_fail``: an error skips the task, a timeout fails it.

        :raises AirflowSkipException: with the text of the error.
        """
        try:
            yield
        except (AirflowSkipException, AirflowSensorTimeout):
            raise
        except Exception as error:
            if self.never_fail:
                raise AirflowSkipException(str(error)) from error
            raise

    def hand_over(self, context: Context) -> None:
        """Defer to the triggerer; return where there is nothing to wait for."""
        raise NotImplementedError

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on after deferral, however it ended."""
        with self.reported(context, summary=self.succeeded) as report:
            report.load_state()
            with self._alarm_is_a_timeout(), self._skipping_if_never_fail():
                try:
                    # Not Airflow's sensor: it would skip a timeout because of never_fail, which it fails in a poke.
                    return super(BaseSensorOperator, self).resume_execution(next_method, next_kwargs, context)
                except TaskDeferralTimeout as error:
                    from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError  # noqa: PLC0415 - a parsed Dag needs no protocol

                    timeout = WaitTimeoutError(
                        f"the time to wait is over, and the triggerer did not answer in time: {error}. Check that a"
                        " triggerer runs, then run the task again"
                    )
                    self.skip_if_soft(timeout)
                    raise AirflowSensorTimeout(str(timeout)) from timeout
                except TaskDeferralError as error:
                    self.skip_if_soft(error)
                    raise

    def skip_if_soft(self, error: Exception) -> None:
        """Skip the task where ``soft_fail`` asks for it.

        :raises AirflowSkipException: with the text of the error.
        """
        if self.soft_fail:
            raise AirflowSkipException(str(error)) from error
