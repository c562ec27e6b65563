"""The results of all campaigns, in one table."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True)
class Row:
    """One kind of run.

    :param runs: how many there were.
    :param wrong: what was wrong in them, empty where nothing was.
    :param figures: what else was counted or measured.
    """

    campaign: str
    case: str
    runs: int
    wrong: list[str] = field(default_factory=list)
    figures: str = ""


def rows_of(campaign: str, results: Iterable[tuple[str, str, str]]) -> Iterator[Row]:
    """Count results of case, mode and what was wrong."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for case, mode, wrong in results:
        found[f"{case}, {mode}"].append(wrong)
    for case, all_wrong in found.items():
        yield Row(campaign, case, len(all_wrong), wrong=[wrong for wrong in all_wrong if wrong])


def table_of(rows: Iterable[Row]) -> Table:
    """Lay rows out."""
    table = Table("campaign", "case", "runs", "wrong", "figures", title="campaigns")
    for row in rows:
        table.add_row(row.campaign, row.case, str(row.runs), str(len(row.wrong)), row.figures)
        for wrong in row.wrong:
            table.add_row("", f"[red]{wrong}", "", "", "")
    return table
