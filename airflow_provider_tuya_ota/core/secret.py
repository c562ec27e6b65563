"""A text that can be used and not printed."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """Hide a text from repr, str, formatting and JSON.

    :param value: the text; read it with :meth:`reveal` where it goes on the wire, and nowhere else.
    """

    value: str = field(repr=False)

    def reveal(self) -> str:
        """Give the text itself."""
        return self.value
