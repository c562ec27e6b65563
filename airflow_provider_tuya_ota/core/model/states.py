"""The platform's states. An undocumented value is kept as it is, and counts neither as a success nor as an end."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final, Self


class _OpenStrEnum(StrEnum):
    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member


class FirmwareStatus(IntEnum):
    """``Status`` of a firmware, QueryOTAFirmware."""

    NOT_NEEDED = -1
    UNVERIFIED = 0
    VERIFIED = 1
    VERIFYING = 2
    FAILED = 3

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"STATUS_{value}"
        member._value_ = value
        return member


class JobStatus(_OpenStrEnum):
    """``JobStatus``. COMPLETED means that every device task has ended, with or without success."""

    PLANNED = "PLANNED"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"

    @property
    def has_ended(self) -> bool:
        """Whether no device task of the job changes any more."""
        return self in {JobStatus.COMPLETED, JobStatus.CANCELED}


class JobType(_OpenStrEnum):
    """``JobType``."""

    VERIFY_FIRMWARE = "VERIFY_FIRMWARE"
    UPGRADE_FIRMWARE = "UPGRADE_FIRMWARE"


class TaskStatus(_OpenStrEnum):
    """``TaskStatus`` of one device in one job."""

    CONFIRM = "CONFIRM"
    QUEUED = "QUEUED"
    NOTIFIED = "NOTIFIED"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"

    @property
    def has_ended(self) -> bool:
        """Whether the task does not change any more."""
        return self in {TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.CANCELED}


WAITING: Final = (TaskStatus.CONFIRM, TaskStatus.QUEUED, TaskStatus.NOTIFIED)
"""Statuses in which a device task can still be cancelled."""
UNFINISHED: Final = (*WAITING, TaskStatus.IN_PROGRESS)
"""Statuses in which a device task has not ended."""


class DeviceStatus(_OpenStrEnum):
    """``DeviceStatus`` of QueryDevice and ``Status`` of BatchGetDeviceState."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"
    UNACTIVE = "UNACTIVE"
    DISABLE = "DISABLE"
