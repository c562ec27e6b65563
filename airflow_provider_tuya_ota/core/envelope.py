"""An HTTP answer to a reply or a typed error.

Two error forms exist: the gateway's ``{Code, Message}`` with 4xx/5xx, and the operation's ``{code, errorMessage,
success: false}`` with 200 or 4xx. Success is ``success: true`` with an empty or absent code. Format follows the
answer itself, because the documented default is XML and every documented example is JSON.
Source: https://developer.tuya.com/cn/docs/tuya-iot/Pub?id=Keyc7sd30vmlj .
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

from airflow_provider_tuya_ota.core.error_codes import api_error
from airflow_provider_tuya_ota.core.errors import ProtocolError, UnreadableReplyError
from airflow_provider_tuya_ota.core.record import Record
from airflow_provider_tuya_ota.core.redaction import excerpt, redact, redact_code
from airflow_provider_tuya_ota.core.xml import read_xml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.http import Response

_SUCCESS_CODES: Final = frozenset({"", "200", "OK"})
"""The documented one is empty; the others cost nothing to understand when ``success`` says true."""
_SPEAKING: Final = frozenset({405, 429})
"""Statuses that say enough without a code: the method is not served, there were too many requests."""
_MISSING_COMMA: Final = re.compile(r'"(?:[^"\\]|\\[\s\S])*+(?:"|\\?\Z)|(?P<closing>[}\]])(?=\s*")')
"""A text, to be skipped whole, or the end of an object or list that a key follows at once."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer.

    :param action: the operation that was called.
    :param request_id: what the vendor's support asks for.
    :param fields: the whole answer, keys in any case.
    """

    action: str
    request_id: str
    fields: Record


def read_reply(action: str, response: Response, *, secrets: Sequence[str] = ()) -> Reply:
    """Read an answer.

    :param action: the operation that was called.
    :param response: what came back.
    :param secrets: texts to remove from messages, wherever the platform echoes them.
    :raises ApiError: the platform refused; the subclass says who has to act.
    :raises ProtocolError: the answer has no documented form.
    """
    if 300 <= response.status < 400:  # noqa: PLR2004 - HTTP's redirects
        raise ProtocolError(
            f"{action}: the endpoint answered with a redirect (HTTP {response.status}), which is not followed because"
            " the request is signed for this host. Check API host and API port of the connection"
            " (8686 is the API, 3443 the console)."
        )
    fields = _read_fields(response.body)
    if fields is None:
        _refuse_unreadable(action, response, secrets)
    code = fields.text("Code").strip()
    success = fields.flag("Success")
    accepted = success is not False and (code == "" or (success is True and code in _SUCCESS_CODES))
    if response.status < 300 and accepted:  # noqa: PLR2004 - HTTP's success
        if success is None and "RequestId" not in fields:
            _refuse_unreadable(action, response, secrets)
        return Reply(action=action, request_id=fields.text("RequestId"), fields=fields)
    if success is True and response.status < 300:  # noqa: PLR2004 - HTTP's success
        raise ProtocolError(f"{action}: the answer says success and code {redact_code(code, secrets)!r} at once")
    if code == "" and success is not False:
        _refuse_unreadable(action, response, secrets)
    raise api_error(
        action=action,
        code=redact_code(code, secrets),
        message=redact(fields.text("ErrorMessage") or fields.text("Message"), secrets),
        request_id=fields.text("RequestId"),
        http_status=response.status,
    )


def _read_fields(body: bytes) -> Record | None:
    text = body.strip()
    parsed: Any = None
    if text.startswith(b"<"):
        parsed = read_xml(text)
    else:
        try:
            parsed = _read_json(text)
        except (ValueError, RecursionError):
            return None
    return Record(parsed) if isinstance(parsed, dict) else None


def _read_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except json.JSONDecodeError:
        # As the vendor shows ListOTAModuleByProduct, there is no comma between the modules and the next key.
        mended = _MISSING_COMMA.sub(lambda found: f"{found[0]}," if found["closing"] else found[0], body.decode())
        return json.loads(mended)


def _refuse_unreadable(action: str, response: Response, secrets: Sequence[str]) -> NoReturn:
    shown = excerpt(response.body, secrets)
    if response.status >= 500 or response.status in _SPEAKING:  # noqa: PLR2004 - HTTP's failures of a server
        raise api_error(action=action, code="", message=shown, request_id="", http_status=response.status)
    # The platform refuses with a code. A 403 or 404 without one is told by a proxy, a firewall or another server.
    advice = (
        " Something in between answered, or API host and API port of the connection are not the API's (8686 is the"
        " API, 3443 the console)."
        if response.status >= 400  # noqa: PLR2004 - HTTP's failures
        else ""
    )
    raise UnreadableReplyError(
        f"{action}: the answer (HTTP {response.status}, {len(response.body)} bytes) is no documented reply:"
        f" {shown!r}.{advice}"
    )
