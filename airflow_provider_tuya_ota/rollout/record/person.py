"""The persons that a record names: whether a text names anybody, and whether two texts name the same one."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from airflow_provider_tuya_ota.core.texts import HIDDEN

_SHOWN: Final = re.compile(f"[^ {HIDDEN}]")


def is_blank(text: str) -> bool:
    """Whether a text has no character that anybody sees."""
    return _SHOWN.search(text) is None


def is_same_person(one: str, other: str) -> bool:
    """Whether two names differ at most in their case, their blanks and the form of their characters."""
    return _folded(one) == _folded(other)


def what_is_not_named(who: str, why: str) -> str:
    """Say which of the two is missing; an empty text where none is."""
    missing = [what for what, text in (("nobody", who), ("no reason", why)) if is_blank(text)]
    return f"{' and '.join(missing)} is named" if missing else ""


def _folded(name: str) -> str:
    return " ".join("".join(_SHOWN.findall(word)) for word in unicodedata.normalize("NFKC", name).casefold().split())
