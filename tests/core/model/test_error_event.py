from __future__ import annotations

import json

import pytest

from airflow_provider_tuya_ota.core.errors import (
    Delivery,
    InvalidParameterError,
    ProtocolError,
    ThrottledError,
    TransportError,
    TuyaOTAError,
)
from airflow_provider_tuya_ota.core.model.error_event import describe_error, rebuild_error

ERRORS = [
    ThrottledError(action="A", code="Throttling", message="m", request_id="r", http_status=400, advice="Wait."),
    TransportError("reset", endpoint="h:1", delivery=Delivery.UNKNOWN),
    InvalidParameterError(field="f", problem="is empty", allowed="a text"),
    ProtocolError("what?"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_is_rebuilt_as_itself_from_json(error: TuyaOTAError) -> None:
    rebuilt = rebuild_error(json.loads(json.dumps(describe_error(error))))

    assert type(rebuilt) is type(error)
    assert str(rebuilt) == str(error)
    assert vars(rebuilt) == vars(error)
    assert rebuilt.in_doubt == error.in_doubt


@pytest.mark.parametrize("kind", ["AddedLaterError", "Delivery", "annotations", None])
def test_a_kind_of_another_version_is_a_plain_error_with_its_text(kind: str | None) -> None:
    rebuilt = rebuild_error({"kind": kind, "message": "it broke"})

    assert type(rebuilt) is TuyaOTAError
    assert str(rebuilt) == "it broke"
