"""Mutants that no test notices, each with the reason why that is right."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.mutants.rooms import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.mutants.session import Result

ROOT: Final = Path(__file__).parents[2]
SURVIVORS: Final = Path(__file__).with_name("survivors.toml")
LEAST: Final = 0.9
"""Share of the mutants of each file that tests must notice."""


def read_reasons(path: Path) -> dict[str, str]:
    """Read the list: the reason of each mutant by its name; several mutants may have one reason."""
    groups = tomllib.loads(path.read_text(encoding="utf-8")).get("survivors", [])
    return {f"{PACKAGE}/{name}": group["reason"] for group in groups for name in group["mutants"]}


def report(results: Sequence[Result], reasons: dict[str, str]) -> tuple[list[str], bool]:
    """Write a table with a line for each file.

    :returns: its lines, and whether no file is below the least share and no survivor is missing in the list.
    """
    by_file: defaultdict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.is_patched:
            by_file[result.mutant.path].append(result)
    lines, is_good = [f"{'file':44} mutants killed  share listed not listed"], True
    for file, some in sorted(by_file.items()):
        survivors = [result.mutant.name for result in some if not result.killer]
        listed = sum(name in reasons for name in survivors)
        share = 1 - len(survivors) / len(some)
        is_good = is_good and share >= LEAST and listed == len(survivors)
        counts = f"{len(some):7} {len(some) - len(survivors):6} {share:6.1%} {listed:6} {len(survivors) - listed:10}"
        lines.append(f"{file.removeprefix(f'{PACKAGE}/'):44} {counts}")
    lines += [
        f"listed as a survivor, but killed by {result.killer}: {result.mutant.name}"
        for result in results
        if result.killer and result.mutant.name in reasons
    ]
    return lines, is_good
