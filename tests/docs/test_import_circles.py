from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint(folder: Path, **modules: str) -> subprocess.CompletedProcess[str]:
    package = folder / "sample"
    package.mkdir()
    (package / "__init__.py").touch()
    for name, text in modules.items():
        (package / f"{name}.py").write_text(text)
    return subprocess.run(
        [sys.executable, str(ROOT / ".ci/import_circles.py"), "sample"],
        cwd=folder,
        env={"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "back",
    [
        "from sample import first",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from sample.first import First",
        "def load():\n    import sample.first",
    ],
)
def test_a_circle_is_refused_and_its_modules_are_named(tmp_path: Path, back: str) -> None:
    ended = lint(tmp_path, first="from sample import second", second="from sample import third", third=back)

    assert ended.returncode == 1
    assert [line.split()[0] for line in ended.stdout.splitlines()[1:]] == [
        "sample.first",
        "sample.second",
        "sample.third",
    ]


def test_imports_that_only_lead_downwards_are_accepted(tmp_path: Path) -> None:
    ended = lint(tmp_path, first="from sample import second, third", second="from sample import third", third="")

    assert (ended.returncode, ended.stdout) == (0, "")


def test_the_package_has_no_import_circle() -> None:
    ended = subprocess.run(
        [sys.executable, str(ROOT / ".ci/import_circles.py")], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout) == (0, "")
