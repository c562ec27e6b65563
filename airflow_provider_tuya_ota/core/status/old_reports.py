"""Set aside the reports of skipped steps that did not run since the run was cleared.

Airflow deletes what a step pushed when the step begins again, and not when it is skipped.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.status.report import ReleaseReport
    from airflow_provider_tuya_ota.core.status.step import Step


def set_aside_old_reports(steps: Sequence[Sequence[Step]], cleared_at: datetime | None) -> list[list[Step]]:
    """Set aside the report of a skipped step that is older than the clear, or than a step before it.

    :param steps: the instances of each step, in the order of the Dag.
    :param cleared_at: when the run began after it was cleared; None where it was not cleared. Then the report of a step
        that can skip itself is kept: clocks of two workers may differ.
    """
    found: list[list[Step]] = []
    begun_at: list[datetime] = []
    for instances in steps:
        kept = [_set_aside(step) if _is_old(step, cleared_at, begun_at) else step for step in instances]
        begun_at += [start for step in kept if step.has_begun and (start := _start(step.report))]
        found.append(kept)
    return found


def _is_old(step: Step, cleared_at: datetime | None, begun_at: Sequence[datetime]) -> bool:
    start = _start(step.report)
    if step.state != "skipped" or start is None:
        return False
    if cleared_at is not None and start < cleared_at:
        return True
    can_skip_itself = step.only_reads or not step.leaves_reports
    return (cleared_at is not None or not can_skip_itself) and any(start < begun for begun in begun_at)


def _set_aside(step: Step) -> Step:
    return replace(step, report=None, old_report=step.report)


def _start(report: ReleaseReport | None) -> datetime | None:
    try:
        start = datetime.fromisoformat(report.started_at) if report is not None else None
    except ValueError:
        return None
    return start if start is not None and start.tzinfo is not None else None
