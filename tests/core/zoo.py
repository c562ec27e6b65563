"""Values that an argument may come to have: out of templates, forms, other tasks and honest mistakes."""

from __future__ import annotations

import enum
from collections import UserString, deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable


class Text(str):
    """A text that shows itself otherwise than it is."""

    __slots__ = ()

    def __str__(self) -> str:
        return "something else"

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Member(str, enum.Enum):  # noqa: UP042 - as written before Python 3.11, its str() is not its value
    """A member whose text is not its value."""

    ONLY = "only"


class Number(int):
    """As a number of another library: counts as one, shows itself otherwise."""

    def __repr__(self) -> str:
        return "n" * 5000

    __str__ = __repr__


class Indexed:
    """What numpy's whole numbers are: no int, though they count as one."""

    def __index__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return "forged\nline" * 1000


class NoTruth:
    """What an array is: neither true nor false, and equal to nothing in one word."""

    __hash__ = None  # type: ignore[assignment] # as for an array

    def __bool__(self) -> bool:
        raise ValueError("ambiguous")

    def __eq__(self, other: object) -> Any:
        raise ValueError("ambiguous")


def _endless() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


ZOO: Final[dict[str, Callable[[], Any]]] = {
    # texts
    "empty": lambda: "",
    "blank": lambda: " \t",
    "None text": lambda: "None",
    "null text": lambda: "null",
    "undefined text": lambda: "undefined",
    "padded": lambda: " 178 ",
    "line end": lambda: "178\n",
    "two lines": lambda: "a\nb",
    "half character": lambda: "a\ud800",
    "NUL": lambda: "a\0b",
    "escape": lambda: "a\x1b[31mb",
    "bidi": lambda: "a\u202eb",
    "filler": lambda: "a\u3164b",
    "no-break space": lambda: "\xa0178",
    "other digits": lambda: "\u0661\u0667\u0668",
    "wide digits": lambda: "\uff11\uff17\uff18",
    "underscored digits": lambda: "1_0",
    "plus": lambda: "+5",
    "zero in front": lambda: "007",
    "fraction text": lambda: "178.0",
    "exponent text": lambda: "1.78e+02",
    "many digits": lambda: "9" * 5000,
    "long text": lambda: "x" * 1_000_000,
    "template": lambda: "{{ params.x }}",
    "deep brackets": lambda: "[" * 5000,
    "list of None text": lambda: "[None, 'a']",
    "list of numbers text": lambda: "[1.10, 2]",
    "dict text": lambda: "[{[]: 1}]",
    "odd text": lambda: Text("odd"),
    "enum text": lambda: Member.ONLY,
    "user text": lambda: UserString("a"),
    # numbers
    "zero": lambda: 0,
    "minus": lambda: -1,
    "huge": lambda: 10**400,
    "unwritable": lambda: 10**5000,
    "true": lambda: True,
    "odd number": lambda: Number(1),
    "indexed": Indexed,
    "half": lambda: 1.5,
    "version number": lambda: 1.10,
    "whole float": lambda: 1.0,
    "minus zero": lambda: -0.0,
    "nan": lambda: float("nan"),
    "infinity": lambda: float("inf"),
    "decimal": lambda: Decimal(1),
    "fraction": lambda: Fraction(1, 3),
    "complex": lambda: 1j,
    # lists and the like
    "empty list": list,
    "list of None": lambda: ["a", None],
    "list of a number": lambda: [1.10],
    "list of True": lambda: [True],
    "list of lists": lambda: [["a"]],
    "list of dicts": lambda: [{}],
    "list of bytes": lambda: [b"a"],
    "list of blanks": lambda: ["a", " "],
    "list with None text": lambda: ["a", "None"],
    "list of padded": lambda: [" a"],
    "list of halves": lambda: ["\udfff"],
    "list with a line end": lambda: ["a\n"],
    "list of long": lambda: ["x" * 100_000],
    "list of the like": lambda: [NoTruth()],
    "duplicates": lambda: ["a", "b", "a"],
    "duplicates far apart": lambda: ["a", *(f"d{number}" for number in range(60)), "a"],
    "leave out in a list": lambda: ["a", "<leave out>"],
    "itself": _endless,
    "set": lambda: {1, 2},
    "dict": lambda: {"a": 1},
    "deque of a number": lambda: deque([1]),
    "range": lambda: range(3),
    "generator": lambda: (name for name in ["a"]),
    "bytes": lambda: b"178",
    "bytearray": lambda: bytearray(b"178"),
    # anything
    "object": object,
    "type": lambda: str,
    "array": NoTruth,
    "path": lambda: PurePosixPath("/a"),
    "datetime": lambda: datetime(2026, 1, 1, tzinfo=UTC),
    "timedelta": lambda: timedelta(days=-1),
    "exception": lambda: ValueError("x"),
}


def require_plain(message: str, *, hostile: Any) -> None:
    """Hold an error's text against what a log and a person can take."""
    message.encode()
    assert message.isprintable(), message[:300]
    assert "forged" not in message
    assert "n" * 100 not in message
    assert len(message) < 700, message[:300]
    if isinstance(hostile, str):
        assert str.__str__(hostile)[:81] not in message or len(hostile) <= 80
