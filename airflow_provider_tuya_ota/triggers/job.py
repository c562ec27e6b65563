"""The trigger that waits for a job without holding a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_tuya_ota.core.error_events import describe_error
from airflow_provider_tuya_ota.core.errors import JobFailedError, TuyaOTAError, WaitTimeoutError
from airflow_provider_tuya_ota.core.verdicts import Outcome, Verdict
from airflow_provider_tuya_ota.core.watching import Patience, watch_job
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class TuyaOTAJobTrigger(BaseTrigger):
    """Look at a job until it has ended or the deadline has passed, then fire exactly one event.

    The event is ``{"status": success | failure | timeout | error, "verdict": …, "message": …, "carry": …}``. The
    trigger owns the deadline, looks once more after it, and never cancels anything: a restarted triggerer goes on
    where the last one stopped.

    :param job_id: job to wait for.
    :param tuya_ota_conn_id: id of the connection.
    :param patience: deadline and intervals, as :meth:`Patience.to_dict` gives them.
    :param carry: what the operator wants back with the event; ``Dag.test()`` drops what is given to ``defer`` instead.
    """

    def __init__(
        self, *, job_id: str, tuya_ota_conn_id: str, patience: dict[str, Any], carry: dict[str, str] | None = None
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow's constructor has no annotations
        self.job_id = job_id
        self.tuya_ota_conn_id = tuya_ota_conn_id
        self.patience = patience
        self.carry = carry or {}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what rebuilds this trigger elsewhere; the connection's secrets are not part of it."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "job_id": self.job_id,
                "tuya_ota_conn_id": self.tuya_ota_conn_id,
                "patience": self.patience,
                "carry": self.carry,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, then fire one event."""
        yield TriggerEvent({**await self._wait(), "carry": self.carry})  # type: ignore[no-untyped-call] # as above

    async def _wait(self) -> dict[str, Any]:
        try:
            hook = TuyaOTAHook(self.tuya_ota_conn_id)
            async with await hook.aget_conn(self.log) as client:
                verdict = await client.run(watch_job(client.settings, self.job_id, Patience.from_dict(self.patience)))
        except WaitTimeoutError as error:
            return _event("timeout", error.verdict, str(error))
        except JobFailedError as error:
            return _event("failure", error.verdict, str(error))
        except TuyaOTAError as error:
            return _event("error", None, str(error)) | {"error": describe_error(error)}
        if verdict.outcome is Outcome.SUCCEEDED:
            return _event("success", verdict, "")
        return _event("failure", verdict, verdict.failure_text())


def _event(status: str, verdict: Verdict | None, message: str) -> dict[str, Any]:
    return {"status": status, "verdict": verdict.to_dict() if verdict else None, "message": message}
