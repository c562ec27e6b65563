"""Verify a record offline: its chain and signature, each verdict, and the arithmetic of all its counts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan
from airflow_provider_tuya_ota.rollout.record.check_chain import (
    SignatureState,
    check_chain,
    check_entries,
    check_seal,
    signature_state,
)
from airflow_provider_tuya_ota.rollout.record.check_completeness import check_completeness
from airflow_provider_tuya_ota.rollout.record.check_course import check_course
from airflow_provider_tuya_ota.rollout.record.check_devices import check_devices, check_held_strata
from airflow_provider_tuya_ota.rollout.record.check_end import check_end
from airflow_provider_tuya_ota.rollout.record.check_excluded import check_excluded
from airflow_provider_tuya_ota.rollout.record.check_landed import check_landed
from airflow_provider_tuya_ota.rollout.record.check_other_jobs import check_other_jobs
from airflow_provider_tuya_ota.rollout.record.check_outcome import check_outcome
from airflow_provider_tuya_ota.rollout.record.check_plan import check_jobs, check_plan
from airflow_provider_tuya_ota.rollout.record.check_receipt import check_receipt
from airflow_provider_tuya_ota.rollout.record.check_silence import check_silence
from airflow_provider_tuya_ota.rollout.record.check_verdicts import check_verdicts
from airflow_provider_tuya_ota.rollout.record.course import JobCreated, VerdictGiven
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart, join_parts
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile, read_record
from airflow_provider_tuya_ota.rollout.record.recorded_devices import RecordedDevices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence

MOST_FINDINGS: Final = 1000
"""Findings that are listed; a record with more is no better than one with so many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What the verification of a record found.

    :param file: what the record says.
    :param findings: everything that is wrong, at most the first 1,000.
    :param signature: what its signature is worth.
    :param verdicts: number of verdicts that were judged again.
    """

    file: RecordFile
    findings: tuple[Finding, ...]
    signature: SignatureState
    verdicts: int

    @property
    def key_id(self) -> str:
        """Id of the key in the seal; empty without one. It says whose key it is only to who knows the id."""
        return self.file.seal.key_id if self.file.seal else ""


def verify_record(data: bytes, key: Ed25519PublicKey | None = None) -> Verification:
    """Verify a record. Nothing is asked of the platform.

    :param key: the key that has to have signed it; without one, a record may be unsigned or signed with any key.
    :raises RecordUnreadableError: it is no record, or this version cannot read it.
    """
    file = read_record(data)
    findings = chain(
        check_chain(file), check_seal(file, key), check_entries(file), check_course(file), _check_contents(file)
    )
    return Verification(
        file=file,
        findings=tuple(islice(findings, MOST_FINDINGS)),
        signature=signature_state(file, key),
        verdicts=len(file.of(VerdictGiven)),
    )


def evidence_of(file: RecordFile) -> Evidence:
    """Give the whole evidence of a record.

    :raises ValueError: its parts do not fit together.
    """
    return join_parts([part for _, part in file.of(EvidencePart)])


def _check_contents(file: RecordFile) -> Iterator[Finding]:
    plan = file.first(FrozenPlan)
    if plan is not None:
        yield from check_plan(plan)
        yield from check_jobs(file.of(JobCreated), plan)
    yield from check_other_jobs(file)
    try:
        evidence = evidence_of(file)
    except ValueError as error:
        yield Finding(kind=FindingKind.WRONG_EVIDENCE, text=f"{error}")
        return
    yield from check_silence(file, evidence)
    yield from check_verdicts(file, evidence)
    devices = RecordedDevices.of(file, evidence)
    yield from check_devices(devices)
    yield from check_excluded(file, devices)
    yield from check_held_strata(file, devices)
    yield from check_receipt(file, devices)
    yield from check_landed(file, devices)
    if plan is not None:
        yield from check_completeness(file, devices, plan)
        yield from check_end(file, devices, plan)
        yield from check_outcome(file, devices, plan)
