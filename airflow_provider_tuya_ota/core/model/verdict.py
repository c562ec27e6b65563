"""Decide from firmware, job and device tasks whether a job is running, succeeded or failed.

Sensor, blocking wait and trigger share this one pure decision. The status COMPLETED alone is never success: a
verification has succeeded when the firmware is verified and every device task has succeeded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.model.failure_reasons import LONGEST_REASON, FailureReasons, count_reasons
from airflow_provider_tuya_ota.core.model.states import FirmwareStatus, JobStatus, JobType, TaskStatus
from airflow_provider_tuya_ota.core.model.task_counts import (
    LOST,
    bound_counts,
    count_by_status,
    rank_status,
    render_counts,
)
from airflow_provider_tuya_ota.core.texts import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_provider_tuya_ota.core.model.entities import DeviceTask, Firmware, Job

SAMPLE: Final = 50
"""Devices that a verdict names at most, because it travels through trigger events and XCom. Counts are complete."""
_NEARLY_DONE: Final = frozenset(str(percent) for percent in range(80, 101))


class Outcome(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    SETTLING = "settling"
    """Everything has ended, but firmware, job and device tasks still contradict each other."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def has_ended(self) -> bool:
        """Whether waiting changes nothing any more."""
        return self in {Outcome.SUCCEEDED, Outcome.FAILED}


