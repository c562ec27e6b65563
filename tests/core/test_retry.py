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
from airflow_provider_tuya_ota.core.rate import TokenBucket
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


def test_a_burst_of_one_second_is_free_and_later_requests_queue() -> None:
    bucket = TokenBucket(2.0, now=100.0)

    assert [bucket.reserve(100.0) for _ in range(4)] == [0, 0, 0.5, 1.0]
    assert bucket.reserve(101.0) == 0.5


def test_a_slow_budget_still_allows_one_request_at_once() -> None:
    bucket = TokenBucket(0.1, now=0.0)

    assert [bucket.reserve(0.0), bucket.reserve(0.0)] == [0.0, 10.0]


def test_idle_time_saves_up_no_more_than_one_second() -> None:
    bucket = TokenBucket(2.0, now=0.0)

    assert [bucket.reserve(1000.0) for _ in range(3)] == [0, 0, 0.5]


def test_a_clock_that_goes_back_grants_nothing() -> None:
    bucket = TokenBucket(1.0, now=10.0)
    bucket.reserve(10.0)

    assert bucket.reserve(5.0) == 1.0
    assert bucket.reserve(10.0) == 2.0


@given(st.floats(0.1, 1000), st.lists(st.floats(0, 2), min_size=1, max_size=60))
def test_no_second_sees_more_than_burst_and_rate(rate: float, gaps: list[float]) -> None:
    bucket, now, sent = TokenBucket(rate, now=0.0), 0.0, []
    for gap in gaps:
        now += gap
        sent.append(now + bucket.reserve(now))

    for begin in sent:
        assert sum(begin <= at < begin + 1 for at in sent) <= max(1.0, rate) + rate + 1
