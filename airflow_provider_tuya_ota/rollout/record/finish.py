"""The entries that a record ends with: the receipt of a halt, checks of landed versions, and the final counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from airflow_provider_tuya_ota.rollout.record.begin import NAME, REASON


class ReleaseOutcome(StrEnum):
    """How a release ended."""

    COMPLETE = "complete"
    """Each planned device runs the version."""
    WITH_EXCEPTIONS = "complete with exceptions"
    """All waves were started, and some devices do not run the version."""
    HALTED = "halted"
    NOT_STARTED = "not started"
    """It ended before the first job of a wave."""


class Receipt(StrEnum):
    """What became of a device whose update had not ended when the release was halted."""

    CANCELLED = "cancelled"
    NOT_CANCELLED = "could not be cancelled"
    """Nothing is known of its end: it was still running, or silent, when the settling ended."""
    LANDED = "landed after the halt"
    FAILED = "failed"
    SPARED = "spared"
    """It was in no job, and so was never notified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltReceipt:
    """The halt has settled: what became of each device that had no outcome when the release was halted.

    :param rounds: rounds of the evidence when the release was halted; devices with an outcome in them are not listed.
    :param reason: why the release was halted.
    :param cancelled: devices whose task was cancelled.
    :param not_cancelled: devices whose end is not known.
    :param landed: devices that succeeded after the halt.
    :param failed: devices that failed after the halt.
    :param spared: planned devices that were in no job.
    """

    rounds: int
    reason: str = field(metadata=REASON)
    cancelled: tuple[str, ...] = ()
    not_cancelled: tuple[str, ...] = ()
    landed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()

    @property
    def by_receipt(self) -> dict[Receipt, tuple[str, ...]]:
        """The devices of each class."""
        return {
            Receipt.CANCELLED: self.cancelled,
            Receipt.NOT_CANCELLED: self.not_cancelled,
            Receipt.LANDED: self.landed,
            Receipt.FAILED: self.failed,
            Receipt.SPARED: self.spared,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFound:
    """A device and the version that it reports.

    :param device: its name.
    :param version: the version of the module.
    """

    device: str = field(metadata=NAME)
    version: str = field(metadata=NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class LandedCheck:
    """The versions that devices report were compared with what they reported as the end of their update.

    :param checked: devices whose version was asked for, of those that reported success.
    :param is_sample: whether these are some of them, and not all.
    :param delay: seconds between the end of the last update and this check.
    :param on_target: how many of them run the version of the release.
    :param elsewhere: those that reported success and run another version.
    :param not_known: those of which the platform knows no version.
    """

    checked: int
    is_sample: bool
    delay: float
    on_target: int
    elsewhere: tuple[VersionFound, ...]
    not_known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseEnded:
    """The release has ended; no entry follows.

    :param outcome: how it ended.
    :param reason: one sentence.
    :param planned: devices in waves that are not the platform's.
    :param in_no_job: how many of them were in no job.
    :param counts: devices of the evidence by their outcome; of a device that was tried again, by the last one.
    :param succeeded_on_retry: devices that failed and succeeded in a retry.
    :param left_out: names of planned devices that no job took although the release was not halted, such as those of a
        held stratum.
    """

    outcome: ReleaseOutcome
    reason: str = field(metadata=REASON)
    planned: int
    in_no_job: int
    counts: dict[str, int]
    succeeded_on_retry: int = 0
    left_out: tuple[str, ...] = ()
