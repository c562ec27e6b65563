"""Check that a comparison of versions adds up, and that it names devices that had reported success by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.gate.evidence import UNENDED
from airflow_provider_tuya_ota.rollout.gate.outcomes import FAILURES, DeviceOutcome
from airflow_provider_tuya_ota.rollout.record.begin import ReleaseBegun
from airflow_provider_tuya_ota.rollout.record.course import JobCreated, JobPurpose
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import LandedCheck, ReleaseEnded
from airflow_provider_tuya_ota.rollout.record.recorded_devices import some_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile
    from airflow_provider_tuya_ota.rollout.record.recorded_devices import RecordedDevices


def check_landed(file: RecordFile, devices: RecordedDevices) -> Iterator[Finding]:
    """Find checks of landed versions that do not add up, or that the evidence contradicts."""
    begun, end = file.first(ReleaseBegun), file.first(ReleaseEnded)
    target, succeeded_on_retry = begun.version if begun else "", end.succeeded_on_retry if end else 0
    rounds, retried = 0, 0
    for place, entry in enumerate(file.entries):
        match entry.content:
            case EvidencePart():
                rounds += len(entry.content.rounds)
            case JobCreated(purpose=JobPurpose.RETRY):
                retried = succeeded_on_retry
            case LandedCheck():
                texts = (*_sums(entry.content, target), *_contradictions(entry.content, devices, rounds, retried))
                for text in texts:
                    yield Finding(kind=FindingKind.WRONG_LANDED_CHECK, text=text, entry=place)
            case _:
                pass


def _sums(check: LandedCheck, target: str) -> Iterator[str]:
    names = [*(found.device for found in check.elsewhere), *check.not_known]
    if len(set(names)) != len(names):
        yield "a device is there twice"
    if check.on_target + len(names) != check.checked:
        yield f"{check.on_target} on the version and {len(names)} others are not {check.checked} checked devices"
    if any(found.version == target for found in check.elsewhere):
        yield f"a device with version {target} is among those that run another version"


def _contradictions(check: LandedCheck, devices: RecordedDevices, rounds: int, retried: int) -> Iterator[str]:
    """Compare a check with the evidence.

    :param rounds: how many rounds of it were recorded before the check; a straggler may succeed later.
    :param retried: how many devices that are failures in the evidence may have succeeded in a retry.
    """
    successes = [
        found.device
        for found in check.elsewhere
        if found.device in devices.last and devices.outcome(devices.last[found.device]) is DeviceOutcome.SUCCEEDED
    ]
    if successes:
        shown = f"{', '.join(map(short_repr, successes[:10]))} ({len(successes):,} in all)"
        yield f"on another version, and succeeded in the evidence: {shown}"
    reported = _reported(devices, rounds)
    names = [*(found.device for found in check.elsewhere), *check.not_known]
    strangers = [name for name in names if name not in reported and not (retried and _has_failed(devices, name))]
    if strangers:
        yield f"checked, and had not reported success: {some_names(strangers)}"
    number = len(reported)
    if check.checked > number + retried or (check.checked < number and not check.is_sample):
        yield f"{check.checked} devices were checked, and {number} have reported success"


def _reported(devices: RecordedDevices, rounds: int) -> set[str]:
    evidence = devices.evidence
    return {
        name
        for name, place in devices.last.items()
        if UNENDED != evidence.ended[place] < rounds
        and (place in evidence.corrected or devices.outcome(place) is DeviceOutcome.SUCCEEDED)
    }


def _has_failed(devices: RecordedDevices, name: str) -> bool:
    return name in devices.last and devices.outcome(devices.last[name]) in FAILURES
