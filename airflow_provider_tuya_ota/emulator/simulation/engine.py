"""The simulation: how devices go through their tasks over time."""

from __future__ import annotations

import heapq
import itertools
import math
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.emulator.fleet import STEPS, Device
from airflow_provider_tuya_ota.emulator.simulation import firmwares
from airflow_provider_tuya_ota.emulator.simulation.jobs import ENDED, TRANSITIONS, Job, Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from airflow_provider_tuya_ota.emulator.clock import Clock
    from airflow_provider_tuya_ota.emulator.simulation.firmwares import Firmware
    from airflow_provider_tuya_ota.emulator.simulation.lag import Made

PROGRESS_STEPS: Final = 5
PART_SECONDS: Final = 5.0
"""Device time between the parts of a job whose tasks are planned in parts."""
_FIRST_ID: Final = 183634077921266000_1
_IDS_A_MILLISECOND: Final = 100_000
Event = tuple[float, int, Task | Job, str, int]
"""Time, sequence number, task or job, name and number of an event. Plain data, because large fleets have many."""


class Engine:
    """Processes events of devices and jobs. Nothing runs in the background: each request first processes due events.

    :param clock: the source of device time.
    :param random: for the jitter of devices.
    :param changed: called with every job, task and firmware whose status has changed.
    :param birth: device time at which the world began; a restored world keeps it.
    """

    def __init__(self, clock: Clock, random: Random, changed: Callable[[Made], None], birth: float) -> None:
        self._clock = clock
        self._changed = changed
        self._random = random
        self._events: list[Event] = []
        self._order = itertools.count()
        self.now = birth
        # Ids begin with the time, so that a new world does not repeat the ids of an earlier one.
        self._ids = itertools.count(_FIRST_ID + int(self.now * 1000) * _IDS_A_MILLISECOND, 7)
        self.jobs: dict[str, Job] = {}
        self.tasks: dict[str, Task] = {}
        self.changes = 0
        """Number of status changes of all tasks so far."""
        self._current: dict[str, Task] = {}
        self._of_device: defaultdict[str, list[Task]] = defaultdict(list)
        self._of_firmware: defaultdict[str, list[Job]] = defaultdict(list)

    def new_id(self) -> str:
        """Give a 19-digit id; like the platform's, it exceeds the exact integers of JavaScript."""
        return str(next(self._ids))

    def run(self, limit: float = math.inf) -> None:
        """Process all events that are due.

        :param limit: real seconds after which device time is held back instead, so that no request waits long when
            there is more to do than the machine can. Time that was added with ``advance`` always passes in full.
        """
        until = self._clock.world()
        ends = self._clock.outside() + limit
        events = self._events
        while events and events[0][0] <= until:
            self.now, _, whose, what, number = heapq.heappop(events)
            if isinstance(whose, Job):
                self._begin_job(whose)
            else:
                self._happen(whose, what, number)
            if self._clock.outside() > ends and events and events[0][0] <= until:
                late = max(self.now, self._clock.owed)
                # Never between two events of the same moment: a change of the world must not come between them.
                if events[0][0] > late:
                    until = late
                    self._clock.hold_back(until)
        self.now = until

    def _happen(self, task: Task, what: str, number: int) -> None:
        needs_device = what != "time_out"
        if needs_device:
            task.scheduled = False
        if task.status in ENDED and what != "fall_back":
            return
        if needs_device and not task.device.online:
            task.waiting = what, number
        else:
            _HAPPENS[what](self, task, number)

    def start(self, job: Job, devices: list[Device], delay: float = 0.0, *, parts: int = 1) -> None:
        """Start a job.

        :param devices: the devices that get a task.
        :param delay: seconds during which the job is PLANNED and has no tasks.
        :param parts: in how many parts the tasks are planned, :data:`PART_SECONDS` apart.
        """
        job.planned, job.part_size = devices, -(-len(devices) // parts)
        self.jobs[job.job_id] = job
        self._of_firmware[job.firmware.firmware_id].append(job)
        self._changed(job)
        if delay:
            heapq.heappush(self._events, (self.now + delay, next(self._order), job, "begin", 0))
        else:
            self._begin_job(job)

    def _begin_job(self, job: Job) -> None:
        if job.status in {"CANCELED", "COMPLETED"}:
            return
        part, job.planned = job.planned[: job.part_size], job.planned[job.part_size :]
        for device in part:
            self._add_task(job, device)
        if job.planned:
            heapq.heappush(self._events, (self.now + PART_SECONDS, next(self._order), job, "begin", 0))
        job.status, job.modified = "IN_PROGRESS", self.now
        self._changed(job)
        self.settle(job)

    def _add_task(self, job: Job, device: Device) -> None:
        """Create the task of a device. Without confirmation it fails at once if the device has an unfinished task."""
        source = device.versions.get(job.firmware.module, "")
        task = Task(self.new_id(), job, device, source, self.now, self.now)
        job.tasks.append(task)
        job.unfinished += 1
        self.tasks[task.task_id] = task
        self._of_device[device.iot_id].append(task)
        if job.need_confirm:
            # A task in CONFIRM does not block its device.
            self._enter(task, "CONFIRM")
        else:
            self._queue(task)

    def jobs_of(self, firmware: Firmware) -> list[Job]:
        """Give a firmware's jobs, the oldest first."""
        return list(self._of_firmware.get(firmware.firmware_id, ()))

    def tasks_of(self, device: Device) -> list[Task]:
        """Give a device's tasks, the oldest first."""
        return list(self._of_device.get(device.iot_id, ()))

    def current_task(self, device: Device) -> Task | None:
        """Give the unfinished task of a device, of which there is one at most; None where it has none."""
        return self._current.get(device.iot_id)

    def confirm(self, task: Task) -> None:
        """Confirm a task in CONFIRM."""
        self._queue(task)

    def cancel(self, task: Task) -> None:
        """Cancel a task that has not begun."""
        self._enter(task, "CANCELED", "cancelled")

    def cancel_planned(self, job: Job) -> None:
        """Cancel a job that has no tasks yet; it will get none."""
        job.planned = []
        job.status = "IN_PROGRESS"
        self.settle(job)

    def set_online(self, device: Device, *, online: bool) -> None:
        """Connect or disconnect a device; a step that it missed happens after it is online again."""
        device.online = online
        if not online:
            return
        for task in self.tasks_of(device):
            if task.waiting is not None and (task.status not in ENDED or task.waiting[0] == "fall_back"):
                (what, number), task.waiting = task.waiting, None
                self._after(0.5, task, what, number)

    def reconsider(self, device: Device) -> None:
        """Continue the task of a device after its behaviour has changed."""
        task = self.current_task(device)
        if task is None or task.scheduled or task.waiting is not None:
            return
        if task.status == "QUEUED":
            self._offer(task)
        elif task.status == "NOTIFIED":
            self._await_start(task)

    def settle(self, job: Job) -> None:
        """End a job whose tasks are all planned and have ended, and the verification of its firmware."""
        if job.unfinished or job.planned or job.status != "IN_PROGRESS":
            return
        job.status = "CANCELED" if job.counts["CANCELED"] == len(job.tasks) else "COMPLETED"
        job.modified = self.now
        self._changed(job)
        if job.kind == "VERIFY_FIRMWARE":
            well = job.counts["SUCCEEDED"] == len(job.tasks) > 0
            job.firmware.status = firmwares.VERIFIED if well else firmwares.FAILED
            job.firmware.modified = self.now
            self._changed(job.firmware)

    def _queue(self, task: Task) -> None:
        device = task.device
        if self.current_task(device) is not None:
            self._enter(task, "FAILED", "the device is in another unfinished task")
            return
        self._current[device.iot_id] = task
        self._enter(task, "QUEUED")
        self._offer(task)

    def _offer(self, task: Task) -> None:
        behaviour = task.device.behaviour
        if task.job.need_push:
            self._after(0.5 + self._random.random(), task, "notify")
        elif behaviour.polls:
            # The next poll comes at a random point of the poll interval.
            self._after(behaviour.poll_seconds * self._random.random(), task, "notify")

    def _notify(self, task: Task, _: int) -> None:
        self._enter(task, "NOTIFIED")
        self._await_start(task)

    def _await_start(self, task: Task) -> None:
        if task.device.behaviour.outcome != "silent":
            self._after(0.5 + self._random.random(), task, "begin")

    def _begin(self, task: Task, _: int) -> None:
        task.progress = 1
        self._enter(task, "IN_PROGRESS")
        if task.job.timeout_minutes is not None:
            # The timeout starts at the first report and continues while the device is offline.
            due = self.now + task.job.timeout_minutes * 60
            heapq.heappush(self._events, (due, next(self._order), task, "time_out", 0))
        self._step(task, 1)

    def _step(self, task: Task, step: int) -> None:
        behaviour = task.device.behaviour
        pause = behaviour.flash_seconds / PROGRESS_STEPS * (0.8 + 0.4 * self._random.random())
        self._after(pause, task, "report", step)

    def _report(self, task: Task, step: int) -> None:
        behaviour = task.device.behaviour
        progress = 100 * step // PROGRESS_STEPS
        if behaviour.outcome == "fails" and progress >= behaviour.at_progress:
            task.progress = behaviour.at_progress
            if behaviour.report_seconds:
                self._after(behaviour.report_seconds, task, "fail")
            else:
                self._fail(task, 0)
            return
        task.progress, task.modified = progress, self.now
        if step < PROGRESS_STEPS:
            self._step(task, step + 1)
        elif behaviour.outcome != "lies":
            # Progress 100 is not a success; the version reported after the restart is.
            self._after(1.0 + behaviour.report_seconds, task, "inform")

    def _fail(self, task: Task, _: int) -> None:
        behaviour = task.device.behaviour
        self._fail_or_retry(task, f"step {behaviour.step}: {behaviour.reason or STEPS[behaviour.step]}")

    def _inform(self, task: Task, _: int) -> None:
        firmware, device = task.job.firmware, task.device
        wrong = device.behaviour.outcome == "wrong_version"
        device.versions[firmware.module] = device.behaviour.version if wrong else firmware.version
        if wrong:
            self._fail_or_retry(task, "report version is not conform")
        else:
            task.progress = 100
            self._enter(task, "SUCCEEDED")
            if device.behaviour.outcome == "falls_back":
                self._after(device.behaviour.fallback_seconds, task, "fall_back")

    def _fall_back(self, task: Task, _: int) -> None:
        """Run the old version again; no task shows it. An update that was begun meanwhile is not disturbed."""
        versions, module = task.device.versions, task.job.firmware.module
        if versions.get(module) == task.job.firmware.version and self.current_task(task.device) is None:
            versions[module] = task.src_version

    def _fail_or_retry(self, task: Task, desc: str) -> None:
        if task.retries < (task.job.retry_count or 0):
            # The shown status does not change during a retry.
            task.retries += 1
            self._after((task.job.retry_interval or 0) * 60.0, task, "try_again", 1)
        else:
            self._enter(task, "FAILED", desc)

    def _time_out(self, task: Task, _: int) -> None:
        self._enter(task, "FAILED", "timeout")

    def _enter(self, task: Task, status: str, desc: str = "") -> None:
        counts = task.job.counts
        if task.status:
            if status not in TRANSITIONS[task.status]:
                raise AssertionError(f"task {task.task_id} cannot go from {task.status} to {status}")
            counts[task.status] -= 1
        task.status, task.modified = status, self.now
        counts[status] += 1
        self.changes += 1
        if desc:
            task.desc = desc
        self._changed(task)
        if status in ENDED:
            task.job.unfinished -= 1
            if self.current_task(task.device) is task:
                del self._current[task.device.iot_id]
            self.settle(task.job)

    def _after(self, seconds: float, task: Task, what: str, number: int = 0) -> None:
        task.scheduled = True
        heapq.heappush(self._events, (self.now + seconds, next(self._order), task, what, number))


_HAPPENS: Final[dict[str, Callable[[Engine, Task, int], None]]] = {
    "notify": Engine._notify,  # noqa: SLF001 - this table belongs to the class
    "begin": Engine._begin,  # noqa: SLF001 - this table belongs to the class
    "report": Engine._report,  # noqa: SLF001 - this table belongs to the class
    "fail": Engine._fail,  # noqa: SLF001 - this table belongs to the class
    "fall_back": Engine._fall_back,  # noqa: SLF001 - this table belongs to the class
    "inform": Engine._inform,  # noqa: SLF001 - this table belongs to the class
    "try_again": Engine._step,  # noqa: SLF001 - this table belongs to the class
    "time_out": Engine._time_out,  # noqa: SLF001 - this table belongs to the class
}
"""The method that processes an event, by its name."""
