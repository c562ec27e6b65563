"""How often the gate is wrong: exactly, for waves judged after each outcome, and simulated, where outcomes are late.

``python -m benchmarks.gate_error_rates [RUNS]`` prints the boundaries, the exact rates of false halts and false
promotions at and around the ceiling, and what late outcomes do to rule P and to a rule that takes only the devices with
an outcome. It fails where a rate is above the stated one.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Final

from rich.console import Console
from rich.table import Table

from airflow_provider_tuya_ota.rollout.gate.boundaries import boundaries_for
from airflow_provider_tuya_ota.rollout.gate.error_rates import compute_rates
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.percent import render_percent
from benchmarks.gate_delays import SCENARIOS, by_outcomes, by_rule_p, simulate
from benchmarks.gate_strata import share_halted

RUNS: Final = 500
STATED: Final = Fraction(5, 100)
CEILINGS: Final = tuple(Fraction(percent, 100) for percent in (1, 2, 3, 5, 10))
WAVES: Final = (50, 500, 5000)
TIMES: Final = tuple(map(Fraction, ("0.2", "0.5", "0.8", "1", "1.2", "1.5", "2", "4", "10")))
"""True failure rates as multiples of the ceiling."""
DEVICES: Final = (2, 5, 10, 20, 30, 50, 81, 100, 150, 200, 300, 500, 1000)
CONSOLE: Final = Console(width=120)


def main() -> int:
    """Compute, simulate and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    print_boundaries()
    too_high = print_exact_rates()
    too_high += print_strata(20 * runs)
    too_high += print_delays(runs)
    CONSOLE.print("all rates are at most those stated" if not too_high else f"{too_high} rates are above those stated")
    return 1 if too_high else 0


def print_boundaries() -> None:
    """Print the boundaries at a ceiling of 5 %, and the first clean promotion at each ceiling."""
    boundaries = boundaries_for(STATED, STATED, STATED)
    table = Table("devices", *map(str, DEVICES), title="Boundaries at a ceiling of 5 %, error rates of 5 %")
    rows = [boundaries.row(devices) for devices in DEVICES]
    table.add_row("amber from", *(_shown(row.amber) for row in rows))
    table.add_row("halt from", *(_shown(row.halt) for row in rows))
    table.add_row("promote up to", *(_shown(row.promote) for row in rows))
    CONSOLE.print(table)
    table = Table("ceiling", *map(render_percent, CEILINGS), title="First clean promotion")
    table.add_row("devices", *(str(boundaries_for(one, STATED, STATED).first_clean_promotion) for one in CEILINGS))
    CONSOLE.print(table)


def print_exact_rates() -> int:
    """Print the exact rates; give how many are above those stated."""
    table = Table(
        "ceiling",
        "true rate",
        "wave",
        "ever halted",
        "ever promoted",
        "mean outcomes to halt",
        "",
        title="Exact rates, judged after each outcome",
    )
    too_high = 0
    for ceiling in CEILINGS:
        boundaries = boundaries_for(ceiling, STATED, STATED)
        for times in TIMES if ceiling == STATED else TIMES[2:5]:
            for wave in WAVES:
                rates = compute_rates(boundaries, wave, float(ceiling * times))
                false_halt = times <= 1 and rates.ever_halted > STATED
                false_promotion = times >= 1 and rates.ever_promoted > STATED
                too_high += false_halt + false_promotion
                table.add_row(
                    render_percent(ceiling),
                    render_percent(ceiling * times),
                    f"{wave:,}",
                    f"{rates.ever_halted:.4%}",
                    f"{rates.ever_promoted:.4%}",
                    "" if rates.mean_halt is None else f"{rates.mean_halt:.0f}",
                    "too high" if false_halt or false_promotion else "",
                )
    CONSOLE.print(table)
    return too_high


def print_strata(runs: int) -> int:
    """Print how often a release at its ceiling is halted where one red stratum halts it; give how many are too high."""
    table = Table(
        "ceiling", "strata", "ever halted", "", title=f"2,000 devices at the ceiling, {runs} seeded runs each"
    )
    limit = 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5
    too_high = 0
    for ceiling in ("5%", "20%", "50%"):
        for strata in (2, 4):
            halted = share_halted(Gate(ceiling=ceiling, red_stratum="halt").rules, strata, 2000, runs)
            too_high += halted > limit
            table.add_row(ceiling, str(strata), f"{halted:.2%}", "too high" if halted > limit else "")
    CONSOLE.print(table)
    return too_high


def print_delays(runs: int) -> int:
    """Print what late outcomes do; give how many rates of rule P are above those stated.

    Simulated rates scatter, so a rate counts as too high where it is above the stated one by three standard deviations.
    """
    table = Table(
        "scenario, ceiling 5 %",
        "rule",
        "halted",
        "promoted",
        "undecided",
        "median minutes",
        "",
        title=f"500 devices in ten pulses, {runs} seeded runs each",
    )
    limit = runs * (0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5)
    too_high = 0
    for scenario in SCENARIOS:
        for name, rule in (("rule P", by_rule_p), ("outcomes only", by_outcomes)):
            found = simulate(scenario, range(runs), rule)
            wrong = (found.halted if scenario.rate <= float(STATED) else 0) > limit or (
                found.promoted if scenario.rate >= float(STATED) else 0
            ) > limit
            too_high += wrong and name == "rule P"
            minutes = "" if found.minutes is None else f"{found.minutes:.0f}"
            counts = (found.halted, found.promoted, found.undecided)
            table.add_row(scenario.name, name, *map(str, counts), minutes, "too high" if wrong else "")
    CONSOLE.print(table)
    return too_high


def _shown(number: int | None) -> str:
    return "-" if number is None else str(number)


if __name__ == "__main__":
    sys.exit(main())
