"""What the verification of a record finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """What is wrong with a record."""

    NOT_CANONICAL = "not canonical"
    BROKEN_CHAIN = "broken chain"
    """An entry is missing, moved, changed or put in."""
    NOT_CLOSED = "not closed"
    """The record has no end or no seal: it is still open, or was cut."""
    WRONG_DIGEST = "wrong digest"
    UNSIGNED = "unsigned"
    """It was to be verified with a key and is not signed."""
    OTHER_KEY = "signed by another key"
    WRONG_SIGNATURE = "wrong signature"
    INCOMPLETE = "incomplete"
    """An entry that every record needs is missing, or is there twice."""
    WRONG_EVIDENCE = "wrong evidence"
    WRONG_VERDICT = "wrong verdict"
    """Judging the evidence again gives another verdict."""
    WRONG_PLAN = "wrong plan"
    NOT_PLANNED = "not planned"
    """A job is not in the plan, or is larger than planned."""
    JOB_AFTER_HALT = "job after halt"
    JOB_WHILE_HELD = "job while held"
    NOT_APPROVED = "not approved"
    NOT_PROMOTED = "not promoted"
    """A wave began although nothing had promoted the one before it."""
    WRONG_APPROVAL = "wrong approval"
    NOBODY_NAMED = "nobody named"
    """A person steered the release or overrode the gate, and the entry does not say who or why."""
    DEVICE_IN_TWO_JOBS = "device in two jobs"
    WRONG_DEVICES = "wrong devices"
    """A job has other devices than the entry of its creation says."""
    EXCLUDED_DEVICE = "excluded device"
    """A job took a device that a person had excluded before."""
    WRONG_RECEIPT = "wrong receipt"
    WRONG_LANDED_CHECK = "wrong landed check"
    WRONG_COUNTS = "wrong counts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    :param kind: what.
    :param text: one sentence with the numbers or names.
    :param entry: number of the entry; None where the whole record is meant.
    """

    kind: FindingKind
    text: str
    entry: int | None = None

    def __str__(self) -> str:
        return f"{self.kind}{'' if self.entry is None else f' (entry {self.entry})'}: {self.text}"
