from __future__ import annotations

import pytest

from airflow_provider_tuya_ota.core.rate import FASTER, SLOWER, SLOWEST, TokenBucket


def pause(bucket: TokenBucket, now: float) -> float:
    """Empty the bucket and give the seconds between two requests."""
    for _ in range(20):
        bucket.reserve(now)
    return bucket.reserve(now) - bucket.reserve(now)


def test_a_bucket_that_yields_sends_at_a_slower_pace() -> None:
    bucket = TokenBucket(10.0, 0.0)
    assert pause(bucket, 0.0) == pytest.approx(-0.1)

    bucket.slow_down(0.0)

    assert pause(bucket, 0.0) == pytest.approx(-0.1 / SLOWER)


def test_several_refusals_on_their_way_at_once_count_as_one() -> None:
    bucket = TokenBucket(10.0, 0.0)

    for moment in (0.0, 0.2, 0.9):
        bucket.slow_down(moment)
    assert pause(bucket, 0.9) == pytest.approx(-0.1 / SLOWER, rel=0.05)
    bucket.slow_down(1.0)

    assert pause(bucket, 1.0) == pytest.approx(-0.1 / SLOWER**2, rel=0.05)


def test_it_never_stands_still_and_grows_faster_again() -> None:
    bucket = TokenBucket(10.0, 0.0)
    for moment in range(100):
        bucket.slow_down(float(moment))
    assert pause(bucket, 0.0) == pytest.approx(-0.1 / SLOWEST)

    later = 99.0 + 1.0 / FASTER / SLOWEST

    assert pause(bucket, later) == pytest.approx(-0.1)


def test_a_burst_that_was_saved_up_is_given_up_with_the_pace() -> None:
    bucket = TokenBucket(10.0, 0.0)

    bucket.slow_down(0.0)

    assert bucket.reserve(0.0) > 0
