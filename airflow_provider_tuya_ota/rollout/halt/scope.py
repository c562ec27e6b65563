"""Which jobs a halt stops, and which devices its receipt is about."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.gate.evidence import UNENDED
from airflow_provider_tuya_ota.rollout.gate.outcomes import NOT_TRIED, OUTCOMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence


@dataclass(frozen=True, kw_only=True)
class HaltScope:
    """The jobs and devices of a release at the moment of its halt.

    :param jobs: devices of each job by its id, in the order in which the jobs were created; None for a job whose
        devices the platform chose. Every job belongs here that may not have ended, those of a retry too.
    :param planned: all planned devices of the release, in the order of the plan.
    :param before: outcome at the halt, by device, of each device that had one. The receipt does not list these.
    :param rounds: rounds of the evidence at the halt.
    """

    jobs: Mapping[str, tuple[str, ...] | None]
    planned: tuple[str, ...]
    before: Mapping[str, str]
    rounds: int

    def __post_init__(self) -> None:
        for job_id, names in self.jobs.items():
            if not job_id or (names is not None and len(set(names)) != len(names)):
                raise InvalidParameterError(
                    field="jobs",
                    problem=f"job {short_repr(job_id)} has no id, or has a device twice",
                    allowed="the devices of each job, by its id",
                )

    @classmethod
    def at_halt(
        cls,
        planned: Sequence[str],
        jobs: Mapping[str, Sequence[str] | None],
        evidence: Evidence,
        *,
        rounds: int | None = None,
    ) -> Self:
        """Collect what the evidence had of each device at the halt.

        :param rounds: rounds of the evidence at the halt, where others were recorded since; by default all.
        """
        number = len(evidence.rounds) if rounds is None else rounds
        then = evidence.as_of(number)
        last_job = {name: job_id for job_id, names in jobs.items() for name in names or ()}
        before: dict[str, str] = {}
        for place, name in enumerate(then.devices):
            before.pop(name, None)
            outcome, job_id = OUTCOMES[then.outcomes[place]], then.jobs[then.job_of[place]]
            # A device that another job did not try, such as a busy one, may be in flight in a later job.
            is_in_flight = outcome in NOT_TRIED and last_job.get(name, job_id) != job_id
            if then.ended[place] != UNENDED and job_id and not is_in_flight:
                before[name] = outcome.value
        frozen = {job_id: None if names is None else tuple(names) for job_id, names in jobs.items()}
        return cls(jobs=frozen, planned=tuple(planned), before=before, rounds=number)

    @cached_property
    def cohort(self) -> tuple[str, ...]:
        """Every device that is planned or named by a job, once."""
        return tuple(dict.fromkeys((*self.planned, *(name for names in self.jobs.values() for name in names or ()))))

    @cached_property
    def digest(self) -> str:
        """The digest of all of it: a stored state says nothing about other jobs or devices."""
        values = [list(self.jobs.items()), self.planned, sorted(self.before.items()), self.rounds]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()
