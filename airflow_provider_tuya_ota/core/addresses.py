"""Remove the secrets of addresses from a text: users, passwords and queries, which may be presigned."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

REMOVED: Final = "[removed]"


def redact_addresses(text: str) -> str:
    """Remove users, passwords and queries of the addresses in a text, in time proportional to its length."""
    query, userinfo = _patterns()
    return query.sub(rf"\g<address>{REMOVED}", userinfo.sub(rf"\g<mark>{REMOVED}\g<at>", text))


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Give the patterns of a query or fragment with values, and of user and password before a host, of any address.

    They are compiled when they are first needed: each parsed Dag imports this module, and nearly none needs them.
    """
    return (
        re.compile(r"""(?P<address>[?#])[^\s"'<>?#=]{1,200}=[^\s"'<>]*"""),
        re.compile(r"""(?P<mark>(?:\\?/|%(?:25)?2F){2})[^\s"'<>/?#\\]{1,256}(?P<at>@|%(?:25)?40)""", re.IGNORECASE),
    )
