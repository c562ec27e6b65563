"""The short form of the campaign of waits; ``make campaigns`` runs the long one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.campaigns.waits import FLAT, Shape, endure, row_of, row_of_figures, run
from tests.campaigns.waits_for_real import measure

if TYPE_CHECKING:
    from pathlib import Path

MINUTES = 6


@pytest.mark.parametrize("shape", [Shape(200, 100, 15), Shape(200, 4, 1)], ids=str)
def test_every_end_is_noticed_almost_as_early_as_is_possible_at_the_rate(shape: Shape) -> None:
    shared, alone = (run(shape, shared=together, minutes=MINUTES) for together in (True, False))

    assert row_of(shape, shared, shared=True, minutes=MINUTES).wrong == []
    assert len(shared.late) == shape.waits
    assert shared.median < alone.median


def test_the_campaign_finds_waits_that_are_late_and_too_many_requests() -> None:
    shape = Shape(200, 4, 1)
    alone = run(shape, shared=False, minutes=MINUTES)

    assert row_of(shape, alone, shared=True, minutes=MINUTES).wrong == ["later than twice the best"]


def test_waiting_on_takes_no_more_memory() -> None:
    early, late = endure(100, 6, warm=6)

    assert 0 < late < FLAT * early


@pytest.mark.program
def test_real_triggers_keep_the_event_loop_free_and_leave_nothing_behind(tmp_path: Path) -> None:
    figures = measure(tmp_path, 60, firmwares=12, seconds=10.0)

    # How long a shared machine lets a process stand still is measured, not asserted.
    assert [wrong for wrong in row_of_figures(figures).wrong if "stood still" not in wrong] == []
