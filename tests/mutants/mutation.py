"""What is changed in a source file, one small change at a time: a mutant is the file with one of them."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.mutants.change import changed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONGEST: Final = 90
"""Characters of code on each side of a mutant's text."""
_NO_CODE: Final = {"annotation", "returns", "decorator_list", "bases", "type_comment", "ctx"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change.

    :param path: source file, from the root of the repository.
    :param scope: qualified name of the function or class, ``<module>`` outside of them.
    :param line: of the changed code.
    :param text: the line before and after; with path and scope it names the mutant for as long as the code stays.
    :param outer: the outermost function around the change, or the statement of a class or module.
    :param owner: qualified name of the class that ``outer`` stands in, empty in a module.
    :param apply: changes the syntax tree.
    """

    path: str
    scope: str
    line: int
    text: str
    outer: ast.stmt
    owner: str
    apply: Callable[[], None]

    @property
    def name(self) -> str:
        """What people and the list of survivors call it."""
        return f"{self.path} {self.scope}: {self.text}"


@dataclass(frozen=True, slots=True)
class _Place:
    scope: str
    owner: str
    outer: ast.stmt | None = None
    statement: ast.stmt | None = None


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where a node hangs in the tree."""

    parent: ast.AST
    field: str
    index: int | None

    def set(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def mutants_of(path: str, tree: ast.Module) -> list[Mutant]:
    """List the mutants of a file, in the order of its lines."""
    found: list[Mutant] = []
    seen: Counter[tuple[str, str]] = Counter()
    for slot, node, place in _nodes(tree, _Place("<module>", "")):
        if place.outer is None or place.statement is None:
            continue
        for new in changed(node, slot.parent):
            text = _difference(place.statement, slot, node, new)
            seen[place.scope, text] += 1
            if (number := seen[place.scope, text]) > 1:
                text = f"{text} (no. {number})"
            line = getattr(node, "lineno", place.statement.lineno)
            apply = _replacement(slot, ast.fix_missing_locations(ast.copy_location(new, place.statement)))
            found.append(Mutant(path, place.scope, line, text, place.outer, place.owner, apply))
    return sorted(found, key=lambda mutant: mutant.line)


def _replacement(slot: _Slot, new: ast.AST) -> Callable[[], None]:
    return lambda: slot.set(new)


def _difference(statement: ast.stmt, slot: _Slot, node: ast.AST, new: ast.AST) -> str:
    if node is statement:
        return f"{_short(ast.unparse(node).splitlines()[0], 0)} -> {ast.unparse(new)}"
    before = ast.unparse(statement).splitlines()
    slot.set(new)
    after = ast.unparse(statement).splitlines()
    slot.set(node)
    old, other = next(((one, two) for one, two in zip(before, after, strict=False) if one != two), (before[0], "…"))
    at = next((at for at, (one, two) in enumerate(zip(old, other, strict=False)) if one != two), 0)
    return f"{_short(old, at)} -> {_short(other, at)}"


def _short(line: str, at: int) -> str:
    """Cut a long line around what differs."""
    line, at = line.strip(), at - (len(line) - len(line.lstrip()))
    start = max(0, min(at - LONGEST // 2, len(line) - LONGEST))
    return line[start : start + LONGEST]


def _nodes(node: ast.AST, place: _Place) -> Iterator[tuple[_Slot, ast.AST, _Place]]:
    for field, value in ast.iter_fields(node):
        if field in _NO_CODE:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not _is_skipped(child):
                inner = _placed(child, node, place)
                yield _Slot(node, field, index), child, inner
                yield from _nodes(child, inner)


def _placed(child: ast.AST, parent: ast.AST, place: _Place) -> _Place:
    if not isinstance(child, ast.stmt):
        return place
    if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        is_outer = isinstance(parent, ast.ClassDef) or place.outer is None
        return _Place(place.scope, place.owner, child if is_outer else place.outer, child)
    scope = child.name if place.scope == "<module>" else f"{place.scope}.{child.name}"
    if isinstance(child, ast.ClassDef):
        return _Place(scope, scope)
    return _Place(scope, place.owner, place.outer or child, child)


def _is_skipped(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr() | ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.ClassDef(bases=bases):
            # The members of an enumeration are names, and a protocol has no code.
            return any(isinstance(base, ast.Name) and base.id in {"StrEnum", "Enum", "Protocol"} for base in bases)
    return False
