"""Compute the tables of the gate's page and draw its boundaries: ``python docs/generate_gate.py``."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.gate.boundaries import boundaries_for
from airflow_provider_tuya_ota.rollout.gate.error_rates import compute_rates
from airflow_provider_tuya_ota.rollout.percent import render_percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs/gate.md"
PICTURE: Final = ROOT / "docs/images/gate-boundaries.svg"
FIVE: Final = Fraction(5, 100)
DEVICES: Final = (2, 5, 10, 20, 30, 50, 81, 100, 150, 200, 300, 500, 1000)
CEILINGS: Final = tuple(Fraction(percent, 100) for percent in (1, 2, 3, 5, 10))
RATES: Final = tuple(Fraction(per_mille, 1000) for per_mille in (10, 25, 40, 50, 60, 100, 200, 500))
WAVES: Final = (50, 500, 5000)

STYLE: Final = (
    ".h{fill:#f7d9d6;stroke:#b8483c}.a{fill:#fbeccb;stroke:#c08a1e}.u{fill:#eef1f4;stroke:none}"
    ".p{fill:#d8eedd;stroke:#3f8f57}.x{stroke:#8899aa}text{fill:#1b2733}"
    "@media (prefers-color-scheme:dark){.h{fill:#4a211d;stroke:#d9756a}.a{fill:#453413;stroke:#d3a458}"
    ".u{fill:#1d2530;stroke:none}.p{fill:#173422;stroke:#6fbf87}text{fill:#e6edf3}}"
)
FONT: Final = 'font-family="system-ui, sans-serif" font-size="14" role="img"'
LABEL: Final = (
    "Boundaries at a ceiling of 5 %: from above, halt, hold while amber, undecided, promote; they widen to the right"
)
MOST_DEVICES, MOST_FAILURES = 500, 60
LEFT, TOP, WIDTH, HEIGHT = 60, 20, 720, 300


def tables() -> dict[str, str]:
    """Give the computed tables of the page by name."""
    boundaries = boundaries_for(FIVE, FIVE, FIVE)
    rows = [boundaries.row(devices) for devices in DEVICES]
    first = [boundaries_for(ceiling, FIVE, FIVE).first_clean_promotion for ceiling in CEILINGS]
    return {
        "boundaries": _table(
            ["Devices", *DEVICES],
            [
                ["Hold (amber) from", *(row.amber for row in rows)],
                ["Halt from", *(row.halt for row in rows)],
                ["Promote up to", *(row.promote for row in rows)],
            ],
        ),
        "first clean promotion": _table(
            ["Ceiling", *map(render_percent, CEILINGS)], [["Devices without a failure that promote", *first]]
        ),
        "rates": _table(
            [
                "True failure rate",
                *("Ever halted, of 50 devices", "of 500", "of 5,000"),
                *("Ever promoted, of 50 devices", "of 500", "of 5,000"),
                "Outcomes to a halt, on average (5,000)",
            ],
            map(_rates, RATES),
        ),
    }


def _rates(rate: Fraction) -> list[object]:
    computed = [compute_rates(boundaries_for(FIVE, FIVE, FIVE), wave, float(rate)) for wave in WAVES]
    halted = (f"{100 * one.ever_halted:.2f} %" for one in computed)
    promoted = (f"{100 * one.ever_promoted:.2f} %" for one in computed)
    return [render_percent(rate), *halted, *promoted, round(computed[-1].mean_halt or 0)]


def _table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join("-" if cell is None else str(cell) for cell in line) + " |" for line in lines)


def picture() -> str:
    """Draw halt, amber and promotion over the number of devices."""
    boundaries = boundaries_for(FIVE, FIVE, FIVE)
    rows = [boundaries.row(devices) for devices in range(1, MOST_DEVICES + 1)]
    halt = [MOST_FAILURES if row.halt is None else row.halt for row in rows]
    amber = [MOST_FAILURES if row.amber is None else row.amber for row in rows]
    promote = [0 if row.promote is None else row.promote + 1 for row in rows]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 370" {FONT} aria-label="{LABEL}">',
        f"<style>{STYLE}</style>",
        f'<rect class="u" x="{LEFT}" y="{TOP}" width="{WIDTH}" height="{HEIGHT}"/>',
        _area("a", amber, MOST_FAILURES),
        _area("h", halt, MOST_FAILURES),
        _area("p", promote, 0),
        _text(90, 46, "halt"),
        _text(415, 28, "amber: hold"),
        _text(330, 16, "undecided"),
        _text(420, 3, "promote"),
    ]
    lines += [_text(devices, -4.5, str(devices), "middle") for devices in range(0, MOST_DEVICES + 1, 100)]
    lines += [_text(-4, failures - 1, str(failures), "end") for failures in range(0, MOST_FAILURES + 1, 20)]
    lines += [
        _text(MOST_DEVICES / 2, -9, "devices, in the order of their start", "middle"),
        f'<text transform="rotate(-90)" x="{-TOP - HEIGHT / 2:.0f}" y="16" text-anchor="middle">failures</text>',
    ]
    return "\n".join([*lines, "</svg>", ""])


def _area(kind: str, edge: Sequence[int], far: int) -> str:
    """Fill between a boundary and the far edge of the picture; a path with a step wherever the boundary changes."""
    steps = [f"M{_x(0)} {_y(far)} L{_x(0)} {_y(edge[0])}"]
    for devices, (before, now) in enumerate(zip(edge, [*edge[1:], edge[-1]], strict=True), start=1):
        if now != before or devices == len(edge):
            steps.append(f"H{_x(devices)} V{_y(now)}")
    return f'<path class="{kind}" d="{" ".join(steps)} V{_y(far)} Z"/>'


def _x(devices: float) -> str:
    return f"{LEFT + WIDTH * devices / MOST_DEVICES:.1f}"


def _y(failures: float) -> str:
    return f"{TOP + HEIGHT * (1 - failures / MOST_FAILURES):.1f}"


def _text(devices: float, failures: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{_x(devices)}" y="{_y(failures)}" text-anchor="{anchor}">{text}</text>'


def page() -> str:
    """Give the page with today's tables, each between its two marks."""
    text = PAGE.read_text("utf-8")
    for name, table in tables().items():
        head, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, tail = rest.partition(f"<!-- end of {name} -->")
        text = f"{head}{begin}\n{table}\n\n{end}{tail}"
    return text


def main() -> None:
    """Write the picture and the page."""
    PICTURE.write_text(picture(), "utf-8")
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
