"""Bent answers: what a broken platform, a hostile device or something in between might send."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.wire.http import Response

if TYPE_CHECKING:
    from collections.abc import Iterator

DIGITS = "@digits@"
"""Stands for a number of 5,000 digits, which no encoder of JSON writes."""
DEEP = ("@600@", "@990@", "@5000@", "@100000@")
"""Stand for lists that are nested so deep."""
STATUSES = (*(200,) * 12, 201, 204, 301, 400, 403, 404, 405, 429, 500, 503)
RUBBISH: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "null",
    "true",
    "\x00",
    "\ud800",
    "\uff19",
    "\u00b2",
    "1e5",
    "0x10",
    "-0",
    "a" * 10_000,
    "2024-13-45T99:99:99Z",
    "\x1b[2J\x1b[31mdone",
    "\x9b31m",
    "done\n[2026-03-01] INFO - everything was upgraded",
    "\u202egnp.exe\u2066",
    "d1\u200b",
    "a\u2028b\u2029c\x85d",
    "https://bucket.example.com/k?Expires=1&OSSAccessKeyId=canary&Signature=canary",
    "policy=canary",
    " 1 ",
    1.0,
    1.83634077921266e18,
    "1.8E18",
    "4711",
    4711,
    "灯" * 100_000,
    DIGITS,
    *DEEP,
    [],
    {},
    [[]],
    [None],
    [{}],
    {"": ""},
    {"data": {"data": {}}},
)
HEADS = (
    b"",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\x00",
    b"<html>",
    b"<?xml version='1.0'?>",
    b")]}',\n",
    b"HTTP/1.1 200 OK\r\n",
)
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(8))
    + b"]><l>&i;</l>"
)


STAND_INS = {f'"{DIGITS}"'.encode(): b"9" * 5000} | {
    f'"{deep}"'.encode(): b"[" * int(deep.strip("@")) + b"]" * int(deep.strip("@")) for deep in DEEP
}
DATES = (
    "",
    "yesterday",
    "Mon, 01 Jan 2026 00:00:00 GMT",
    "Mon, 01 Jan 99999 00:00:00 GMT",
    f"Mon, 01 Jan {10**30} 00:00:00 GMT",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "Mon, 31 Feb 2026 25:61:61 +9999",
    "Mon, 01 Jan 2026 00:00:00 -0000",
)
PAUSES = ("", "1", "86400", "9" * 5000, "-1", "1e400", "nan", "\u0667", "soon", *DATES)


def leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    """Give the place of each plain value: what holds it, and under which key."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        if isinstance(value[key], dict | list):
            yield from leaves(value[key])
        else:
            yield value, key


class Mutator:
    """Bends answers."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - a campaign, repeatable by its seed

    def reply(self, body: bytes) -> Response:
        """Give something that resembles an answer."""
        random = self._random
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            bend = random.choice((self._structure, self._structure, self._leaf, self._leaf, self._bytes, self._replace))
            body = bend(body)
        for stand_in, raw in STAND_INS.items():
            body = body.replace(stand_in, raw)
        headers = {"date": random.choice(DATES), "retry-after": random.choice(PAUSES)}
        return Response(random.choice(STATUSES), headers, body)

    def _structure(self, body: bytes) -> bytes:
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError):
            return self._bytes(body)
        for _ in range(self._random.randint(1, 4)):
            parsed = self._bent(parsed)
        return json.dumps(parsed).encode("utf-8", "surrogatepass")

    def _leaf(self, body: bytes) -> bytes:
        """Change one value and leave everything else as it is; half of the time an id, a name or a key."""
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError):
            return self._bytes(body)
        places = list(leaves(parsed))
        telling = [(holder, key) for holder, key in places if str(key).lower().endswith(("id", "key", "name"))]
        if not places:
            return body
        chosen = telling if telling and self._random.random() < 0.5 else places
        holder, key = self._random.choice(chosen)
        holder[key] = self._random.choice(RUBBISH)
        return json.dumps(parsed).encode("utf-8", "surrogatepass")

    def _bent(self, value: Any) -> Any:
        random = self._random
        if isinstance(value, dict) and value and random.random() < 0.8:
            name = random.choice(list(value))
            return self._bent_object(dict(value), name)
        if isinstance(value, list) and value and random.random() < 0.8:
            place = random.randrange(len(value))
            return [*value[:place], self._bent(value[place]), *value[place + random.choice((0, 1)) :]]
        return random.choice((*RUBBISH, [value], {"wrapped": value}, str(value), [value] * 3))

    def _bent_object(self, value: dict[str, Any], name: str) -> dict[str, Any]:
        match self._random.randrange(7):
            case 0:
                del value[name]
            case 1:
                value[name.upper()] = value.pop(name)
            case 2:
                value[name.swapcase()] = self._random.choice(RUBBISH)
            case 3:
                value[name] = self._random.choice(RUBBISH)
            case 4:
                value["extra"] = value[name]
            case _:
                value[name] = self._bent(value[name])
        return value

    def _bytes(self, body: bytes) -> bytes:
        random = self._random
        match random.randrange(6):
            case 0:
                return body[: random.randrange(len(body) + 1)]
            case 1:
                return random.choice(HEADS) + body
            case 2:
                return body.decode("utf-8", "replace").encode(random.choice(("utf-16", "utf-32", "utf-7")), "replace")
            case 3:
                return body + body
            case 4:
                place = random.randrange(len(body) + 1)
                return body[:place] + random.randbytes(random.randint(1, 8)) + body[place:]
            case _:
                return body.replace(b'"', b"'") if random.random() < 0.5 else body.replace(b"<", b"<x:")

    def _replace(self, _: bytes) -> bytes:
        random = self._random
        return random.choice(
            (
                random.randbytes(random.randint(0, 200)),
                b"[" * 100_000,
                b'{"a":' * 50_000,
                b"<a>" * 20_000,
                BOMB,
                b'{"success":true,"data":' + b"9" * 100_000 + b"}",
                b'{"success":true,"code":"","requestId":"x","data":'
                + json.dumps(random.choice(RUBBISH)).encode()
                + b"}",
                b"<html><body>502 Bad Gateway</body></html>",
                json.dumps(random.choice(RUBBISH)).encode("utf-8", "surrogatepass"),
            )
        )
