"""How many devices a bad firmware reaches before the gate halts it: at this pace, and all at once.

The model, in which the forecast calculates:

- A share of the devices fails, each independently of the others. No device is silent, offline or busy.
- Devices begin and report as :class:`DeviceTiming` says. The moments at which devices begin are the quantiles of their
  distribution; which devices fail, and how long those take, is drawn.
- The gate judges in start order, as the real one does: devices without a result count as good ones. It halts at the
  first report that reaches the boundary, and carries its evidence from wave to wave.
- Cancels reach every device that has not begun. They are sent ``reaction`` seconds after that report.
- Evidence from the first 5,000 devices counts. A firmware that has not been halted by then reaches the whole plan.

The figures are means over 200 drawn courses. The draws come from SHA-256, so the same plan always has the same figures.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from operator import le
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_provider_tuya_ota.rollout.gate.boundaries import Boundaries
    from airflow_provider_tuya_ota.rollout.plan.device_timing import DeviceTiming

BAD_SHARES: Final = (0.05, 0.1, 0.2)
"""Shares of failing devices for which the figures are given."""
COURSES: Final = 200
MOST_EVIDENCE: Final = 5_000

Start = tuple[float, int]
"""Seconds after the first start, and number of devices that start together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """Devices that a firmware reaches, of which a share fails.

    :param bad_share: failing devices, as a share of those that it reaches.
    :param at_once: devices that it reaches where all start together.
    :param paced: devices that it reaches at the pace of the plan, where a person resumes after each hold.
    :param until_hold: devices that it reaches at the pace of the plan until the gate holds or halts.
    """

    bad_share: float
    at_once: int
    paced: int
    until_hold: int


def forecast_risks(starts: Sequence[Start], boundaries: Boundaries, timing: DeviceTiming) -> tuple[Risk, ...]:
    """Give the devices at risk for each of :data:`BAD_SHARES`.

    :param starts: the pulses of the plan in their order; at least one device.
    :param boundaries: of the gate.
    """
    together = [(0.0, sum(devices for _, devices in starts))]
    found = []
    for share in BAD_SHARES:
        at_once = _mean(halt for halt, _ in _courses(together, share, boundaries, timing))
        pairs = list(_courses(starts, share, boundaries, timing))
        paced, until_hold = _mean(halt for halt, _ in pairs), _mean(hold for _, hold in pairs)
        found.append(Risk(bad_share=share, at_once=at_once, paced=paced, until_hold=until_hold))
    return tuple(found)


def _mean(values: Iterator[float]) -> int:
    return round(sum(values) / COURSES)


def _courses(
    starts: Sequence[Start], share: float, boundaries: Boundaries, timing: DeviceTiming
) -> Iterator[tuple[float, float]]:
    """Give for each course the devices that were reached before the halt, and before the first hold or halt."""
    places = sum(devices for _, devices in starts)
    evidence = _until_evidence_ends(starts)
    judged = [(begins, _resolved_by(begins, evidence, timing)) for begins, _ in evidence]
    for number in range(COURSES):
        failures = _draw_failures(f"{number}:{share}", evidence, share, timing)
        halted_at = _halt_time(failures, boundaries)
        held_at = _hold_time([reported for reported, _ in failures], judged, boundaries)
        yield (
            places if halted_at is None else _begun_by(starts, halted_at, timing),
            min((_begun_by(starts, at, timing) for at in (halted_at, held_at) if at is not None), default=places),
        )


def _until_evidence_ends(starts: Sequence[Start]) -> list[Start]:
    totals = list(accumulate(devices for _, devices in starts))
    # The pulse in which the limit is reached belongs to them, because its devices begin one after the other.
    return list(starts[: bisect_right(totals, MOST_EVIDENCE - 1) + 1])


def _resolved_by(moment: float, starts: Sequence[Start], timing: DeviceTiming) -> float:
    """Give how many devices of the earlier pulses have reported on average."""
    recent = moment - timing.settled_after
    settled = sum(devices for begins, devices in starts if begins <= recent)
    return settled + sum(
        devices * timing.reported(moment - begins) for begins, devices in starts if recent < begins < moment
    )


def _draw_failures(seed: str, starts: Sequence[Start], share: float, timing: DeviceTiming) -> list[tuple[float, int]]:
    """Give the failing devices as (moment of the report, place in the start order), the earliest report first."""
    draws = _draws(seed)
    found: list[tuple[float, int]] = []
    place = before = 0
    for begins, devices in starts:
        while True:
            following = place + int(math.log(next(draws)) / math.log1p(-share))
            if following >= min(before + devices, MOST_EVIDENCE):
                break
            began = begins + timing.begins_at((following - before + 0.5) / devices)
            found.append((began + timing.takes_at(next(draws)), following + 1))
            place = following + 1
        # A device that fails or not does not depend on those before it, so each pulse is drawn anew.
        before += devices
        place = before
    return sorted(found)


def _draws(seed: str) -> Iterator[float]:
    """Give numbers between 0 and 1, both excluded."""
    block = 0
    while True:
        digest = hashlib.sha256(f"{seed}:{block}".encode()).digest()
        for at in range(0, 32, 4):
            yield (int.from_bytes(digest[at : at + 4]) + 0.5) / 2**32
        block += 1


def _halt_time(failures: Sequence[tuple[float, int]], boundaries: Boundaries) -> float | None:
    most_devices = [boundaries.halt_within(number) for number in range(1, len(failures) + 1)]
    known: list[int] = []
    for reported, place in failures:
        position = bisect_right(known, place)
        known.insert(position, place)
        # Places behind this one have one failure more among the devices before them.
        if any(map(le, known[position:], most_devices[position:])):
            return reported
    return None


def _hold_time(
    reported: Sequence[float], judged: Sequence[tuple[float, float]], boundaries: Boundaries
) -> float | None:
    """Give the first moment at which a pulse is due and the devices with a result hold it."""
    for begins, resolved in judged[1:]:
        failures = bisect_right(reported, begins)
        if failures and max(round(resolved), failures) <= boundaries.amber_within(failures):
            return begins
    return None


def _begun_by(starts: Sequence[Start], halted_at: float, timing: DeviceTiming) -> float:
    ends = halted_at + timing.reaction
    return sum(devices * timing.begun(ends - begins) for begins, devices in starts if begins < halted_at)
