"""Refuse import circles between modules, `TYPE_CHECKING` imports included: `python .ci/import_circles.py [PACKAGE]`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import grimp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE = "airflow_provider_tuya_ota"


def circles(imports: Mapping[str, frozenset[str]]) -> Iterator[frozenset[str]]:
    """Give each group of modules that import each other, directly or through others.

    :param imports: by module, the modules that it imports.
    """
    left = set(imports)
    while left:
        start = left.pop()
        group = _reachable(start, imports) & _reachable(start, _reversed(imports))
        left -= group
        if group:
            yield group | {start}


def _reachable(start: str, imports: Mapping[str, frozenset[str]]) -> frozenset[str]:
    found: set[str] = set()
    queue = list(imports.get(start, ()))
    while queue:
        module = queue.pop()
        if module not in found:
            found.add(module)
            queue += imports.get(module, ())
    return frozenset(found)


def _reversed(imports: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    importers: dict[str, set[str]] = {module: set() for module in imports}
    for module, imported in imports.items():
        for other in imported:
            importers[other].add(module)
    return {module: frozenset(others) for module, others in importers.items()}


def main(package: str) -> int:
    """Print every circle.

    :returns: how many there are, at most 1.
    """
    graph = grimp.build_graph(package, exclude_type_checking_imports=False, cache_dir=None)
    imports = {module: frozenset(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    found = [sorted(circle) for circle in circles(imports)]
    for circle in sorted(found):
        print("Modules that import each other; move what they share to a module below both:")
        for module in circle:
            print(f"  {module} imports {', '.join(sorted(imports[module] & frozenset(circle)))}")
    return min(1, len(found))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:] or [PACKAGE]))
