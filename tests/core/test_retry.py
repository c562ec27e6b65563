from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.error_codes import api_error
from airflow_provider_tuya_ota.core.errors import (
    ApiError,
    ConfigurationError,
    Delivery,
    ProtocolError,
    TuyaOTAError,
    UnreadableReplyError,
)
from airflow_provider_tuya_ota.core.retry import Repeat, RetryPolicy
from tests.core.script import lost


def refusal(code: str, status: int = 200) -> ApiError:
    return api_error(action="X", code=code, message="", request_id="", http_status=status)


@pytest.mark.parametrize(
    ("error", "harmless", "duplicates"),
    [
        (lost(Delivery.NEVER_SENT), True, False),
        (lost(Delivery.UNKNOWN), True, False),
        (refusal("", 503), True, False),
        (refusal("iot.firmware.SystemBusy"), True, False),
        (refusal("iot.system.SystemException"), True, False),
        (refusal("Throttling.User", 400), True, True),
        (refusal("", 429), True, True),
        (refusal("SignatureNonceUsed", 400), False, False),
        (refusal("iot.firmware.FirmwareNotFound"), False, False),
        (refusal("", 404), False, False),
        (ProtocolError("?"), False, False),
        (UnreadableReplyError("?"), True, False),
        (ConfigurationError("?"), False, False),
    ],
)
def test_what_may_be_repeated_depends_on_error_and_operation(
    error: TuyaOTAError,
    harmless: bool,
    duplicates: bool,
) -> None:
    def repeated(repeat: Repeat) -> bool:
        return RetryPolicy().delay(error, repeat, attempt=1, jitter=0.5) is not None

    assert (repeated(Repeat.HARMLESS), repeated(Repeat.DUPLICATES)) == (harmless, duplicates)


def test_delays_double_up_to_a_limit_and_end() -> None:
    policy = RetryPolicy(attempts=8)

    delays = [policy.delay(lost(), Repeat.HARMLESS, attempt=attempt, jitter=1.0) for attempt in range(1, 9)]

    assert delays == [1, 2, 4, 8, 16, 30, 30, None]


@given(st.floats(0, 1), st.integers(1, 4))
def test_jitter_spreads_over_the_upper_half_of_the_delay(jitter: float, attempt: int) -> None:
    delay = RetryPolicy().delay(lost(), Repeat.HARMLESS, attempt=attempt, jitter=jitter)

    assert delay is not None
    assert 2.0 ** (attempt - 2) <= delay <= 2.0 ** (attempt - 1)
