from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.codes.lookup import api_error
from airflow_provider_tuya_ota.core.errors import (
    ApiError,
    ConfigurationError,
    Delivery,
    ProtocolError,
    TuyaOTAError,
    UnreadableReplyError,
)
from airflow_provider_tuya_ota.core.policy.retry import (
    CANCEL_RETRY,
    DEFAULT_RETRY,
    LONGEST_PAUSE,
    Repeat,
    RetryPolicy,
    asked_pause,
)
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
        (refusal("SignatureNonceUsed", 400), True, False),
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


NOON = "Sun, 01 Mar 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("asked", "date", "pause"),
    [
        ("7", "", 7.0),
        (" 7 ", "", 7.0),
        ("0", "", 0.0),
        ("3600", "", LONGEST_PAUSE),
        ("Sun, 01 Mar 2026 12:00:20 GMT", NOON, 20.0),
        ("Sun, 01 Mar 2026 13:00:00 GMT", NOON, LONGEST_PAUSE),
        ("Sun, 01 Mar 2026 11:00:00 GMT", NOON, 0.0),
        ("Sun, 01 Mar 2026 12:00:20 GMT", "", 0.0),
        ("Sun, 01 Mar 2026 12:00:20", NOON, 0.0),
        ("Sun, 01 Mar 99999 12:00:20 GMT", NOON, 0.0),
        (f"Sun, 01 Mar {10**12} 12:00:20 GMT", NOON, 0.0),
        ("-1", NOON, 0.0),
        ("1e9", NOON, 0.0),
        ("nan", NOON, 0.0),
        ("\u0667", NOON, 0.0),
        ("9" * 5000, NOON, 0.0),
        ("soon", NOON, 0.0),
        ("", NOON, 0.0),
    ],
)
def test_the_pause_that_an_answer_asks_for_is_read_within_bounds(asked: str, date: str, pause: float) -> None:
    assert asked_pause({"retry-after": asked, "date": date}) == pause


@pytest.mark.parametrize(("asked", "default", "urgent"), [(0.0, 1.0, 1.0), (7.0, 7.0, 2.0), (0.1, 1.0, 1.0)])
def test_the_pause_that_an_answer_asks_for_is_kept_and_cancelling_waits_less(
    asked: float, default: float, urgent: float
) -> None:
    error = api_error(action="X", code="", message="", request_id="", http_status=429, retry_after=asked)

    def delay(policy: RetryPolicy) -> float | None:
        return policy.delay(error, Repeat.HARMLESS, attempt=1, jitter=1.0)

    assert (delay(DEFAULT_RETRY), delay(CANCEL_RETRY)) == (default, urgent)
