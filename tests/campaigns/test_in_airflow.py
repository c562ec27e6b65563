"""The short forms of the campaigns in a real Airflow; ``make campaigns`` runs the long ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.campaigns import crash_for_real, kill
from tests.campaigns.field import Field, open_field

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.system
KILLS = ("task marked failed", "task cleared", "worker killed", "another task cleared", "triggerer killed")
CRASHES = 4


@pytest.fixture(scope="module")
def field() -> Iterator[Field]:
    with open_field() as field:
        yield field


def test_cancels_happen_exactly_when_a_person_asked(field: Field) -> None:
    results = kill.campaign(field, 1, only=KILLS)

    assert {name for name, _, _ in results} == set(KILLS)
    assert [result for result in results if result[2]] == []


def test_there_is_one_job_for_each_intent_wherever_a_worker_is_killed(field: Field) -> None:
    results = crash_for_real.campaign(field, CRASHES)

    assert len(results) == CRASHES
    assert [result for result in results if result[2]] == []
