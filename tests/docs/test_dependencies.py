"""What the package imports is what it declares."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "airflow_provider_tuya_ota"
BROUGHT = {
    "airflow": {"apache-airflow"},
    "airflow.providers.common.compat": {"apache-airflow-providers-common-compat"},
    # Airflow itself requires it, and its task groups are written with it.
    "airflow.providers.standard": {"apache-airflow"},
    # The plugin is loaded by pytest alone, which is there then.
    "pytest": set[str](),
}
"""By module, the distribution that brings it, where their names differ."""
NOT_IMPORTED = {
    # starlette reads forms with it.
    "python-multipart",
}


def modules(folder: Path) -> dict[str, str]:
    """Give each module that is imported from outside the package, with a file that does so."""
    found: dict[str, str] = {}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path} imports relatively"
                names = [node.module or ""]
            for name in names:
                root = name.partition(".")[0]
                if root not in sys.stdlib_module_names and root != PACKAGE.name:
                    found[name] = str(path.relative_to(ROOT))
    return found


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {re.split(r"[<>=!~\[; ]", line)[0].lower() for line in project["dependencies"]}


def distributions(module: str) -> set[str]:
    """Say which distributions bring a module."""
    for known in sorted(BROUGHT, key=len, reverse=True):
        if module == known or module.startswith(f"{known}."):
            return BROUGHT[known]
    return {name.lower() for name in packages_distributions().get(module.partition(".")[0], ["nothing"])}


def test_everything_that_is_imported_is_declared() -> None:
    imported = {**modules(PACKAGE), **modules(ROOT / "dags_examples")}
    missing = {
        f"{module} ({file})"
        for module, file in imported.items()
        if distributions(module) and not distributions(module) & declared()
    }

    assert missing == set()


def test_everything_that_is_declared_is_imported() -> None:
    used = {name for module in modules(PACKAGE) for name in distributions(module)}

    assert declared() - used == NOT_IMPORTED
