"""The entries of the course of a release: jobs, verdicts, outside evidence, approvals and control notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from airflow_provider_tuya_ota.rollout.gate.outside import OutsideEvidence  # noqa: TC001 - the types of fields are read at runtime
from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict  # noqa: TC001 - the types of fields are read at runtime
from airflow_provider_tuya_ota.rollout.record.begin import NAME, REASON, SHA_256


class JobPurpose(StrEnum):
    """Why a job was created."""

    VERIFICATION = "verification"
    """It verifies the firmware on devices that are no sample of the fleet."""
    WAVE = "wave"
    RETRY = "retry"
    """It tries failed devices again, outside the evidence of the gate."""


class ApprovalAnswer(StrEnum):
    """How a request for an approval ended."""

    APPROVED = "approved"
    REJECTED = "rejected"
    TIMED_OUT = "timed out"
    LAPSED = "lapsed"
    """The evidence became worse before anybody answered."""


class ControlVerb(StrEnum):
    """What a person asked of a release while it ran."""

    HOLD = "hold"
    RESUME = "resume"
    HALT = "halt"
    ADVANCE = "advance"
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCreated:
    """A job was created at the platform, or found again after its creation was in doubt.

    :param job_id: the platform's id.
    :param firmware_id: firmware that it installs.
    :param purpose: why it was created.
    :param wave: number of its wave; 0 for a verification.
    :param pulse: number of its pulse; 0 where it has none.
    :param devices: number of its devices; null where the platform chooses them.
    :param devices_digest: digest of the sorted names of its devices; empty where the platform chooses them.
    """

    job_id: str = field(metadata=NAME)
    firmware_id: str = field(metadata=NAME)
    purpose: JobPurpose
    wave: int
    pulse: int
    devices: int | None
    devices_digest: str = field(metadata={"pattern": "|[0-9a-f]{64}"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictGiven:
    """The gate has judged the evidence so far; written where its decision changes, and before what it allows.

    :param verdict: what it said, with the devices that decide and everything that judging again needs.
    """

    verdict: GateVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideSaid:
    """A source outside the platform has answered.

    :param answer: what it said.
    """

    answer: OutsideEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAsked:
    """A person was asked to approve the start of a wave.

    :param wave: number of the wave.
    :param shown_digest: digest of what was shown.
    :param approvers: who may answer; empty where anybody may whom Airflow lets.
    :param two_person: whether who triggered the release may not answer.
    """

    wave: int
    shown_digest: str = field(metadata=SHA_256)
    approvers: tuple[str, ...] = field(default=(), metadata={"maxItems": 1000})
    two_person: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAnswered:
    """A request for an approval has ended.

    :param asked: number of the entry that asked.
    :param answer: how it ended.
    :param who: who answered; empty where nobody did.
    :param why: the reason that was given.
    :param shown_digest: digest of what was shown to who answered.
    """

    asked: int
    answer: ApprovalAnswer
    who: str = field(default="", metadata=NAME)
    why: str = field(default="", metadata=REASON)
    shown_digest: str = field(metadata=SHA_256)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlNote:
    """A person has steered the release.

    :param verb: what was asked.
    :param who: who asked.
    :param why: the reason.
    :param devices: the devices that are excluded; empty for all other verbs.
    """

    verb: ControlVerb
    who: str = field(metadata=NAME)
    why: str = field(metadata=REASON)
    devices: tuple[str, ...] = ()
