"""Every campaign in its long form, and one table: ``python -m tests.campaigns [crash|two_runs|kill|…]``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from tests.campaigns import (
    canary,
    crash,
    crash_for_real,
    crowd,
    ends,
    halts,
    hostile,
    job_sets,
    kill,
    records,
    sharing,
    two_runs,
    two_runs_for_real,
    waits,
    windows,
)
from tests.campaigns.field import open_field
from tests.campaigns.table import Row, rows_of, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator

STORIES, CRASHES, PAIRS, ROUNDS, CROWD, WAITS, SHARING, YEARS = 5000, 40, 32, 2, 300, 1000, 120.0, 3
FLIPS, RELEASES, HALTS, SETS = 1000, 200, 500, 1000


def _crash() -> Iterator[Row]:
    yield from crash.rows(STORIES)
    with open_field() as field:
        yield from rows_of("crash, in Airflow", crash_for_real.campaign(field, CRASHES))


def _two_runs() -> Iterator[Row]:
    yield from two_runs.rows(STORIES)
    with open_field() as field:
        yield from rows_of("two runs, in Airflow", two_runs_for_real.campaign(field, PAIRS))


def _kill() -> Iterator[Row]:
    with open_field() as field:
        yield from rows_of("kill, in Airflow", kill.campaign(field, ROUNDS))
        yield crowd.play(field, "crowd", CROWD)


def _hostile() -> Iterator[Row]:
    with open_field() as field:
        yield from rows_of("hostile texts, in Airflow", hostile.campaign(field))


def _job_sets() -> Iterator[Row]:
    yield from job_sets.rows(SETS)


def _waits() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        yield from waits.rows(WAITS, Path(folder))


def _sharing() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        for processes in (2, 3):
            yield from sharing.rows(Path(folder), processes=processes, seconds=SHARING)


def _windows() -> Iterator[Row]:
    yield from windows.rows(YEARS)


def _records() -> Iterator[Row]:
    yield from records.rows(FLIPS, RELEASES)


def _halts() -> Iterator[Row]:
    yield from halts.rows(HALTS)


CAMPAIGNS = {
    "crash": _crash,
    "two_runs": _two_runs,
    "kill": _kill,
    "ends": ends.rows,
    "hostile": _hostile,
    "job_sets": _job_sets,
    "waits": _waits,
    "sharing": _sharing,
    "records": _records,
    "halts": _halts,
    "canary": canary.rows,
    "windows": _windows,
}


def main() -> int:
    """Print the table; the exit status says whether everything was right."""
    rows: list[Row] = []
    for name in sys.argv[1:] or CAMPAIGNS:
        for row in CAMPAIGNS[name]():
            rows.append(row)
            print(row, file=sys.stderr, flush=True)  # noqa: T201 - a command prints
    console = Console()
    console.print(table_of(rows))
    return 1 if any(row.wrong for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
