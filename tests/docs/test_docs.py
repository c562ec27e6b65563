from __future__ import annotations

import importlib
import json
import re
import runpy
import subprocess
import sys
import tomllib
from inspect import signature
from pathlib import Path

import pytest

from airflow_provider_tuya_ota.cli import main
from airflow_provider_tuya_ota.core.settings import EXTRA_FIELDS
from airflow_provider_tuya_ota.core.status.event import Event
from airflow_provider_tuya_ota.core.status.report import ReleaseReport
from airflow_provider_tuya_ota.emulator.faults.fault import KINDS
from airflow_provider_tuya_ota.emulator.quirks import Quirks
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.operators.firmware import TuyaOTAUploadFirmwareOperator
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator
from airflow_provider_tuya_ota.provider_info import get_provider_info
from tests.report_schema import SCHEMA, violations

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("operator", [TuyaOTAUploadFirmwareOperator, TuyaOTACreateVerifyJobOperator])
def test_every_argument_of_an_operator_is_explained(operator: type) -> None:
    section = (ROOT / "docs/operators.md").read_text(encoding="utf-8").partition(f"## `{operator.__name__}`")[2]
    documented = set(re.findall(r"^\| `(\w+)`", section.partition("\n## ")[0], re.MULTILINE))

    assert documented == set(signature(operator).parameters) - {"kwargs"}


def test_every_extra_of_the_connection_is_explained() -> None:
    page = (ROOT / "docs/connection.md").read_text(encoding="utf-8")

    assert set(EXTRA_FIELDS) <= set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE))


def test_every_quirk_and_fault_is_explained() -> None:
    page = (ROOT / "docs/emulator.md").read_text(encoding="utf-8")

    assert set(re.findall(r"`(\w+)`", page)) >= {*Quirks().as_dict(), *KINDS}


def test_the_picture_of_a_release_shows_every_step_of_the_sample() -> None:
    ((said, image),) = re.findall(r"!\[A release in the Airflow UI: (.*?)\]\((.*?)\)", PAGES[0].read_text("utf-8"))
    sample = (ROOT / "dags_examples/release_firmware.py").read_text(encoding="utf-8")
    steps = re.findall(r'task_id="(\w+)"|@task(?:\(.*\))?\n    def (\w+)', sample)

    assert {step or function for step, function in steps} <= set(re.findall(r"\w+", said))
    assert (ROOT / image).is_file()


def test_the_example_scenario_is_one() -> None:
    example, shares = blocks(ROOT / "docs/emulator.md", "toml")

    (product,) = read(tomllib.loads(example)).build_products().values()
    (large,) = read(tomllib.loads(shares)).build_products().values()

    assert (len(product.devices), len(large.devices)) == (21, 100_000)
    assert large.devices["device-000001"].behaviour.outcome == "succeeds"
    assert product.devices["bench-1"].versions == {}


def test_the_testing_guide_passes_as_printed(tmp_path: Path) -> None:
    conftest, tests = blocks(ROOT / "docs/testing.md", "python")
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_release.py").write_text(tests)

    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "3 passed" in ended.stdout, ended.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_picture_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]

    assert [target for target in targets if not (page.parent / target.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_heading_finds_it(page: Path) -> None:
    links = [
        link.partition("#") for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")) if "://" not in link
    ]

    assert [(to, at) for to, mark, at in links if mark and at not in headings(page.parent / to if to else page)] == []


def headings(page: Path) -> list[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_python_snippet_compiles(page: Path) -> None:
    for number, block in enumerate(blocks(page, "python")):
        compile(block, f"{page.name} snippet {number}", "exec")


def test_the_ten_line_dag_of_the_readme_is_a_dag() -> None:
    (block,) = blocks(ROOT / "README.md", "python")
    names: dict[str, object] = {}
    exec(block, names)  # noqa: S102 - the README's own example

    assert len(block.strip().splitlines()) <= 12
    assert names["verify"].upstream_task_ids == {"upload"}  # type: ignore[attr-defined] # made by the example


@pytest.mark.parametrize(
    "name", ["operations.md", "errors.md", "operators.md", "fidelity.md", "release-report.schema.json"]
)
def test_the_tables_say_what_the_code_says(name: str) -> None:
    pages = runpy.run_path(str(ROOT / "docs/generate.py"))["PAGES"]

    assert (ROOT / "docs/reference" / name).read_text(encoding="utf-8") == pages[name]()


def test_the_command_lists_the_operations_of_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["actions"]) == 0

    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    page = (ROOT / "docs/reference/operations.md").read_text(encoding="utf-8")
    assert listed == re.findall(r"^\| \[`(\w+)`\]", page, re.MULTILINE)
    assert len(listed) == 25


def test_the_page_of_operators_has_every_operator_and_every_argument() -> None:
    page = (ROOT / "docs/reference/operators.md").read_text(encoding="utf-8")
    info = get_provider_info()
    classes = [
        item
        for kind in ("operators", "sensors")
        for entry in info[kind]
        for name in entry["python-modules"]
        for item in vars(importlib.import_module(name)).values()
        if isinstance(item, type) and item.__module__ == name and not item.__name__.startswith("_")
    ]

    assert len(classes) == 16
    for operator in classes:
        section = page.partition(f"## `{operator.__name__}`")[2].partition("\n## ")[0]
        documented = set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))
        own = {
            name
            for base in operator.__mro__
            if "airflow_provider" in base.__module__
            for name in signature(base).parameters
        }
        assert own - {"kwargs"} <= documented, operator


def test_the_page_of_notifications_explains_every_field_and_every_event() -> None:
    page = (ROOT / "docs/notifications.md").read_text(encoding="utf-8")
    contents = page.partition("## What a notification contains")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", contents, re.MULTILINE)
    (example,) = map(json.loads, blocks(ROOT / "docs/notifications.md", "json"))

    assert set(re.findall(r"`(\w+)`", " ".join(rows))) >= {*SCHEMA["properties"], *Event}
    assert violations(example) == []
    assert ReleaseReport.from_dict(example).to_dict() == example
