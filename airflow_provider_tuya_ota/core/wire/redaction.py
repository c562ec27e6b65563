"""Remove secrets from texts of the platform before they are shown.

Gateways of this family repeat the string to sign in their error messages, and a part of an answer may contain a
presigned address, a policy or a device's secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.addresses import REMOVED, redact_addresses
from airflow_provider_tuya_ota.core.texts import LONGEST_NAME, LONGEST_TEXT, cut, one_line, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_tuya_ota.core.secret import Secret

EXCERPT_LENGTH = 160
_SEARCHED = 65_536
"""Characters of a text that are read to show its beginning; the text is cut between two words."""
_SHORTEST_PREFIX = 8
"""Characters of a known secret that are removed at the end of a text."""
_KEYED = re.compile(
    r"""(?isx) (?: access_?key_?id | signature(?!doesnotmatch|nonceused) | policy | secret(?: s | _?key )? | firmwareurl
            | passw(?: or )?d | passphrase | token | authorization | api_?key | private_?key | cookie )
        (?: \\*["'] | &quot; )? \s* (?: [:=] | %3D | %253D | (?P<tag> > ) ) \s* (?: (?P<quote> \\*["'] | &quot; ) )?
        (?P<value> (?(quote) (?: (?! (?<! \\ ) (?P=quote) ) . )+ | (?: (?(tag) [^<]+ | (?:
            (?P<inside> [\[{] ) | (?: (?: bearer | basic ) \s+ )? [^"'&\s,<>}\\]+ ) ) ) ) )"""
)
"""A secret name with its value: up to the quote that ends it, up to the next tag, or a word; or a list or an object."""
_INSIDE = re.compile(r"""(?sx) " (?: [^"\\] | \\ . )*+ "? | (?P<open> [\[{] ) | (?P<close> [\]}] )""")
_ESCAPE = re.compile(r"(?<!\\)\\++(?:(?P<slash>/)|u(?P<char>[0-9A-Fa-f]{4})|(?P<cut>(?:u[0-9A-Fa-f]{0,3})?\Z))")
"""A slash or another character as JSON may escape it, also inside a text of JSON; or the beginning of an escape."""
_WORD = re.compile(r"[^\W\d_]{5}")
"""Every name of a secret contains one; a time of day does not."""
_OPAQUE = re.compile(r"[A-Za-z0-9+/=_%~-]{28,}")
_CODE = re.compile(r"[A-Za-z]+(?:\.[A-Za-z]+)*")
_PLAIN_NAME = re.compile(rf"[\w.:@()-]{{1,{LONGEST_NAME}}}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def redact(text: str, known: Iterable[Secret] = ()) -> str:
    """Remove secrets from a text, in time proportional to its length.

    Removed are known secrets, values of secret names, users and passwords in addresses, queries of addresses (they may
    be presigned), and any long opaque run of characters except UUIDs, which are request ids. Where a secret is found
    only without the escapes of JSON, the text is given without them.
    """
    if "\\" in text and (plain := _ESCAPE.sub(_unescaped, text)) != text:
        redacted = _redact(plain, known)
        if redacted != plain:
            return redacted
    return _redact(text, known)


def _unescaped(escape: re.Match[str]) -> str:
    if escape["char"] is None:
        return escape["slash"] or ""
    char = chr(int(escape["char"], 16))
    return char if char.isprintable() else escape[0]


def _redact(text: str, known: Iterable[Secret]) -> str:
    if not text:
        return text
    text = redact_addresses(_without(text, known))
    text = _without_values(text)
    return _OPAQUE.sub(lambda run: run.group() if _UUID.fullmatch(run.group()) else REMOVED, text)


def _without_values(text: str) -> str:
    """Remove the values of secret names."""
    parts: list[str] = []
    end = 0
    while keyed := _KEYED.search(text, end):
        parts += text[end : keyed.start("value")], REMOVED
        end = _end_inside(text, keyed.end()) if keyed["inside"] else keyed.end()
    return "".join([*parts, text[end:]])


def _end_inside(text: str, begin: int) -> int:
    """Find the end of a list or an object that has begun; the end of the text where it was cut."""
    depth = 1
    for token in _INSIDE.finditer(text, begin):
        depth += bool(token["open"]) - bool(token["close"])
        if not depth:
            return token.end()
    return len(text)


def contains_secret(text: str, known: Iterable[Secret]) -> bool:
    """Whether a text contains a known secret."""
    return any(revealed in text for secret in known if (revealed := secret.reveal()))


def _without(text: str, known: Iterable[Secret]) -> str:
    for secret in known:
        revealed = secret.reveal()
        # Nearly no text contains even the beginning of a secret, and a list has a million texts.
        if revealed and revealed[:_SHORTEST_PREFIX] in text:
            text = _without_cut_end(text.replace(revealed, REMOVED), revealed)
    return text


def _without_cut_end(text: str, secret: str) -> str:
    """Remove the beginning of a secret from the end of a text that was cut inside it."""
    begin = text.find(secret[:_SHORTEST_PREFIX], max(0, len(text) - len(secret)))
    while len(secret) > _SHORTEST_PREFIX and begin >= 0:
        if secret.startswith(text[begin:]):
            return text[:begin] + REMOVED
        begin = text.find(secret[:_SHORTEST_PREFIX], begin + 1)
    return text


def safe_text(text: str, known: Iterable[Secret] = (), longest: int = LONGEST_TEXT) -> str:
    """Give a free text of the platform on one short line, redacted before it is cut."""
    # A long text is cut first: only its beginning is shown.
    if len(text) > _SEARCHED:
        end = text.rfind(" ", _SEARCHED // 2, _SEARCHED)
        text = text[: end if end > 0 else _SEARCHED]
    return cut(redact(one_line(text), known), longest)


def safe_name(text: str, known: Iterable[Secret] = ()) -> str:
    """Give a text unchanged where it has the form of a name, because names are compared; otherwise as a free text.

    A name that is changed contains a character that no name has, so that it never equals another name.
    """
    name = _without(text if text.isprintable() else visible(text), known)
    if _PLAIN_NAME.fullmatch(name):
        # A list of 100,000 tasks has a million names, so few are searched: a secret follows its name and a colon.
        return _without_values(name) if ":" in name and _WORD.search(name) else name
    return cut(redact(name, known), LONGEST_NAME)


def redact_code(code: str, known: Iterable[Secret] = ()) -> str:
    """Keep an error code, which is a dotted word and may be long; treat anything else as text."""
    is_code = _CODE.fullmatch(code) and not contains_secret(code, known)
    return code if is_code else redact(code, known)


def excerpt(body: bytes, known: Iterable[Secret] = ()) -> str:
    """Give the beginning of an answer on one line, redacted before it is cut."""
    return safe_text(body[:65536].decode("utf-8", "replace"), known, EXCERPT_LENGTH)


def mask_reply(value: Any) -> Any:
    """Copy a parsed answer without the values of secret names, and without users and queries of addresses."""
    if isinstance(value, Mapping):
        return {key: "***" if item and _is_secret(key) else mask_reply(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mask_reply(item) for item in value]
    # A device or a person may have written a presigned address, or one with a password, into any text.
    return _without_values(redact_addresses(value)) if isinstance(value, str) else value


def _is_secret(key: str) -> bool:
    name = key.casefold().strip()
    return name in _SECRET_KEYS or (name.endswith(_SECRET_ENDS) and name not in _NO_SECRETS)


_SECRET_KEYS = frozenset({"ossaccesskeyid", "accesskeyid", "policy", "signature", "firmwareurl"})
_SECRET_ENDS = (
    *("secret", "secrets", "secretkey", "secret_key", "password", "passwd", "passphrase", "token", "cookie"),
    *("apikey", "api_key", "privatekey", "private_key"),
)
_NO_SECRETS = frozenset({"nexttoken"})
"""Names with such an end of what is no secret: the place of a page in a list of devices."""
