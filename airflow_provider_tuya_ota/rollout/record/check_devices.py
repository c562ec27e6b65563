"""Check the devices: none in two jobs, each job with its own, and the receipt of a halt with exactly the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.gate.evidence import UNENDED, Evidence
from airflow_provider_tuya_ota.rollout.gate.outcomes import FAILURES, NOT_TRIED, OUTCOMES, UNFINISHED, DeviceOutcome
from airflow_provider_tuya_ota.rollout.record.canonical import digest_of_devices
from airflow_provider_tuya_ota.rollout.record.course import JobCreated, JobPurpose
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt, Receipt, ReleaseEnded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile

_NO_RECEIPT: Final = NOT_TRIED - {DeviceOutcome.CANCELLED} | {DeviceOutcome.REMOVED}
"""Outcomes of devices that were not flashed, and that no cancel was for."""
_FITTING: Final = {
    Receipt.CANCELLED: frozenset({DeviceOutcome.CANCELLED, DeviceOutcome.OTHER, *_NO_RECEIPT}),
    Receipt.NOT_CANCELLED: frozenset({*UNFINISHED, DeviceOutcome.SILENT, *_NO_RECEIPT}),
    Receipt.LANDED: frozenset({DeviceOutcome.SUCCEEDED, DeviceOutcome.WRONG_VERSION}),
    Receipt.FAILED: frozenset({*FAILURES, *_NO_RECEIPT}),
    Receipt.SPARED: frozenset({DeviceOutcome.REMOVED}),
}


@dataclass(frozen=True, slots=True)
class RecordedDevices:
    """The devices of a record.

    :param evidence: of all parts.
    :param jobs: the jobs of the waves by their id.
    :param last: place of the last listing of each device.
    :param in_receipt: names that a receipt has as cancelled or not; none where the platform chose devices, because
        then the names do not show whether a device was planned.
    """

    evidence: Evidence
    jobs: dict[str, JobCreated]
    last: dict[str, int]
    in_receipt: frozenset[str]

    @classmethod
    def of(cls, file: RecordFile, evidence: Evidence) -> Self:
        """Collect them."""
        jobs = {job.job_id: job for _, job in file.of(JobCreated) if job.purpose is JobPurpose.WAVE}
        last = {name: place for place, name in enumerate(evidence.devices)}
        receipts = (
            receipt for _, receipt in file.of(HaltReceipt) if all(job.devices is not None for job in jobs.values())
        )
        names = (name for one in receipts for name in (*one.cancelled, *one.not_cancelled))
        return cls(evidence, jobs, last, frozenset(names))

    def outcome(self, place: int) -> DeviceOutcome:
        """Give the outcome of one listing."""
        return OUTCOMES[self.evidence.outcomes[place]]

    def job_id(self, place: int) -> str:
        """Give the job of one listing; empty where the device was in none."""
        return self.evidence.jobs[self.evidence.job_of[place]]

    @property
    def created(self) -> int:
        """How many devices the jobs were created for, without jobs whose devices the platform chooses."""
        return sum(job.devices or 0 for job in self.jobs.values())

    @property
    def in_jobs(self) -> list[str]:
        """The devices that the evidence has of these jobs; one that was tried again is there twice."""
        planned = {job_id for job_id, job in self.jobs.items() if job.devices is not None}
        return [name for place, name in enumerate(self.evidence.devices) if self.job_id(place) in planned]


def check_devices(devices: RecordedDevices) -> Iterator[Finding]:
    """Find devices that were tried twice, and jobs that the evidence knows otherwise than their entry."""
    twice = [
        name
        for place, name in enumerate(devices.evidence.devices)
        if devices.last[name] != place and devices.outcome(place) not in NOT_TRIED
    ]
    if twice:
        text = f"tried in two jobs: {_names(twice)}"
        yield Finding(kind=FindingKind.DEVICE_IN_TWO_JOBS, text=text)
    for text in _problems_of_jobs(devices):
        yield Finding(kind=FindingKind.WRONG_DEVICES, text=text)


def _problems_of_jobs(devices: RecordedDevices) -> Iterator[str]:
    evidence = devices.evidence
    names: dict[str, list[str]] = {job: [] for job in (*evidence.jobs, *devices.jobs)}
    waves: dict[str, set[int]] = {job: set() for job in names}
    for place, name in enumerate(evidence.devices):
        names[devices.job_id(place)].append(name)
        waves[devices.job_id(place)].add(evidence.wave_of[place])
    for job_id, listed in names.items():
        if not job_id:
            continue
        if job_id not in devices.jobs:
            yield f"the evidence names job {job_id}, and no entry says that a wave created it"
            continue
        job = devices.jobs[job_id]
        if not waves[job_id] <= {job.wave, 0}:
            yield f"the evidence has devices of job {job_id} in another wave than {job.wave}"
        if len(set(listed)) != len(listed):
            yield f"the evidence has a device of job {job_id} twice"
        if job.devices is not None and len(listed) > job.devices:
            yield f"job {job_id} was created for {job.devices} devices, and the evidence has {len(listed)} of it"
        elif len(listed) == job.devices and digest_of_devices(listed) != job.devices_digest:
            yield f"job {job_id} was created for other devices than those that the evidence has"


def check_receipt(file: RecordFile, devices: RecordedDevices) -> Iterator[Finding]:
    """Find devices that the receipt of a halt leaves out, has twice, or has in a class that is not theirs."""
    for place, receipt in file.of(HaltReceipt):
        for text in _problems_of_receipt(receipt, devices):
            yield Finding(kind=FindingKind.WRONG_RECEIPT, text=text, entry=place)


def _problems_of_receipt(receipt: HaltReceipt, devices: RecordedDevices) -> Iterator[str]:
    listed = [name for names in receipt.by_receipt.values() for name in names]
    if twice := [name for name, number in Counter(listed).items() if number > 1]:
        yield f"listed twice: {_names(twice)}"
    if receipt.rounds > len(devices.evidence.rounds):
        yield f"the halt was after round {receipt.rounds}, and the evidence has {len(devices.evidence.rounds)}"
    open_, ended = _open_at(receipt.rounds, devices)
    present = set(listed)
    if missing := [name for name in open_ if name not in present]:
        yield f"not listed, and without an outcome at the halt: {_names(missing)}"
    if early := [name for name in listed if name in ended]:
        yield f"listed, and with an outcome before the halt: {_names(early)}"
    for kind, names in receipt.by_receipt.items():
        known = [name for name in names if name in devices.last]
        wrong = [name for name in known if devices.outcome(devices.last[name]) not in _FITTING[kind]]
        if kind in {Receipt.LANDED, Receipt.FAILED}:
            wrong += [name for name in names if name not in devices.last]
        if wrong:
            yield f"listed as {kind}, and the evidence has another outcome: {_names(wrong)}"


def _open_at(rounds: int, devices: RecordedDevices) -> tuple[list[str], set[str]]:
    """Give the devices that need a receipt, and those that cannot be in it."""
    open_: list[str] = []
    ended: set[str] = set()
    for name, place in devices.last.items():
        end = devices.evidence.ended[place]
        if end != UNENDED and end < rounds:
            ended.add(name)
        elif devices.outcome(place) not in _NO_RECEIPT:
            open_.append(name)
    # A person may have excluded a device that was in no job; nobody has notified it.
    return open_, {name for name in ended if devices.outcome(devices.last[name]) is not DeviceOutcome.REMOVED}


def check_completeness(file: RecordFile, devices: RecordedDevices) -> Iterator[Finding]:
    """At the end of a release, find devices of jobs of which nothing is known."""
    if not file.of(ReleaseEnded):
        return
    listed = devices.in_jobs
    excluded = {name for place, name in enumerate(devices.evidence.devices) if not devices.job_id(place)}
    # A device that never started is in the receipt of a halt, or is listed without a job, such as an offline one.
    known = len(devices.in_receipt - devices.last.keys())
    unlisted = devices.created - len(listed)
    if not known <= unlisted <= known + len(excluded - set(listed)):
        text = (
            f"the jobs were created for {devices.created} devices; the evidence has {len(listed)} of them, and the"
            f" receipt of a halt {known} more"
        )
        yield Finding(kind=FindingKind.WRONG_DEVICES, text=text)


def _names(names: Iterable[str]) -> str:
    found = sorted(names)
    return f"{', '.join(map(short_repr, found[:10]))}{' …' if found[10:] else ''} ({len(found):,} in all)"
