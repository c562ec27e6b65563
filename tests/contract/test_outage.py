from __future__ import annotations

from collections import Counter

import pytest

from tests.contract.bad_days import calls_of_a_release
from tests.contract.release import ONCE, RIGHT, Platform, a_release
from tests.contract.worlds import Meeting

HOUR = 3600.0
CALLS = calls_of_a_release()
POLLS = [
    number
    for number, (before, call) in enumerate(zip(["", *CALLS], CALLS, strict=False), 1)
    if call == "QueryOTAJob" and not before.startswith("Create")
]
"""Polls of a wait; the query right after a create is no part of one."""


@pytest.mark.parametrize("kind", ["outage", "refuse"])
def test_a_wait_lives_through_an_hour_without_the_platform_and_goes_on_by_itself(kind: str) -> None:
    outcomes: Counter[str] = Counter()
    for number in POLLS:
        platform = Platform()
        platform.emulator.faults.add({"action": "*", "nth": number, "kind": kind, "seconds": HOUR})
        began = platform.world.now

        seen = Meeting(platform.emulator, platform.world).in_memory(
            lambda settings, platform=platform: a_release(settings, platform)  # type: ignore[misc] # mypy sees a default as an argument
        )

        assert platform.world.now - began > HOUR
        outcomes["right" if (seen, platform.jobs) == (RIGHT, ONCE) else "wrong"] += 1

    assert outcomes == {"right": len(POLLS)}
    assert len(POLLS) > 5
