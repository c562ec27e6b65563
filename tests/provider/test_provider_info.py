import importlib
import json
import subprocess
import sys
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from airflow_provider_tuya_ota import __version__
from airflow_provider_tuya_ota.core.settings import EXTRA_FIELDS
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.provider_info import get_provider_info

ROOT = Path(__file__).parents[2]


def test_airflow_accepts_the_description() -> None:
    schema = json.loads(files("airflow").joinpath("provider_info.schema.json").read_text())

    jsonschema.validate(get_provider_info(), schema)


def test_the_entry_point_leads_to_the_description() -> None:
    (entry,) = [
        entry
        for entry in entry_points(group="apache_airflow_provider")
        if entry.value.startswith("airflow_provider_tuya_ota")
    ]

    assert entry.load()()["versions"] == [__version__]


def test_the_form_offers_exactly_the_extras_that_the_hook_accepts() -> None:
    (connection,) = get_provider_info()["connection-types"]

    assert set(connection["conn-fields"]) == set(EXTRA_FIELDS)


def test_the_form_belongs_to_the_hook_and_its_connection_type() -> None:
    (connection,) = get_provider_info()["connection-types"]
    module, _, name = connection["hook-class-name"].rpartition(".")

    assert getattr(importlib.import_module(module), name) is TuyaOTAHook
    assert connection["connection-type"] == TuyaOTAHook.conn_type
    assert connection["hook-name"] == TuyaOTAHook.hook_name


@pytest.mark.parametrize("kind", ["operators", "sensors", "hooks", "triggers"])
def test_every_named_module_exists(kind: str) -> None:
    for entry in get_provider_info()[kind]:
        for module in entry["python-modules"]:
            importlib.import_module(module)


@pytest.mark.parametrize("kind", ["notifications", "extra-links"])
def test_every_named_class_exists(kind: str) -> None:
    for path in get_provider_info()[kind]:
        module, _, name = path.rpartition(".")
        assert isinstance(getattr(importlib.import_module(module), name), type)


def test_describing_the_provider_imports_nothing_else_of_it() -> None:
    program = (
        "import sys; from airflow_provider_tuya_ota.provider_info import get_provider_info; get_provider_info();"
        "print(sorted(name for name in sys.modules if name.startswith(('airflow', 'requests', 'aiohttp'))))"
    )

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert loaded.strip() == "['airflow_provider_tuya_ota', 'airflow_provider_tuya_ota.provider_info']"


PARSE = """
import airflow.sdk, importlib, pkgutil, runpy, sys
before = set(sys.modules)
for room in ("operators", "sensors", "notifications"):
    package = importlib.import_module(f"airflow_provider_tuya_ota.{room}")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
for sample in sys.argv[1:]:
    runpy.run_path(sample)
print(*sorted(set(sys.modules) - before), sep="\\n")
"""
"""Parses the sample Dags, beside every operator, sensor and notifier."""
NOT_AT_PARSE = (
    *("requests", "aiohttp", "urllib3", "starlette", "defusedxml"),
    *(f"airflow_provider_tuya_ota.{name}" for name in ("runtime", "client", "core.actions", "core.flows.calls")),
    *(f"airflow_provider_tuya_ota.{name}" for name in ("hooks.tuya_ota", "hooks.airflow_api", "transports")),
    "airflow.sdk.definitions.connection",
)


WORK = """
import airflow.sdk, importlib, pkgutil, sys
package = importlib.import_module("airflow_provider_tuya_ota.runtime")
for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
    importlib.import_module(module.name)
print(*sorted(sys.modules), sep="\\n")
"""
"""Loads all that a worker may load."""


def test_a_worker_does_not_load_the_http_library_of_the_triggerer() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", WORK], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()

    assert "airflow_provider_tuya_ota.triggers.job" in loaded
    assert [name for name in loaded if name.split(".")[0] == "aiohttp"] == []


def test_parsing_a_dag_loads_neither_an_http_library_nor_the_protocol_nor_worker_code() -> None:
    samples = sorted(str(path) for path in (ROOT / "dags_examples").glob("*.py"))

    parsed = subprocess.run(
        [sys.executable, "-c", PARSE, *samples], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()

    assert "airflow_provider_tuya_ota.operators.job" in parsed
    assert [name for name in parsed if name.startswith(tuple(f"{room}." for room in NOT_AT_PARSE))] == []
    assert [name for name in parsed if name in NOT_AT_PARSE] == []
