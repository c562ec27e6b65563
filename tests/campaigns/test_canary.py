"""The canary campaign in a real Airflow."""

from __future__ import annotations

import pytest

from tests.campaigns import canary


@pytest.mark.system
def test_nothing_secret_is_in_any_file_of_airflow_after_careless_tasks() -> None:
    (row,) = canary.rows()

    assert row.wrong == []
