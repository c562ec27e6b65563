"""Carries out a release in the simulated world, and checks by its own means that each start was allowed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.rollout.gate.assessment import assess_wave
from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.wave.decision import Halt, Reconcile, StartPulse, Wait
from airflow_provider_tuya_ota.rollout.wave.events import ApprovalGiven, ApprovalRequested, WaveEnded
from airflow_provider_tuya_ota.rollout.wave.phase import ReleasePhase, WaveOutcome
from airflow_provider_tuya_ota.rollout.wave.pulse import (
    devices_started,
    devices_to_start,
    pulse_started,
    reason_to_stop,
)
from airflow_provider_tuya_ota.rollout.wave.reconcile import Found, reconciled
from airflow_provider_tuya_ota.rollout.wave.release import (
    DoPhase,
    ReleaseOver,
    phase_done,
    take_release_turn,
    wave_reported,
)
from airflow_provider_tuya_ota.rollout.wave.release_state import ReleaseState
from airflow_provider_tuya_ota.rollout.wave.situation import Answer, Situation, WaveProgress, progress_of
from airflow_provider_tuya_ota.rollout.wave.terms import WaveTerms

if TYPE_CHECKING:
    from datetime import datetime
    from random import Random

    from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict
    from airflow_provider_tuya_ota.rollout.wave.events import Event
    from airflow_provider_tuya_ota.rollout.wave.marks import ApprovalRequest
    from airflow_provider_tuya_ota.rollout.wave.release import ReleaseDecision
    from airflow_provider_tuya_ota.rollout.wave.state import PulseStart, WaveState
    from tests.rollout.wave.recorder import Recorder
    from tests.rollout.wave.world import World

POLL, SELDOM = timedelta(minutes=30), timedelta(hours=2)
RECONCILE = timedelta(hours=3)
LONGEST = timedelta(days=4)
"""After which a release that nobody lets go on is left as it is."""


class KilledError(Exception):
    """The worker was killed."""


@dataclass
class Driver:
    """A worker and a trigger in one.

    :param kills: draws where the worker is killed; None for a worker that is never killed nor restarted.
    """

    world: World
    kills: Random | None = None
    recorder: Recorder | None = None
    state: ReleaseState = field(init=False)
    stored: ReleaseState = field(init=False)
    events: list[Event] = field(default_factory=list)
    trace: list[tuple[datetime, str]] = field(default_factory=list)
    killed: int = 0
    verdict: GateVerdict | None = None
    watched: datetime | None = None
    ended: dict[int, WaveOutcome] = field(default_factory=dict)
    approved: set[int] = field(default_factory=set)
    promoted: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.state = ReleaseState(at=self.world.now)
        numbers = range(1, len(self.world.plan.waves) + 1)
        self.waves = [
            WaveTerms.of(self.world.plan, number, triggered_by="zoe", reconcile_after=RECONCILE) for number in numbers
        ]
        self.store()

    def run(self) -> ReleaseState:
        """Carry out the release until it ends, or until nobody has let it go on for days."""
        begin = self.world.now
        while self.world.now < begin + LONGEST:
            try:
                if self.step():
                    return self.state
            except KilledError:
                self.killed += 1
            if self.kills is not None:
                self.state = self.stored
        return self.state

    def step(self) -> bool:
        """Take one turn and carry it out; tell whether the release is over."""
        if not self.world.is_away():
            self.world.poll()
            if self.recorder is not None:
                self.recorder.polled()
        turn = take_release_turn(self.state, self.waves, self.situation())
        if not self.world.is_away():
            self.watched = self.world.now
        self.state = turn.state
        self.take(turn.events)
        if turn.events:
            self.store()
        if not isinstance(turn.decision, Reconcile):
            self.trace.append((self.world.now, f"{type(turn.decision).__name__} {turn.decision}"))
        return self.carry_out(turn.decision)

    def carry_out(self, decision: ReleaseDecision) -> bool:
        match decision:
            case ReleaseOver():
                return True
            case DoPhase():
                self.done(decision.phase)
            case StartPulse():
                self.kill()
                self.create(decision.start)
            case Reconcile():
                self.reconcile(decision)
            case Wait(until=until) if until is not None:
                self.world.now = max(self.world.now, min(until, self.world.now + POLL))
            case Halt():
                pass  # the next turn gives the phase
            case _:
                self.world.now += SELDOM
        return False

    def done(self, phase: ReleasePhase) -> None:
        if phase is ReleasePhase.RECORDED:
            return
        turn = phase_done(self.state, phase, at=self.world.now)
        self.state = turn.state
        self.take(turn.events)
        self.store()

    def create(self, start: PulseStart) -> None:
        """Create the jobs one by one, asking before each one, and report them."""
        wave = self.wave
        terms = self.waves[wave.wave - 1]
        jobs = devices_to_start(terms, start, self.world.stratum_of)
        created, devices = 0, 0
        for place, names in enumerate(jobs, start=start.first_job):
            note = self.world.note()
            if reason_to_stop(terms, start, note, job=place, now=self.world.now):
                break
            if names:
                self.check_start(names, wave.wave)
                job = f"{wave.wave}-{start.pulse}-{place}"
                self.world.create(job, names, wave.wave, start.pulse)
                if self.recorder is not None:
                    self.recorder.created(job, names, wave.wave, start.pulse)
            created, devices = created + 1, devices + len(names)
            self.kill()
        self.report(created, devices)

    def report(self, created: int, devices: int) -> None:
        wave = self.wave
        changed = pulse_started(wave, self.waves[wave.wave - 1], jobs=created, devices=devices, at=self.world.now)
        self.state = wave_reported(self.state, changed)
        self.take(changed.events)
        self.store()

    def reconcile(self, decision: Reconcile) -> None:
        """Find the jobs that exist, as the platform shows them."""
        wave, jobs, devices = self.wave, 0, 0
        terms = self.waves[wave.wave - 1]
        if (start := decision.pulse) is not None:
            for place, names in enumerate(devices_to_start(terms, start, self.world.stratum_of), start=start.first_job):
                name = f"{wave.wave}-{start.pulse}-{place}"
                if names and name not in self.world.jobs:
                    break
                assert not names or self.world.jobs[name] == names, f"job {name} has other devices than the state says"
                jobs, devices = jobs + 1, devices + len(names)
        changed = reconciled(wave, terms, decision, Found(jobs=jobs, devices=devices), at=self.world.now)
        self.state = wave_reported(self.state, changed)
        self.take(changed.events)
        self.store()

    @property
    def wave(self) -> WaveState:
        assert self.state.current is not None
        return self.state.current

    def situation(self) -> Situation:
        """Give what is known now: the verdict of the wave that is to be judged, the note and the answer."""
        state, world = self.state.current, self.world
        number = 1 if state is None else state.wave_to_judge
        soaked = 0.0 if state is None else state.soaked(world.now)
        away = world.is_away()
        self.verdict = (
            None if away else assess_wave(world.gate, world.evidence, wave=number, now=world.now, soaked=soaked)
        )
        progress = WaveProgress(waiting=0, unfinished=0)
        if state is not None and self.state.phase is ReleasePhase.WAVES:
            names = devices_started(self.waves[state.wave - 1], state, world.stratum_of)
            progress = progress_of(world.evidence, names)
        answer = None if state is None or state.request is None else self.answer(state.wave, state.request)
        return Situation(
            now=world.now,
            verdict=self.verdict,
            control=world.note(),
            progress=progress,
            answer=answer,
            watched_until=self.watched,
        )

    def answer(self, wave: int, request: ApprovalRequest) -> Answer | None:
        person = self.world.script.person
        if person is None or self.world.now < request.asked_at + person.delay:
            return None
        return Answer(
            wave=wave,
            request=request.number,
            digest=request.digest,
            approves=person.approves,
            who=person.who,
            at=request.asked_at + person.delay,
        )

    def check_start(self, names: tuple[str, ...], wave: int) -> None:
        """Check from the world alone that these devices may start now."""
        note, verdict = self.world.note(), self.verdict
        assert note is not None, "nothing starts without a note"
        assert note.may_start, "nothing starts while the release is held or halted"
        assert self.state.halt is None, "nothing starts after a halt"
        assert self.world.is_open(), "nothing starts outside a window"
        assert verdict is not None, "nothing starts without a verdict"
        assert verdict.decision not in {Decision.HOLD, Decision.HALT}, "nothing starts while the gate is amber or red"
        assert not set(names) & set(note.excluded), "no excluded device starts"
        strata = {self.world.stratum_of.get(name) for name in names}
        assert not strata & {*verdict.held_strata, *verdict.amber_strata}, "no device of a red or amber stratum starts"
        is_promoted = wave == 1 or (self.ended[wave - 1] is WaveOutcome.PROMOTED and wave - 1 in self.promoted)
        assert is_promoted or wave in self.approved, "the wave before was not promoted"
        assert not self.world.plan.waves[wave - 1].needs_approval or wave in self.approved, "not approved"

    def take(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if self.recorder is not None:
                self.recorder.took(event)
            if isinstance(event, WaveEnded):
                self.ended[event.wave] = event.outcome
            elif isinstance(event, ApprovalGiven):
                self.approved.add(event.wave)
            elif isinstance(event, ApprovalRequested):
                self.approved.discard(event.wave)
        if self.verdict is not None and self.verdict.decision is Decision.PROMOTE:
            self.promoted.add(self.verdict.occasion.wave)
        self.events += events

    def store(self) -> None:
        """Store the state; what is not stored is lost with the next restart, which is after this step."""
        if self.kills is not None:
            self.stored = ReleaseState.from_dict(json.loads(json.dumps(self.state.to_dict())))

    def kill(self) -> None:
        if self.kills is not None and self.kills.random() < 0.15:
            raise KilledError
