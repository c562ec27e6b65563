"""Texts that stand for a missing value, such as ``None``; they are refused as ids, names and paths."""

from __future__ import annotations

from typing import Final

LEAVE_OUT: Final = "<leave out>"
"""What a template writes to leave its argument out, as if the author had not written it."""
NOTHING: Final = ("None", "null", "undefined", LEAVE_OUT)
"""How Python, JSON, JavaScript and the templates of this package write it."""
RENDERED_NONE: Final = "None"
"""What a template renders to where its value is missing; never a value that an author means."""
