from __future__ import annotations

import hashlib
import math
from collections import Counter
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.rollout.plan.rank import rank_of, start_order

fleets = st.dictionaries(st.tuples(st.text("ab", max_size=3)), st.integers(1, 40), min_size=1, max_size=6).map(
    lambda sizes: {key: tuple(f"{key[0]}-{at}" for at in range(size)) for key, size in sizes.items()}
)


def test_a_rank_can_be_recomputed_by_anybody() -> None:
    assert rank_of("r1", "lamp") == hashlib.sha256(b"2:r1lamp").digest()
    assert rank_of("ab", "c") != rank_of("a", "bc")


@given(fleets, st.text(min_size=1, max_size=5).filter(str.isprintable))
def test_every_device_is_in_the_order_once_and_the_order_is_the_same_each_time(
    strata: dict[tuple[str, ...], tuple[str, ...]], release: str
) -> None:
    order = start_order(release, strata)

    assert sorted(order) == sorted(name for names in strata.values() for name in names)
    turned = {key: tuple(reversed(strata[key])) for key in reversed(strata)}
    assert start_order(release, turned) == order


@given(fleets)
def test_the_first_devices_hold_each_stratum_and_every_beginning_is_proportional(
    strata: dict[tuple[str, ...], tuple[str, ...]],
) -> None:
    of = {name: key for key, names in strata.items() for name in names}
    order = [of[name] for name in start_order("release", strata)]

    assert set(order[: len(strata)]) == set(strata)
    for taken in range(1, len(order) + 1):
        counts = Counter(order[:taken])
        reached = max(Fraction(counts[key] - 1, len(strata[key])) for key in counts)
        for key, names in strata.items():
            # Up to the reached share, each stratum has started its share of devices, rounded up.
            assert math.ceil(reached * len(names)) <= counts[key] <= math.ceil(reached * len(names)) + 1


def test_another_release_begins_with_other_devices() -> None:
    strata: dict[tuple[str, ...], tuple[str, ...]] = {("1.0",): tuple(f"d{at}" for at in range(1000))}

    first, second = (set(start_order(release, strata)[:50]) for release in ("r1", "r2"))
    assert len(first & second) < 15


def test_within_a_stratum_the_lowest_rank_starts_first() -> None:
    names = tuple(f"d{at}" for at in range(30))

    assert start_order("r", {("x",): names}) == sorted(names, key=lambda name: rank_of("r", name))
