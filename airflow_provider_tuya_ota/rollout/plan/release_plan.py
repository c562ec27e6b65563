"""The frozen plan of a release: what it does, decided once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.plan.canonical import digest_of
from airflow_provider_tuya_ota.rollout.plan.cohort_rule import CohortRule
from airflow_provider_tuya_ota.rollout.plan.opening_hours import OpeningHours
from airflow_provider_tuya_ota.rollout.plan.planned_wave import PlannedStratum, PlannedWave

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1
"""Version of the form in which a plan is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePlan:
    """What a release does, decided once. A Dag that is changed later does not change it.

    :param release_id: names the release; the ranks of the devices depend on it.
    :param rule: by which the cohort was chosen.
    :param cohort_digest: of the cohort.
    :param candidates: devices that were looked through.
    :param excluded: number of excluded devices by reason.
    :param busy_jobs: number of devices that are excluded as busy by the id of their job.
    :param strata: the strata of the cohort.
    :param source_versions: number of devices by the version that they come from.
    :param waves: the waves with their devices.
    :param schedule: pace, soak, windows, approvals and limits, as :meth:`Schedule.to_dict` gives them.
    :param gate: the thresholds of the gate, as :meth:`Gate.to_dict` gives them.
    :param digest: SHA-256 of all of these in their canonical form.
    """

    release_id: str
    rule: CohortRule
    cohort_digest: str
    candidates: int
    excluded: dict[str, int]
    busy_jobs: tuple[tuple[str, int], ...]
    strata: tuple[PlannedStratum, ...]
    source_versions: tuple[tuple[str, int], ...]
    waves: tuple[PlannedWave, ...]
    schedule: dict[str, Any]
    gate: dict[str, Any]
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", digest_of(self._values()))

    @property
    def cohort_size(self) -> int:
        """Number of devices in the cohort."""
        return self.candidates - sum(self.excluded.values())

    @property
    def planned(self) -> int:
        """Number of devices in waves that are not the platform's."""
        return sum(wave.size for wave in self.waves)

    @property
    def interval(self) -> int:
        """Seconds between the starts of two pulses."""
        return int(self.schedule["pace"]["interval"])

    @property
    def soak(self) -> int:
        """Seconds for which a wave is watched after its last pulse."""
        return int(self.schedule["soak"])

    @property
    def timeout_in_minutes(self) -> int | None:
        """Timeout of a device; None where it has none."""
        minutes: int | None = self.schedule["timeout_in_minutes"]
        return minutes

    @property
    def devices_per_job(self) -> int:
        """Devices of a job at most."""
        return int(self.schedule["devices_per_job"])

    def read_hours(self) -> OpeningHours:
        """Read the windows and blackouts that the plan has frozen."""
        return OpeningHours.from_dict(self.schedule["hours"])

    def read_gate(self) -> Gate:
        """Read the gate that the plan has frozen."""
        return Gate.from_dict(self.gate)

    def to_dict(self) -> dict[str, Any]:
        """Give canonical values and their digest."""
        return self._values() | {"digest": self.digest}

    def _values(self) -> dict[str, Any]:
        return {
            "plan_version": VERSION,
            "release_id": self.release_id,
            "rule": self.rule.to_dict(),
            "cohort_digest": self.cohort_digest,
            "candidates": self.candidates,
            "excluded": self.excluded,
            "busy_jobs": [list(pair) for pair in self.busy_jobs],
            "strata": [[list(one.values), one.devices, one.in_first_pulse] for one in self.strata],
            "source_versions": [list(pair) for pair in self.source_versions],
            "waves": [wave.to_dict() for wave in self.waves],
            "schedule": self.schedule,
            "gate": self.gate,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what :meth:`to_dict` gave, also after its way through JSON.

        :raises ConfigurationError: it is no plan of this version, or was changed after it was made.
        """
        try:
            plan = cls._read(values)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"This is no plan of a release: {type(error).__name__} while it was read."
            ) from None
        if values.get("plan_version") != VERSION or plan.digest != values.get("digest"):
            raise ConfigurationError(
                f"The plan of release {plan.release_id} was changed after it was made, or has another version: its"
                f" digest is {plan.digest}, and it says {values.get('digest')}."
            )
        return plan

    @classmethod
    def _read(cls, values: Mapping[str, Any]) -> Self:
        return cls(
            release_id=values["release_id"],
            rule=CohortRule.from_dict(values["rule"]),
            cohort_digest=values["cohort_digest"],
            candidates=values["candidates"],
            excluded=dict(values["excluded"]),
            busy_jobs=tuple((job, number) for job, number in values["busy_jobs"]),
            strata=tuple(
                PlannedStratum(values=tuple(stratum), devices=devices, in_first_pulse=first)
                for stratum, devices, first in values["strata"]
            ),
            source_versions=tuple((version, number) for version, number in values["source_versions"]),
            waves=tuple(map(PlannedWave.from_dict, values["waves"])),
            schedule=dict(values["schedule"]),
            gate=dict(values["gate"]),
        )
