"""Show any value in a message: on one line, at most 80 characters, without the secrets of an address."""

from __future__ import annotations

from reprlib import Repr
from typing import Any, Final

from airflow_provider_tuya_ota.core.addresses import redact_addresses

LONGEST: Final = 80
"""Characters; one line of a log."""
_BEGINNING: Final = 60
_SEARCHED: Final = 4096
"""Characters in which secrets are searched: those of an address are recognised by what follows them."""
_WRITTEN_OUT: Final = 128
"""Bits of the largest whole number that is shown in full; Python refuses to convert one of thousands of digits."""


class _ShortRepr(Repr):
    """Like reprlib, but without running ``repr`` of other classes: it may fail, be long or contain line breaks."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 2
        self.maxstring = self.maxother = _BEGINNING

    def repr1(self, x: Any, level: int) -> str:
        """Show one value."""
        if isinstance(x, str):
            return self.repr_str(x, level)
        if type(x) is bytes:
            return repr(redact_addresses(x[:_SEARCHED].decode("latin-1")).encode("latin-1")[:_BEGINNING])
        if x is None or type(x) in {bool, float}:
            return repr(x)
        if isinstance(x, int):
            return self.repr_int(x, level)
        if type(x) in {list, tuple, set, frozenset, dict}:
            return super().repr1(x, level)
        return f"<{type(x).__name__}>"

    def repr_str(self, x: str, level: int) -> str:  # noqa: ARG002 - reprlib's signature
        """Show the beginning of a text."""
        text = str.__str__(x)
        shown = redact_addresses(text[:_SEARCHED])
        is_whole = len(text) <= _SEARCHED and len(shown) <= _BEGINNING
        return repr(shown) if is_whole else f"{shown[:_BEGINNING]!r}… ({len(text)} long)"

    def repr_int(self, x: int, level: int) -> str:  # noqa: ARG002 - reprlib's signature
        """Show a whole number, a huge one by its size."""
        bits = int.bit_length(x)
        return int.__repr__(x) if bits <= _WRITTEN_OUT else f"<whole number of {bits} bits>"


def short_repr(value: Any) -> str:
    """Show a value for the text of an error.

    :returns: a text that every log accepts; an ellipsis marks what is left out.
    """
    text = _ShortRepr().repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
