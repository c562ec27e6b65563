"""Refuse import circles between modules, `TYPE_CHECKING` imports included: `python .ci/import_circles.py [PACKAGE]`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import grimp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE = "airflow_provider_tuya_ota"
KNOWN: Mapping[str, str] = {
    "operators.firmware": "the operator and its worker half are being joined",
    "operators.keeping": "the operator and its worker half are being joined",
    "operators.module": "the operator and its worker half are being joined",
    "operators.packaging": "the operator and its worker half are being joined",
    "operators.job": "the operator and its worker half are being joined",
    "operators.verifying": "the operator and its worker half are being joined",
    "operators.task": "the operator and its worker half are being joined",
    "operators.tasking": "the operator and its worker half are being joined",
    "operators.upgrade": "the operator and its worker half are being joined",
    "operators.upgrading": "the operator and its worker half are being joined",
    "sensors.device": "the sensor and its worker half are being joined",
    "sensors.firmware": "the sensor and its worker half are being joined",
    "sensors.states": "the sensor and its worker half are being joined",
    "sensors.job": "the sensor and its worker half are being joined",
    "sensors.looking": "the sensor and its worker half are being joined",
    "runtime.drain": "the drain and its job are being parted",
    "runtime.job": "the drain and its job are being parted",
}
"""By module below the package: why it may still stand in a circle."""


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
    known = {f"{package}.{module}" for module in KNOWN}
    unexpected = [circle - known for circle in circles(imports) if circle - known]
    for circle in sorted(map(sorted, unexpected)):
        print("Modules that import each other; move what they share to a module below both:")
        for module in circle:
            print(f"  {module} imports {', '.join(sorted(imports[module] & frozenset(circle)))}")
    return min(1, len(unexpected))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:] or [PACKAGE]))
