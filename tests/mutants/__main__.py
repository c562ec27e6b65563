"""Mutation testing: changes the code a little, many times over, and says which changes no test notices.

Run with ``python -m tests.mutants [--sample N] [FILE …]``.
"""

from __future__ import annotations

import argparse
import ast
import random
import sys
import time
from typing import Final

import pytest

from tests.mutants.mutation import Mutant, mutants_of
from tests.mutants.rooms import PACKAGE, ROOMS, Room
from tests.mutants.session import Result, Session
from tests.mutants.survivors import ROOT, SURVIVORS, read_reasons, report

SEED: Final = 20260101


def main() -> int:
    """Run, print a table, and fail where a survivor is not listed or a file is below the least share."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", help="only these files or folders, below the package")
    parser.add_argument("--sample", type=int, default=0, help="so many mutants of each file; all by default")
    parser.add_argument("--jobs", type=int, default=2, help="processes at a time")
    parser.add_argument("--tests", nargs="*", default=[], help="only these test files")
    parser.add_argument("--only", default="", help="only mutants whose name holds this")
    options = parser.parse_args()
    began = time.monotonic()
    results: list[Result] = []
    for room in ROOMS:
        trees, mutants = _planned(room, options.files, options.sample, options.only)
        if mutants:
            print(f"{room.name}: {len(mutants)} mutants", flush=True)
            results += _run(room, trees, mutants, options)
    lines, is_good = report(results, read_reasons(SURVIVORS))
    print(*lines, f"{len(results)} mutants in {time.monotonic() - began:.0f} s", sep="\n")
    return 0 if is_good else 1


def _planned(room: Room, files: list[str], sample: int, only: str) -> tuple[dict[str, ast.Module], list[Mutant]]:
    trees: dict[str, ast.Module] = {}
    mutants: list[Mutant] = []
    for path in room.files(ROOT):
        name = str(path.relative_to(ROOT))
        inside = name.removeprefix(f"{PACKAGE}/")
        if name in trees:
            continue
        if files and not any(inside == file or inside.startswith(f"{file.rstrip('/')}/") for file in files):
            continue
        trees[name] = ast.parse(path.read_text(encoding="utf-8"))
        found = [mutant for mutant in mutants_of(name, trees[name]) if only in mutant.name]
        if sample and len(found) > sample:
            chosen = random.Random(f"{SEED} {name}").sample(range(len(found)), sample)  # noqa: S311 - a sample, no secret
            found = [found[at] for at in sorted(chosen)]
        mutants += found
    return trees, mutants


def _run(room: Room, trees: dict[str, ast.Module], mutants: list[Mutant], options: argparse.Namespace) -> list[Result]:
    results: list[Result] = []

    def on_result(result: Result) -> None:
        results.append(result)
        if not result.killer and result.is_patched:
            print(f"  survived, line {result.mutant.line}, {result.tests} tests: {result.mutant.name}", flush=True)

    about = {name: options.tests or room.test_files(ROOT, name.removeprefix(f"{PACKAGE}/")) for name in trees}
    session = Session(ROOT, mutants, trees, about, on_result, jobs=options.jobs, is_certain=room.is_certain)
    arguments = [
        *sorted({file for files in about.values() for file in files}),
        "-q",
        "-s",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-p",
        "no:cov",
    ]
    arguments += ["-m", "not airflow and not system and not program", "--no-header", "--no-summary"]
    code = pytest.main(arguments, plugins=[session])
    if session.error or not results:
        sys.exit(f"{room.name}: {session.error or f'pytest ended with {code}'}")
    return results


if __name__ == "__main__":
    sys.exit(main())
