"""Text from the platform made fit to be read by anybody.

Gateways of this family echo the string to sign in their error messages, and a truncated answer may hold a presigned
address, a policy or a device's secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.texts import LONGEST_NAME, LONGEST_TEXT, cut, one_line, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_tuya_ota.core.secret import Secret

EXCERPT_LENGTH = 160
_SEARCHED = 65_536
"""Characters of a text that are read to show its beginning; a word at the end is not read in part."""
_REMOVED = "[removed]"
_KEYED = re.compile(
    r"""(?ix) (?P<key> access_?key_?id | signature(?!doesnotmatch|nonceused) | policy | secret | firmwareurl
            | password | token | authorization )
        (?P<mark> (?: \\*["'] | &quot; )? \s* (?: [:=>] | %3D | %253D ) \s* (?: \\*["'] | &quot; )? )
        (?P<value> (?: (?: bearer | basic ) \s+ )? [^"'&\s,<>}\\]+ )"""
)
_QUERY = re.compile(r"""(?P<address>[?#])[^\s"'<>?#=]{1,200}=[^\s"'<>]*""")
"""A query or fragment with values in it, of whatever address."""
_USERINFO = re.compile(r"""(?P<mark>(?:\\?/|%(?:25)?2F){2})[^\s"'<>/?#\\]{1,256}(?P<at>@|%(?:25)?40)""", re.IGNORECASE)
"""User and password in front of a host, of whatever address."""
_OPAQUE = re.compile(r"[A-Za-z0-9+/=_%~-]{28,}")
_CODE = re.compile(r"[A-Za-z]+(?:\.[A-Za-z]+)*")
_PLAIN_NAME = re.compile(rf"[\w.:@()-]{{1,{LONGEST_NAME}}}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def redact(text: str, known: Iterable[Secret] = ()) -> str:
    """Remove what must not be shown, in time that grows with the text alone.

    That is known secrets, values behind secret names, users and passwords in addresses, queries of addresses, which may
    be presigned, and any long opaque run except UUIDs, which are request ids.
    """
    text = _without(text, known)
    text = _redact_addresses(text)
    text = _KEYED.sub(rf"\g<key>\g<mark>{_REMOVED}", text)
    return _OPAQUE.sub(lambda run: run.group() if _UUID.fullmatch(run.group()) else _REMOVED, text)


def _redact_addresses(text: str) -> str:
    return _QUERY.sub(rf"\g<address>{_REMOVED}", _USERINFO.sub(rf"\g<mark>{_REMOVED}\g<at>", text))


def holds(text: str, known: Iterable[Secret]) -> bool:
    """Whether a known secret stands in a text."""
    return any(secret.reveal() in text for secret in known if secret.reveal())


def _without(text: str, known: Iterable[Secret]) -> str:
    for secret in known:
        if secret.reveal():
            text = text.replace(secret.reveal(), _REMOVED)
    return text


def safe_text(text: str, known: Iterable[Secret] = (), longest: int = LONGEST_TEXT) -> str:
    """Give a free text of the platform on one short line, redacted before it is cut so that no secret stays in part."""
    # A megabyte is not searched for what half a page will show.
    if len(text) > _SEARCHED:
        end = text.rfind(" ", _SEARCHED // 2, _SEARCHED)
        text = text[: end if end > 0 else _SEARCHED]
    return cut(redact(one_line(text), known), longest)


def safe_name(text: str, known: Iterable[Secret] = ()) -> str:
    """Give a name as it is where it looks like one, since others are compared with it; otherwise as a text.

    A name that is changed has a character that no name has, so it never equals another one.
    """
    name = _without(visible(text), known)
    if _PLAIN_NAME.fullmatch(name):
        # A list of a hundred thousand tasks has a million names, and a colon is all that could stand before a secret.
        return name if ":" not in name else _KEYED.sub(rf"\g<key>\g<mark>{_REMOVED}", name)
    return cut(redact(name, known), LONGEST_NAME)


def redact_code(code: str, known: Iterable[Secret] = ()) -> str:
    """Keep an error code, a dotted word that may be longer than opaque runs are; treat anything else as text."""
    is_code = _CODE.fullmatch(code) and not holds(code, known)
    return code if is_code else redact(code, known)


def excerpt(body: bytes, known: Iterable[Secret] = ()) -> str:
    """Give the beginning of an answer on one line, redacted before it is cut so that no secret survives in part."""
    return safe_text(body[:65536].decode("utf-8", "replace"), known, EXCERPT_LENGTH)


def mask_reply(value: Any) -> Any:
    """Copy a parsed answer without values behind secret names, and users and queries of addresses, at any depth."""
    if isinstance(value, Mapping):
        return {key: "***" if key.lower() in _SECRET_KEYS and item else mask_reply(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mask_reply(item) for item in value]
    # A device or a console may have written a presigned address, or one with a password, into any text.
    return _redact_addresses(value) if isinstance(value, str) else value


_SECRET_KEYS = frozenset({"ossaccesskeyid", "accesskeyid", "policy", "signature", "firmwareurl", "devicesecret"})
