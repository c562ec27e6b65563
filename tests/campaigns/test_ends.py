"""The short form of the campaign of ends; ``make campaigns`` plays every sample Dag in every way."""

from __future__ import annotations

import pytest

from tests.campaigns import ends, ways

SHORT = {
    (ways.RELEASE, "step marked failed"),
    (ways.BOTH, "step marked failed"),
    (ways.UPGRADE, "rejected"),
    (ways.UPGRADE, "approval failed"),
    (ways.BLOCKING + ways.ONE, "out of time"),
    (ways.WATCH, "run marked failed"),
}


@pytest.mark.system
def test_what_a_person_ends_is_reported_as_it_is() -> None:
    rows = list(ends.rows([way for way in ways.WAYS if (way.dag, way.name) in SHORT]))

    assert len(rows) == len(SHORT)
    assert [row for row in rows if row.wrong] == []
