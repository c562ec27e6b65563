"""An Airflow of its own for the whole run: a fresh home, SQLite, no examples."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import tempfile
from pathlib import Path

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
