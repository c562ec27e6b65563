"""Check that a record that has ended names each planned device, and no other one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.rollout.record.canonical import digest_of_devices
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt, ReleaseEnded
from airflow_provider_tuya_ota.rollout.record.recorded_devices import some_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan
    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile
    from airflow_provider_tuya_ota.rollout.record.recorded_devices import RecordedDevices


def check_completeness(file: RecordFile, devices: RecordedDevices, plan: FrozenPlan) -> Iterator[Finding]:
    """At the end of a release, find devices of jobs of which nothing is known, and names that are not the plan's."""
    end = file.first(ReleaseEnded)
    if end is None or not devices.jobs:
        return
    listed, without_job = devices.in_jobs, devices.in_no_job
    for text in _problems_of_left_out(end, devices):
        yield Finding(kind=FindingKind.WRONG_DEVICES, text=text)
    # A device that never started is in the receipt of a halt, or is listed without a job, such as an offline one.
    known = len(devices.in_receipt - devices.last.keys())
    unlisted = devices.created - len(listed)
    if not known <= unlisted <= known + len(without_job - set(listed)):
        text = (
            f"the jobs were created for {devices.created} devices; the evidence has {len(listed)} of them, and the"
            f" receipt of a halt {known} more"
        )
        yield Finding(kind=FindingKind.WRONG_DEVICES, text=text)
    if devices.has_chosen:
        return
    spared = (name for _, receipt in file.of(HaltReceipt) for name in receipt.spared)
    names = {*listed, *without_job, *devices.in_receipt, *spared, *end.left_out}
    if digest_of_devices(names) != plan.names_digest:
        text = f"{len(names)} devices are named, and they are not the {plan.planned} that are planned"
        yield Finding(kind=FindingKind.WRONG_DEVICES, text=text)


def _problems_of_left_out(end: ReleaseEnded, devices: RecordedDevices) -> Iterator[str]:
    names = set(end.left_out)
    if len(names) < len(end.left_out):
        yield "a device is left out twice"
    tried = {name for place, name in enumerate(devices.evidence.devices) if devices.job_id(place)}
    if taken := names & tried:
        yield f"left out by all jobs, and in the evidence of one: {some_names(taken)}"
    if len(names) > end.in_no_job:
        yield f"{len(names)} devices are left out by all jobs, and {end.in_no_job} were in no job"
