"""What became of a device in a release, and how the platform's status and reason are read as one outcome."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.model.states import TaskStatus

if TYPE_CHECKING:
    from collections.abc import Mapping


class DeviceOutcome(StrEnum):
    """What became of a device in a release."""

    PENDING = "pending"
    """The platform has notified the device, and its task has not ended."""
    FLASHING = "flashing"
    """The device has reported progress, and its task has not ended."""
    SUCCEEDED = "succeeded"
    FLASH = "flash"
    """Step -1 or -4: the device could not install the firmware."""
    DOWNLOAD = "download"
    """Step -2."""
    IMAGE_VERIFICATION = "image verification"
    """Step -3: the device refused the image."""
    WRONG_VERSION = "wrong version"
    """The device reports another version than the target, during its task or after its success."""
    TIMEOUT = "timeout"
    """The job's own time limit, which begins with the first progress report."""
    SILENT = "silent"
    """A poll showed the device unfinished after the gate's ``silent_after``."""
    OTHER = "other"
    """The device failed for a reason that this package does not know, or was cancelled after it had begun."""
    BUSY = "busy"
    """The device has an unfinished task in another job, so it was not started."""
    ON_TARGET = "already on target"
    OFFLINE = "offline before start"
    CANCELLED = "cancelled"
    """The task was cancelled before the device reported progress."""
    DECLINED = "declined"
    """The device refused for a reason that the gate's author says is none of the firmware's, such as a low battery."""
    REMOVED = "removed"
    """A person has excluded the device."""


UNFINISHED: Final = frozenset({DeviceOutcome.PENDING, DeviceOutcome.FLASHING})
FAILURES: Final = (
    DeviceOutcome.FLASH,
    DeviceOutcome.DOWNLOAD,
    DeviceOutcome.IMAGE_VERIFICATION,
    DeviceOutcome.WRONG_VERSION,
    DeviceOutcome.TIMEOUT,
    DeviceOutcome.SILENT,
    DeviceOutcome.OTHER,
)
"""Outcomes that say something against the firmware; all of them count by default."""
EXCLUSIONS: Final = (
    DeviceOutcome.BUSY,
    DeviceOutcome.ON_TARGET,
    DeviceOutcome.OFFLINE,
    DeviceOutcome.CANCELLED,
    DeviceOutcome.DECLINED,
    DeviceOutcome.REMOVED,
)
"""Outcomes that say nothing about the firmware: these devices are listed, and do not count by default."""
NOT_TRIED: Final = frozenset(EXCLUSIONS) - {DeviceOutcome.REMOVED}
"""Outcomes after which another job may try the device for the first time."""
NEWS: Final = (frozenset(FAILURES) - {DeviceOutcome.SILENT}) | {DeviceOutcome.SUCCEEDED}
"""Outcomes that a device has reported."""

CODES: Final = dict(zip(DeviceOutcome, b"pgsfdvwtxobanclr", strict=True))
"""A letter for each outcome; a series of devices is stored as a text of them."""
OUTCOMES: Final = {code: outcome for outcome, code in CODES.items()}

_FAILED: Final = frozenset({TaskStatus.FAILED})
_EXPECTED: Final = {
    DeviceOutcome.SUCCEEDED: frozenset({TaskStatus.SUCCEEDED}),
    **dict.fromkeys((*FAILURES, *EXCLUSIONS), _FAILED),
    DeviceOutcome.WRONG_VERSION: _FAILED | {TaskStatus.SUCCEEDED},
    DeviceOutcome.OTHER: _FAILED | {TaskStatus.CANCELED},
    DeviceOutcome.CANCELLED: frozenset({TaskStatus.CANCELED}),
}

_STEPS: Final = {
    "-1": DeviceOutcome.FLASH,
    "-2": DeviceOutcome.DOWNLOAD,
    "-3": DeviceOutcome.IMAGE_VERIFICATION,
    "-4": DeviceOutcome.FLASH,
}
_STEP: Final = re.compile(r"(?:step:? ?)?(-[1-4])(?![0-9])")
_TEXTS: Final = {
    "timeout": DeviceOutcome.TIMEOUT,
    "report version is not conform": DeviceOutcome.WRONG_VERSION,
    "the device is in another unfinished task": DeviceOutcome.BUSY,
}


def contradicts(outcome: DeviceOutcome, status: TaskStatus) -> bool:
    """Whether a status does not fit an outcome that was read before; for a silent device only a late success does."""
    if outcome is DeviceOutcome.SILENT:
        return status == TaskStatus.SUCCEEDED
    return status not in _EXPECTED[outcome]


def parse_outcome(
    status: TaskStatus, reason: str, before: DeviceOutcome | None, texts: Mapping[str, DeviceOutcome] | None = None
) -> DeviceOutcome | None:
    """Read a device task.

    An undocumented status is waited for as for a device that may be flashing.

    :param before: what was known of the device in this job: pending or flashing; None before its start.
    :param texts: as for :func:`parse_failure`.
    :returns: the outcome; None where the device has not started.
    """
    match status:
        case TaskStatus.SUCCEEDED:
            return DeviceOutcome.SUCCEEDED
        case TaskStatus.FAILED:
            return parse_failure(reason, texts, has_started=before is not None)
        case TaskStatus.CANCELED:
            # Nobody knows whether a cancelled device that was flashing still runs.
            return DeviceOutcome.OTHER if before is DeviceOutcome.FLASHING else DeviceOutcome.CANCELLED
        case TaskStatus.IN_PROGRESS:
            return DeviceOutcome.FLASHING
        case TaskStatus.CONFIRM | TaskStatus.QUEUED:
            return before
        case _:
            return before or DeviceOutcome.PENDING


def parse_failure(
    reason: str, texts: Mapping[str, DeviceOutcome] | None = None, *, has_started: bool = False
) -> DeviceOutcome:
    """Read the reason of a failed device task.

    The vendor documents the steps that a device reports, and the texts of a timeout and of a wrong version. It
    documents no text for a busy device; the one known here is the emulator's.

    :param reason: the platform's ``TaskDesc``.
    :param texts: further texts; a reason that contains one, whatever its case, has its class. Of several, the
        longest counts.
    :param has_started: whether the device has been seen started; then it cannot have been busy in another job.
    :returns: the class; ``OTHER``, which counts as a failure, for an unknown reason.
    """
    said = reason.strip().casefold()
    # The order in which an author writes them is lost in canonical JSON.
    known = texts or {}
    if found := [text for text in known if text.casefold() in said]:
        return known[max(found, key=lambda text: (len(text.casefold()), text))]
    if step := _STEP.match(said):
        return _STEPS[step[1]]
    outcome = _TEXTS.get(said, DeviceOutcome.OTHER)
    return DeviceOutcome.OTHER if has_started and outcome is DeviceOutcome.BUSY else outcome
