"""What the plan says about the course of one wave, for decisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from airflow_provider_tuya_ota.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.plan.opening_hours import OpeningHours
    from airflow_provider_tuya_ota.rollout.plan.planned_wave import PlannedWave
    from airflow_provider_tuya_ota.rollout.plan.release_plan import ReleasePlan

ANSWER_WITHIN: Final = timedelta(days=1)
"""How long a request for an approval is open before the person is asked again with today's evidence."""
RECONCILE_AFTER: Final = timedelta(hours=1)
"""After so long without a poll, jobs and firmware are compared with the platform before anything is started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveTerms:
    """What holds for one wave. It comes from the frozen plan, so it is the same after each restart.

    :param wave: the wave with its devices.
    :param is_last: whether no wave follows.
    :param interval: between the starts of two pulses.
    :param soak: how long the wave is watched after its last pulse; the longer one of the plan's and of the gate's.
    :param min_soak: the gate's own.
    :param silent_after: when a device that has not ended counts as failed.
    :param hours: when pulses may start.
    :param approvers: ids of the users who may approve; none for everybody.
    :param two_person: whether the person who triggered the release may not approve it.
    :param triggered_by: this person.
    :param answer_within: how long a request for an approval is open.
    :param reconcile_after: after how long without a poll the platform is compared first.
    """

    wave: PlannedWave = field(repr=False)
    is_last: bool
    interval: timedelta
    soak: timedelta
    min_soak: timedelta
    silent_after: timedelta
    hours: OpeningHours
    approvers: tuple[str, ...] = ()
    two_person: bool = False
    triggered_by: str = ""
    answer_within: timedelta = ANSWER_WITHIN
    reconcile_after: timedelta = RECONCILE_AFTER

    def __post_init__(self) -> None:
        if self.two_person and not self.triggered_by:
            raise ConfigurationError("two_person: nobody is named who triggered the release, so nobody can approve it.")

    @property
    def pulses(self) -> int:
        """Number of pulses; the platform starts its own wave in one."""
        return len(self.wave.pulses) or 1

    def jobs_in(self, pulse: int) -> int:
        """Give the number of planned jobs of a pulse."""
        return len(self.wave.pulses[pulse - 1].jobs) if self.wave.pulses else 1

    def devices_in(self, pulse: int, first_job: int) -> Iterator[str]:
        """Give the planned devices of a pulse from one of its jobs on; none of a wave of the platform."""
        for job in self.wave.pulses[pulse - 1].jobs[first_job:] if self.wave.pulses else ():
            yield from job

    @classmethod
    def of(
        cls,
        plan: ReleasePlan,
        wave: int,
        *,
        triggered_by: str = "",
        answer_within: timedelta = ANSWER_WITHIN,
        reconcile_after: timedelta = RECONCILE_AFTER,
    ) -> Self:
        """Read what a plan says about one of its waves.

        :param wave: number of the wave.
        :raises ConfigurationError: the plan has no such wave, or asks for a second person and the first is not known.
        """
        found = next((one for one in plan.waves if one.number == wave), None)
        if found is None:
            raise ConfigurationError(f"plan {plan.release_id} has no wave {wave}, only 1 to {len(plan.waves)}.")
        rules, approvals = plan.read_gate().rules, plan.schedule["approvals"]
        min_soak = timedelta(seconds=rules.min_soak)
        return cls(
            wave=found,
            is_last=wave == plan.waves[-1].number,
            interval=timedelta(seconds=plan.interval),
            soak=max(timedelta(seconds=plan.soak), min_soak),
            min_soak=min_soak,
            silent_after=timedelta(seconds=rules.silent_after),
            hours=plan.read_hours(),
            approvers=tuple(one["id"] for one in approvals["approvers"]),
            two_person=approvals["two_person"],
            triggered_by=triggered_by,
            answer_within=answer_within,
            reconcile_after=reconcile_after,
        )
