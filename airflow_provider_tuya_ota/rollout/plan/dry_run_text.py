"""The list of a dry run as text for a terminal or a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.rollout.plan.duration import render_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_PULSES: Final = 12
"""Pulses of a wave that are shown; the rows of the dry run have all of them."""
_GAP: Final = "  "

Row = tuple[str, ...]


def render_dry_run(values: Mapping[str, Any]) -> str:
    """Write what :func:`list_dry_run` gave, with a line break at the end."""
    return "\n".join(_lines(values)) + "\n"


def _lines(values: Mapping[str, Any]) -> Iterator[str]:
    module = "" if values["module_name"] == "default" else f", module {values['module_name']}"
    yield f"Release {values['release_id']}: {values['version']} for product {values['product_key']}{module}"
    yield f"Plan {values['plan_digest'][:16]}, cohort {values['cohort_digest'][:16]}. Nothing was created or changed."
    yield from _section("Course", _course_rows(values["schedule"], values["gate"]))
    yield from _section("Cohort", _cohort_rows(values))
    yield from _section(
        "Strata",
        [
            ("stratum", "devices", "first pulse"),
            *((one["stratum"], _number(one["devices"]), _number(one["in_first_pulse"])) for one in values["strata"]),
        ],
    )
    yield from _section("Waves (earliest dates, UTC)", _wave_rows(values["waves"]))
    for wave in values["waves"]:
        yield f"{_GAP}{wave['number']} {wave['decides']}"
    yield from _section("Pulses (earliest dates, UTC)", _pulse_rows(values["waves"]))
    yield from _section("Requests", _request_rows(values["requests"]))
    yield from _section("Devices that a bad firmware reaches", _risk_rows(values["devices_at_risk"]))
    yield f"{_GAP}{_assumed(values['assumptions'])}"
    if values["warnings"]:
        yield ""
        yield "Warnings"
        yield from (f"{_GAP}- {warning}" for warning in values["warnings"])


def _course_rows(schedule: Mapping[str, Any], gate: Mapping[str, Any]) -> list[Row]:
    pace, hours, minutes = schedule["pace"], schedule["hours"], schedule["timeout_in_minutes"]
    growth = "doubling every" if pace["doubles"] else "as many every"
    most = "" if pace["at_most"] is None else f", at most {_number(pace['at_most'])}"
    confidence = gate["confidence"]
    both = confidence if isinstance(confidence, str) else f"{confidence['halt']} / {confidence['promote']}"
    return [
        ("pace", f"{_number(pace['first'])} first, {growth} {render_duration(pace['interval'])}{most}"),
        ("soak", render_duration(schedule["soak"])),
        *(("window", text) for text in hours["windows"] or ["always"]),
        *(("blackout", text) for text in hours["blackouts"]),
        ("device timeout", "none" if minutes is None else render_duration(minutes * 60)),
        ("gate", f"ceiling {gate['ceiling']}, confidence {both}"),
    ]


def _cohort_rows(values: Mapping[str, Any]) -> list[Row]:
    cohort = values["cohort"]
    return [
        ("candidates", _number(cohort["candidates"])),
        *((reason, f"-{_number(number)}") for reason, number in cohort["excluded"].items()),
        ("in the cohort", _number(cohort["devices"])),
        ("in waves", _number(cohort["in_waves"])),
    ]


def _wave_rows(waves: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [
        ("", "wave", "adds", "total", "jobs", "starts", "soaks until", ""),
        *(
            (
                str(wave["number"]),
                wave["wave"],
                _number(wave["adds"]) if wave["is_paceable"] else "?",
                _number(wave["total"]) if wave["is_paceable"] else "?",
                _number(wave["jobs"]),
                _minute(wave["starts_at"]),
                _minute(wave["soaks_until"]),
                "after approval" if wave["needs_approval"] else "",
            )
            for wave in waves
        ),
    ]


def _pulse_rows(waves: Sequence[Mapping[str, Any]]) -> list[Row]:
    rows: list[Row] = [("wave", "pulse", "devices", "jobs", "starts", "window closes")]
    for wave in waves:
        pulses = wave["pulses"]
        rows += (
            (
                str(wave["number"]),
                str(pulse["number"]),
                _number(pulse["devices"]) if wave["is_paceable"] else "?",
                _number(pulse["jobs"]),
                _minute(pulse["starts_at"]),
                _minute(pulse["closes_at"]) if pulse["closes_at"] else "never",
            )
            for pulse in pulses[:MOST_PULSES]
        )
        if pulses[MOST_PULSES:]:
            rows.append((str(wave["number"]), "...", f"{len(pulses) - MOST_PULSES} more"))
    return rows


def _request_rows(requests: Mapping[str, Any]) -> list[Row]:
    rate = f"{requests['requests_per_second']:g} a second"
    return [
        ("to plan", _number(requests["to_plan"])),
        ("to create jobs", _number(requests["to_create"])),
        ("to watch them", _number(requests["to_watch"])),
        (f"at {rate}", f"{_number(requests['minutes'])} min"),
    ]


def _risk_rows(risks: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [
        ("fails on", "all at once", "at this pace", "until held"),
        *(
            (
                f"{risk['bad_percent']} %",
                _number(risk["all_at_once"]),
                _number(risk["paced"]),
                _number(risk["until_hold"]),
            )
            for risk in risks
        ),
    ]


def _assumed(values: Mapping[str, Any]) -> str:
    begin, take = (
        render_duration(round(values[name])) for name in ("devices_begin_after_seconds", "devices_take_seconds")
    )
    return f"Means, if a device begins {begin} after its job was created on average, and takes {take}."


def _section(title: str, rows: Sequence[Row]) -> Iterator[str]:
    yield ""
    yield title
    columns = max(map(len, rows))
    widths = [max(len(row[at]) if at < len(row) else 0 for row in rows) for at in range(columns)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        yield f"{_GAP}{_GAP.join(cells)}".rstrip()


def _number(value: int) -> str:
    return f"{value:,}"


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")
