"""When a wait for a set of jobs ends before every job has ended."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.model.job_results import is_failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tuya_ota.core.model.job_results import JobResult


class EndRule(Protocol):
    """Says when to end a wait before every job has ended."""

    def __call__(self, results: Mapping[str, JobResult], /) -> str:
        """Give the reason, as a clause that follows "because"; empty to go on.

        :param results: by job id, the result of each job whose wait has ended, and the last verdict of each other job.
            A job without a successful poll is left out.
        """


def every_end(_: Mapping[str, JobResult]) -> str:
    """Wait until every job has ended."""
    return ""


def first_failure(results: Mapping[str, JobResult]) -> str:
    """End the wait with the first job that has failed; one that could not be polled has not."""
    failed = next((job_id for job_id, result in results.items() if is_failure(result)), "")
    return f"job {failed} has failed" if failed else ""


END_RULES: Final[Mapping[str, EndRule]] = MappingProxyType({rule.__name__: rule for rule in (every_end, first_failure)})
"""The rules that a stored wait can name."""


def find_end_rule(name: str) -> EndRule:
    """Give a rule by its name.

    :raises InvalidParameterError: there is none of this name.
    """
    if name not in END_RULES:
        raise InvalidParameterError(
            field="ends", problem=f"there is no rule {name!r} to end a wait", allowed=" or ".join(END_RULES)
        )
    return END_RULES[name]
