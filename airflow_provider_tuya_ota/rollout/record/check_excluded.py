"""Check that no job takes a device that a person has excluded, and that no other device is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.gate.outcomes import CODES, DeviceOutcome
from airflow_provider_tuya_ota.rollout.record.course import ControlNote, ControlVerb, JobCreated
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.recorded_devices import some_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile
    from airflow_provider_tuya_ota.rollout.record.recorded_devices import RecordedDevices

_REMOVED: Final = chr(CODES[DeviceOutcome.REMOVED])


def check_excluded(file: RecordFile, devices: RecordedDevices) -> Iterator[Finding]:
    """Find devices that a job took although a person had excluded them before, and devices that nobody excluded."""
    excluded = excluded_devices(file)
    created = {job.job_id: place for place, job in file.of(JobCreated)}
    names = devices.evidence.devices
    taken = [
        name
        for listing, name in enumerate(names)
        if name in excluded and excluded[name] < created.get(devices.job_id(listing), -1)
    ]
    if taken:
        text = f"excluded by a person, and in a job that was created later: {some_names(taken)}"
        yield Finding(kind=FindingKind.EXCLUDED_DEVICE, text=text)
    for place, part in file.of(EvidencePart):
        removed = [names[at] for at, letter in zip(part.ended, part.outcomes, strict=True) if letter == _REMOVED]
        if unsaid := [name for name in removed if excluded.get(name, place) >= place]:
            text = f"removed, and no person had excluded them before: {some_names(unsaid)}"
            yield Finding(kind=FindingKind.EXCLUDED_DEVICE, text=text, entry=place)


def excluded_devices(file: RecordFile) -> dict[str, int]:
    """Give the devices that persons have excluded, each with the number of the first entry that says so."""
    excluded: dict[str, int] = {}
    for place, note in file.of(ControlNote):
        if note.verb is ControlVerb.EXCLUDE:
            excluded = dict.fromkeys(note.devices, place) | excluded
    return excluded
