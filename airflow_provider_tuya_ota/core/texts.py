"""Which characters may be shown, stored and sent, and how long texts may be.

A device or a person at the console may put anything into a text that JSON can hold: a lone surrogate, which no encoder
takes, an escape sequence for the terminal, a line break that forges a line of a log, a megabyte of words.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST_TEXT: Final = 500
"""Characters of a free text, e.g. ``TaskDesc``: a sentence of an error fits, fifty of them stay small in an event."""
LONGEST_NAME: Final = 128
"""Characters of a name, a status or a version; the vendor's own rules permit 64 at the most."""
INSTEAD: Final = "\ufffd"
HIDDEN: Final = (
    r"\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    r"\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff"
)
"""Characters that show nothing, as the inside of a class of a regular expression; the blank is none of them. Fillers,
joiners and selectors count as printable for Python."""
_LAYOUT: Final = frozenset("\n\r\t")
_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Halves of characters, and controls other than a tab and line ends: JSON and XML cannot both bring them back."""


def encodable(text: str) -> str:
    """Replace characters that no log, database or encoder takes safely; line breaks and tabs stay.

    These are controls, escape sequences, lone surrogates, and characters that turn the direction of writing or have no
    width, as the joiner inside an emoji: two texts that look alike must not differ.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _LAYOUT else INSTEAD for char in text)


def visible(text: str) -> str:
    """Replace every character that cannot be shown on a line; blanks stay as they are."""
    return text if text.isprintable() else "".join(char if char.isprintable() else INSTEAD for char in text)


def one_line(text: str) -> str:
    """Give a text on one line, with single blanks between its words."""
    return visible(" ".join(text.split()))


def cut(text: str, longest: int) -> str:
    """Shorten a text; an ellipsis follows where something was left out."""
    return text if len(text) <= longest else f"{text[:longest]}…"


def bounded_line(text: str, longest: int) -> str:
    """Give a text on one line of at most ``longest`` characters, an ellipsis included."""
    return cut(one_line(text), longest - 1)


def is_writable(text: str) -> bool:
    """Whether a text can be sent, and be read as what it is."""
    return _UNWRITABLE.search(text) is None
