"""Remove the secrets of addresses from a text: users, passwords and queries, which may be presigned."""

from __future__ import annotations

import re
from typing import Final

REMOVED: Final = "[removed]"
_QUERY: Final = re.compile(r"""(?P<address>[?#])[^\s"'<>?#=]{1,200}=[^\s"'<>]*""")
"""A query or fragment with values, of any address."""
_USERINFO: Final = re.compile(
    r"""(?P<mark>(?:\\?/|%(?:25)?2F){2})[^\s"'<>/?#\\]{1,256}(?P<at>@|%(?:25)?40)""", re.IGNORECASE
)
"""User and password before a host, of any address."""


def redact_addresses(text: str) -> str:
    """Remove users, passwords and queries of the addresses in a text, in time proportional to its length."""
    return _QUERY.sub(rf"\g<address>{REMOVED}", _USERINFO.sub(rf"\g<mark>{REMOVED}\g<at>", text))
