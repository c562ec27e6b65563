"""A platform, people and a clock in memory, for simulated releases. Nothing in here decides about a wave."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.model.entities import DeviceTask
from airflow_provider_tuya_ota.core.model.states import TaskStatus
from airflow_provider_tuya_ota.rollout.control.change import AdvanceRequest, Reason
from airflow_provider_tuya_ota.rollout.control.release_control import ControlState, ReleaseControl
from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence, Place
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.plan.build import plan_release
from airflow_provider_tuya_ota.rollout.plan.cohort import freeze_cohort
from airflow_provider_tuya_ota.rollout.plan.pace import Pace
from tests.rollout.plan.small import candidate, rule, schedule

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.plan.release_plan import ReleasePlan

START: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
REGIONS: Final = ("asia", "east", "north", "west")
HOUR: Final = timedelta(hours=1)
SILENT: Final = timedelta(hours=6)


def note(state: ControlState = ControlState.RUN, **changes: Any) -> ReleaseControl:
    """Give a control note; without changes, one that lets the release run."""
    values: dict[str, Any] = {"state": state, "who": "ada", "why": "begin", "at": START, "seq": 1}
    return ReleaseControl(**(values | changes))


def advance_of(seq: int, wave: int) -> AdvanceRequest:
    """Give a request to go on with a wave."""
    return AdvanceRequest(seq=seq, wave=wave, reason=Reason(who="ada", why="no time", at=START))


@dataclass(frozen=True)
class Person:
    """What a person does with each request for an approval."""

    who: str = "grace"
    approves: bool = True
    delay: timedelta = HOUR


@dataclass(frozen=True)
class Script:
    """What happens in one release."""

    devices: int
    has_strata: bool
    has_window: bool
    failing: float
    bad_stratum: str
    slow_failures: bool
    offline: float
    silent: float
    notes: tuple[tuple[datetime, ReleaseControl | None], ...]
    person: Person | None
    outages: tuple[tuple[datetime, datetime], ...]
    slow_jobs: bool = False
    late: float = 0.0


def script_of(seed: int, devices: int = 0) -> Script:
    """Draw what happens in a release."""
    dice = Random(seed)  # noqa: S311 - a simulation
    notes: list[tuple[datetime, ReleaseControl | None]] = [(START, note())]
    at = START
    for _ in range(dice.choice((0, 0, 1, 2, 4))):
        at += timedelta(hours=dice.uniform(0.2, 12))
        notes.append((at, _draw_note(dice, at, len(notes) + 1, notes)))
        if dice.random() < 0.95:  # somebody resumes
            at += timedelta(hours=dice.uniform(0.1, 6))
            notes.append((at, _last_excluded(note(who="grace", why="goes on", at=at), notes)))
    person = dice.choice(
        (
            *[Person()] * 4,
            Person(delay=timedelta(hours=5)),
            Person(delay=timedelta(hours=30)),
            Person(approves=dice.random() < 0.5),
            Person(who="mallory"),
        )
    )
    begins = START + timedelta(hours=dice.uniform(0, 20))
    return Script(
        devices=devices or dice.choice((150, 300, 400, 600)),
        has_strata=dice.random() < 0.4,
        has_window=dice.random() < 0.3,
        failing=dice.choice((0.0, 0.005, 0.01, 0.02, 0.1, 0.2, 0.5)),
        bad_stratum=dice.choice(("", "", "north")),
        slow_failures=dice.random() < 0.4,
        offline=dice.choice((0.0, 0.0, 0.05, 0.3)),
        silent=dice.choice((0.0, 0.0, 0.01)),
        notes=tuple(notes),
        person=person,
        outages=((begins, begins + timedelta(hours=dice.uniform(0, 4))),) if dice.random() < 0.3 else (),
        # What is judged again after a kill may be judged otherwise where creating takes time; 60 seeds are compared.
        slow_jobs=seed >= 60 and dice.random() < 0.5,
        late=dice.choice((0.0, 0.0, 0.2)),
    )


def _draw_note(
    dice: Random, at: datetime, seq: int, notes: list[tuple[datetime, ReleaseControl | None]]
) -> ReleaseControl | None:
    kind = dice.choices(("hold", "halt", "missing", "advance", "exclude"), (5, 1, 3, 3, 3))[0]
    why = f"{kind} of the script"
    if kind == "missing":
        return None
    if kind == "advance":
        return _last_excluded(note(at=at, advance=advance_of(seq, dice.choice((1, 2, 3)))), notes)
    if kind == "exclude":
        return note(at=at, why=why, excluded=tuple(f"lamp-{dice.randrange(150):04}" for _ in range(5)))
    return _last_excluded(note(ControlState(kind), why=why, at=at), notes)


def _last_excluded(made: ReleaseControl, notes: list[tuple[datetime, ReleaseControl | None]]) -> ReleaseControl:
    excluded = {name for _, one in notes if one is not None for name in one.excluded}
    return replace(made, excluded=tuple(sorted(excluded)))


@lru_cache(maxsize=64)
def plan_of(devices: int, *, has_strata: bool, has_window: bool) -> ReleasePlan:
    """Plan a release of three waves; the last one needs an approval."""
    fleet = [candidate(f"lamp-{at:04}", attributes={"region": REGIONS[at % 4]}) for at in range(devices)]
    changes = {"window": "daily 08:00-18:00 UTC"} if has_window else {}
    course = schedule(
        waves=["10%", "50%", "rest"],
        pace=Pace(first=40, double_every="1h"),
        soak="4h",
        approve=["rest"],
        approvers=["grace", "ada"],
        devices_per_job=50,
        **changes,
    )
    cohort = freeze_cohort(fleet, rule(strata=["region"]) if has_strata else rule())
    return plan_release("release-1", cohort, course, Gate(ceiling="5%", silent_after="6h"))


@dataclass
class World:
    """Devices, jobs and the clock."""

    seed: int
    script: Script
    now: datetime = START
    created: dict[str, tuple[datetime, int, int]] = field(default_factory=dict)
    jobs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unfinished: dict[str, tuple[datetime, DeviceTask]] = field(default_factory=dict)
    reports: list[tuple[datetime, str, DeviceTask, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        script = self.script
        self.plan = plan_of(script.devices, has_strata=script.has_strata, has_window=script.has_window)
        self.gate = self.plan.read_gate()
        waves = [(wave.number, name) for wave in self.plan.waves for pulse in wave.pulses for name in pulse.devices]
        self.stratum_of = {name: REGIONS[int(name[5:]) % 4] for _, name in waves} if script.has_strata else {}
        self.places = {
            name: Place(rank, wave, self.stratum_of.get(name, "")) for rank, (wave, name) in enumerate(waves)
        }
        self.evidence = Evidence(strata=REGIONS if script.has_strata else ())

    def note(self) -> ReleaseControl | None:
        """Read the control note as it is now."""
        return [said for at, said in self.script.notes if at <= self.now][-1]

    def is_away(self) -> bool:
        """Whether the platform cannot be reached now."""
        return any(begins <= self.now < ends for begins, ends in self.script.outages)

    def is_open(self) -> bool:
        """Whether a pulse may start, computed otherwise than by the code that is tested."""
        return not self.script.has_window or 8 <= self.now.hour < 18

    def create(self, job: str, devices: tuple[str, ...], wave: int, pulse: int) -> None:
        """Create a job; its devices report later."""
        self.jobs[job] = devices
        for name in devices:
            assert name not in self.created, f"{name} was started twice"
            self.created[name] = (self.now, wave, pulse)
            self._draw_reports(job, name)
        if self.script.slow_jobs:
            self.now += timedelta(minutes=Random(f"{self.seed}{job}").choice((0, 1, 5, 25)))  # noqa: S311 - a simulation

    def _draw_reports(self, job: str, name: str) -> None:
        dice, script = Random(f"{self.seed}{name}"), self.script  # noqa: S311 - a simulation
        if dice.random() < script.offline:
            return
        starts = self.now + timedelta(minutes=dice.expovariate(1 / 5))
        if dice.random() < script.late:
            starts += timedelta(hours=dice.uniform(3, 30))
        task = DeviceTask(task_id=name, device_name=name, status=TaskStatus.NOTIFIED, reason="", job_id=job)
        heapq.heappush(self.reports, (starts, name, task, False))
        rate = 0.6 if script.bad_stratum and self.stratum_of.get(name) == script.bad_stratum else script.failing
        fails = dice.random() < rate
        if dice.random() < script.silent:
            return
        minutes = 60 if fails and script.slow_failures else 10
        ends = starts + timedelta(minutes=minutes * dice.lognormvariate(0, 0.4))
        status, reason = (TaskStatus.FAILED, "step -4: flash failed") if fails else (TaskStatus.SUCCEEDED, "")
        task = DeviceTask(task_id=name, device_name=name, status=status, reason=reason, job_id=job)
        heapq.heappush(self.reports, (ends, name, task, True))

    def poll(self) -> None:
        """Read what has changed since the last poll, and who may be silent."""
        found: dict[str, DeviceTask] = {}
        while self.reports and self.reports[0][0] <= self.now:
            _, name, task, ends = heapq.heappop(self.reports)
            found[name] = task
            if ends:
                self.unfinished.pop(name, None)
            else:
                self.unfinished[name] = (self.now, task)
        found |= {name: task for name, (since, task) in self.unfinished.items() if self.now - since >= SILENT}
        self.evidence.record(found.values(), self.places, now=self.now, silent_after=self.gate.rules.silent_after)
