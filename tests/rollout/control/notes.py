"""Notes for the tests of the control note."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_tuya_ota.rollout.control.change import Reason
from airflow_provider_tuya_ota.rollout.control.halt_note import write_halt_note
from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId
from airflow_provider_tuya_ota.rollout.control.run_note import RunNote
from airflow_provider_tuya_ota.rollout.control.stored_run_note import write_run_note

RELEASE = ReleaseId(dag_id="thermostat", run_id="manual__2026-11-30T09:00:00+00:00")
AT = datetime(2026, 11, 30, 9, tzinfo=UTC)


def reason(who: str = "ann", why: str = "because", minutes: float = 0) -> Reason:
    return Reason(who=who, why=why, at=AT + timedelta(minutes=minutes))


def begun() -> RunNote:
    return RunNote.begin(reason("the release", "it begins"))


def stored(note: RunNote, release: ReleaseId = RELEASE) -> dict[str, Any]:
    """Give a note as another process reads it."""
    values: dict[str, Any] = json.loads(json.dumps(write_run_note(note, release)))
    return values


def stored_halt(release: ReleaseId = RELEASE, **other: Any) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(json.dumps(write_halt_note(reason("bob", "smoke"), release)))
    return values | other
