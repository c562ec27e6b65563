"""What the states of firmware, job and device tasks amount to.

One pure decision serves sensor, blocking wait and trigger. COMPLETED alone is never success: a verification has
succeeded when the firmware says so and every device task does.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.model.states import FirmwareStatus, JobStatus, JobType, TaskStatus
from airflow_provider_tuya_ota.core.texts import cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_provider_tuya_ota.core.model.entities import DeviceTask, Firmware, Job

SAMPLE: Final = 50
"""Devices that a verdict names at the most; counts are always complete."""
SHORT_REASON: Final = 200
"""Characters of a device's reason in a verdict: fifty of them travel through the triggerer and into XCom."""
UNKNOWN_STATUSES: Final = 10
"""Statuses that nobody documented and that are counted by name; the others are counted together."""
OTHER: Final = "OTHER"


class Outcome(StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    SETTLING = "settling"
    """Everything has ended, but firmware, job and tasks do not tell the same story yet."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def has_ended(self) -> bool:
        """Whether waiting changes nothing any more."""
        return self in {Outcome.SUCCEEDED, Outcome.FAILED}


@dataclass(frozen=True, slots=True)
class DeviceState:
    """One device, small enough for XCom."""

    name: str
    status: str
    progress: str = ""
    reason: str = ""

    def __str__(self) -> str:
        progress = f" at {self.progress} %" if self.progress else ""
        reason = f": {self.reason}" if self.reason else ""
        return f"{self.name} {self.status}{progress}{reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The state of a job at one look.

    :param outcome: where it stands.
    :param why: the reason for a failure or for waiting on, in words; empty otherwise.
    :param hint: what devices wait for when it is not time alone; empty otherwise.
    :param version: that the devices have afterwards; empty where nothing tells it.
    :param counts: number of device tasks by status.
    :param devices: up to 50 devices, those that matter most first.
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
    devices: tuple[DeviceState, ...] = ()

    @property
    def failing(self) -> tuple[DeviceState, ...]:
        """Named devices whose task failed or was cancelled."""
        return tuple(device for device in self.devices if device.status in _LOST)

    def line(self) -> str:
        """Give the whole state on one line, for the task log; equal lines mean that nothing changed."""
        counts = ", ".join(f"{number} {status}" for status, number in self.counts.items()) or "none yet"
        named = [str(device) for device in self.devices if device.status not in _QUIET][:10]
        parts = [f"job {self.job_id} {self.job_status}", f"devices: {counts}"]
        if self.job_type != JobType.UPGRADE_FIRMWARE:
            parts.insert(1, f"firmware {self.firmware_id} {self.firmware_status}")
        return "; ".join([*parts, *named, *filter(None, [self.hint])])

    def failure_text(self) -> str:
        """Say why the job failed and which devices did, with reason and progress."""
        number = sum(self.counts.get(status, 0) for status in _LOST)
        named = "; ".join(map(str, self.failing))
        more = f"; and {number - len(self.failing)} more" if number > len(self.failing) else ""
        return f"job {self.job_id}: {self.why}" + (f". Devices: {named}{more}" if named else "")

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
            "devices": [
                {"name": device.name, "status": device.status, "progress": device.progress, "reason": device.reason}
                for device in self.devices
            ],
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Verdict:
        """Rebuild what :meth:`to_dict` gave; names that a later version added are ignored."""
        known = {name: values[name] for name in cls.__slots__ if name in values}
        known["outcome"] = Outcome(known["outcome"])
        known["devices"] = tuple(
            DeviceState(**{name: item.get(name, "") for name in DeviceState.__slots__}) for item in values["devices"]
        )
        return cls(**known)


_LOST: Final = (TaskStatus.FAILED.value, TaskStatus.CANCELED.value)
_QUIET: Final = (TaskStatus.SUCCEEDED.value, TaskStatus.QUEUED.value)
_ORDER: Final = ("FAILED", "CANCELED", "IN_PROGRESS", "CONFIRM", "NOTIFIED", "QUEUED", "SUCCEEDED")


def assess_job(
    job: Job, tasks: Sequence[DeviceTask], firmware: Firmware | None, counted: Mapping[str, int] | None = None
) -> Verdict:
    """Decide where a job stands.

    :param job: as QueryOTAJob tells it.
    :param tasks: every device task of the job, or those of a large one that are named.
    :param firmware: the firmware as QueryOTAFirmware tells it; needed for a verification, not used otherwise.
    :param counted: device tasks by status, where ``tasks`` are not all of them.
    """
    if counted is None:
        counted = Counter(task.status.value for task in tasks)
    counts = _counts(counted)
    ended = bool(counts) and all(TaskStatus(status).has_ended for status in counts)
    if not (ended or job.status.has_ended):
        outcome, why = Outcome.RUNNING, ""
    elif contradiction := _contradiction(job, counts, ended=ended):
        outcome, why = Outcome.SETTLING, contradiction
    elif job.status == JobStatus.CANCELED:
        outcome, why = Outcome.FAILED, f"the job was cancelled ({_lost(counts) or 'no device task was lost'})"
    elif job.type == JobType.UPGRADE_FIRMWARE:
        outcome, why = _upgrade(counts)
    else:
        # A job of a type that nobody documented is held to the stricter standard too.
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
        devices=_sample(tasks),
    )


def _contradiction(job: Job, counts: dict[str, int], *, ended: bool) -> str:
    if counts and not ended:
        return f"the job is {job.status} while devices are not done"
    if ended and not job.status.has_ended:
        # Device tasks may be listed later than their job: those that are listed may be some of them.
        return f"the job is {job.status} while every device task that is listed has ended"
    if not counts and job.status != JobStatus.CANCELED:
        # Nothing was flashed, so nothing was shown: this is no success, whatever the firmware says.
        return f"the job is {job.status} without any device task"
    return ""


def _verification(counts: dict[str, int], status: FirmwareStatus | None) -> tuple[Outcome, str]:
    lost = _lost(counts)
    if status == FirmwareStatus.FAILED:
        return Outcome.FAILED, f"the firmware failed its verification ({lost or 'no device task did'})"
    if lost:
        return Outcome.FAILED, f"the verification did not succeed on every device ({lost})"
    if status in {FirmwareStatus.VERIFIED, FirmwareStatus.NOT_NEEDED}:
        # A firmware that needs no verification may stay so; every device that was asked has shown that it runs.
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
    return ", ".join(f"{counts[status]} {status}" for status in _LOST if counts.get(status))


def _counts(counted: Mapping[str, int]) -> dict[str, int]:
    ordered = sorted(counted, key=_rank)
    documented = sum(status in _ORDER for status in ordered)
    named, others = ordered[: documented + UNKNOWN_STATUSES], ordered[documented + UNKNOWN_STATUSES :]
    counts = {status: counted[status] for status in named}
    if others:
        # Counted as one more status that nobody documented, which is no end.
        counts[OTHER] = counts.get(OTHER, 0) + sum(counted[status] for status in others)
    return counts


def _rank(status: str) -> tuple[int, str]:
    return (_ORDER.index(status) if status in _ORDER else len(_ORDER), status)


def _sample(tasks: Iterable[DeviceTask]) -> tuple[DeviceState, ...]:
    ordered = sorted(tasks, key=lambda task: (_rank(task.status.value), task.device_name))
    return tuple(
        DeviceState(
            name=task.device_name,
            status=task.status.value,
            progress=task.progress,
            reason=cut(task.reason, SHORT_REASON),
        )
        for task in ordered[:SAMPLE]
    )
