"""The runner itself: which mutants it makes, that each changes what runs, that survivors have reasons."""

from __future__ import annotations

import ast
import importlib.util
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from tests.mutants.mutation import Mutant, mutants_of
from tests.mutants.patch import patch
from tests.mutants.rooms import PACKAGE, ROOMS, Room
from tests.mutants.survivors import ROOT, SURVIVORS, read_reasons

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

SOURCE = dedent(
    '''
    """A module."""

    from dataclasses import dataclass

    LIMIT = 3
    TWICE = 2 * LIMIT

    @dataclass(frozen=True)
    class Wait:
        seconds: float = 10.0
        limit: int = LIMIT

        @property
        def is_long(self) -> bool:
            return self.seconds > LIMIT

    def first(numbers, *, most=LIMIT):
        """Give some."""
        if numbers and len(numbers) < most:
            numbers.append(0)
        return min(numbers)
    '''
)


def mutants(source: str) -> list[Mutant]:
    return mutants_of("a.py", ast.parse(source))


def texts(source: str) -> list[str]:
    return [mutant.text for mutant in mutants(source)]


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("a < b", ["a < b -> a <= b", "a < b -> pass"]),
        ("x = a and not b", ["x = a and (not b) -> x = a or not b", "x = a and (not b) -> x = not a and (not b)"]),
        ("def f(x: int = 0) -> None:\n    '''Say it.'''", ["def f(x: int=0) -> None: -> def f(x: int=1) -> None:"]),
        ("raise E(f'{1 + 1} {x!r}')", ["raise E(f'{1 + 1} {x!r}') -> pass"]),
        ("return f(x, y=1)", ["return f(x, y=1) -> return None", "return f(x, y=1) -> return f(x)"]),
        ("x = {'failed': 'for people'}", ["x = {'failed': 'for people'} -> x = {'not_failed': 'for people'}"]),
        ("class A(StrEnum):\n    B = 'b'", []),
        ("@f(1)\ndef g(): ...", []),
        ("if TYPE_CHECKING:\n    import a", []),
    ],
)
def test_what_code_does_is_changed_and_what_people_read_is_not(source: str, changed: list[str]) -> None:
    found = texts(source)

    assert set(changed) <= set(found)
    if not changed:
        assert found == []


def test_the_same_change_twice_in_a_function_has_two_names() -> None:
    assert texts("def f():\n    a()\n    a()") == ["a() -> pass", "a() -> pass (no. 2)"]


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    path = tmp_path / "a.py"
    path.write_text(SOURCE, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("tests.mutants.made_up", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("text", "ask", "before", "after"),
    [
        ("LIMIT = 3 -> LIMIT = 6", lambda a: (a.LIMIT, a.TWICE, a.Wait().limit), (3, 6, 3), (6, 12, 6)),
        ("LIMIT = 3 -> LIMIT = 6", lambda a: a.first.__kwdefaults__["most"], 3, 6),
        ("seconds: float = 10.0 -> seconds: float = 20.0", lambda a: a.Wait().seconds, 10.0, 20.0),
        ("return self.seconds > LIMIT -> return self.seconds >= LIMIT", lambda a: a.Wait(3).is_long, False, True),
        ("numbers.append(0) -> pass", lambda a: a.first([1]), 0, 1),
        ("return min(numbers) -> return max(numbers)", lambda a: a.first([1]), 0, 1),
    ],
)
def test_a_mutant_changes_what_the_running_module_does(
    module: Any, monkeypatch: pytest.MonkeyPatch, text: str, ask: Callable[[Any], Any], before: Any, after: Any
) -> None:
    tree = ast.parse(SOURCE)
    (mutant,) = [mutant for mutant in mutants_of("a.py", tree) if mutant.text == text]
    assert ask(module) == before

    patch(mutant, tree, module)

    assert ask(module) == after


def sources(room: Room) -> list[str]:
    """List the files of a room that have mutants, below the package."""
    return [
        str(path.relative_to(ROOT / PACKAGE))
        for path in room.files(ROOT)
        if mutants_of("a.py", ast.parse(path.read_text(encoding="utf-8")))
    ]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_every_file_with_mutants_has_tests(room: Room) -> None:
    assert sources(room)
    assert all(room.test_files(ROOT, source) for source in sources(room))


@pytest.mark.parametrize("room", [room for room in ROOMS if room.about], ids=lambda room: room.name)
def test_a_room_names_the_tests_of_no_file_that_is_gone_and_no_test_that_is(room: Room) -> None:
    assert room.about.keys() == set(sources(room))
    (folder,) = room.tests
    patterns = {pattern for patterns in room.about.values() for pattern in patterns}
    assert [pattern for pattern in patterns if not list((ROOT / folder).glob(f"{pattern}.py"))] == []


def test_every_listed_survivor_has_a_reason() -> None:
    assert all(len(reason) > 20 for reason in read_reasons(SURVIVORS).values())
