"""A platform that remembers the jobs of firmware 178, and a script that creates sets of jobs on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.flows.effects import StoredIntent
from airflow_provider_tuya_ota.core.jobs.create_set import create_job_set
from airflow_provider_tuya_ota.core.jobs.intent import Attempt
from airflow_provider_tuya_ota.core.jobs.job_set_request import JobSetRequest
from tests.core.jobs.upgrades import UPGRADE
from tests.core.script import NOW, SETTINGS, Script, job, ok, refused, task

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob
    from tests.core.script import Answer, Sent

LISTS = (("d1", "d2"), ("d3",), ("d4", "d5"))
BEGUN = NOW - timedelta(minutes=1)
RETRY = Attempt(is_retry=True, run_started_at=BEGUN)


@dataclass
class Fake:
    """The platform.

    :param jobs: what lists show of each job, by its id.
    :param names: devices of each job.
    :param fates: what becomes of the n-th create, from 1: an answer in place of the real one, after it was carried out.
    :param unseen: creates that are not carried out.
    :param extra: more of the total of the job list than it shows.
    :param after_create: called after each create, with its number.
    """

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    fates: dict[int, Answer] = field(default_factory=dict)
    unseen: set[int] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    extra: int = 0
    cancelled: list[str] = field(default_factory=list)
    creates: int = 0
    after_create: Callable[[int], None] = lambda _: None
    answers: dict[str, Answer] = field(default_factory=dict)

    def add(self, job_id: str, *names: str, status: str = "IN_PROGRESS", minutes: float = 0, **fields: Any) -> None:
        """Let a job exist that was created some minutes after the beginning."""
        created = (NOW + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
        self.jobs[job_id] = job(job_id, status, UPGRADE, utcCreate=created, targetSelection="SPECIFIC") | fields
        self.names[job_id] = list(names)

    def __call__(self, sent: Sent) -> Answer:
        values = sent.parameters
        if sent.action in self.answers:
            return self.answers[sent.action]
        match sent.action:
            case "ListOTAJobByFirmware":
                shown = [one for job_id, one in self.jobs.items() if job_id not in self.hidden | self.gone]
                page = shown if values["CurrentPage"] == "1" else []
                return ok(data=page, total=len(shown) + self.extra)
            case "QueryOTAJob":
                found = values["JobId"] not in self.gone
                return ok(data=self.jobs[values["JobId"]]) if found else refused("iot.firmware.InvalidOTAJobId")
            case "ListOTATaskByJob":
                return self._tasks(values)
            case "CreateOTAStaticUpgradeJob":
                return self._create(values)
        self.cancelled.append(values["JobId"])
        self.jobs[values["JobId"]]["jobStatus"] = "CANCELED"
        return ok()

    def _tasks(self, values: dict[str, str]) -> Answer:
        named = {value for name, value in values.items() if name.startswith("DeviceNames.")}
        ends = {"COMPLETED": "SUCCEEDED", "CANCELED": "CANCELED"}
        status = ends.get(self.jobs[values["JobId"]]["jobStatus"], "NOTIFIED")
        tasks = [task(name, status) for name in self.names[values["JobId"]] if not named or name in named]
        tasks = [one for one in tasks if values.get("TaskStatus", status) == one["taskStatus"]]
        return ok(data=tasks if values["CurrentPage"] == "1" else [], total=len(tasks))

    def _create(self, values: dict[str, str]) -> Answer:
        self.creates += 1
        job_id = str(100 + self.creates)
        if self.creates not in self.unseen:
            names = [value for name, value in values.items() if name.startswith("TargetDeviceName.")]
            self.add(job_id, *names, minutes=0.01 * self.creates)
        self.after_create(self.creates)
        return self.fates.get(self.creates, ok(data={"jobId": job_id}))


def request(*lists: tuple[str, ...], **options: Any) -> JobSetRequest:
    return JobSetRequest(firmware_id="178", product_key="pk", device_lists=lists or LISTS, **options)


def create(
    script: Script, attempt: Attempt | None = None, of: JobSetRequest | None = None, **options: Any
) -> tuple[TrackedJob, ...]:
    return script.run(create_job_set(SETTINGS, of or request(), attempt or Attempt(run_started_at=BEGUN), **options))


def ids(jobs: tuple[TrackedJob, ...]) -> list[str]:
    return [one.job_id for one in jobs]


def other(note: Any, key: str = "k1") -> StoredIntent:
    """Build what another task has stored."""
    return StoredIntent(f"task {key}", key, note)
