from __future__ import annotations

from tests.campaigns import halts


def test_receipts_are_the_truth_whatever_is_killed_and_who_fell_back_is_listed() -> None:
    drawn, killed = halts.rows(releases=12, step=5)

    assert drawn.wrong + killed.wrong == []
    assert " 0 " not in f" {drawn.figures} "
    assert killed.runs > 20
