"""The short form of the campaign of ends; ``make campaigns`` plays every sample Dag in every way."""

from __future__ import annotations

import pytest

from tests.campaigns import ends

SHORT = {
    (ends.RELEASE, "step marked failed"),
    (ends.BOTH, "step marked failed"),
    (ends.UPGRADE, "rejected"),
    (ends.UPGRADE, "approval failed"),
    (ends.BLOCKING + ends.ONE, "out of time"),
    (ends.WATCH, "run marked failed"),
}


@pytest.mark.system
def test_what_a_person_ends_is_told_as_it_is() -> None:
    rows = list(ends.rows([way for way in ends.WAYS if (way.dag, way.name) in SHORT]))

    assert len(rows) == len(SHORT)
    assert [row for row in rows if row.wrong] == []
