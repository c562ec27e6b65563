"""Evidence in parts: each entry adds the rounds since the one before, so that a record only grows."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003 - the types of fields are read at runtime
from itertools import chain, groupby, repeat
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.gate.evidence import MOST_STRATA, NO_STRATUM, UNENDED, Evidence
from airflow_provider_tuya_ota.rollout.gate.outcomes import CODES, OUTCOMES, UNFINISHED, DeviceOutcome
from airflow_provider_tuya_ota.rollout.record.begin import MOST_WAVES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

MOST_DEVICES: Final = 2_000_000
"""Devices of a record; so few numbers cannot stand for more memory than the file itself suggests."""
_SUCCEEDED: Final = CODES[DeviceOutcome.SUCCEEDED]
_PENDING: Final = CODES[DeviceOutcome.PENDING]
_ENDED: Final = "".join(chr(code) for code, outcome in OUTCOMES.items() if outcome not in UNFINISHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePart:
    """What some rounds of polls have added to the evidence of the gate.

    Columns of numbers are runs: pairs of a number, and of how many devices in a row have it. Devices are counted from 0
    over all parts, in the order of their start.

    :param first_round: number of the first of these rounds, from 0.
    :param rounds: the time of each of them.
    :param strata: names of all strata of the plan.
    :param jobs: ids of jobs that no earlier part names.
    :param devices: names of the devices that were first seen in these rounds.
    :param started: rounds in which they were first seen, as runs.
    :param stratum_of: numbers of their strata as runs; 255 for none.
    :param wave_of: numbers of their waves as runs; 0 for a device that the plan does not name.
    :param job_of: places of their jobs among those of all parts, as runs.
    :param ended: places of all devices whose outcome was seen in these rounds.
    :param ended_in: rounds of these outcomes, as runs.
    :param outcomes: a letter for each of these outcomes.
    :param corrected: pairs of the place of a device that reported success and then another version, and of the round.
    :param contradictions: what the platform said of a device after its first outcome, by device.
    """

    first_round: int
    rounds: tuple[datetime, ...]
    strata: tuple[str, ...] = field(default=(), metadata={"maxItems": MOST_STRATA})
    jobs: tuple[str, ...] = ()
    devices: tuple[str, ...] = field(default=(), metadata={"maxItems": MOST_DEVICES})
    started: tuple[tuple[int, int], ...] = ()
    stratum_of: tuple[tuple[int, int], ...] = ()
    wave_of: tuple[tuple[int, int], ...] = ()
    job_of: tuple[tuple[int, int], ...] = ()
    ended: tuple[int, ...] = field(default=(), metadata={"maxItems": MOST_DEVICES})
    ended_in: tuple[tuple[int, int], ...] = ()
    outcomes: str = field(default="", metadata={"maxLength": MOST_DEVICES, "pattern": f"[{_ENDED}]*"})
    corrected: tuple[tuple[int, int], ...] = ()
    contradictions: dict[str, str] = field(default_factory=dict)


def part_since(
    evidence: Evidence, *, rounds: int = 0, jobs: int = 0, contradictions: Collection[str] = ()
) -> EvidencePart:
    """Give what evidence has that earlier parts do not have.

    :param rounds: how many rounds earlier parts have.
    :param jobs: how many jobs they have.
    :param contradictions: the devices whose contradictions they have.
    """
    first = bisect_left(evidence.started, rounds)
    ends = sorted((end, place) for place, end in enumerate(evidence.ended) if end >= rounds and end != UNENDED)
    places = [place for _, place in ends]
    return EvidencePart(
        first_round=rounds,
        rounds=tuple(evidence.rounds[rounds:]),
        strata=evidence.strata,
        jobs=tuple(evidence.jobs[jobs:]),
        devices=tuple(evidence.devices[first:]),
        started=_runs(evidence.started[first:]),
        stratum_of=_runs(evidence.stratum_of[first:]),
        wave_of=_runs(evidence.wave_of[first:]),
        job_of=_runs(evidence.job_of[first:]),
        ended=tuple(places),
        ended_in=_runs(end for end, _ in ends),
        # A success stays the first outcome of a device whose version turned out to be another one.
        outcomes="".join(chr(_SUCCEEDED if at in evidence.corrected else evidence.outcomes[at]) for at in places),
        corrected=tuple(sorted((at, when) for at, when in evidence.corrected.items() if when >= rounds)),
        contradictions={
            name: said for name, said in evidence.contradictions.items() if name not in set(contradictions)
        },
    )


def join_parts(parts: Sequence[EvidencePart]) -> Evidence:
    """Rebuild the evidence, with unfinished devices as pending.

    :raises ValueError: the parts do not fit together, or a part contradicts itself.
    """
    columns: dict[str, Any] = {
        name: [] for name in ("rounds", "jobs", "devices", "started", "ended", "wave_of", "job_of")
    }
    stratum_of, outcomes = bytearray(), bytearray()
    corrected: dict[int, int] = {}
    contradictions: dict[str, str] = {}
    for part in parts:
        _require(part.strata == parts[0].strata, "the strata of a part are not those of the first one")
        _require(part.first_round == len(columns["rounds"]), "a round is missing between two parts, or is there twice")
        _add_devices(columns, stratum_of, outcomes, part)
        _add_outcomes(columns, outcomes, part)
        for at, when in part.corrected:
            fits = at < len(outcomes) and outcomes[at] == _SUCCEEDED and columns["ended"][at] <= when
            _require(fits and part.first_round <= when < len(columns["rounds"]), "a correction does not fit its device")
            outcomes[at], corrected[at] = CODES[DeviceOutcome.WRONG_VERSION], when
        contradictions |= part.contradictions
    try:
        return Evidence(
            strata=parts[0].strata if parts else (),
            stratum_of=stratum_of,
            outcomes=outcomes,
            corrected=corrected,
            contradictions=contradictions,
            **columns,
        )
    except ConfigurationError as error:
        raise ValueError(f"{error}") from None


def _add_devices(columns: dict[str, Any], stratum_of: bytearray, outcomes: bytearray, part: EvidencePart) -> None:
    size = len(part.devices)
    started, stratum, wave, job = (
        _column(runs, size) for runs in (part.started, part.stratum_of, part.wave_of, part.job_of)
    )
    columns["rounds"] += part.rounds
    columns["jobs"] += part.jobs
    numbers = range(part.first_round, len(columns["rounds"]))
    _require(columns["rounds"] == sorted(columns["rounds"]), "rounds are not in the order of time")
    _require(started == sorted(started) and all(one in numbers for one in started), "starts are not in their rounds")
    _require({*stratum} <= {*range(len(part.strata)), NO_STRATUM}, "a device has a stratum without a name")
    _require(all(one < len(columns["jobs"]) for one in job), "a device has a job without an id")
    _require(all(one <= MOST_WAVES for one in wave), f"a wave has a number above {MOST_WAVES}")
    columns["devices"] += part.devices
    columns["started"] += started
    columns["wave_of"] += wave
    columns["job_of"] += job
    columns["ended"] += [UNENDED] * size
    stratum_of += bytes(stratum)
    outcomes += bytes([_PENDING]) * size


def _add_outcomes(columns: dict[str, Any], outcomes: bytearray, part: EvidencePart) -> None:
    ended, started = columns["ended"], columns["started"]
    rounds = _column(part.ended_in, len(part.ended))
    _require(len(part.outcomes) == len(rounds), "there are not as many outcomes as devices that ended")
    numbers = range(part.first_round, len(columns["rounds"]))
    for at, when, code in zip(part.ended, rounds, part.outcomes.encode("ascii"), strict=True):
        fits = at < len(ended) and ended[at] == UNENDED and started[at] <= when
        _require(fits and when in numbers, "an outcome does not fit its device")
        ended[at], outcomes[at] = when, code


def _runs(column: Iterable[int]) -> tuple[tuple[int, int], ...]:
    return tuple((value, sum(1 for _ in run)) for value, run in groupby(column))


def _column(runs: Iterable[tuple[int, int]], size: int) -> list[int]:
    # Counted before it is written out: one pair can stand for any number of devices.
    runs = tuple(runs)
    _require(sum(number for _, number in runs) == size, "a column is not as long as its devices")
    return list(chain.from_iterable(repeat(value, number) for value, number in runs))


def _require(is_right: bool, problem: str) -> None:  # noqa: FBT001 - the condition, as assert has it
    if not is_right:
        raise ValueError(f"evidence: {problem}")
