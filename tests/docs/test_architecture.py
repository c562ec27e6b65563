"""The page for newcomers says what the import contracts and the files say."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUESTIONS = {
    "Where is the rule that decides whether a kill cancels?": "airflow_provider_tuya_ota/core/jobs/kill_decision.py",
    "How do I add an operation?": "docs/add-an-operation.md",
    "What does a notification contain?": "docs/notifications.md",
}


def generated() -> dict[str, str]:
    script = runpy.run_path(str(ROOT / "docs/generate_architecture.py"))
    return {"docs/images/layers.svg": script["picture"](), "docs/architecture.md": script["page"]()}


@pytest.mark.parametrize("name", ["docs/images/layers.svg", "docs/architecture.md"])
def test_picture_and_page_are_those_of_today_s_contracts(name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == generated()[name], "run make docs"


def test_the_picture_shows_every_layer_of_both_contracts() -> None:
    script = runpy.run_path(str(ROOT / "docs/generate_architecture.py"))
    package, core = script["layers"]("airflow_provider_tuya_ota"), script["layers"]("airflow_provider_tuya_ota.core")

    shown = re.findall(r'font-weight="600">(.*?)</text>', script["picture"]())

    assert shown[:-1] == [" · ".join(names) for names in (*package, *core)]
    assert len(package) > 10 < len(core)


def test_the_page_lists_every_module_of_the_emulator() -> None:
    folder = ROOT / "airflow_provider_tuya_ota/emulator"
    modules = {path.name for path in folder.iterdir() if not path.name.startswith("__")}
    listed = re.findall(
        r"^\| \[`emulator/([a-z_.]+)/?`\]", (ROOT / "docs/architecture.md").read_text("utf-8"), re.MULTILINE
    )

    assert set(listed) == modules


@pytest.mark.parametrize(("question", "file"), QUESTIONS.items())
def test_each_question_of_a_newcomer_is_answered_by_one_file(question: str, file: str) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (answer,) = re.findall(rf"^\| {re.escape(question)} \| \[`[^`]+`\]\(([^)]+)\) \|$", text, re.MULTILINE)

    assert answer == file
    assert (ROOT / file).is_file()


def test_the_rule_about_kills_is_where_contributing_says() -> None:
    module = runpy.run_path(str(ROOT / QUESTIONS["Where is the rule that decides whether a kill cancels?"]))

    assert callable(module["assess_kill"])


def test_every_word_of_the_recipe_for_an_operation_leads_to_where_operations_are() -> None:
    recipe = (ROOT / QUESTIONS["How do I add an operation?"]).read_text("utf-8")
    named = {path for path in re.findall(r"\]\(\.\./([^)]+)\)", recipe) if (ROOT / path).is_file()}
    holding = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "airflow_provider_tuya_ota").rglob("*.py")
        if re.search(r"\bQueryProduct\b", path.read_text("utf-8"))
    }

    assert holding - named <= {"airflow_provider_tuya_ota/emulator/operations/__init__.py"}
