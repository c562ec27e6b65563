from __future__ import annotations

from tests.campaigns import records
from tests.rollout.record.lies import LIES


def test_every_bit_that_is_turned_over_and_every_lie_is_noticed_and_every_verdict_is_judged_alike() -> None:
    found = list(records.rows(flips=60, releases=12, devices=200))

    assert [wrong for row in found for wrong in row.wrong] == []
    releases, lies, *flips = (row.runs for row in found)
    assert (releases, flips) == (12, [60, 60, 60, 60])
    assert lies > len(LIES) // 2
