"""The upper half of the picture: how many devices started, succeeded and failed, wave by wave, over time."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.gate.evidence import UNENDED
from airflow_provider_tuya_ota.rollout.gate.outcomes import OUTCOMES, DeviceOutcome
from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan
from airflow_provider_tuya_ota.rollout.record.course import (
    ApprovalAnswered,
    ControlNote,
    ControlVerb,
    JobCreated,
    JobPurpose,
    VerdictGiven,
)
from airflow_provider_tuya_ota.rollout.record.svg import Scale, legend, line, steps, tag, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
    from airflow_provider_tuya_ota.rollout.gate.rules import Rules
    from airflow_provider_tuya_ota.rollout.record.entry import Content
    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile

LEFT, RIGHT, TOP, BOTTOM = 70.0, 930.0, 150.0, 350.0
LETTER: Final = 7.0
"""Pixels of a letter, about."""
_LINES: Final = (("started", "started"), ("succeeded", "succeeded"), ("failed", "failed"))
_MARKS: Final = (*_LINES, ("mark hold", "hold"), ("mark halt", "halt"), ("mark person", "a person"))


def outcome_panel(file: RecordFile, evidence: Evidence, rules: Rules) -> str:
    """Draw it."""
    begin = file.entries[0].at
    seconds = max(1.0, *((entry.at - begin).total_seconds() for entry in file.entries))
    x = Scale(low=LEFT, high=RIGHT, most=seconds)
    numbers = _cumulative(evidence, rules)
    y = Scale(low=BOTTOM, high=TOP, most=max([1, *chain.from_iterable(numbers)]))
    parts = [
        text(LEFT, TOP - 40, "Devices over time", class_="heading"),
        legend(LEFT + 170, TOP - 40, _MARKS),
        text(RIGHT, BOTTOM + 38, _totals(file, numbers), class_="small right"),
    ]
    parts += _bands(file, x)
    for tick in y.ticks():
        parts.append(line((LEFT, y.at(tick)), (RIGHT, y.at(tick)), "grid"))
        parts.append(text(LEFT - 8, y.at(tick) + 4, f"{tick:,}", class_="small right"))
    for tick, label in x.time_ticks().items():
        parts.append(line((x.at(tick), BOTTOM), (x.at(tick), BOTTOM + 5), "axis"))
        parts.append(text(x.at(tick), BOTTOM + 19, label, class_="small middle"))
    parts.append(line((LEFT, BOTTOM), (RIGHT, BOTTOM), "axis"))
    times = [(one - begin).total_seconds() for one in evidence.rounds]
    for (class_, _), column in zip(_LINES, numbers, strict=True):
        points = [(x.at(max(0.0, at)), y.at(number)) for at, number in zip(times, column, strict=True)]
        parts.append(steps([(LEFT, BOTTOM), *points, (RIGHT, points[-1][1] if points else BOTTOM)], class_))
    parts += _marks(file, x)
    return "".join(parts)


def _totals(file: RecordFile, numbers: list[list[int]]) -> str:
    plan = file.first(FrozenPlan)
    planned = [f"{plan.planned:,} planned"] if plan else []
    last = (column[-1] if column else 0 for column in numbers)
    return ", ".join([*planned, *(f"{number:,} {name}" for (name, _), number in zip(_LINES, last, strict=True))])


def _bands(file: RecordFile, x: Scale) -> Iterator[str]:
    begin, plan = file.entries[0].at, file.first(FrozenPlan)
    starts: dict[int, float] = {}
    for place, job in file.of(JobCreated):
        if job.purpose is JobPurpose.WAVE:
            starts.setdefault(job.wave, x.at(max(0.0, (file.entries[place].at - begin).total_seconds())))
    ordered = sorted(starts.items())
    for place, (number, start) in enumerate(ordered):
        end = ordered[place + 1][1] if place + 1 < len(ordered) else RIGHT
        width = max(0.0, end - start)
        wave = plan.wave(number) if plan else None
        names = [*([f"wave {number}: {wave.text}", wave.text] if wave else []), f"{number}", ""]
        class_ = f"band {'odd' if place % 2 else 'even'}"
        yield tag("rect", x=start, y=TOP, width=width, height=BOTTOM - TOP, class_=class_)
        name = next(name for name in names if len(name) * LETTER <= width)
        if name:
            yield text(start + width / 2, TOP - 8, name, class_="small middle")


def _cumulative(evidence: Evidence, rules: Rules) -> list[list[int]]:
    """Give, after each round, how many had started, had succeeded and had failed, of those that count."""
    started, succeeded, failed = Counter[int](), Counter[int](), Counter[int]()
    for place, code in enumerate(evidence.outcomes):
        outcome, end = OUTCOMES[code], evidence.ended[place]
        is_failure = outcome in rules.counts
        if end != UNENDED and outcome is not DeviceOutcome.SUCCEEDED and not is_failure:
            continue
        started[evidence.started[place]] += 1
        if place in evidence.corrected:
            succeeded[end] += 1
            succeeded[evidence.corrected[place]] -= 1
            failed[evidence.corrected[place]] += is_failure
        elif end != UNENDED:
            (failed if is_failure else succeeded)[end] += 1
    rounds = range(len(evidence.rounds))
    return [list(accumulate(one[number] for number in rounds)) for one in (started, succeeded, failed)]


def _marks(file: RecordFile, x: Scale) -> Iterator[str]:
    begin = file.entries[0].at
    for entry in file.entries:
        if class_ := _class_of(entry.content):
            at = x.at(max(0.0, (entry.at - begin).total_seconds()))
            bottom = BOTTOM if class_ == "mark halt" else TOP + 14
            yield line((at, TOP), (at, bottom), class_)


def _class_of(content: Content) -> str:
    match content:
        case VerdictGiven() if content.verdict.decision is Decision.HALT and content.verdict.is_binding:
            return "mark halt"
        case VerdictGiven() if content.verdict.decision is Decision.HOLD:
            return "mark hold"
        case ControlNote():
            return "mark halt" if content.verb is ControlVerb.HALT else "mark person"
        case ApprovalAnswered():
            return "mark person"
        case _:
            return ""
