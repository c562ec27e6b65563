from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota import emulator
from airflow_provider_tuya_ota.emulator.fidelity import BEHAVIOURS, DOCUMENTED, INFERRED, INVENTED, REFUSALS
from airflow_provider_tuya_ota.emulator.gateway.tables import ACTIONS
from airflow_provider_tuya_ota.emulator.operations import HANDLERS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(emulator.__file__).parent
ERRORS = {"GatewayError", "BusinessError", "StorageError"}


def codes_of(path: Path) -> Iterator[str]:
    """Give the codes that a file can refuse with: literals of errors, and of parameters in the tables."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("iot."):
            yield node.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ERRORS:
            for argument in node.args[:2]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and " " not in argument.value:
                    yield argument.value.partition(" ")[0]


RAISED = {
    code for path in ROOT.rglob("*.py") if path.name != "fidelity.py" for code in codes_of(path) if code[-1] != "."
}


@pytest.mark.parametrize("action", ACTIONS)
def test_every_operation_has_a_handler_and_a_mark(action: str) -> None:
    assert action in HANDLERS
    assert [behaviour for behaviour in BEHAVIOURS if behaviour.area == action]


def test_every_mark_is_one_of_three_with_a_source() -> None:
    assert {behaviour.mark for behaviour in BEHAVIOURS} == {DOCUMENTED, INFERRED, INVENTED}
    assert all(behaviour.what and behaviour.source for behaviour in BEHAVIOURS)


def test_every_refusal_is_marked_and_every_marked_one_can_happen() -> None:
    assert set(REFUSALS) == RAISED
