"""What a tool shows that reports errors with the locals of their frames (Sentry, rich, logging of debuggers)."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TESTS = str(Path(__file__).parents[1])


def shown_of(error: BaseException) -> list[str]:
    """Give every text of an error, of those it came of, and of all their frames but the tests' own."""
    return list(_texts(traceback.TracebackException.from_exception(error, capture_locals=True)))


def _texts(shown: traceback.TracebackException) -> Iterator[str]:
    yield "".join(shown.format_exception_only())
    for frame in shown.stack:
        if not frame.filename.startswith(_TESTS):
            yield from (f"{frame.name}: {name} = {value}" for name, value in (frame.locals or {}).items())
    for other in (shown.__cause__, shown.__context__, *(shown.exceptions or ())):
        if other is not None:
            yield from _texts(other)
