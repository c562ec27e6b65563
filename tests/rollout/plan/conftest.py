"""Fixtures for the tests of the plan."""

from __future__ import annotations

import pytest

from airflow_provider_tuya_ota.rollout.plan import devices_at_risk


@pytest.fixture
def few_courses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw fewer courses, for tests that look at something other than the devices at risk."""
    monkeypatch.setattr(devices_at_risk, "COURSES", 5)
