"""The lower half of the picture: the failures in start order, between the boundaries of the gate."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.gate.series import FAILED
from airflow_provider_tuya_ota.rollout.percent import render_percent
from airflow_provider_tuya_ota.rollout.record.begin import GateSettings
from airflow_provider_tuya_ota.rollout.record.course import VerdictGiven
from airflow_provider_tuya_ota.rollout.record.svg import Scale, legend, line, steps, tag, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
    from airflow_provider_tuya_ota.rollout.gate.rules import Rules
    from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict
    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile

LEFT, RIGHT, TOP, BOTTOM = 70.0, 930.0, 460.0, 660.0
POINTS: Final = 430
"""Points of a boundary: one for each two pixels."""
_LINES: Final = (
    ("failed", "failed"),
    ("boundary halt", "halt from"),
    ("boundary amber", "hold from"),
    ("boundary promote", "promote up to"),
)


def gate_panel(file: RecordFile, evidence: Evidence, rules: Rules) -> str:
    """Draw it, as the gate saw the devices when it halted, or else as they are at the end of the record.

    Devices that are cancelled after the halt do not count, and would move those that decided.
    """
    halt = _halt(file)
    evidence = evidence.as_of(halt[1].occasion.rounds) if halt else evidence
    series = bytes(evidence.outcomes).translate(*rules.series_codec())
    devices = max(1, len(series))
    rows = [rules.boundaries.row(number) for number in _numbers(devices)]
    failures = series.count(FAILED)
    last = rows[-1]
    x = Scale(low=LEFT, high=RIGHT, most=devices)
    y = Scale(low=BOTTOM, high=TOP, most=max(5, failures, last.halt or 0) * 1.1)
    ceiling = render_percent(rules.ceiling)
    parts = [
        text(LEFT, TOP - 28, "What the gate saw", class_="heading"),
        legend(LEFT + 170, TOP - 28, _LINES),
        text(
            RIGHT,
            BOTTOM + 38,
            f"devices in the order of their start{' at the halt' if halt else ''}; ceiling {ceiling}",
            class_="small right",
        ),
    ]
    for tick in y.ticks():
        parts.append(line((LEFT, y.at(tick)), (RIGHT, y.at(tick)), "grid"))
        parts.append(text(LEFT - 8, y.at(tick) + 4, f"{tick:,}", class_="small right"))
    for tick in x.ticks(8):
        parts.append(line((x.at(tick), BOTTOM), (x.at(tick), BOTTOM + 5), "axis"))
        parts.append(text(x.at(tick), BOTTOM + 19, f"{tick:,}", class_="small middle"))
    parts.append(line((LEFT, BOTTOM), (RIGHT, BOTTOM), "axis"))
    for class_, name in (("boundary halt", "halt"), ("boundary amber", "amber"), ("boundary promote", "promote")):
        points = [(row.devices, getattr(row, name)) for row in rows]
        parts.append(steps([(x.at(at), y.at(number)) for at, number in points if number is not None], class_))
    parts.append(
        steps(
            ((x.at(at), y.at(number)) for at, number in enumerate(accumulate(map(FAILED[0].__eq__, series)), 1)),
            "failed",
        )
    )
    parts += _prefixes(file, x, y)
    return "".join(parts)


def rules_at_halt(file: RecordFile) -> Rules | None:
    """Give the rules that were in force when the gate halted the release; None where it did not."""
    if (halt := _halt(file)) is None:
        return None
    before = [settings.gate.rules for place, settings in file.of(GateSettings) if place < halt[0]]
    return before[-1] if before else None


def _halt(file: RecordFile) -> tuple[int, GateVerdict] | None:
    """Give the first verdict that halted, with the number of its entry; one that only observed has halted nothing."""
    halts = ((place, given.verdict) for place, given in file.of(VerdictGiven))
    return next(((at, one) for at, one in halts if one.is_binding and one.decision is Decision.HALT), None)


def _numbers(devices: int) -> list[int]:
    """Give the numbers of devices for which boundaries are drawn; the first ones all, because there they begin."""
    return sorted(
        {*range(1, min(devices, POINTS) + 1), *(1 + devices * one // POINTS for one in range(POINTS)), devices}
    )


def _prefixes(file: RecordFile, x: Scale, y: Scale) -> Iterator[str]:
    """Mark what decided each halt, and the first promotion of each wave."""
    seen: set[int] = set()
    for _, given in file.of(VerdictGiven):
        verdict = given.verdict
        prefix, wave = verdict.prefix, verdict.occasion.wave
        if prefix is None or (verdict.decision is Decision.PROMOTE and wave in seen):
            continue
        seen.add(wave)
        at = x.at(prefix.devices), y.at(prefix.failures)
        yield tag("circle", cx=at[0], cy=at[1], r=5, class_=f"prefix {verdict.decision}")
        if verdict.decision is Decision.HALT:
            is_right = at[0] > (LEFT + RIGHT) / 2
            side, shift = ("label right", -8.0) if is_right else ("label", 8.0)
            yield line((at[0], TOP), (at[0], at[1] - 5), "mark halt")
            yield text(at[0] + shift, TOP + 4, str(verdict), class_=side)
