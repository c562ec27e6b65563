"""Which characters may be shown, stored and sent, and how long texts may be.

A device or a person at the console may put anything into a text: a lone surrogate, which no encoder accepts, an escape
sequence for the terminal, a line break that forges a log line, or a megabyte of text.
"""

from __future__ import annotations

import re
from typing import Final

LONGEST_TEXT: Final = 500
"""Characters of a free text, for example ``TaskDesc``: enough for a sentence, and fifty of them fit into an event."""
LONGEST_NAME: Final = 128
"""Characters of a name, a status or a version; the vendor's own rules allow at most 64."""
INSTEAD: Final = "\ufffd"
HIDDEN: Final = (
    r"\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    r"\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff"
)
"""Invisible characters other than the blank, as the inside of a character class of a regular expression. Python counts
fillers, joiners and selectors as printable."""
_LAYOUT: Final = frozenset("\n\r\t")
_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Surrogates, and control characters other than tabs and line ends: JSON and XML cannot both represent them."""


def encodable(text: str) -> str:
    """Replace characters that logs, databases and encoders do not accept safely; line breaks and tabs stay.

    These are control characters, lone surrogates, and characters that change the writing direction or have no width:
    two different texts must not look alike.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in _LAYOUT else INSTEAD for char in text)


def visible(text: str) -> str:
    """Replace every character that cannot be shown on a line; blanks stay."""
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
    """Whether a text can be sent and is received unchanged."""
    # Most texts are printable, which is seen sooner than that nothing is found.
    return text.isprintable() or _UNWRITABLE.search(text) is None
