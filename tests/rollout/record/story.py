"""Whole releases in memory, with their plan, evidence, verdicts and record, for tests of the record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.model.entities import DeviceTask
from airflow_provider_tuya_ota.core.model.states import TaskStatus
from airflow_provider_tuya_ota.rollout.gate.assessment import assess_wave
from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence, Place
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.gate.outcomes import OUTCOMES, DeviceOutcome
from airflow_provider_tuya_ota.rollout.plan.build import plan_release
from airflow_provider_tuya_ota.rollout.record.begin import GateSettings, ReleaseBegun, frozen_plan_of
from airflow_provider_tuya_ota.rollout.record.canonical import digest_of_devices
from airflow_provider_tuya_ota.rollout.record.course import (
    ApprovalAnswer,
    ApprovalAnswered,
    ApprovalAsked,
    ControlNote,
    ControlVerb,
    JobCreated,
    JobPurpose,
    VerdictGiven,
)
from airflow_provider_tuya_ota.rollout.record.evidence_part import part_since
from airflow_provider_tuya_ota.rollout.record.finish import (
    HaltReceipt,
    LandedCheck,
    ReleaseEnded,
    ReleaseOutcome,
    VersionFound,
)
from airflow_provider_tuya_ota.rollout.record.release_record import ReleaseRecord
from tests.rollout.plan.small import HOURLY, cohort, schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict
    from airflow_provider_tuya_ota.rollout.plan.planned_wave import PlannedWave
    from airflow_provider_tuya_ota.rollout.plan.release_plan import ReleasePlan
    from airflow_provider_tuya_ota.rollout.record.entry import Content

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SHOWN = digest_of_devices(["what was shown"])
FATES: Final = {
    "good": ("SUCCEEDED", ""),
    "liar": ("SUCCEEDED", ""),
    "bad": ("FAILED", "step -4: flash failed"),
    "slow": ("IN_PROGRESS", ""),
    "mute": ("IN_PROGRESS", ""),
    "asleep": ("QUEUED", ""),
    "busy": ("FAILED", "the device is in another unfinished task"),
    "waits": ("NOTIFIED", ""),
}
"""What becomes of a device: the status and reason of its task an hour after its job was created."""


@dataclass
class Story:
    """A release that is told from its plan to its end.

    :param fate: gives the fate of a device by its place in the start order.
    :param judges_landed: whether the gate is asked again after the check of landed versions.
    """

    plan: ReleasePlan
    gate: Gate
    fate: Callable[[int], str]
    evidence: Evidence = field(default_factory=Evidence)
    record: ReleaseRecord = field(default_factory=ReleaseRecord)
    now: datetime = START
    jobs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    strata: tuple[str, ...] = ()
    halted: GateVerdict | None = None
    held: tuple[str, ...] = ()
    honours_held: bool = True
    judges_landed: bool = True
    last: Decision | None = None

    def __post_init__(self) -> None:
        waves = [(wave.number, list(pulse.devices)) for wave in self.plan.waves for pulse in wave.pulses]
        names = [(number, name) for number, devices in waves for name in devices]
        around = self.strata or ("",)
        self.places = {name: Place(rank, wave, around[rank % len(around)]) for rank, (wave, name) in enumerate(names)}
        self.evidence = Evidence(strata=self.strata)
        self.add(
            ReleaseBegun(
                release_id=self.plan.release_id,
                triggered_by="ada",
                product_key="k1demoproduct",
                module_name="default",
                version="2.0.0",
                source="https://bucket.example/fw.bin?X-Signature=secret",
                size=4096,
                digests={"sha256": digest_of_devices([]), "md5": "0" * 32},
            )
        )
        self.add(frozen_plan_of(self.plan))
        self.add(GateSettings(gate=self.gate))
        self.add_job("verification", JobPurpose.VERIFICATION, ("bench-1",))

    def add(self, content: Content) -> None:
        self.record = self.record.append(content, at=self.now)

    def fate_of(self, name: str) -> str:
        return self.fate(self.places[name].rank)

    def tell(self, waves: int | None = None) -> ReleaseRecord:
        """Tell it to its end; at most so many of its waves begin."""
        for wave in self.plan.waves[:waves]:
            if wave.needs_approval:
                self.add(ApprovalAsked(wave=wave.number, shown_digest=SHOWN, approvers=("grace",), two_person=True))
                asked = len(self.record.entries) - 1
                self.add(
                    ApprovalAnswered(
                        asked=asked, answer=ApprovalAnswer.APPROVED, who="grace", why="looks good", shown_digest=SHOWN
                    )
                )
            elif wave.number > 1 and self.last is not Decision.PROMOTE:
                self.add(ControlNote(verb=ControlVerb.ADVANCE, who="grace", why="few devices, and none of them broke"))
            self.tell_wave(wave)
            if self.halted:
                return self.settle()
        return self.finish()

    def tell_wave(self, wave: PlannedWave) -> None:
        for pulse in wave.pulses:
            started = list[str]()
            for number, planned in enumerate(pulse.jobs, start=1):
                devices = tuple(name for name in planned if self.places[name].stratum not in self.held)
                if devices:
                    self.create(f"{wave.number}-{pulse.number}-{number}", wave.number, pulse.number, devices)
                started += devices
            self.poll(lambda name: self.fate_of(name) if self.fate_of(name) in {"asleep", "busy"} else "waits", started)
            self.judge(wave.number)
            self.now += timedelta(hours=1)
            self.poll(self.fate_of, started)
            self.judge(wave.number, soaked=3600)
            if self.halted:
                return
            if self.last is Decision.HOLD:
                self.add(ControlNote(verb=ControlVerb.ADVANCE, who="grace", why="one tray of old devices"))

    def create(self, job_id: str, wave: int, pulse: int, devices: tuple[str, ...]) -> None:
        self.jobs[job_id] = devices
        self.add_job(job_id, JobPurpose.WAVE, devices, wave, pulse)

    def add_job(
        self, job_id: str, purpose: JobPurpose, devices: tuple[str, ...], wave: int = 0, pulse: int = 0
    ) -> None:
        self.add(
            JobCreated(
                job_id=job_id,
                firmware_id="178",
                purpose=purpose,
                wave=wave,
                pulse=pulse,
                devices=len(devices),
                devices_digest=digest_of_devices(devices),
            )
        )

    def poll(self, fate: Callable[[str], str], devices: Iterable[str]) -> None:
        job_of = {name: job for job, names in self.jobs.items() for name in names}
        tasks = []
        for name in devices:
            status, reason = FATES[fate(name)]
            tasks.append(
                DeviceTask(
                    task_id=name, device_name=name, status=TaskStatus(status), reason=reason, job_id=job_of[name]
                )
            )
        self.take(tasks)

    def take(self, tasks: list[DeviceTask]) -> None:
        rounds, jobs = len(self.evidence.rounds), len(self.evidence.jobs)
        known = list(self.evidence.contradictions)
        self.evidence.record(tasks, self.places, now=self.now, silent_after=self.gate.rules.silent_after)
        if len(self.evidence.rounds) > rounds:
            self.add(part_since(self.evidence, rounds=rounds, jobs=jobs, contradictions=known))

    def judge(self, wave: int, soaked: float = 0.0) -> None:
        verdict = assess_wave(self.gate, self.evidence, wave=wave, now=self.now, soaked=soaked)
        if (
            verdict.decision is not self.last
            or verdict.decision is Decision.PROMOTE
            or verdict.held_strata != self.held
        ):
            self.add(VerdictGiven(verdict=verdict))
        self.last = verdict.decision
        self.held = verdict.held_strata if self.honours_held else ()
        self.halted = verdict if verdict.decision is Decision.HALT else None

    def settle(self) -> ReleaseRecord:
        """Cancel what can be, wait for the rest, and write the receipt."""
        rounds = len(self.evidence.rounds)
        in_jobs = [(job, name) for job, names in self.jobs.items() for name in names]
        ended = {
            name
            for name, code in zip(self.evidence.devices, self.evidence.outcomes, strict=True)
            if OUTCOMES[code] not in {DeviceOutcome.PENDING, DeviceOutcome.FLASHING}
        }
        open_ = [(job, name) for job, name in in_jobs if name not in ended]
        ends = {"slow": ("SUCCEEDED", ""), "mute": ("IN_PROGRESS", ""), "waits": ("CANCELED", "")}
        tasks = [
            DeviceTask(task_id=name, device_name=name, status=TaskStatus(status), reason=reason, job_id=job)
            for job, name in open_
            if self.fate_of(name) != "asleep"
            for status, reason in [ends[self.fate_of(name)]]
        ]
        self.now += timedelta(hours=1)
        self.take(tasks)
        by = {kind: tuple(name for _, name in open_ if self.fate_of(name) == kind) for kind in ("slow", "mute")}
        cancelled = tuple(name for _, name in open_ if self.fate_of(name) in {"waits", "asleep"})
        spared = tuple(name for name in self.places if name not in {device for _, device in in_jobs})
        self.add(
            HaltReceipt(
                rounds=rounds,
                reason=str(self.halted),
                cancelled=cancelled,
                not_cancelled=by["mute"],
                landed=by["slow"],
                spared=spared,
            )
        )
        return self.end(ReleaseOutcome.HALTED, in_no_job=len(spared))

    def finish(self) -> ReleaseRecord:
        rounds, jobs = len(self.evidence.rounds), len(self.evidence.jobs)
        asleep = [name for names in self.jobs.values() for name in names if self.fate_of(name) == "asleep"]
        self.evidence.exclude(asleep, DeviceOutcome.OFFLINE, self.places, now=self.now)
        if asleep:
            self.add(part_since(self.evidence, rounds=rounds, jobs=jobs))
        planned = [name for name in self.evidence.devices if name in self.places]
        reported = [name for name in planned if self.fate_of(name) in {"good", "liar"}]
        liars = [name for name in reported if self.fate_of(name) == "liar"]
        last_wave = self.plan.waves[-1].number
        rounds = len(self.evidence.rounds)
        self.now += timedelta(hours=1)
        self.evidence.correct(liars, now=self.now)
        if liars:
            self.add(part_since(self.evidence, rounds=rounds, jobs=len(self.evidence.jobs)))
        self.add(
            LandedCheck(
                checked=len(reported),
                is_sample=False,
                delay=3600.0,
                on_target=len(reported) - len(liars),
                elsewhere=tuple(VersionFound(device=name, version="1.0.0") for name in liars),
            )
        )
        if self.judges_landed:
            self.judge(last_wave)
        if self.halted:
            return self.settle()
        taken = {name for names in self.jobs.values() for name in names}
        left_out = tuple(name for name in self.places if name not in taken)
        lost = [*left_out, *(name for name in taken if self.fate_of(name) != "good")]
        outcome = ReleaseOutcome.WITH_EXCEPTIONS if lost else ReleaseOutcome.COMPLETE
        return self.end(outcome, in_no_job=len(left_out), left_out=left_out)

    def end(self, outcome: ReleaseOutcome, in_no_job: int = 0, left_out: tuple[str, ...] = ()) -> ReleaseRecord:
        codes = [OUTCOMES[code] for code in self.evidence.outcomes]
        # The evidence that was recorded does not tell flashing devices from pending ones.
        codes = [DeviceOutcome.PENDING if one is DeviceOutcome.FLASHING else one for one in codes]
        self.add(
            ReleaseEnded(
                outcome=outcome,
                reason=str(self.halted or "all waves ended"),
                planned=self.plan.planned,
                in_no_job=in_no_job,
                counts={one.value: codes.count(one) for one in DeviceOutcome if one in codes},
                left_out=left_out,
            )
        )
        return self.record


def story(
    number: int = 600,
    fate: Callable[[int], str] = lambda _: "good",
    gate: Gate | None = None,
    strata: tuple[str, ...] = (),
) -> Story:
    """Prepare a release of three waves; the last one needs an approval.

    :param strata: the devices belong to one after the other, in the order of their start.
    """
    gate = gate or Gate(ceiling="5%")
    plan = plan_release(
        "release-1",
        cohort(number),
        schedule(waves=["20%", "50%", "rest"], pace=HOURLY, approve=["rest"]),
        gate,
    )
    return Story(plan, gate, fate, strata=strata)


def good(number: int = 600) -> ReleaseRecord:
    """Give the record of a release in which 1 % of the devices fail and 2 % lie."""
    return story(number, lambda rank: "bad" if rank % 100 == 7 else "liar" if rank % 50 == 3 else "good").tell()


def halted(number: int = 600) -> ReleaseRecord:
    """Give the record of a release in which 40 % of the devices fail, with others in flight at the halt."""
    fates = ("bad", "good", "bad", "slow", "good", "bad", "waits", "bad", "asleep", "mute")
    return story(number, lambda rank: fates[rank % 10]).tell()
