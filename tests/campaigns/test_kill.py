"""The short form of the kill campaign; ``make campaigns`` runs the long one."""

from __future__ import annotations

import pytest

from tests.campaigns.kill import campaign

SHORT = ("task marked failed", "task cleared", "worker killed", "triggerer killed")


@pytest.mark.system
def test_cancels_happen_exactly_when_a_person_asked_in_a_real_airflow() -> None:
    results = campaign(1, only=SHORT)

    assert {name for name, _, _ in results} == set(SHORT)
    assert [result for result in results if result[2]] == []
