"""Jobs and device tasks: their states, and how a device moves through them in time."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.emulator import packages
from airflow_provider_tuya_ota.emulator.clock import Clock, iso_ms
from airflow_provider_tuya_ota.emulator.fleet import STEPS, Device

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from airflow_provider_tuya_ota.emulator.packages import Package

TRANSITIONS: dict[str, frozenset[str]] = {
    "CONFIRM": frozenset({"QUEUED", "FAILED", "CANCELED"}),
    "QUEUED": frozenset({"NOTIFIED", "FAILED", "CANCELED"}),
    "NOTIFIED": frozenset({"IN_PROGRESS", "FAILED", "SUCCEEDED", "CANCELED"}),
    "IN_PROGRESS": frozenset({"SUCCEEDED", "FAILED"}),
    "SUCCEEDED": frozenset(),
    "FAILED": frozenset(),
    "CANCELED": frozenset(),
}
"""From each task status to those that may follow."""
PROGRESS_STEPS = 5


@dataclass(slots=True)
class Job:
    """One job."""

    job_id: str
    package: Package
    kind: str
    selection: str
    created: float
    modified: float
    timeout_minutes: int | None = None
    need_push: bool = True
    need_confirm: bool = False
    protocol: str = "HTTPS"
    retry_interval: int | None = None
    retry_count: int | None = None
    gray_percent: str | None = None
    group_id: str | None = None
    status: str = "PLANNED"
    tasks: list[Task] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def describe(self) -> dict[str, Any]:
        """Give what a list shows."""
        return {
            "FirmwareId": self.package.firmware_id,
            "JobId": self.job_id,
            "JobStatus": self.status,
            "JobType": self.kind,
            "ProductKey": self.package.product.product_key,
            "TargetSelection": self.selection,
            "UtcCreate": iso_ms(self.created),
            "UtcModified": iso_ms(self.modified),
        }


@dataclass(slots=True)
class Task:
    """One device in one job.

    :param retries: how often the device has begun again.
    :param scheduled: whether the device's next step has its time.
    :param waiting: what the device does next once it is online again.
    """

    task_id: str
    job: Job
    device: Device
    src_version: str
    created: float
    modified: float
    status: str = ""
    progress: int | None = None
    desc: str = ""
    retries: int = 0
    scheduled: bool = False
    waiting: Callable[[], None] | None = None

    def describe(self) -> dict[str, Any]:
        """Give what a list shows; numbers are texts there."""
        job = self.job
        return {
            "DestVersion": job.package.version,
            "DeviceName": self.device.name,
            "FirmwareId": job.package.firmware_id,
            "IotId": self.device.iot_id,
            "JobId": job.job_id,
            "ProductKey": job.package.product.product_key,
            "ProductName": job.package.product.name,
            "Progress": None if self.progress is None else str(self.progress),
            "SrcVersion": self.src_version,
            "TaskDesc": self.desc or None,
            "TaskId": self.task_id,
            "TaskStatus": self.status,
            "Timeout": None if job.timeout_minutes is None else str(job.timeout_minutes),
            "UtcCreate": iso_ms(self.created),
            "UtcModified": iso_ms(self.modified),
        }


class Engine:
    """Moves tasks as time passes; nothing runs in the background, whoever looks lets the past happen first.

    :param clock: its world side.
    :param random: for the jitter of devices.
    """

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._events: list[tuple[float, int, Task, Callable[[], None], bool]] = []
        self._order = itertools.count()
        self._ids = itertools.count(183634077921266000_1, 7)
        self.now = clock.world()
        self.jobs: dict[str, Job] = {}
        self.tasks: dict[str, Task] = {}
        self._of_device: defaultdict[str, list[Task]] = defaultdict(list)
        self._of_package: defaultdict[str, list[Job]] = defaultdict(list)

    def new_id(self) -> str:
        """Give a 19-digit id; it overflows the numbers of JavaScript, as the platform's do."""
        return str(next(self._ids))

    def run(self) -> None:
        """Let everything happen that is due."""
        until = self._clock.world()
        while self._events and self._events[0][0] <= until:
            self.now, _, task, action, needs_device = heapq.heappop(self._events)
            task.scheduled = task.scheduled and not needs_device
            if not TRANSITIONS[task.status]:
                continue
            if task.device.online or not needs_device:
                action()
            else:
                task.waiting = action
        self.now = until

    def add_task(self, job: Job, device: Device) -> Task:
        """Give a device its task in a job; unless it must be confirmed first, it fails where the device is busy."""
        source = device.versions.get(job.package.module, "")
        task = Task(self.new_id(), job, device, source, self.now, self.now)
        job.tasks.append(task)
        self.tasks[task.task_id] = task
        self._of_device[device.iot_id].append(task)
        if job.need_confirm:
            # What waits for confirmation does not occupy its device.
            self._enter(task, "CONFIRM")
        else:
            self._queue(task)
        return task

    def start(self, job: Job) -> None:
        """Let a job begin once all of its tasks are there."""
        job.status = "IN_PROGRESS"
        self.jobs[job.job_id] = job
        self._of_package[job.package.firmware_id].append(job)
        self.settle(job)

    def jobs_of(self, package: Package) -> list[Job]:
        """Give a package's jobs, the oldest first."""
        return list(self._of_package.get(package.firmware_id, ()))

    def tasks_of(self, device: Device) -> list[Task]:
        """Give a device's tasks, the oldest first."""
        return list(self._of_device.get(device.iot_id, ()))

    def confirm(self, task: Task) -> None:
        """Let a task that waits for confirmation go on."""
        self._queue(task)

    def cancel(self, task: Task) -> None:
        """Cancel a task that has not begun."""
        self._enter(task, "CANCELED", desc="cancelled")

    def set_online(self, device: Device, *, online: bool) -> None:
        """Connect or disconnect a device; what it missed happens when it is back."""
        device.online = online
        task = device.busy
        if online and task is not None and task.waiting is not None:
            action, task.waiting = task.waiting, None
            self._after(0.5, task, action)

    def reconsider(self, device: Device) -> None:
        """Let a device go on whose script has changed while it had nothing more to do."""
        task = device.busy
        if task is None or task.scheduled or task.waiting is not None:
            return
        if task.status == "QUEUED":
            self._offer(task)
        elif task.status == "NOTIFIED":
            self._await_start(task)

    def settle(self, job: Job) -> None:
        """End a job whose tasks have all ended, and its package's verification with it."""
        if job.status != "IN_PROGRESS" or any(job.counts[status] for status, after in TRANSITIONS.items() if after):
            return
        job.status = "CANCELED" if job.counts["CANCELED"] == len(job.tasks) else "COMPLETED"
        job.modified = self.now
        if job.kind == "VERIFY_FIRMWARE":
            well = job.counts["SUCCEEDED"] == len(job.tasks)
            job.package.status = packages.VERIFIED if well else packages.FAILED
            job.package.modified = self.now

    def _queue(self, task: Task) -> None:
        device = task.device
        if device.busy is not None:
            self._enter(task, "FAILED", desc="the device is in another unfinished task")
            return
        device.busy = task
        self._enter(task, "QUEUED")
        self._offer(task)

    def _offer(self, task: Task) -> None:
        behaviour = task.device.behaviour
        if task.job.need_push:
            self._after(0.5 + self._random.random(), task, lambda: self._notify(task))
        elif behaviour.polls:
            # Somewhere in its round of asking.
            self._after(behaviour.poll_seconds * self._random.random(), task, lambda: self._notify(task))

    def _notify(self, task: Task) -> None:
        self._enter(task, "NOTIFIED")
        self._await_start(task)

    def _await_start(self, task: Task) -> None:
        if task.device.behaviour.outcome != "silent":
            self._after(0.5 + self._random.random(), task, lambda: self._begin(task))

    def _begin(self, task: Task) -> None:
        self._enter(task, "IN_PROGRESS", progress=1)
        if task.job.timeout_minutes is not None:
            # The clock starts at the first report, and runs on while the device is away.
            due = self.now + task.job.timeout_minutes * 60
            heapq.heappush(self._events, (due, next(self._order), task, lambda: self._fail(task, "timeout"), False))
        self._step(task, 1)

    def _step(self, task: Task, step: int) -> None:
        behaviour = task.device.behaviour
        pause = behaviour.flash_seconds / PROGRESS_STEPS * (0.8 + 0.4 * self._random.random())
        self._after(pause, task, lambda: self._report(task, step))

    def _report(self, task: Task, step: int) -> None:
        behaviour = task.device.behaviour
        progress = 100 * step // PROGRESS_STEPS
        if behaviour.outcome == "fails" and progress >= behaviour.at_progress:
            task.progress = behaviour.at_progress
            self._fail_or_retry(task, f"step {behaviour.step}: {behaviour.reason or STEPS[behaviour.step]}")
            return
        task.progress, task.modified = progress, self.now
        if step < PROGRESS_STEPS:
            self._step(task, step + 1)
        else:
            # Progress 100 is not success; only the version that the device reports after its restart is.
            self._after(1.0, task, lambda: self._inform(task))

    def _inform(self, task: Task) -> None:
        package, device = task.job.package, task.device
        wrong = device.behaviour.outcome == "wrong_version"
        device.versions[package.module] = device.behaviour.version if wrong else package.version
        if wrong:
            self._fail_or_retry(task, "report version is not conform")
        else:
            self._enter(task, "SUCCEEDED", progress=100)

    def _fail_or_retry(self, task: Task, desc: str) -> None:
        if task.retries < (task.job.retry_count or 0):
            # What is shown of the task stays as it is while it is tried again.
            task.retries += 1
            self._after((task.job.retry_interval or 0) * 60.0, task, lambda: self._step(task, 1))
        else:
            self._fail(task, desc)

    def _fail(self, task: Task, desc: str) -> None:
        self._enter(task, "FAILED", desc=desc)

    def _enter(self, task: Task, status: str, *, progress: int | None = None, desc: str = "") -> None:
        if task.status:
            if status not in TRANSITIONS[task.status]:
                raise AssertionError(f"task {task.task_id} cannot go from {task.status} to {status}")
            task.job.counts[task.status] -= 1
        task.status, task.modified = status, self.now
        task.job.counts[status] += 1
        task.progress = progress if progress is not None else task.progress
        task.desc = desc or task.desc
        if not TRANSITIONS[status]:
            if task.device.busy is task:
                task.device.busy = None
            self.settle(task.job)

    def _after(self, seconds: float, task: Task, action: Callable[[], None]) -> None:
        task.scheduled = True
        heapq.heappush(self._events, (self.now + seconds, next(self._order), task, action, True))
