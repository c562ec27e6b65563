"""The published schema of a release report, and the check that holds every report of a test against it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jsonschema
import pytest

from airflow_provider_tuya_ota.core.status.report import ReleaseReport

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA: Final = json.loads(
    (Path(__file__).parents[1] / "docs/reference/release-report.schema.json").read_text(encoding="utf-8")
)
VALIDATOR: Final = jsonschema.Draft202012Validator(SCHEMA)


def violations(values: Any) -> list[str]:
    """Say where values are not what the schema describes."""
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(values)]


@pytest.fixture(autouse=True)
def every_report_conforms(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test in which a report is made that the schema does not describe."""
    to_dict, found = ReleaseReport.to_dict, list[str]()

    def checked(report: ReleaseReport) -> dict[str, Any]:
        values = to_dict(report)
        # Collected, because a task goes on where its report cannot be stored.
        found.extend(violations(values))
        return values

    monkeypatch.setattr(ReleaseReport, "to_dict", checked)
    yield
    assert found == []
