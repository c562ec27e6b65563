from __future__ import annotations

import inspect
import json
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import ExceptionRetryPolicy, RetryAction

from airflow_provider_tuya_ota.core import errors
from airflow_provider_tuya_ota.core.errors import ApiError, TuyaOTAError
from airflow_provider_tuya_ota.core.model import outcome_errors
from airflow_provider_tuya_ota.retry_policy import tuya_ota_retry_policy

WAITS = {"ThrottledError": timedelta(minutes=1), "UnavailableError": timedelta(minutes=2)}
for _kind in (
    "TransportError",
    "SourceUnavailableError",
    "StateUnavailableError",
    "PollingFailedError",
    "ProtocolError",
    "IncompleteListError",
    "UnreadableReplyError",
):
    WAITS[_kind] = WAITS["UnavailableError"]
UNDECIDED = {"TuyaOTAError", "ApiError", "TriggerEventError"}
KINDS = sorted(
    {
        kind
        for module in (errors, outcome_errors)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, TuyaOTAError)
    },
    key=lambda kind: kind.__name__,
)


def raised(kind: type[TuyaOTAError]) -> TuyaOTAError:
    error = kind.__new__(kind)
    if issubclass(kind, ApiError):
        fields: dict[str, Any] = {"action": "A", "code": "c", "message": "m", "request_id": "r", "http_status": 400}
        error = kind(**fields, advice="")
    return error


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_is_tried_again_only_where_time_helps(kind: type[TuyaOTAError]) -> None:
    decision = tuya_ota_retry_policy().evaluate(raised(kind), try_number=1, max_tries=5)

    if kind.__name__ in UNDECIDED:
        assert decision.action is RetryAction.DEFAULT
    elif kind.__name__ in WAITS:
        assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, WAITS[kind.__name__])
    else:
        assert decision.action is RetryAction.FAIL
        assert decision.reason


def test_it_survives_the_way_into_airflow_s_database() -> None:
    stored = json.loads(json.dumps(tuya_ota_retry_policy().serialize(), default=str))

    assert len(stored["rules"]) == len(tuya_ota_retry_policy().rules)
    assert isinstance(tuya_ota_retry_policy(), ExceptionRetryPolicy)
