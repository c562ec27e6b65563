"""The command ``tuya-ota gate``: how many failures halt or promote a release, and what a wave can decide."""

from __future__ import annotations

import json
from dataclasses import asdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.gate.error_rates import compute_rates
from airflow_provider_tuya_ota.rollout.gate.gate import MOST_DEVICES, Gate
from airflow_provider_tuya_ota.rollout.percent import render_percent

if TYPE_CHECKING:
    import argparse

    from airflow_provider_tuya_ota.rollout.gate.boundaries import Boundaries, BoundaryRow

DEVICES: Final = (2, 5, 10, 20, 30, 50, 100, 150, 200, 300, 500, 1000, 2000, 5000)
TIMES: Final = tuple(map(Fraction, ("0.2", "0.5", "1", "1.5", "2", "4", "10")))
"""True failure rates for which a wave is computed, as multiples of the ceiling."""
MOST_COMPUTED: Final = 5000
"""Outcomes that are followed."""
FAILURES_FOLLOWED: Final = 250
"""Failures at the ceiling that are followed: the time grows with outcomes times failures."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``tuya-ota gate``."""
    parser.add_argument("--ceiling", default="5%", help="highest acceptable failure rate; %(default)s by default")
    parser.add_argument(
        "--confidence", default="95%", help="how rarely the gate may be wrong, on each side; %(default)s by default"
    )
    parser.add_argument("--devices", type=int, help="devices of a wave: also print what it can decide by itself")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def run(arguments: argparse.Namespace) -> int:
    """Print the boundaries; with ``--devices``, also what a wave of so many devices can decide."""
    gate = Gate(ceiling=arguments.ceiling, confidence=arguments.confidence)
    values = _values(gate, arguments.devices)
    if arguments.json:
        print(json.dumps(values, indent=2))
    else:
        _print_tables(gate, values)
    return 0


def _values(gate: Gate, devices: int | None) -> dict[str, Any]:
    boundaries = gate.rules.boundaries
    numbers = sorted({*DEVICES, boundaries.first_halt, boundaries.first_clean_promotion})
    values: dict[str, Any] = {
        "ceiling": gate.ceiling,
        "confidence": gate.confidence,
        "first_halt": boundaries.first_halt,
        "first_clean_promotion": boundaries.first_clean_promotion,
        "boundaries": [asdict(boundaries.row(number)) for number in numbers],
    }
    if devices is not None:
        if not 1 <= devices <= MOST_DEVICES:
            allowed = f"a number from 1 to {MOST_DEVICES}"
            raise InvalidParameterError(field="--devices", problem=f"{devices} is not allowed", allowed=allowed)
        values["wave"] = _wave(gate, boundaries, devices)
    return values


def _wave(gate: Gate, boundaries: Boundaries, devices: int) -> dict[str, Any]:
    outcomes = min(devices, MOST_COMPUTED, int(FAILURES_FOLLOWED / gate.rules.ceiling))
    rates = [
        {**asdict(computed), "undecided": computed.undecided}
        for times in TIMES
        if (rate := gate.rules.ceiling * times) < 1
        for computed in [compute_rates(boundaries, outcomes, float(rate))]
    ]
    row = boundaries.row(devices)
    return {**asdict(row), "decidability": _decidability(boundaries, row), "rates": rates}


def _decidability(boundaries: Boundaries, row: BoundaryRow) -> str:
    """Say in a sentence what a wave can decide by itself."""
    if row.promote is None:
        first = boundaries.first_clean_promotion
        promotes = f"cannot promote by itself: that takes {first} devices without a failure, or a person"
    else:
        promotes = f"promotes with at most {row.promote} failed"
    halts = "cannot halt" if row.halt is None else f"halts from {row.halt} failed on"
    return f"A wave of {row.devices} {promotes}. It {halts}."


def _print_tables(gate: Gate, values: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415 - the other commands print no tables
    from rich.table import Table  # noqa: PLC0415 - as above

    console = Console(highlight=False, markup=False)
    wave = values.get("wave")
    title = (
        f"Ceiling {render_percent(gate.rules.ceiling)}, confidence {gate.confidence}: failures among the first started"
    )
    table = Table("devices", "hold (amber) from", "halt from", "promote up to", title=title)
    for row in values["boundaries"]:
        table.add_row(f"{row['devices']:,}", *(_shown(row[name]) for name in ("amber", "halt", "promote")))
    console.print(table)
    console.print(f"First halt: {values['first_halt']} devices that all fail.")
    console.print(f"First clean promotion: {values['first_clean_promotion']} devices without a failure.")
    if wave:
        console.print(wave["decidability"])
        outcomes = wave["rates"][0]["devices"]
        table = Table(
            "true failure rate",
            "promoted",
            "halted",
            "undecided",
            "mean outcomes to a halt",
            title=f"What becomes of {outcomes:,} outcomes, judged after each (exact)",
        )
        for rate in wave["rates"]:
            shares = (f"{rate[name]:.2%}" for name in ("promoted", "halted", "undecided"))
            mean = "-" if rate["mean_halt"] is None else f"{rate['mean_halt']:.0f}"
            table.add_row(render_percent(Fraction(rate["failure_rate"]).limit_denominator(10**6)), *shares, mean)
        console.print(table)


def _shown(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
