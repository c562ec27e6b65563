"""Evidence as compact plain values, and back: for the record, and for a wave that goes on after a restart."""

from __future__ import annotations

from datetime import datetime
from itertools import chain, groupby, repeat
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.gate.evidence import NO_STRATUM, UNENDED, Evidence
from airflow_provider_tuya_ota.rollout.gate.outcomes import CODES, NOT_TRIED, OUTCOMES, UNFINISHED, DeviceOutcome

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
    version = values.get("version") if isinstance(values, dict) else None
    if version is True or version != VERSION:
        raise ConfigurationError(f"evidence: version {short_repr(version)} is not known here, only {VERSION}.")
    try:
        size = len(_texts(values["devices"]))
        evidence = Evidence(
            strata=tuple(_texts(values["strata"])),
            rounds=[_time(one) for one in values["rounds"]],
            jobs=_texts(values["jobs"]),
            devices=_texts(values["devices"]),
            outcomes=bytearray(values["outcomes"], "ascii"),
            stratum_of=bytearray(_column(values["stratum_of"], size)),
            wave_of=_column(values["wave_of"], size),
            job_of=_column(values["job_of"], size),
            started=_column(values["started"], size),
            ended=_column(values["ended"], size),
            corrected=dict(_pairs(values["corrected"])),
            contradictions=_said(values["contradictions"]),
        )
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
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
    if min(evidence.wave_of, default=0) < 0:
        return "has devices of a wave below 0"
    return _problem_of_attempts(evidence) or _problem_of_order(evidence)


def _problem_of_attempts(evidence: Evidence) -> str:
    last = {device: index for index, device in enumerate(evidence.devices)}
    for index, (device, code) in enumerate(zip(evidence.devices, evidence.outcomes, strict=True)):
        if last[device] != index and OUTCOMES[code] not in NOT_TRIED:
            return "has a device that was tried twice"
    return ""


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


def _column(runs: Any, size: int) -> list[int]:
    # Counted before it is written out: one pair can stand for any number of devices.
    pairs = _pairs(runs)
    if any(number < 1 for _, number in pairs) or sum(number for _, number in pairs) != size:
        raise ConfigurationError(f"evidence: has columns that are not as long as its {size} devices.")
    return list(chain.from_iterable(repeat(value, number) for value, number in pairs))


def _pairs(values: Any) -> list[tuple[int, int]]:
    pairs = [(first, second) for first, second in values]
    if not all(type(number) is int for pair in pairs for number in pair):
        raise ValueError("a number is no whole number")
    return pairs


def _texts(values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise ValueError(f"{short_repr(values)} is no list of texts")
    return list(values)


def _time(value: Any) -> datetime:
    found = datetime.fromisoformat(value)
    if found.tzinfo is None:
        raise ValueError(f"{short_repr(value)} has no zone")
    return found


def _said(values: Any) -> dict[str, str]:
    if not isinstance(values, dict) or not all(isinstance(one, str) for pair in values.items() for one in pair):
        raise ValueError(f"{short_repr(values)} is no object of texts")
    return dict(values)
