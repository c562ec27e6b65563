"""Evidence as compact plain values, and back: for the record, and for a wave that goes on after a restart."""

from __future__ import annotations

from datetime import datetime
from itertools import chain, groupby, repeat
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.gate.evidence import NO_STRATUM, UNENDED, Evidence
from airflow_provider_tuya_ota.rollout.gate.outcomes import CODES, OUTCOMES, UNFINISHED, DeviceOutcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VERSION: Final = 1


def dump_evidence(evidence: Evidence) -> dict[str, Any]:
    """Give plain JSON values: names, one letter for each outcome, and all other columns as runs of equal values."""
    return {
        "version": VERSION,
        "strata": list(evidence.strata),
        "rounds": [one.isoformat() for one in evidence.rounds],
        "jobs": list(evidence.jobs),
        "devices": list(evidence.devices),
        "outcomes": evidence.outcomes.decode("ascii"),
        "stratum_of": _runs(evidence.stratum_of),
        "wave_of": _runs(evidence.wave_of),
        "job_of": _runs(evidence.job_of),
        "started": _runs(evidence.started),
        "ended": _runs(evidence.ended),
        "corrected": [list(pair) for pair in evidence.corrected.items()],
        "contradictions": dict(evidence.contradictions),
    }


def load_evidence(values: Mapping[str, Any]) -> Evidence:
    """Rebuild what :func:`dump_evidence` gave.

    :raises ConfigurationError: the values are not such evidence; a wave must not go on with a part of it.
    """
    if values.get("version") != VERSION:
        raise ConfigurationError(f"evidence: version {values.get('version')!r} is not known here, only {VERSION}.")
    try:
        evidence = Evidence(
            strata=tuple(values["strata"]),
            rounds=[datetime.fromisoformat(one) for one in values["rounds"]],
            jobs=list(values["jobs"]),
            devices=list(values["devices"]),
            outcomes=bytearray(values["outcomes"], "ascii"),
            stratum_of=bytearray(_column(values["stratum_of"])),
            wave_of=_column(values["wave_of"]),
            job_of=_column(values["job_of"]),
            started=_column(values["started"]),
            ended=_column(values["ended"]),
            corrected=dict(values["corrected"]),
            contradictions=dict(values["contradictions"]),
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ConfigurationError(f"evidence: cannot be read ({type(error).__name__}: {error}).") from error
    if problem := _problem(evidence):
        raise ConfigurationError(f"evidence: {problem}.")
    return evidence


def _problem(evidence: Evidence) -> str:
    size = len(evidence.devices)
    columns = (
        evidence.outcomes,
        evidence.stratum_of,
        evidence.wave_of,
        evidence.job_of,
        evidence.started,
        evidence.ended,
    )
    if any(len(column) != size for column in columns):
        return f"has columns that are not as long as its {size} devices"
    if not set(evidence.outcomes) <= OUTCOMES.keys():
        return "has outcomes that are not known here"
    if not set(evidence.stratum_of) <= {*range(len(evidence.strata)), NO_STRATUM}:
        return "has devices of strata that it does not name"
    if not all(0 <= job < len(evidence.jobs) for job in evidence.job_of):
        return "has devices of jobs that it does not name"
    return _problem_of_order(evidence)


def _problem_of_order(evidence: Evidence) -> str:
    rounds = len(evidence.rounds)
    if evidence.rounds != sorted(evidence.rounds):
        return "has rounds that are not in the order of time"
    if not all(0 <= start < rounds for start in evidence.started) or evidence.started != sorted(evidence.started):
        return "has devices that are not in the order of their start"
    for code, start, end in zip(evidence.outcomes, evidence.started, evidence.ended, strict=True):
        fits = end == UNENDED if OUTCOMES[code] in UNFINISHED else start <= end < rounds
        if not fits:
            return "has devices whose end does not fit their outcome"
    if not all(_fits(evidence, index, number) for index, number in evidence.corrected.items()):
        return "has corrections that do not fit their device"
    return ""


def _fits(evidence: Evidence, index: int, corrected: int) -> bool:
    is_wrong = 0 <= index < len(evidence.devices) and evidence.outcomes[index] == CODES[DeviceOutcome.WRONG_VERSION]
    return is_wrong and evidence.ended[index] < corrected < len(evidence.rounds)


def _runs(column: Iterable[int]) -> list[list[int]]:
    return [[value, sum(1 for _ in run)] for value, run in groupby(column)]


def _column(runs: Iterable[tuple[int, int]]) -> list[int]:
    return list(chain.from_iterable(repeat(value, number) for value, number in runs))
