"""Jobs that belong together, as those of one release; one job is a set of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_provider_tuya_ota.core.model.entities import Job


@dataclass(frozen=True, slots=True)
class JobSet:
    """Job ids, none twice, in the order in which they were given.

    :param job_ids: none of them empty.
    """

    job_ids: tuple[str, ...]

    @classmethod
    def of(cls, *job_ids: str) -> Self:
        """Build a set; an empty id names no job and is left out."""
        return cls(tuple(dict.fromkeys(job_id for job_id in job_ids if job_id)))

    @classmethod
    def listed(cls, jobs: Iterable[Job]) -> Self:
        """Build the set of the jobs that a list shows."""
        return cls.of(*(job.job_id for job in jobs))

    def __iter__(self) -> Iterator[str]:
        return iter(self.job_ids)

    def __contains__(self, job_id: object) -> bool:
        return job_id in self.job_ids

    def exclude_from(self, jobs: Iterable[Job]) -> list[Job]:
        """Give the jobs of a list that do not belong to this set."""
        known = set(self.job_ids)
        return [job for job in jobs if job.job_id not in known]
