"""Let one task of this Airflow at a time create a set of jobs of a firmware.

A note cannot hold the devices of a whole set, and lists show a new job up to a minute late. So two sets could share a
device that neither note nor platform shows yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.errors import AlreadyUnderWayError, OutcomeError
from airflow_provider_tuya_ota.core.flows.effects import Flow, OtherIntents, ReadContext, ReadOtherIntents, Sleep
from airflow_provider_tuya_ota.core.jobs.intent import OPEN, STALE, Intent, Stage
from airflow_provider_tuya_ota.core.jobs.search import SETTLE_TIMES
from airflow_provider_tuya_ota.core.jobs.set_note import SetNote

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.core.flows.effects import StoredIntent
    from airflow_provider_tuya_ota.core.jobs.job_set import JobSet


def require_only_set(firmware_id: str, note: SetNote, earlier: JobSet) -> Flow[None]:
    """Check that no other task creates a set of the firmware's jobs now, or has done so within half an hour.

    Each task saves its note before it reads those of the others, so of two tasks at least one sees the other. A set
    that may have jobs blocks every other one. Of two without jobs the one that began first goes on; it waits half a
    minute for the other to give up.

    :param note: of this task; it is saved already.
    :param earlier: jobs whose sets block nothing, because they are of the same release and for other devices.
    :raises AlreadyUnderWayError: names the other task.
    """
    rival = ""
    for seconds in (0.0, *SETTLE_TIMES):
        if seconds:
            yield Sleep(seconds)
        others: OtherIntents = yield ReadOtherIntents()
        now: datetime = (yield ReadContext()).now
        ours = not note.jobs, note.began_at, others.key
        places = [(place, one.task) for one in others.intents if (place := _place(one, earlier, now)) is not None]
        if not places:
            return
        first, rival = min(places)
        if not first[0] or first < ours:
            break
    raise AlreadyUnderWayError(
        f"{rival} creates a set of upgrade jobs of firmware {firmware_id}, or did so within half an hour: whether both"
        " sets share a device is not known yet. Nothing more was created here. Run this task again half an hour after"
        " that one has created its last job"
    )


def _place(other: StoredIntent, earlier: JobSet, now: datetime) -> tuple[bool, datetime, str] | None:
    """Say when another task's set goes, first of all whether it certainly has no job; None where it blocks nothing."""
    try:
        note, intent = SetNote.stored_in(other.value), Intent.from_dict(other.value)
    except OutcomeError:
        return None
    if note is None or now - intent.started_at >= STALE:
        return None
    jobs = {*note.jobs, intent.entity_id} - {""}
    if intent.stage not in OPEN and jobs <= set(earlier):
        return None
    return not jobs and intent.stage is Stage.PREPARING, note.began_at, other.key
