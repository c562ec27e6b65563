"""Carry out single operations: sign, send, parse, and repeat if that is safe."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar

from airflow_provider_tuya_ota.core.actions.base import Action
from airflow_provider_tuya_ota.core.codes.lookup import is_documented_refusal
from airflow_provider_tuya_ota.core.errors import (
    ApiError,
    AuthenticationError,
    InvalidParameterError,
    ThrottledError,
    TuyaOTAError,
)
from airflow_provider_tuya_ota.core.flows.effects import Flow, FlowContext, ReadContext, Send, Sleep, SlowDown
from airflow_provider_tuya_ota.core.flows.events import RequestAdvised, RequestRetried
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.policy.retry import CANCEL_RETRY, DEFAULT_RETRY, Repeat
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.core.wire.auth_advice import explain_refusal
from airflow_provider_tuya_ota.core.wire.body import safely
from airflow_provider_tuya_ota.core.wire.encoding import Value, Wire, to_wire
from airflow_provider_tuya_ota.core.wire.http import Request, Response
from airflow_provider_tuya_ota.core.wire.reply import Reply, read_reply
from airflow_provider_tuya_ota.core.wire.signing import common_parameters, signed_query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from airflow_provider_tuya_ota.core.policy.retry import RetryPolicy
    from airflow_provider_tuya_ota.core.settings import Settings

Result = TypeVar("Result")

_OPERATION: Final = re.compile("[A-Za-z][A-Za-z0-9]{0,127}")
_OTHER_METHOD: Final = {"GET": "POST", "POST": "GET"}


def call(
    settings: Settings,
    action: Action[Result],
    retry: RetryPolicy | None = None,
    *,
    permit: Callable[[], Flow[None]] | None = None,
) -> Flow[Result]:
    """Carry out one operation and parse its answer.

    :param retry: how often to send again; the default bridges about fifteen seconds.
    :param permit: runs right before each request, which is then sent soon or not at all; an error that it raises ends
        the call.
    :raises TuyaOTAError: see :mod:`airflow_provider_tuya_ota.core.errors`.
    """
    if not isinstance(action, Action):
        raise InvalidParameterError(
            field="action",
            problem=f"{short_repr(action)} is no operation",
            allowed="one of core.actions, e.g. QueryOTAJob(…)",
        )
    for advisory in action.advisories():
        yield RequestAdvised(action.name, advisory)
    reply = yield from call_by_name(
        settings,
        action.name,
        action.wire(),
        repeat=action.repeat,
        rate_limit_group=action.rate_limit_group,
        retry=retry,
        permit=permit,
    )
    return safely(action.name, lambda: action.parse(reply))


def call_by_name(
    settings: Settings,
    name: str,
    parameters: Mapping[str, Value],
    *,
    repeat: Repeat,
    rate_limit_group: RateLimitGroup = RateLimitGroup.CALLS,
    retry: RetryPolicy | None = None,
    permit: Callable[[], Flow[None]] | None = None,
) -> Flow[Reply]:
    """Carry out any operation by its name, known to this package or not.

    Parameters are sent in the query with either HTTP method. If the platform does not serve the connection's method for
    an operation, the other one is tried: the vendor's examples are all GET, and the upstream API documents POST for
    some.

    :param name: operation on the wire.
    :param parameters: its own parameters; lists become ``Name.1…N``.
    :param repeat: whether the request may be sent again after a lost answer.
    :param rate_limit_group: rate limit group to count the request in.
    :param retry: how often to send again; the default bridges about fifteen seconds.
    :param permit: runs right before each request, which is then sent soon or not at all; an error that it raises ends
        the call.
    :raises TuyaOTAError: ``in_doubt`` is set also on a refusal that follows a lost answer, because the request without
        an answer may have caused it; and on the refusal of a create with a code that is not documented.
    """
    policy = retry or (CANCEL_RETRY if rate_limit_group is RateLimitGroup.CANCELS else DEFAULT_RETRY)
    wire = to_wire(parameters)
    method = settings.http_method
    attempt = 0
    is_in_doubt = False
    while True:
        attempt += 1
        context: FlowContext = yield ReadContext()
        if permit is not None:
            # After the clocks were read: permit notices a freeze before it, the clocks one after it.
            yield from permit()
        try:
            request = _signed(settings, method, name, wire, context)
            send = Send(request, rate_limit_group, since=None if permit is None else context)
            return (yield from _attempt(settings, name, send, context.now))
        except TuyaOTAError as error:
            may_have_created = _may_have_created(error, repeat)
            if _refuses_method(error) and method == settings.http_method and not may_have_created:
                # The gateway refused the request, so even a create was not carried out.
                method = _OTHER_METHOD[method]
                continue
            delay = policy.delay(error, repeat, attempt=attempt, jitter=context.jitter)
            is_in_doubt = is_in_doubt or error.in_doubt or may_have_created
            if delay is None or may_have_created:
                error.in_doubt = is_in_doubt
                raise
            if isinstance(error, ThrottledError):
                yield SlowDown(rate_limit_group)
            yield RequestRetried(name, error.sentence, delay)
            yield Sleep(delay)


def require_operation(name: Any) -> None:
    """Check that a name can be one of an operation, known or not.

    :raises InvalidParameterError: it is no text, is empty, or holds anything but letters and digits of ASCII.
    """
    if not isinstance(name, str):
        problem = f"{short_repr(name)} is not a text"
    elif _OPERATION.fullmatch(name):
        return
    else:
        problem = f"{short_repr(name)} is no name of an operation"
    raise InvalidParameterError(
        field="action", problem=problem, allowed="letters and digits, as the operation is called on the wire"
    )


def _refuses_method(error: TuyaOTAError) -> bool:
    return isinstance(error, ApiError) and (
        error.http_status == HTTPStatus.METHOD_NOT_ALLOWED or error.code.lower().startswith("unsupportedhttpmethod")
    )


def _may_have_created(error: TuyaOTAError, repeat: Repeat) -> bool:
    is_unexplained = isinstance(error, ApiError) and not is_documented_refusal(error.code, error.http_status)
    return repeat is Repeat.DUPLICATES and is_unexplained


def _signed(settings: Settings, method: str, name: str, wire: Wire, context: FlowContext) -> Request:
    # Nonce, timestamp and signature belong to one attempt: a replayed nonce is refused.
    common = common_parameters(settings, action=name, timestamp=context.now, nonce=context.nonce)
    if "Signature" in wire or not common.keys().isdisjoint(wire):
        taken = min({*common, "Signature"} & wire.keys())
        raise InvalidParameterError(
            field=taken, problem="is what the client writes itself", allowed=f"the parameters of {name} alone"
        )
    query = signed_query(method, {**wire, **common}, settings.credentials.access_key_secret)
    return Request(method, f"{settings.base_url}/?{query}", {"Accept": "application/json"})


def _attempt(settings: Settings, name: str, send: Send, sent_at: datetime) -> Flow[Reply]:
    response: Response = yield send
    return safely(name, lambda: _read(settings, name, response, sent_at))


def _read(settings: Settings, name: str, response: Response, sent_at: datetime) -> Reply:
    pair = settings.credentials.access_key_secret, settings.credentials.access_key_id
    try:
        return read_reply(name, response, secrets=pair)
    except AuthenticationError as error:
        raise explain_refusal(error, settings, response, sent_at) from None
