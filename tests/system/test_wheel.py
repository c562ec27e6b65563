"""The wheel works where nothing but what it declares is installed: no tests, no tools, no checkout."""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = "airflow-provider-tuya-ota"
DAGS = {path.stem for path in (ROOT / "dags_examples").glob("*.py")}
IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
import airflow_provider_tuya_ota as package
for module in pkgutil.walk_packages(package.__path__, "airflow_provider_tuya_ota."):
    # pytest alone loads its plugin; a __main__ runs a command.
    if not module.name.endswith(("pytest_plugin", "__main__")) and ".example_dags" not in module.name:
        importlib.import_module(module.name)
print(package.__file__)
"""
PARSE = """
import sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(dag_folder=sys.argv[1], bundle_name="samples")
assert bag.import_errors == {}, bag.import_errors
print(*sorted(bag.dags))
"""
pytestmark = pytest.mark.program


@dataclass(frozen=True)
class Clean:
    """A virtual environment with the wheel and what it declares.

    :param folder: of the environment.
    :param home: of Airflow.
    """

    folder: Path
    home: Path

    @property
    def site(self) -> Path:
        return self.folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"

    def run(self, program: str, *arguments: str) -> str:
        ended = subprocess.run(
            [str(self.folder / "bin" / program), *arguments],
            cwd=self.home,
            # Nothing of this environment: neither its paths nor its Airflow.
            env={"AIRFLOW_HOME": str(self.home), "HOME": str(self.home), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout


def declared(requirement: Requirement, found: dict[str, set[str]]) -> None:
    """Collect what a requirement brings, with the extras that are asked of it."""
    name = re.sub(r"[-_.]+", "-", requirement.name).lower()
    extras = requirement.extras
    if name in found and extras <= found[name]:
        return
    found.setdefault(name, set()).update(extras)
    for line in distribution(name).requires or ():
        needed = Requirement(line)
        if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            declared(needed, found)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    folder = tmp_path_factory.mktemp("clean")
    (folder / "home").mkdir()
    environment = Clean(folder / "venv", folder / "home")
    venv.create(environment.folder, with_pip=False)
    brought: dict[str, set[str]] = {}
    for line in distribution(PROJECT).requires or ():
        declared(Requirement(line), brought)
    for name in brought:
        installed = distribution(name)
        for top in {path.parts[0] for path in installed.files or ()} - {"..", "__pycache__"}:
            if not (environment.site / top).exists():
                (environment.site / top).symlink_to(Path(str(installed.locate_file(top))))
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    install = [sys.executable, "-m", "pip", "--python", str(environment.folder / "bin/python"), "install"]
    subprocess.run([*install, "--no-deps", "--no-index", "--quiet", str(wheel)], check=True, capture_output=True)
    return environment


def test_nothing_that_only_tests_need_is_there(clean: Clean) -> None:
    names = {path.name for path in clean.site.iterdir()}

    assert {"airflow", "airflow_provider_tuya_ota", "requests"} <= names
    assert names & {"pytest", "hypothesis", "ruff", "build", "tests", "dags_examples"} == set()


def test_every_module_of_the_wheel_can_be_imported(clean: Clean) -> None:
    assert clean.run("python", "-c", IMPORT_EVERYTHING).strip().startswith(str(clean.site))


def test_the_command_of_the_wheel_explains_the_emulator(clean: Clean) -> None:
    assert "--scenario FILE" in clean.run("tuya-ota", "emulator", "--help")


def test_airflow_parses_the_sample_dags_of_the_wheel(clean: Clean) -> None:
    samples = clean.site / "airflow_provider_tuya_ota/example_dags"

    assert set(clean.run("python", "-c", PARSE, str(samples)).splitlines()[-1].split()) == DAGS
