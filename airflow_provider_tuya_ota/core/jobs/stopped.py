"""The effect of stopping a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The device tasks of a job, counted after its cancel.

    :param cancelled: device tasks that never begin; those that were cancelled before are counted too.
    :param waiting: device tasks that may still begin.
    :param flashing: device tasks that go on: nothing stops a device that is flashing.
    :param is_planned: True if no device task waits or flashes and the job is not known to have ended: it may still
        begin device tasks that are planned later.
    :param is_taken: whether the platform may have accepted the cancel; its effect may come seconds later.
    """

    cancelled: int
    waiting: int
    flashing: int
    is_planned: bool = False
    is_taken: bool = True

    @property
    def may_begin(self) -> bool:
        """Whether device tasks may still begin."""
        return self.is_planned or self.waiting > 0

    @property
    def may_change(self) -> bool:
        """Whether a later count may show more: the cancel may have been accepted, and something may still begin."""
        return self.is_planned or (self.waiting > 0 and self.is_taken)

    @property
    def is_complete(self) -> bool:
        """Whether no device task goes on or may begin."""
        return not (self.may_begin or self.flashing)

    def line(self, job_id: str) -> str:
        """Write it as a sentence without its full stop."""
        if self.is_planned:
            what = "no device task of it could be cancelled yet"
            if self.cancelled:
                what = f"more device tasks than the {self.cancelled} that were cancelled may be planned"
            return f"job {job_id} may still begin: it has not ended, and {what}. Cancel it again when it has some"
        text = f"job {job_id}: {self.cancelled} device tasks cancelled"
        if self.waiting:
            waiting = "could not be cancelled and may still begin"
            if self.is_taken:
                waiting = "still waited when they were counted, although the platform may have taken the cancel"
            text += f", {self.waiting} {waiting}"
        return f"{text}, {self.flashing} are flashing and cannot be stopped"


@dataclass(frozen=True, slots=True)
class NotCounted:
    """The platform may have accepted the cancel of a job, and its device tasks were not counted afterwards."""

    @property
    def may_change(self) -> bool:
        """Nothing was counted that a later count could change."""
        return False

    @property
    def is_complete(self) -> bool:
        """Whether device tasks go on is not known."""
        return False

    def line(self, job_id: str) -> str:
        """Write it as a sentence without its full stop."""
        return f"job {job_id}: its cancel was sent, its effect was not counted; devices that are flashing go on"


StopResult: TypeAlias = Stopped | NotCounted
