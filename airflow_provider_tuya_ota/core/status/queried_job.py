"""A running job as the task that created it has queried it, for the first poll of the wait in another process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.model.entities import Job
from airflow_provider_tuya_ota.core.model.states import JobStatus, JobType
from airflow_provider_tuya_ota.core.status.job_snapshot import EarlierPoll

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tuya_ota.core.flows.effects import FlowContext


@dataclass(frozen=True, slots=True, kw_only=True)
class QueriedJob:
    """What QueryOTAJob gave about a job in progress; it saves the first poll of a wait that request.

    A device task that has not ended shows that the job goes on. Before anything is concluded, the job is queried anew.

    :param kind: type of the job.
    :param need_push: whether devices are offered the firmware; None where not given.
    :param read_at: right before the request; wall-clock time, because it outlives the process that read the job.
    """

    kind: JobType
    need_push: bool | None
    read_at: datetime

    @classmethod
    def of(cls, job: Job | None, read_at: datetime) -> QueriedJob | None:
        """Keep a job for the first poll; None where that poll has to query it: it is not shown or not in progress."""
        if job is None or job.status != JobStatus.IN_PROGRESS:
            return None
        return cls(kind=job.type, need_push=job.need_push, read_at=read_at)

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {
            "kind": self.kind.value,
            "need_push": self.need_push,
            "read_at": self.read_at.astimezone(UTC).isoformat(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any] | None) -> QueriedJob | None:
        """Rebuild what :meth:`to_dict` gave; None for None."""
        if values is None:
            return None
        return cls(
            kind=JobType(values["kind"]),
            need_push=values["need_push"],
            read_at=datetime.fromisoformat(values["read_at"]),
        )

    def as_poll(self, job_id: str, firmware_id: str, context: FlowContext) -> EarlierPoll | None:
        """Give it to a first poll that begins now.

        :returns: None where it is too old, or newer than now: the clock of the worker that read it is ahead of this
            one, so its age is not known.
        """
        job = Job(
            job_id=job_id,
            firmware_id=firmware_id,
            status=JobStatus.IN_PROGRESS,
            type=self.kind,
            need_push=self.need_push,
        )
        age = context.now - self.read_at
        poll = EarlierPoll(job, None, is_large=False, read_at=context.steady - age)
        return poll if firmware_id and poll.is_reusable(context.steady) else None
