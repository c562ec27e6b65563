"""The short form of the campaign of windows; ``make campaigns`` runs the long one."""

from __future__ import annotations

import pytest

from tests.campaigns import windows


@pytest.mark.parametrize("name", windows.CASES)
def test_opening_hours_say_what_the_clocks_on_the_wall_say(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "CASES", {name: windows.CASES[name]})
    # Each quarter of an hour; all changes of the clock happen at one.
    monkeypatch.setattr(windows, "MINUTE", 15 * windows.MINUTE)

    (row,) = windows.rows(years=2)

    assert row.wrong == []
    assert row.runs == 2 * 366 * 96
