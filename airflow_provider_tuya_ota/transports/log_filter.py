"""What urllib3 logs, without signed queries and secret addresses.

It logs each request line at DEBUG, and the address of an odd answer as a warning.
"""

from __future__ import annotations

import logging
import re
from typing import Final
from urllib.parse import quote, urlsplit

_SIGNED: Final = re.compile(r"\?\S*Signature=\S*")
_LOGGERS: Final = ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry")
"""A filter counts for its own logger only, not for those below it."""
_KEPT: Final = "!#$%&'()*+,/:;=?@[]~"
_hidden: set[str] = set()


def hide_address(url: str) -> list[str]:
    """Keep path and query of an address out of urllib3's log lines for the life of this process.

    :returns: the texts that must not be shown, so that other logs can be masked too.
    """
    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    written = [text for text in (url, target, parts.path, parts.query) if text.strip("/")]
    # What is not allowed in an address is encoded before it is sent, and logged like that.
    secret = list(dict.fromkeys([*written, *(quote(text, safe=_KEPT) for text in written)]))
    _hidden.update(secret)
    return secret


class _HideAddresses(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_shown(arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


def _shown(text: str) -> str:
    for secret in sorted(_hidden, key=len, reverse=True):
        text = text.replace(secret, "…")
    return _SIGNED.sub("?…", text)


def _install() -> None:
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_HideAddresses())


_install()
