"""Checks fakes of Airflow's classes against the real ones: a method or field that Airflow renames breaks the fake."""

from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T", bound=type)


def stands_in_for(real: type, *, own: tuple[str, ...] = ()) -> Callable[[T], T]:
    """Check that whatever can be asked of a fake can be asked of the real class in the same way.

    :param own: what the fake has for the test alone.
    """

    def check(fake: T) -> T:
        methods = {name: member for name, member in vars(fake).items() if name[0] != "_" and _is_method(member)}
        for name, method in methods.items():
            if name not in own:
                _require_fitting(f"{fake.__name__}.{name}", _bare(method), _bare(inspect.getattr_static(real, name)))
        named = [field.name for field in fields(fake)] if is_dataclass(fake) else []
        strange = [name for name in named if name not in {*own, *_fields_of(real)}]
        assert not strange, f"{real.__name__} has no {', '.join(strange)}, which {fake.__name__} has"
        return fake

    return check


def _is_method(member: Any) -> bool:
    return inspect.isfunction(_bare(member))


def _bare(member: Any) -> Any:
    return member.__func__ if isinstance(member, (staticmethod, classmethod)) else member


def _fields_of(real: type) -> set[str]:
    return {*getattr(real, "model_fields", ()), *dir(real)}


def _require_fitting(what: str, fake: Any, real: Any) -> None:
    assert inspect.iscoroutinefunction(fake) == inspect.iscoroutinefunction(real), f"{what} is awaited, or is not"
    known = _parameters(real)
    for place, (name, parameter) in enumerate(_parameters(fake).items()):
        assert name in known, f"{what} takes {name}, which the real one does not"
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            assert list(known)[place] == name, f"{what} takes {name} at another place than the real one"
    needed = {name for name, parameter in known.items() if parameter.default is parameter.empty}
    assert needed <= set(_parameters(fake)), f"{what} does without {needed - set(_parameters(fake))}"


def _parameters(function: Any) -> dict[str, inspect.Parameter]:
    found = inspect.signature(function).parameters
    return {name: parameter for name, parameter in found.items() if name not in {"self", "cls"}}
