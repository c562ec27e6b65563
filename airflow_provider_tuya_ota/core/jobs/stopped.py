"""What stopping a job came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """What stopping a job came to.

    :param cancelled: device tasks that never begin, those that were cancelled before among them.
    :param waiting: device tasks that may still begin, as last counted.
    :param flashing: device tasks that go on.
    :param is_counted: False where these numbers were not read after the cancel.
    :param is_planned: True where the job is not known to have ended and has no device tasks yet: it may still begin all
        of them.
    :param is_taken: whether the platform took a cancel; its effect may come seconds later.
    """

    cancelled: int
    waiting: int
    flashing: int
    is_counted: bool = True
    is_planned: bool = False
    is_taken: bool = True

    @property
    def may_change(self) -> bool:
        """Whether a later count may show more: the cancel was taken, and something may still begin."""
        return self.is_planned or (self.waiting > 0 and self.is_taken)

    @property
    def is_complete(self) -> bool:
        """Whether it is certain that no device task goes on or may begin."""
        return self.is_counted and not (self.waiting or self.flashing or self.is_planned)

    def line(self, job_id: str) -> str:
        """Say it in a sentence."""
        if not self.is_counted:
            return (
                f"job {job_id}: the platform took the cancel, its effect was not counted; devices that are flashing go"
                " on"
            )
        if self.is_planned:
            return (
                f"job {job_id} may still begin: it has not ended, and no device task of it could be cancelled yet."
                " Cancel it again when it has some"
            )
        text = f"job {job_id}: {self.cancelled} device tasks cancelled"
        if self.waiting:
            waiting = "could not be cancelled and may still begin"
            if self.is_taken:
                waiting = "still waited when they were counted, although the platform took the cancel"
            text += f", {self.waiting} {waiting}"
        return f"{text}, {self.flashing} are flashing and cannot be stopped"


UNCOUNTED: Final = Stopped(cancelled=0, waiting=0, flashing=0, is_counted=False)
