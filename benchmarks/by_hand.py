"""Scripts that make one signed call by hand, without this package.

:func:`bare` signs and parses, and checks nothing. :class:`Careful` keeps what this client promises, for the one call
that is measured and in as few steps as that takes: what it costs is what the promises cost. It knows one operation, one
rate limit and one form of the answer, and its errors say little.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import threading
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import quote

import aiohttp
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Iterable

JOB, KEY, SECRET = "9001", "LTAI4FoBenchmarkClient01", "bX9tQ2mWv7LkR4zJ8sYc1Pn6Hd3Fa5"
"""The key has the length of those that the vendor issues."""
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")
_DECIMAL: Final = re.compile(r"[0-9]+\.[0-9]+([Ee][+-]?[0-9]+)?")
_NAME: Final = re.compile(r"[\w.:@()-]{1,128}")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LENGTH: Final = re.compile(r"[0-9]{1,15}")
_ONE_WAY: Final = ("content-length", "transfer-encoding", "content-encoding")


def signed_query() -> str:
    """Sign one query, as a script without any library would."""
    parameters = {
        "Action": "QueryOTAJob",
        "JobId": JOB,
        "AccessKeyId": KEY,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": uuid.uuid4().hex,
        "SignatureVersion": "1.0",
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Format": "JSON",
        "Version": "2018-01-20",
    }
    query = "&".join(f"{quote(name, safe='')}={quote(parameters[name], safe='')}" for name in sorted(parameters))
    text = f"GET&{quote('/', safe='')}&{quote(query, safe='')}"
    digest = hmac.new(f"{SECRET}&".encode(), text.encode(), hashlib.sha1).digest()
    return f"{query}&Signature={quote(base64.b64encode(digest).decode(), safe='')}"


def signed_tightly(job_id: str) -> str:
    """Sign the same query in as few steps as Python allows: what does not change is written down encoded and sorted."""
    timestamp = datetime.now(UTC).isoformat(timespec="seconds")[:19].replace(":", "%3A")
    query = (
        f"AccessKeyId={KEY}&Action=QueryOTAJob&Format=JSON&JobId={quote(job_id, safe='')}&SignatureMethod=HMAC-SHA1"
        f"&SignatureNonce={os.urandom(16).hex()}&SignatureVersion=1.0&Timestamp={timestamp}Z&Version=2018-01-20"
    )
    text = "GET&%2F&" + query.replace("%", "%25").replace("=", "%3D").replace("&", "%26")
    digest = base64.b64encode(hmac.digest(f"{SECRET}&".encode(), text.encode(), "sha1")).decode()
    return f"{query}&Signature={quote(digest, safe='')}"


async def bare(session: aiohttp.ClientSession, port: int) -> Any:
    """Sign, send and parse."""
    async with session.get(URL(f"http://127.0.0.1:{port}/?{signed_query()}", encoded=True)) as answer:
        return await answer.json()


class Job(NamedTuple):
    """What a query tells about a job."""

    job_id: str
    firmware_id: str
    status: str
    kind: str
    product_key: str
    target_selection: str
    need_confirm: bool | None
    need_push: bool | None
    gray_percent: str
    group_id: str
    src_versions: tuple[str, ...]
    utc_create: str


class Careful:
    """One call that keeps every promise.

    The exchange and the time between two bytes are bounded, a request is sent once and within a rate, the head is
    strict, a body of more than 2 MiB is refused, and so are two values of one key; keys are found in any case, ids are
    exact, and what may be secret is not shown.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=30)
        self._session = aiohttp.ClientSession(
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "script"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        self._session._retry_connection = False  # noqa: SLF001 - aiohttp has no public setting for it
        self._lock = threading.Lock()
        self._tokens, self._at, self._rate = 1.0, time.monotonic(), 1e12

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def query_job(self, job_id: str) -> Job:
        """Sign, send, check and read."""
        if not _ID.fullmatch(job_id) or _DECIMAL.fullmatch(job_id) or job_id in {"None", "null", "undefined"}:
            raise ValueError
        if pause := self._reserve():
            await asyncio.sleep(pause)
        # Built from parts: yarl would keep a whole address, with its signature.
        url = URL.build(
            scheme="http",
            authority=f"127.0.0.1:{self._port}",
            path="/",
            query_string=signed_tightly(job_id),
            encoded=True,
        )
        async with (
            asyncio.timeout(70),
            self._session.get(url, allow_redirects=False, timeout=self._timeout) as answer,
        ):
            if answer.status != 200 or not answer.version or answer.version < (1, 0):  # noqa: PLR2004 - HTTP's success
                raise ValueError
            _require_head(answer.raw_headers)
            body = b""
            while piece := await answer.content.readany():
                body += piece
                if len(body) > 2 * 1024 * 1024:
                    raise ValueError
        return _job(_DECODER.decode(body.decode()), job_id)

    def _reserve(self) -> float:
        with self._lock:
            now = time.monotonic()
            self._tokens = min(1.0, self._tokens + (now - self._at) * self._rate)
            self._at = now
            pause = max(0.0, 1.0 - self._tokens) / self._rate
            self._tokens -= 1.0
        return pause


def _require_head(pairs: Iterable[tuple[bytes, bytes]]) -> None:
    headers: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1").lower(), value.decode()
        if not _TOKEN.fullmatch(key) or not text.isprintable() or len(name) + len(value) > 8000 or len(headers) > 64:  # noqa: PLR2004 - limits of both libraries
            raise ValueError
        if key in headers and key in _ONE_WAY:
            raise ValueError
        headers[key] = text
    length, transfer, encoding = map(headers.get, _ONE_WAY)
    if encoding is not None or (length is None) is (transfer is None) or (length and not _LENGTH.fullmatch(length)):
        raise ValueError


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object whose keys are in lower case; refuse two values of one key."""
    found = {key.lower(): value for key, value in pairs}
    if len(found) < len(pairs) and any(found[key.lower()] != value for key, value in pairs):
        raise ValueError
    for value in found.values():
        if isinstance(value, str) and not value.isprintable():
            raise ValueError
    return found


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object)


def _job(answer: dict[str, Any], job_id: str) -> Job:
    if answer.get("success") is not True or answer.get("code"):
        raise ValueError
    data = answer["data"]
    if _name(data, "jobid") != job_id:
        raise ValueError
    return Job(
        job_id=_id(data, "jobid"),
        firmware_id=_id(data, "firmwareid"),
        status=_name(data, "jobstatus"),
        kind=_name(data, "jobtype"),
        product_key=_id(data, "productkey"),
        target_selection=_name(data, "targetselection"),
        need_confirm=_flag(data, "needconfirm"),
        need_push=_flag(data, "needpush"),
        gray_percent=_name(data, "graypercent"),
        group_id=_id(data, "groupid"),
        src_versions=tuple(sorted(map(_safe, data["srcversions"]["srcversion"]))),
        utc_create=_name(data, "utccreate"),
    )


def _id(data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    if value is None:
        return ""
    text = str(value) if type(value) is int else value
    if not isinstance(text, str) or not _ID.fullmatch(text) or ("." in text and _DECIMAL.fullmatch(text)):
        raise ValueError
    return text


def _name(data: dict[str, Any], key: str) -> str:
    value = data.get(key)
    return "" if value is None else _safe(value)


def _safe(value: Any) -> str:
    if not isinstance(value, str) or SECRET in value or KEY in value or not _NAME.fullmatch(value):
        raise ValueError
    return value


def _flag(data: dict[str, Any], key: str) -> bool | None:
    value = data.get(key)
    if value is not None and type(value) is not bool:
        raise ValueError
    return value
