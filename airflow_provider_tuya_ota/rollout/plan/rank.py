"""The order in which the devices of a cohort start: random-like, the same each time, and fair to each stratum."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_tuya_ota.rollout.plan.cohort import Stratum


def rank_of(release_id: str, device: str) -> bytes:
    """Give the rank of a device in a release: the SHA-256 of both, the lowest first.

    It stays the same within a release and changes from release to release, so that the same homes are not always first.
    """
    # The length in front keeps "a" + "bc" apart from "ab" + "c".
    return hashlib.sha256(f"{len(release_id)}:{release_id}{device}".encode()).digest()


def start_order(release_id: str, strata: Mapping[Stratum, Sequence[str]]) -> list[str]:
    """Order the devices of all strata.

    The first devices are the lowest rank of each stratum, so a first pulse with as many devices as there are strata
    holds each of them, unless a wave that names devices keeps them. Behind them the strata are mixed in proportion:
    where a share of the order has passed, so has that share of each stratum, rounded up to a whole device.
    """
    keyed: list[tuple[float, bytes, str]] = []
    for names in strata.values():
        ranked = sorted((rank_of(release_id, name), name) for name in names)
        keyed.extend((place / len(ranked), rank, name) for place, (rank, name) in enumerate(ranked))
    keyed.sort()
    return [name for _, _, name in keyed]
