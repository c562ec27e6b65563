"""The cohort: the devices of a release, frozen when it is planned, with each exclusion counted by its reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.gate.evidence import MOST_STRATA
from airflow_provider_tuya_ota.rollout.plan.canonical import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_tuya_ota.rollout.plan.candidate import Candidate
    from airflow_provider_tuya_ota.rollout.plan.cohort_rule import CohortRule

NOT_KNOWN: Final = "not given"
"""How a stratum shows an attribute that its devices do not have."""
UNKNOWN_JOB: Final = "unknown"
"""Under which devices are counted that are busy in a job without an id."""
Stratum = tuple[str, ...]
"""The values of the attributes that build strata, in the order of :attr:`CohortRule.strata`."""


class Exclusion(StrEnum):
    """Why a candidate is not in the cohort. A candidate has the first reason, in this order, that applies to it."""

    WRONG_PRODUCT_OR_MODULE = "wrong product or module"
    EXCLUDED_BY_NAME = "excluded by name"
    VERIFICATION_DEVICE = "verification device"
    NO_VERSION_KNOWN = "no version known"
    ALREADY_ON_VERSION = "already on the version"
    SOURCE_VERSION_NOT_ALLOWED = "source version not allowed"
    BUSY = "busy in another job"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The devices of a release.

    :param rule: what decided.
    :param candidates: number of devices that were looked through.
    :param strata: names by stratum, both sorted.
    :param excluded: names of the other candidates by reason, sorted; reasons that nobody has are left out.
    :param source_versions: number of devices of the cohort by the version that they come from.
    :param busy_jobs: number of devices that are excluded as busy by the id of the job that has them.
    :param digest: of the rule, the devices with their strata, and the number of exclusions by reason.
    """

    rule: CohortRule
    candidates: int
    strata: dict[Stratum, tuple[str, ...]] = field(repr=False)
    excluded: dict[Exclusion, tuple[str, ...]] = field(repr=False)
    source_versions: dict[str, int]
    busy_jobs: dict[str, int]
    digest: str

    @property
    def size(self) -> int:
        """Number of devices in the cohort."""
        return sum(map(len, self.strata.values()))

    @property
    def excluded_counts(self) -> dict[str, int]:
        """Number of exclusions by reason, in the order of :class:`Exclusion`."""
        return {reason.value: len(self.excluded[reason]) for reason in Exclusion if reason in self.excluded}

    def reason_of(self, name: str) -> Exclusion | None:
        """Give why a device is excluded; None where it is in the cohort or no candidate."""
        return next((reason for reason, names in self.excluded.items() if name in names), None)


def stratum_label(stratum: Stratum) -> str:
    """Write a stratum for people."""
    return " / ".join(value or NOT_KNOWN for value in stratum) or "all devices"


def freeze_cohort(candidates: Iterable[Candidate], rule: CohortRule) -> Cohort:
    """Sort candidates into the cohort and the exclusions; each goes to exactly one place.

    :param candidates: read once, so that a generator over a million devices needs no list of them.
    :raises InvalidParameterError: a device is there twice, a device that is excluded by name is no candidate, or there
        are more strata than the gate judges.
    """
    seen: set[str] = set()
    strata: dict[Stratum, list[str]] = {}
    excluded: dict[Exclusion, list[str]] = {}
    versions: Counter[str] = Counter()
    jobs: Counter[str] = Counter()
    for candidate in candidates:
        if candidate.name in seen:
            raise _refused(
                "candidates", f"{short_repr(candidate.name)} is there twice", "each device of the product once"
            )
        seen.add(candidate.name)
        if reason := exclusion_of(candidate, rule):
            excluded.setdefault(reason, []).append(candidate.name)
            if reason is Exclusion.BUSY:
                jobs[candidate.busy_job or UNKNOWN_JOB] += 1
            continue
        stratum = tuple(map(candidate.attribute, rule.strata))
        strata.setdefault(stratum, []).append(candidate.name)
        versions[candidate.known_version] += 1
        if len(strata) > MOST_STRATA:
            raise _refused("strata", f"{rule.strata} has more than {MOST_STRATA} values", "attributes with few values")
    _require_known(rule, seen)
    found = {stratum: tuple(sorted(strata[stratum])) for stratum in sorted(strata)}
    others = {reason: tuple(sorted(excluded[reason])) for reason in Exclusion if reason in excluded}
    return Cohort(
        rule=rule,
        candidates=len(seen),
        strata=found,
        excluded=others,
        source_versions=dict(sorted(versions.items())),
        busy_jobs=dict(sorted(jobs.items())),
        digest=_digest(rule, found, others),
    )


def exclusion_of(candidate: Candidate, rule: CohortRule) -> Exclusion | None:
    """Give the first reason that keeps a candidate out; None for a device of the cohort.

    A value that is missing never lets a device in: without a version, it is not known what the device would leave.
    """
    version = candidate.known_version
    is_other = candidate.product_key != rule.product_key or candidate.module_name != rule.module_name
    reasons = (
        (Exclusion.WRONG_PRODUCT_OR_MODULE, is_other),
        (Exclusion.EXCLUDED_BY_NAME, candidate.name in rule.excluded_names),
        (Exclusion.VERIFICATION_DEVICE, candidate.name in rule.verification_names),
        (Exclusion.NO_VERSION_KNOWN, not version),
        (Exclusion.ALREADY_ON_VERSION, version == rule.version),
        (Exclusion.SOURCE_VERSION_NOT_ALLOWED, not rule.allows_source(version)),
        (Exclusion.BUSY, candidate.busy_job is not None),
    )
    return next((reason for reason, applies in reasons if applies), None)


def _require_known(rule: CohortRule, seen: set[str]) -> None:
    # A misspelt name would leave its device in the cohort.
    for name in rule.exclude:
        if name not in seen:
            raise _refused("exclude", f"{short_repr(name)} is no device of the product", "names of its devices")


def _digest(
    rule: CohortRule, strata: dict[Stratum, tuple[str, ...]], excluded: dict[Exclusion, tuple[str, ...]]
) -> str:
    values: dict[str, Any] = {
        "rule": rule.to_dict(),
        "strata": [[list(stratum), names] for stratum, names in strata.items()],
        "excluded": {reason.value: len(names) for reason, names in excluded.items()},
    }
    return digest_of(values)


def _refused(name: str, problem: str, allowed: str) -> InvalidParameterError:
    return InvalidParameterError(field=name, problem=problem, allowed=allowed)
