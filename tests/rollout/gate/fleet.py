"""Device tasks and evidence for tests of the gate, written as texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.model.entities import DeviceTask
from airflow_provider_tuya_ota.core.model.states import TaskStatus
from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = 86400.0
TASKS = {
    "Q": ("QUEUED", ""),
    "P": ("NOTIFIED", ""),
    "G": ("IN_PROGRESS", ""),
    "S": ("SUCCEEDED", ""),
    "F": ("FAILED", "step -4: flash failed"),
    "D": ("FAILED", "-2"),
    "B": ("FAILED", "the device is in another unfinished task"),
    "C": ("CANCELED", "cancelled"),
}


def task(device: str, status: str, reason: str = "", job: str = "1") -> DeviceTask:
    return DeviceTask(
        task_id=f"{job}-{device}", device_name=device, status=TaskStatus(status), reason=reason, job_id=job
    )


def tasks(letters: str, *, first: int = 0, job: str = "1") -> list[DeviceTask]:
    return [task(f"d{number:05}", *TASKS[letter], job) for number, letter in enumerate(letters, start=first)]


def places(count: int, strata: Iterable[str] = (), wave: int = 1) -> dict[str, Place]:
    names = list(strata) or [""]
    return {f"d{number:05}": Place(number, wave, names[number % len(names)]) for number in range(count)}


def after(**passed: float) -> datetime:
    return START + timedelta(**passed)


def record(
    evidence: Evidence, found: Iterable[DeviceTask], where: Mapping[str, Place], now: datetime = START
) -> Evidence:
    evidence.record(found, where, now=now, silent_after=DAY)
    return evidence


def evidence_of(letters: str, strata: tuple[str, ...] = ()) -> Evidence:
    """Devices in the order of their rank; with strata, each device belongs to the next one in turn."""
    return record(Evidence(strata=strata), tasks(letters), places(len(letters), strata))
