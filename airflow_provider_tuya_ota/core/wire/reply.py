"""Turn an HTTP answer into a reply or a typed error.

Two error forms exist: the gateway's ``{Code, Message}`` with 4xx/5xx, and the operation's ``{code, errorMessage,
success: false}`` with 200 or 4xx. Success is ``success: true`` with an empty or absent code.
Source: https://developer.tuya.com/cn/docs/tuya-iot/Pub?id=Keyc7sd30vmlj .
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from airflow_provider_tuya_ota.core.codes.lookup import api_error
from airflow_provider_tuya_ota.core.errors import ProtocolError, UnreadableReplyError
from airflow_provider_tuya_ota.core.policy.retry import asked_pause
from airflow_provider_tuya_ota.core.wire.body import read_body
from airflow_provider_tuya_ota.core.wire.redaction import excerpt, redact_code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.secret import Secret
    from airflow_provider_tuya_ota.core.wire.http import Response
    from airflow_provider_tuya_ota.core.wire.record import Record

_SUCCESS_CODES: Final = frozenset({"", "0", "200", "ok", "success"})
"""The documented one is empty. The others, in upper or lower case, are accepted where nothing in the answer
contradicts.""
contradicts."""
_CLEAR_STATUSES: Final = frozenset({405, 429})
"""Statuses that need no code: the method is not supported, there were too many requests."""
_SAYS_SUCCESS: Final = re.compile(rb"""(?i)success["']?\s{0,9}[:>=]\s{0,9}["']?true""")
"""Found in an answer that was cut short, it says that the request succeeded."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer.

    :param action: the operation that was called.
    :param request_id: id of the request, which the vendor's support asks for.
    :param fields: the whole answer; keys are found in any case.
    """

    action: str
    request_id: str
    fields: Record


def read_reply(action: str, response: Response, *, secrets: Sequence[Secret] = ()) -> Reply:
    """Read an answer.

    :param action: the operation that was called.
    :param response: the answer.
    :param secrets: texts to remove where the platform repeats them in a message.
    :raises ApiError: the platform refused; the subclass says who has to act.
    :raises ProtocolError: the platform does not document such an answer.
    """
    if 300 <= response.status < 400:  # noqa: PLR2004 - HTTP's redirects
        raise ProtocolError(
            f"{action}: the endpoint answered with a redirect (HTTP {response.status}), which is not followed because"
            " the request is signed for this host. Check API host and API port of the connection"
            " (8686 is the API, 3443 the console)."
        )
    fields = read_body(response.body, secrets)
    if fields is None:
        _refuse_unreadable(action, response, secrets)
    code = fields.name("Code").strip()
    if code:
        code = redact_code(code, secrets)
    success = fields.flag("Success")
    accepted = success is not False and code.lower() in _SUCCESS_CODES
    if 200 <= response.status < 300 and accepted:  # noqa: PLR2004 - HTTP's success
        if success is None and "RequestId" not in fields:
            _refuse_unreadable(action, response, secrets)
        return Reply(action=action, request_id=fields.name("RequestId"), fields=fields)
    if response.status < 500 and _may_have_acted(fields, response.status, code, success=success):  # noqa: PLR2004 - HTTP's failures of a server
        refusal = f"code {code!r}" if code else f"HTTP {response.status}"
        raise ProtocolError(
            f"{action}: the answer contradicts itself: it says {refusal}, and success or data at once; it may have been"
            " carried out"
        )
    if success is True or (code == "" and success is None):
        _refuse_unreadable(action, response, secrets)
    raise api_error(
        action=action,
        code=code,
        message=fields.text("ErrorMessage") or fields.text("Message"),
        request_id=fields.name("RequestId"),
        http_status=response.status,
        retry_after=asked_pause(response.headers),
    )


def _may_have_acted(fields: Record, status: int, code: str, *, success: bool | None) -> bool:
    """Whether an answer contradicts itself: read as a refusal, it would let a create be sent again."""
    if success is True or code.lower() in _SUCCESS_CODES - {""}:
        return code != "" or status < 300 or status in _CLEAR_STATUSES  # noqa: PLR2004 - HTTP's success
    return bool(fields.get("Data"))


def _refuse_unreadable(action: str, response: Response, secrets: Sequence[Secret]) -> NoReturn:
    shown = excerpt(response.body, secrets)
    if response.status in _CLEAR_STATUSES and _SAYS_SUCCESS.search(response.body):
        raise UnreadableReplyError(
            f"{action}: the answer (HTTP {response.status}) says success and cannot be read; it may have been carried"
            f" out: {shown!r}"
        )
    if response.status >= 500 or response.status in _CLEAR_STATUSES:  # noqa: PLR2004 - HTTP's failures of a server
        raise api_error(
            action=action,
            code="",
            message=shown,
            request_id="",
            http_status=response.status,
            retry_after=asked_pause(response.headers),
        )
    # The platform refuses with a code. A 403 or 404 without a code comes from a proxy, a firewall or another server.
    advice = (
        " A proxy answered, or API host and API port of the connection are not the API's (8686 is the"
        " API, 3443 the console)."
        if response.status >= 400  # noqa: PLR2004 - HTTP's failures
        else ""
    )
    raise UnreadableReplyError(
        f"{action}: the answer (HTTP {response.status}, {len(response.body)} bytes) is no documented reply:"
        f" {shown!r}.{advice}"
    )
