"""How code is changed: a comparison, a condition, a constant, a sum, an argument, a call, a return, an error."""

from __future__ import annotations

import ast
import re
from copy import copy
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

N = TypeVar("N", bound=ast.AST)

COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
CALLS: Final = {"min": "max", "max": "min", "any": "all", "all": "any"}
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_]*")
"""A text that code compares; one with blanks is for people."""


def changed(node: ast.AST, parent: ast.AST) -> Iterator[ast.AST]:
    """Give what may take the place of a node, one change at a time."""
    if isinstance(node, ast.expr):
        yield from _operator(node)
        yield from _condition(node, parent)
        yield from _constant(node)
        yield from _call(node)
    elif isinstance(node, ast.stmt):
        yield from _statement(node)
    elif isinstance(node, ast.comprehension) and node.ifs:
        yield _with(node, ifs=node.ifs[1:])


def _with(node: N, **fields: Any) -> N:
    new = copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _operator(node: ast.expr) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=ops):
            for at, operator in enumerate(ops):
                yield _with(node, ops=[*ops[:at], COMPARISONS[type(operator)](), *ops[at + 1 :]])
        case ast.BoolOp(op=ast.And()):
            yield _with(node, op=ast.Or())
        case ast.BoolOp():
            yield _with(node, op=ast.And())
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            if not (_is_text(left) or _is_text(right)):
                yield _with(node, op=ARITHMETIC[type(op)]())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _condition(node: ast.expr, parent: ast.AST) -> Iterator[ast.AST]:
    # What compares or negates is turned around by another change.
    if isinstance(parent, ast.If | ast.While | ast.IfExp) and node is parent.test:
        if not isinstance(node, ast.Compare | ast.UnaryOp):
            yield ast.UnaryOp(ast.Not(), node)
    elif isinstance(parent, ast.BoolOp) and not isinstance(node, ast.Compare | ast.UnaryOp | ast.BoolOp | ast.Constant):
        yield ast.UnaryOp(ast.Not(), node)


def _constant(node: ast.expr) -> Iterator[ast.AST]:
    match node:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(value * 2 if abs(value) > 1 else value + 1)
        case ast.Constant(value=str(value)) if _WORD.fullmatch(value):
            yield ast.Constant(f"not_{value}")
        case ast.List(elts=[_, *_], ctx=ast.Load()) | ast.Tuple(elts=[_, *_], ctx=ast.Load()):
            yield _with(node, elts=[])


def _call(node: ast.expr) -> Iterator[ast.AST]:
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            yield _with(node, func=ast.Name(CALLS[name], ast.Load()))
    if isinstance(node, ast.Call):
        for at, keyword in enumerate(node.keywords):
            if keyword.arg is not None:
                yield _with(node, keywords=[*node.keywords[:at], *node.keywords[at + 1 :]])


def _statement(node: ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.Expr() | ast.Raise() | ast.Delete() | ast.AugAssign() | ast.Continue():
            yield ast.Pass()
            if isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
                yield _with(node, op=ARITHMETIC[type(node.op)]())
        case ast.Break():
            yield ast.Continue()
        case ast.Return(value=ast.expr() as value) if not _is_empty(value):
            yield ast.Return(ast.Constant(None))
        case ast.Try(handlers=[_, *_]):
            # An error that is handled goes on instead.
            for at, handler in enumerate(node.handlers):
                raising = _with(handler, body=[ast.Raise()])
                if not (len(handler.body) == 1 and isinstance(handler.body[0], ast.Raise) and not handler.body[0].exc):
                    yield _with(node, handlers=[*node.handlers[:at], raising, *node.handlers[at + 1 :]])


def _is_empty(node: ast.expr) -> bool:
    """Whether a value is as false as None, so that returning None instead changes nothing."""
    return isinstance(node, ast.Constant) and not node.value
