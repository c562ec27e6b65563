"""One entry of a record: what it says, and where it stands in the chain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan, GateSettings, ReleaseBegun
from airflow_provider_tuya_ota.rollout.record.canonical import canonical_bytes, digest_of_bytes
from airflow_provider_tuya_ota.rollout.record.course import (
    ApprovalAnswered,
    ApprovalAsked,
    ControlNote,
    JobCreated,
    OutsideSaid,
    VerdictGiven,
)
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt, LandedCheck, ReleaseEnded
from airflow_provider_tuya_ota.rollout.record.values import read, write

Content: TypeAlias = (
    ReleaseBegun
    | FrozenPlan
    | GateSettings
    | JobCreated
    | EvidencePart
    | VerdictGiven
    | OutsideSaid
    | ApprovalAsked
    | ApprovalAnswered
    | ControlNote
    | HaltReceipt
    | LandedCheck
    | ReleaseEnded
)
KINDS: Final[dict[str, type[Any]]] = {
    "begun": ReleaseBegun,
    "plan": FrozenPlan,
    "gate": GateSettings,
    "job": JobCreated,
    "evidence": EvidencePart,
    "verdict": VerdictGiven,
    "outside evidence": OutsideSaid,
    "approval asked": ApprovalAsked,
    "approval answered": ApprovalAnswered,
    "control note": ControlNote,
    "halt receipt": HaltReceipt,
    "landed check": LandedCheck,
    "end": ReleaseEnded,
}
"""The kinds of entries; a version is part of each, so that a kind can change alone."""
VERSION: Final = 1
_NAMES: Final = {kind: name for name, kind in KINDS.items()}
_FIELDS: Final = frozenset({"at", "body", "kind", "number", "previous", "version"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry.

    :param number: its place, from 0.
    :param at: when it was written. Clocks are adjusted, so only the number gives the order.
    :param previous: digest of the line of the entry before; empty for the first one.
    :param content: what it says.
    """

    number: int
    at: datetime
    previous: str
    content: Content

    @property
    def kind(self) -> str:
        """The name of its kind."""
        return _NAMES[type(self.content)]

    def to_bytes(self) -> bytes:
        """Give its line, without the end of the line."""
        return canonical_bytes(
            {
                "at": write(self.at),
                "body": write(self.content),
                "kind": self.kind,
                "number": self.number,
                "previous": self.previous,
                "version": VERSION,
            }
        )

    def digest(self) -> str:
        """Give the digest that the next entry holds."""
        return digest_of_bytes(self.to_bytes())

    @classmethod
    def from_values(cls, values: Any) -> Entry:
        """Read an entry from the values of its line.

        :raises ValueError: it is no entry, or its kind or version is not known here.
        """
        if not isinstance(values, dict) or values.keys() != _FIELDS:
            raise ValueError(f"{short_repr(values)} is no entry: it needs {', '.join(sorted(_FIELDS))}")
        kind, version = values["kind"], values["version"]
        if not isinstance(kind, str) or kind not in KINDS:
            raise ValueError(f"entries of the kind {short_repr(kind)} are not known here")
        if version is True or version != VERSION:
            raise ValueError(f"version {short_repr(version)} of the kind {kind!r} is not known here, only {VERSION}")
        return cls(
            number=read(int, values["number"], field="number"),
            at=read(datetime, values["at"], field="at"),
            previous=read(str, values["previous"], field="previous", limits={"pattern": "|[0-9a-f]{64}"}),
            content=read(KINDS[kind], values["body"], field=kind),
        )
