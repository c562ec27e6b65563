"""The trigger that waits for one job: a set of one, stored and answered in a form of its own."""

from __future__ import annotations

from typing import Any

from airflow_provider_tuya_ota.core.status.job_set_wait import WaitedJob
from airflow_provider_tuya_ota.core.status.queried_job import QueriedJob
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.triggers.job_set import TuyaOTAJobSetTrigger


class TuyaOTAJobTrigger(TuyaOTAJobSetTrigger):
    """Poll a job until it has ended or the deadline has passed, then fire exactly one event.

    The event is ``{"status": success | failure | timeout | error, "verdict": …, "message": …, "job_id": …, "on_cancel":
    …, "resume_state": …}``, with ``"stopped": …`` where the time was over and the trigger has stopped what had not
    begun. Deadline, restart and kill are those of :class:`.TuyaOTAJobSetTrigger`.

    :param job_id: job to wait for.
    :param tuya_ota_conn_id: id of the connection.
    :param options: deadline, intervals and expected devices, as :meth:`WaitOptions.to_dict` gives them.
    :param on_cancel: ``stop`` or ``keep``; ``keep`` by default, because a trigger that was stored before this argument
        existed promised to stop nothing.
    :param firmware_id: firmware of the job, for which one request lists many jobs; empty, as in older
        stored triggers: the first poll finds it out.
    :param resume_state: what the operator wants back with the event; ``Dag.test()`` drops what is given to ``defer``
        instead. Only operators give it, after a request that succeeded. So a refusal of the first poll is tolerated for
        five minutes, also after a restart of the triggerer; without it, the first poll has to be accepted.
    :param queried: the job as the operator has queried it, as :meth:`QueriedJob.to_dict` gives it; None, as in older
        stored triggers: the first poll queries it.
    :ivar job: the job, with what else belongs to it.
    """

    def __init__(
        self,
        *,
        job_id: str,
        tuya_ota_conn_id: str,
        options: dict[str, Any],
        on_cancel: str = "keep",
        firmware_id: str = "",
        resume_state: dict[str, str] | None = None,
        queried: dict[str, Any] | None = None,
    ) -> None:
        expected = WaitOptions.from_dict(options).expected
        job = WaitedJob(
            job_id=job_id,
            firmware_id=firmware_id,
            expected=expected,
            on_cancel=on_cancel,
            is_known=bool(resume_state),
            queried=QueriedJob.from_dict(queried),
        )
        super().__init__(
            jobs=[job.to_dict()], tuya_ota_conn_id=tuya_ota_conn_id, options=options, resume_state=resume_state
        )
        self.job = job

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give what rebuilds this trigger elsewhere; the connection's secrets are not part of it."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "job_id": self.job.job_id,
                "tuya_ota_conn_id": self.tuya_ota_conn_id,
                "options": self.options,
                "on_cancel": self.job.on_cancel,
                "firmware_id": self.job.firmware_id,
                "resume_state": self.resume_state,
                "queried": None if self.job.queried is None else self.job.queried.to_dict(),
            },
        )

    def payload(self, events: list[dict[str, Any]]) -> dict[str, Any]:
        """Give the event of the only job."""
        (event,) = events
        return event
