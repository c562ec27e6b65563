"""An Airflow of its own for each process of a run: a fresh home, SQLite, no examples."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadFileScheduling

# How long an example takes says nothing on a machine that does other work.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
_HOME = tempfile.mkdtemp(prefix="tuya-ota-tests-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)

# Airflow reads its configuration when it is first imported, which test modules do while they are collected.
os.environ.update(
    {
        "AIRFLOW_HOME": _HOME,
        # The key of the unit-test mode is short enough to draw a warning, and warnings are errors.
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
        "AIRFLOW__CORE__DAGS_FOLDER": str(Path(__file__).parents[1] / "dags_examples"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_HOME}/airflow.db",
    }
)


LONGEST = "campaigns/test_in_airflow.py"
"""It lasts as long as all others together that start a real Airflow."""


def _starts_airflow(path: Path) -> bool:
    return "mark.system" in path.read_text(encoding="utf-8")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let two of several workers begin with all that starts a real Airflow, while the others do the rest."""
    if hasattr(config, "workerinput"):
        last = {path: not _starts_airflow(path) for path in {item.path for item in items}}
        items.sort(key=lambda item: last[item.path])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """Keep the tests of a file together, and all that start a real Airflow in two groups that last about as long.

    They wait for most of their time. More of them at once would take each other's time.
    """
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415 - not needed where tests run one after the other

    class Scheduler(LoadFileScheduling):  # type: ignore[misc] # xdist ships no types
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            if not starts_airflow(file):
                return file
            return "airflow of campaigns" if file.endswith(LONGEST) else "airflow of all others"

    @cache
    def starts_airflow(file: str) -> bool:
        return _starts_airflow(config.rootpath / file)

    return Scheduler(config, log)
