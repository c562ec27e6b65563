"""Putting a mutant into a process that has imported everything: only what the change concerns is made anew."""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import Field
from functools import cache, cached_property
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.mutants.mutation import Mutant


class NotPatchedError(Exception):
    """A change that a running process cannot take in."""


def patch(mutant: Mutant, tree: ast.Module, module: ModuleType) -> None:
    """Put a mutant into this process.

    :param tree: of the file, which the mutant changes.
    :raises NotPatchedError: that does not work, so that the mutant says nothing.
    """
    mutant.apply()
    if isinstance(mutant.outer, ast.FunctionDef | ast.AsyncFunctionDef):
        _replace_code(mutant, tree, module)
    else:
        _replace_value(mutant.outer, mutant.owner, module)


def _replace_code(mutant: Mutant, tree: ast.Module, module: ModuleType) -> None:
    outer = mutant.outer
    assert isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
    function = _function(module, mutant.owner, outer.name)
    code = next(
        one
        for one in _codes(compile(tree, str(module.__file__), "exec"))
        if (one.co_qualname, one.co_firstlineno) == (function.__code__.co_qualname, function.__code__.co_firstlineno)
    )
    if len(code.co_freevars) != len(function.__code__.co_freevars):
        raise NotPatchedError(mutant.name)
    function.__code__ = code
    _replace_defaults(outer, function, module)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _function(module: ModuleType, owner: str, name: str) -> FunctionType:
    found = vars(_owner(module, owner))[name]
    if isinstance(found, property):
        found = found.fget
    elif isinstance(found, cached_property):
        found = found.func
    found = inspect.unwrap(getattr(found, "__func__", found))
    if not isinstance(found, FunctionType):
        raise NotPatchedError(name)
    return found


def _owner(module: ModuleType, owner: str) -> Any:
    found: Any = module
    for part in owner.split(".") if owner else []:
        found = getattr(found, part)
    return found


def _replace_defaults(node: ast.FunctionDef | ast.AsyncFunctionDef, function: FunctionType, module: ModuleType) -> None:
    if node.args.defaults:
        function.__defaults__ = tuple(_value(default, module) for default in node.args.defaults)
    named = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    function.__kwdefaults__ = {
        argument.arg: _value(default, module) for argument, default in named if default is not None
    } or None


def _value(node: ast.expr, module: ModuleType) -> Any:
    return eval(compile(ast.Expression(node), str(module.__file__), "eval"), vars(module))  # noqa: S307 - the project's own code


def _replace_value(node: ast.stmt, owner: str, module: ModuleType) -> None:
    """Give a constant or the default of a field another value, and all that was made of it."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value):
            pass
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            pass
        case _:
            raise NotPatchedError(ast.unparse(node))
    new = _value(value, module)
    if isinstance(new, Field):
        # The class has been made of it already.
        raise NotPatchedError(ast.unparse(node))
    if not owner:
        _rebind(module, name, new)
        return
    cls = _owner(module, owner)
    if name in getattr(cls, "__dataclass_fields__", {}):
        _replace_field(cls, name, new)
    else:
        setattr(cls, name, new)


def _replace_field(cls: Any, name: str, new: Any) -> None:
    init = cls.__init__
    if name in (init.__kwdefaults__ or {}):
        init.__kwdefaults__[name] = new
        return
    names = init.__code__.co_varnames[: init.__code__.co_argcount]
    first = len(names) - len(init.__defaults__ or ())
    if name not in names[first:]:
        raise NotPatchedError(name)
    at = names.index(name) - first
    init.__defaults__ = (*init.__defaults__[:at], new, *init.__defaults__[at + 1 :])


def _rebind(module: ModuleType, name: str, new: Any) -> None:
    old = vars(module)[name]
    vars(module)[name] = new
    for other in _own_modules():
        if vars(other).get(name) is old:
            vars(other)[name] = new
            _refresh(other, name)
    _refresh(module, name)


def _refresh(module: ModuleType, name: str) -> None:
    """Make anew what a module has made of a constant when it was imported."""
    for owner, node in _statements(str(module.__file__)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            defaults = [*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None)]
            if any(_uses(default, name) for default in defaults):
                _replace_defaults(node, _function(module, owner, node.name), module)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and _uses(node.value, name):
            _replace_value(node, owner, module)


def _uses(node: ast.expr, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node))


@cache
def _statements(file: str) -> list[tuple[str, ast.stmt]]:
    """List a file's statements that run when it is imported, each with the class that it stands in."""
    tree = ast.parse(Path(file).read_text(encoding="utf-8"))
    return [
        *(("", node) for node in tree.body),
        *((cls.name, node) for cls in tree.body if isinstance(cls, ast.ClassDef) for node in cls.body),
    ]


def _own_modules() -> list[ModuleType]:
    return [
        module
        for name, module in sys.modules.items()
        if name.partition(".")[0] in {"airflow_provider_tuya_ota", "tests"} and getattr(module, "__file__", None)
    ]
