from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.policy.rate import FASTER, SECOND, SLOWER, SLOWEST, TokenBucket

STEP = SECOND / 10.0
"""Seconds between two of ten requests a second."""


def pause(bucket: TokenBucket, now: float) -> float:
    """Empty the bucket and give the seconds between two requests."""
    bucket.reserve(now)
    return -(bucket.reserve(now) - bucket.reserve(now))


def test_no_second_has_more_requests_than_were_granted_even_where_one_was_held_up() -> None:
    bucket = TokenBucket(10.0, 0.0)

    sent = [bucket.reserve(0.0) for _ in range(100)]

    assert sent[0] == 0.0
    assert all(later - earlier > 1.09 for earlier, later in zip(sent, sent[10:], strict=False))
    assert sent[-1] == pytest.approx(99 * STEP)


def test_what_was_not_asked_for_is_not_saved_up() -> None:
    bucket = TokenBucket(10.0, 0.0)

    assert [bucket.reserve(60.0) for _ in range(3)] == pytest.approx([0.0, STEP, 2 * STEP])


def test_a_bucket_that_yields_sends_at_a_slower_pace() -> None:
    bucket = TokenBucket(10.0, 0.0)
    assert pause(bucket, 0.0) == pytest.approx(STEP)

    bucket.slow_down(0.0)

    assert pause(bucket, 0.0) == pytest.approx(STEP / SLOWER)


def test_several_refusals_on_their_way_at_once_count_as_one() -> None:
    bucket = TokenBucket(10.0, 0.0)

    for moment in (0.0, 0.2, 0.9):
        bucket.slow_down(moment)
    assert pause(bucket, 0.9) == pytest.approx(STEP / SLOWER, rel=0.05)
    bucket.slow_down(1.0)

    assert pause(bucket, 1.0) == pytest.approx(STEP / SLOWER**2, rel=0.05)


def test_it_never_stands_still_and_grows_faster_again() -> None:
    bucket = TokenBucket(10.0, 0.0)
    for moment in range(100):
        bucket.slow_down(float(moment))
    assert pause(bucket, 0.0) == pytest.approx(STEP / SLOWEST)

    later = 99.0 + 1.0 / FASTER / SLOWEST

    assert pause(bucket, later) == pytest.approx(STEP)


def test_whoever_yields_waits_at_once() -> None:
    bucket = TokenBucket(10.0, 0.0)

    bucket.slow_down(0.0)

    assert bucket.reserve(0.0) > 0


def test_a_slow_budget_still_allows_one_request_at_once() -> None:
    bucket = TokenBucket(0.1, now=0.0)

    assert [bucket.reserve(0.0), bucket.reserve(0.0)] == pytest.approx([0.0, 10.0 * SECOND])


def test_a_clock_that_goes_back_grants_nothing() -> None:
    bucket = TokenBucket(1.0, now=10.0)
    bucket.reserve(10.0)

    assert bucket.reserve(5.0) == pytest.approx(SECOND)
    assert bucket.reserve(10.0) == pytest.approx(2 * SECOND)


@given(st.floats(1.0, 1000), st.lists(st.floats(0, 2), min_size=1, max_size=60))
def test_no_second_sees_more_than_its_requests(rate: float, gaps: list[float]) -> None:
    bucket, now, sent = TokenBucket(rate, now=0.0), 0.0, []
    for gap in gaps:
        now += gap
        sent.append(now + bucket.reserve(now))

    for begin in sent:
        assert sum(begin <= at < begin + 1 for at in sent) <= math.ceil(rate)


def test_a_token_that_was_given_back_goes_to_whoever_reserves_next() -> None:
    bucket = TokenBucket(10.0, 0.0)
    sent = [bucket.reserve(0.0) for _ in range(100)]

    for moment in sent[10:60]:
        bucket.give_back(moment)

    again = [bucket.reserve(0.0) for _ in range(51)]
    assert again == pytest.approx([*sent[10:60], 100 * STEP])


def test_a_token_whose_moment_has_passed_is_not_saved_up() -> None:
    bucket = TokenBucket(10.0, 0.0)
    sent = [bucket.reserve(0.0) for _ in range(3)]
    bucket.give_back(sent[1])

    assert [bucket.reserve(5.0) for _ in range(2)] == pytest.approx([0.0, STEP])


def test_a_token_that_was_given_back_is_not_taken_where_one_is_free_earlier() -> None:
    bucket = TokenBucket(10.0, 0.0)
    bucket.give_back(5.0)

    assert [bucket.reserve(0.0), bucket.reserve(0.0)] == pytest.approx([0.0, STEP])


@given(st.lists(st.tuples(st.floats(0, 2), st.booleans()), min_size=1, max_size=60))
def test_giving_back_grants_no_second_more_than_its_requests(steps: list[tuple[float, bool]]) -> None:
    bucket, now, sent = TokenBucket(5.0, now=0.0), 0.0, []
    for gap, is_cancelled in steps:
        now += gap / 10
        moment = now + bucket.reserve(now)
        if is_cancelled:
            bucket.give_back(moment)
        else:
            sent.append(moment)

    for begin in sent:
        assert sum(begin <= at < begin + 1 for at in sent) <= 5


def test_the_backlog_is_what_a_reservation_would_wait_and_reserves_nothing() -> None:
    bucket = TokenBucket(2.0, 0.0)
    assert bucket.backlog(0.0) == 0.0

    for _ in range(3):
        bucket.reserve(0.0)

    assert bucket.backlog(0.0) == bucket.backlog(0.0) == pytest.approx(3 * SECOND / 2)
    assert bucket.backlog(1.0) == pytest.approx(3 * SECOND / 2 - 1.0)
    assert bucket.reserve(1.0) == pytest.approx(3 * SECOND / 2 - 1.0)


def test_a_slower_pace_makes_the_backlog_longer() -> None:
    bucket = TokenBucket(2.0, 0.0)
    bucket.reserve(0.0)
    before = bucket.backlog(0.0)

    bucket.slow_down(0.0)

    assert bucket.backlog(0.0) > before
