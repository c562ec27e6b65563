"""The state of one wave: small, plain, and with absolute times, so that a wave goes on after any restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - the types of fields are read at runtime
from typing import TYPE_CHECKING, Any, Final, Self

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.gate.decision import Decision  # noqa: TC001 - the types of fields are read at runtime
from airflow_provider_tuya_ota.rollout.record.values import read, write
from airflow_provider_tuya_ota.rollout.wave.marks import (
    AdvanceMark,
    Approval,
    ApprovalRequest,
    HaltMark,
    HoldMark,
)
from airflow_provider_tuya_ota.rollout.wave.phase import WaveOutcome, WavePhase

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = 1
"""Version of the form in which a state is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseStart:
    """The jobs of a pulse, or its remaining ones, are to be created; which devices they take is fixed.

    :param pulse: number of the pulse.
    :param first_job: place of the first of these jobs in the pulse, from 0.
    :param strata: strata whose devices are left out.
    :param devices: devices of these jobs that a person has excluded; they are left out.
    :param at: when it was decided.
    """

    pulse: int
    first_job: int
    strata: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Which planned devices some jobs do not take.

    :param pulse: number of the pulse.
    :param job: place of the first of these jobs in the pulse; they end where the next entry begins.
    :param strata: strata that are left out.
    :param devices: excluded devices that are left out.
    """

    pulse: int
    job: int
    strata: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveState:
    """Where a wave is. All times are moments, so a retry or a restart does not move them.

    :param wave: number of the wave.
    :param phase: where it is.
    :param at: when the state last changed.
    :param pulse: how many pulses have started completely.
    :param job: how many jobs of the next pulse have been created.
    :param starting: what is being created; nobody knows yet which of these jobs exist.
    :param left_out: which planned devices the created jobs do not take.
    :param last_started_at: when the last devices were started.
    :param next_pulse_at: before which the next pulse does not start.
    :param soak_until: end of the soak.
    :param evidence_until: when every device that has begun in time has ended or is silent.
    :param asks_because: why a person has to approve the first pulse; empty where nobody has to.
    :param requests: how many requests for an approval there were.
    :param request: the open or approved request.
    :param approval: the answer to it.
    :param approved_before: the request that was last approved in a wave before, without what was shown.
    :param rounds: rounds of evidence that the last verdict had.
    :param judged_wave: number of the wave that the last verdict judged; 0 before any.
    :param decision: what it said.
    :param held_strata: strata of which nothing more is started in this release.
    :param advance: the last request to go on that was taken.
    :param hold: what holds the wave.
    :param missing: what the last comparison with the platform did not find; empty where it found everything.
    :param halt: what has halted it.
    :param outcome: how it ended.
    :param events: how many events the release has had.
    """

    wave: int
    phase: WavePhase
    at: datetime
    pulse: int = 0
    job: int = 0
    starting: PulseStart | None = None
    left_out: tuple[LeftOut, ...] = ()
    last_started_at: datetime | None = None
    next_pulse_at: datetime | None = None
    soak_until: datetime | None = None
    evidence_until: datetime | None = None
    asks_because: str = ""
    requests: int = 0
    request: ApprovalRequest | None = None
    approval: Approval | None = None
    approved_before: ApprovalRequest | None = None
    rounds: int = 0
    judged_wave: int = 0
    decision: Decision | None = None
    held_strata: tuple[str, ...] = ()
    advance: AdvanceMark = field(default_factory=AdvanceMark)
    hold: HoldMark | None = None
    missing: str = ""
    halt: HaltMark | None = None
    outcome: WaveOutcome | None = None
    events: int = 0

    @property
    def has_begun(self) -> bool:
        """Whether a job of the wave exists or may exist."""
        return bool(self.pulse or self.job or self.starting)

    @property
    def wave_to_judge(self) -> int:
        """Number of the wave that the gate is asked about: until a wave begins, it is the one before."""
        return self.wave if self.has_begun else max(1, self.wave - 1)

    def soaked(self, now: datetime) -> float:
        """Give the seconds since the last device was started; 0 while the wave is being started."""
        if self.phase not in {WavePhase.SOAKING, WavePhase.JUDGING, WavePhase.OVER} or self.last_started_at is None:
            return 0.0
        return max(0.0, (now - self.last_started_at).total_seconds())

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        return {"version": VERSION, **write(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what :meth:`to_dict` gave.

        :raises ConfigurationError: it has another version, a name is missing or unknown, or a value does not fit; a
            wave must not go on from a part of its state.
        """
        given: Any = values
        if not isinstance(given, dict) or given.get("version") != VERSION or given["version"] is True:
            raise ConfigurationError(f"wave state: only version {VERSION} is known here.")
        try:
            state = read(cls, {name: value for name, value in given.items() if name != "version"}, field="wave state")
        except ValueError as error:
            raise ConfigurationError(f"{error}.") from None
        if problem := _problem(state):
            raise ConfigurationError(f"wave state: {problem}.")
        found: Self = state
        return found


def _problem(state: WaveState) -> str:
    if (state.halt is not None) != (state.phase is WavePhase.HALTED):
        return f"the phase is {state.phase}, and it was {'' if state.halt else 'not '}halted"
    if state.phase is WavePhase.OVER and state.outcome is None:
        return "it is over without an outcome"
    if state.starting is not None and (state.starting.pulse, state.starting.first_job) != (state.pulse + 1, state.job):
        return f"pulse {state.starting.pulse} is being started, and {state.pulse} have started"
    if state.approval is not None and state.request is None:
        return "there is an approval without a request"
    if state.wave < 1:
        return "the number of the wave is not above 0"
    return ""