@dataclass(frozen=True, slots=True)
class DeviceState:
    """One device of a job, small enough for XCom.

    :param name: the device's name.
    :param status: of its device task, as the platform writes it.
    :param progress: percent that the device has reported; empty before its first report.
    :param reason: the platform's ``TaskDesc``, redacted and cut after 200 characters; empty where it gives none.
    """

    name: str
    status: str
    progress: str = ""
    reason: str = ""

    @property
    def is_lost(self) -> bool:
        """Whether its task failed or was cancelled."""
        return self.status in LOST

    @property
    def is_nearly_done(self) -> bool:
        """Whether it has reported nearly all of its progress."""
        return self.progress in _NEARLY_DONE

    def to_dict(self) -> dict[str, str]:
        """Give plain JSON values."""
        return {"name": self.name, "status": self.status, "progress": self.progress, "reason": self.reason}

    def __str__(self) -> str:
        progress = f" at {self.progress} %" if self.progress else ""
        reason = f": {self.reason}" if self.reason else ""
        return f"{self.name} {self.status}{progress}{reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The state of a job at one poll.

    :param outcome: where it stands.
    :param why: why it failed, or why it has not succeeded yet; empty otherwise.
    :param hint: what the devices wait for, if a person has to act; empty otherwise.
    :param version: the version that the job installs; empty where the platform does not give it.
    :param counts: number of device tasks by status, complete.
    :param failure_reasons: number of failed device tasks by reason, over every task that was read.
    :param devices: up to 50 devices: failed ones first, then cancelled, running, waiting and succeeded ones.
    """

    job_id: str
    firmware_id: str
    job_type: str
    job_status: str
    firmware_status: str
    outcome: Outcome
    why: str = ""
    hint: str = ""
    version: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    failure_reasons: FailureReasons = field(default_factory=FailureReasons)
    devices: tuple[DeviceState, ...] = ()

    @property
    def failing(self) -> tuple[DeviceState, ...]:
        """Named devices whose task failed or was cancelled."""
        return tuple(device for device in self.devices if device.is_lost)

    @property
    def ends_soon(self) -> bool:
        """Whether every device that goes on has reported nearly all of its progress.

        False where not all of them are named.
        """
        going_on = [device for device in self.devices if not TaskStatus(device.status).has_ended]
        number = sum(count for status, count in self.counts.items() if not TaskStatus(status).has_ended)
        return 0 < number == len(going_on) and all(device.is_nearly_done for device in going_on)

    def line(self) -> str:
        """Give the whole state on one line, for the task log; equal lines mean that nothing changed."""
        counts = render_counts(self.counts, "none yet")
        named = [str(device) for device in self.devices if device.status not in _QUIET][:10]
        parts = [f"job {self.job_id} {self.job_status}", f"devices: {counts}"]
        if self.job_type != JobType.UPGRADE_FIRMWARE:
            parts.insert(1, f"firmware {self.firmware_id} {self.firmware_status}")
        return "; ".join([*parts, *named, *filter(None, [self.hint])])

    def failure_text(self) -> str:
        """Say why the job failed and on which devices; where not all are named, also how often each reason occurs."""
        number = sum(self.counts.get(status, 0) for status in LOST)
        named = "; ".join(map(str, self.failing))
        unnamed = number - len(self.failing)
        more, reasons = "", ""
        if unnamed > 0:
            more = f"; and {unnamed} more"
            reasons = f". Reasons: {self.failure_reasons}" if str(self.failure_reasons) else ""
        return f"job {self.job_id}: {self.why}{reasons}" + (f". Devices: {named}{more}" if named else "")

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values, for events, XCom and notifications."""
        return {
            "job_id": self.job_id,
            "firmware_id": self.firmware_id,
            "job_type": self.job_type,
            "job_status": self.job_status,
            "firmware_status": self.firmware_status,
            "outcome": self.outcome.value,
            "why": self.why,
            "hint": self.hint,
            "version": self.version,
            "counts": dict(self.counts),
            "failure_reasons": self.failure_reasons.to_dict(),
            "devices": [device.to_dict() for device in self.devices],
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Verdict:
        """Rebuild what :meth:`to_dict` gave; names that a later version added are ignored."""
        known = {name: values[name] for name in cls.__slots__ if name in values}
        known["outcome"] = Outcome(known["outcome"])
        if "failure_reasons" in known:
            known["failure_reasons"] = FailureReasons.from_dict(known["failure_reasons"])
        known["devices"] = tuple(
            DeviceState(**{name: item.get(name, "") for name in DeviceState.__slots__}) for item in values["devices"]
        )
        return cls(**known)


_QUIET: Final = (TaskStatus.SUCCEEDED.value, TaskStatus.QUEUED.value)


def assess_job(
    job: Job,
    tasks: Sequence[DeviceTask],
    firmware: Firmware | None,
    counted: Mapping[str, int] | None = None,
    *,
    missing: int = 0,
) -> Verdict:
    """Decide where a job stands.

    :param job: as QueryOTAJob gives it.
    :param tasks: every device task of the job, or those of a large job that were read one by one.
    :param firmware: the firmware as QueryOTAFirmware gives it; needed for a verification, not used otherwise.
    :param counted: number of device tasks by status, where ``tasks`` are not all of them.
    :param missing: number of device tasks that the platform counts and does not list; where there are any, the job has
        neither succeeded nor failed.
    """
    counts = bound_counts(count_by_status(tasks) if counted is None else counted)
    ended = bool(counts) and all(TaskStatus(status).has_ended for status in counts)
    if not (ended or job.status.has_ended):
        outcome, why = Outcome.RUNNING, ""
    elif contradiction := _contradiction(job, counts, ended=ended):
        outcome, why = Outcome.SETTLING, contradiction
    elif missing:
        outcome, why = Outcome.SETTLING, f"the platform counts {missing} more device tasks than it lists"
    elif job.status == JobStatus.CANCELED:
        outcome, why = Outcome.FAILED, f"the job was cancelled ({_lost(counts) or 'no device task was lost'})"
    elif job.type == JobType.UPGRADE_FIRMWARE:
        outcome, why = _upgrade(counts)
    else:
        # An undocumented job type has to meet the stricter standard.
        outcome, why = _verification(counts, firmware.status if firmware else None)
    return Verdict(
        job_id=job.job_id,
        firmware_id=job.firmware_id or (firmware.firmware_id if firmware else ""),
        job_type=job.type.value,
        job_status=job.status.value,
        firmware_status=firmware.status.name if firmware else "",
        outcome=outcome,
        why=why,
        hint=_hint(job, tasks, counts),
        version=firmware.version if firmware else next((task.dest_version for task in tasks if task.dest_version), ""),
        counts=counts,
        failure_reasons=count_reasons(tasks, counts.get(TaskStatus.FAILED.value, 0)),
        devices=_sample(tasks),
    )


def _contradiction(job: Job, counts: dict[str, int], *, ended: bool) -> str:
    if counts and not ended:
        return f"the job is {job.status} while devices are not done"
    if ended and not job.status.has_ended:
        # Device tasks may be listed later than their job, so more of them may follow.
        return f"the job is {job.status} while every device task that is listed has ended"
    if not counts and job.status != JobStatus.CANCELED:
        # No device has run the firmware, so this is no success, whatever the firmware's status is.
        return f"the job is {job.status} without any device task"
    return ""


def _verification(counts: dict[str, int], status: FirmwareStatus | None) -> tuple[Outcome, str]:
    lost = _lost(counts)
    if status == FirmwareStatus.FAILED:
        return Outcome.FAILED, f"the firmware failed its verification ({lost or 'no device task did'})"
    if lost:
        return Outcome.FAILED, f"the verification did not succeed on every device ({lost})"
    if status in {FirmwareStatus.VERIFIED, FirmwareStatus.NOT_NEEDED}:
        # A firmware that needs no verification may keep that status; every device has shown that it runs.
        return Outcome.SUCCEEDED, ""
    name = status.name if status is not None else "not known"
    return Outcome.SETTLING, f"every device task has ended but the firmware is {name}"


def _upgrade(counts: dict[str, int]) -> tuple[Outcome, str]:
    lost = _lost(counts)
    if lost:
        return Outcome.FAILED, f"not every device was upgraded ({lost})"
    return Outcome.SUCCEEDED, ""


def _hint(job: Job, tasks: Sequence[DeviceTask], counts: Mapping[str, int]) -> str:
    hints = []
    unconfirmed = sorted(task.device_name for task in tasks if task.status == TaskStatus.CONFIRM)
    if unconfirmed:
        left = counts[TaskStatus.CONFIRM.value] - 10
        more = f" and {left} more" if left > 0 else ""
        hints.append(f"waiting for confirmation (ConfirmOTATask): {', '.join(unconfirmed[:10])}{more}")
    queued = counts.get(TaskStatus.QUEUED.value, 0)
    if queued and job.need_push is False:
        hints.append(f"{queued} queued must ask for the firmware themselves, because need_push is False")
    return "; ".join(hints)


def _lost(counts: dict[str, int]) -> str:
    return render_counts({status: counts.get(status, 0) for status in LOST})


def _sample(tasks: Iterable[DeviceTask]) -> tuple[DeviceState, ...]:
    ordered = sorted(tasks, key=lambda task: (rank_status(task.status.value), task.device_name))
    return tuple(
        DeviceState(
            name=task.device_name,
            status=task.status.value,
            progress=task.progress,
            reason=cut(task.reason, LONGEST_REASON),
        )
        for task in ordered[:SAMPLE]
    )
