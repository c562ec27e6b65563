"""Tell the reports from before the run was cleared from those of steps that have run since.

Airflow deletes what a step pushed when the step begins again; not when it is skipped, or marked by a person before it
begins.
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

    The report of a step that Airflow counts as ended stays, and says that it is from before the clear: the step was not
    cleared, or a person marked it before it began, or its process was lost before that.

    :param steps: the instances of each step, in the order of the Dag.
    :param cleared_at: when the run began after it was cleared; None where it was not cleared. Then the report of a step
        that can skip itself is kept: clocks of two workers may differ.
    """
    found: list[list[Step]] = []
    begun_at: list[datetime] = []
    for instances in steps:
        kept = [_set_aside(step) if _is_old(step, cleared_at, begun_at) else step for step in instances]
        begun_at += [start for step in kept if step.has_begun and (start := _start(step.report))]
        found.append([_dated(step, cleared_at) for step in kept])
    return found


def _dated(step: Step, cleared_at: datetime | None) -> Step:
    start = _start(step.report)
    if step.report is None or start is None or cleared_at is None or start >= cleared_at:
        return step
    if step.state not in {"success", "failed"}:
        return step
    return replace(step, is_from_before_clear=True)


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
