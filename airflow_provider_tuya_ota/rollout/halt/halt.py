"""Halt a release: sweep, settle, receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import Flow, LoadState, ReadContext, SaveState, Sleep
from airflow_provider_tuya_ota.core.jobs.cancel import cancel_jobs
from airflow_provider_tuya_ota.core.texts import bounded_line
from airflow_provider_tuya_ota.rollout.halt.events import (
    HaltBegun,
    HaltCancelFailed,
    HaltJobUnread,
    HaltListed,
    HaltSettled,
    HaltStateLost,
)
from airflow_provider_tuya_ota.rollout.halt.known import Known
from airflow_provider_tuya_ota.rollout.halt.reading import read_job
from airflow_provider_tuya_ota.rollout.halt.settled import SettledHalt, settled_halt
from airflow_provider_tuya_ota.rollout.halt.settlement import Settlement
from airflow_provider_tuya_ota.rollout.halt.stored_state import dump_settlement, load_settlement

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.rollout.halt.scope import HaltScope
    from airflow_provider_tuya_ota.rollout.halt.settlement import HaltOptions

LONGEST_REASON: Final = 2000
"""Characters of a reason, as in the entries of a record."""


def halt_jobs(settings: Settings, scope: HaltScope, options: HaltOptions, *, reason: str) -> Flow[SettledHalt]:
    """Cancel what can be cancelled, watch the rest until it ends, and say what became of each device.

    Each round sends its cancels before it lists any job. It cancels every job that is not known to have nothing left
    to cancel, until two rounds in a row show nothing that can be cancelled. Then it watches what cannot be cancelled,
    until all of it has ended, has been silent for the stated time, or the deadline has passed. A task that can be
    cancelled again is cancelled again.

    The state is saved before the first cancel and after each round. A flow that runs again goes on with it, and keeps
    beginning, reason and deadline. Where the state cannot be used, the halt begins anew: every job is cancelled and
    read. An error of one job, whatever it is, keeps no other from being cancelled, and never ends the halt.

    :param reason: why the release is halted; on one line, cut after 2,000 characters.
    :returns: the receipt. Once it is made, running again gives the same one.
    :raises StateUnavailableError: the state could not be read or saved. The release stays halted; run it again.
    """
    settlement = yield from _begun(scope, options, bounded_line(reason, LONGEST_REASON))
    while settlement.settled_at is None:
        yield from halt_round(settings, settlement, options)
        now = (yield ReadContext()).steady
        yield SaveState(dump_settlement(settlement, now))
        if settlement.settled_at is None:
            yield Sleep(settlement.pause(options, now))
    yield from _read_reasons(settings, settlement)
    settled = settled_halt(settlement, settlement.settled_at)
    yield HaltSettled(str(settled), is_known=not settled.may_begin)
    return settled


def halt_round(settings: Settings, settlement: Settlement, options: HaltOptions) -> Flow[None]:
    """Send all cancels of one round, list the jobs, and take in what they show.

    Who cannot save state between two rounds, such as a trigger, runs rounds alone and hands the settlement on, as
    :func:`dump_settlement` gives it.
    """
    for job_id, outcome in (yield from cancel_jobs(settings, settlement.to_cancel())).items():
        if isinstance(outcome, TuyaOTAError):
            yield HaltCancelFailed(job_id, outcome.sentence)
    for job_id in settlement.to_read():
        try:
            reading = yield from read_job(settings, job_id, settlement.scope.jobs[job_id])
        except TuyaOTAError as error:
            yield HaltJobUnread(job_id, error.sentence)
            reading = None
        settlement.take(job_id, reading, (yield ReadContext()).steady)
    settlement.end_round(options, (yield ReadContext()).steady)
    yield HaltListed(
        waiting=settlement.count(Known.WAITING),
        flashing=settlement.count(Known.FLASHING),
        missing=settlement.count(Known.NOTHING),
        unread=settlement.unread,
    )


def _begun(scope: HaltScope, options: HaltOptions, reason: str) -> Flow[Settlement]:
    saved = (yield LoadState()).value
    now: datetime = (yield ReadContext()).steady
    settlement: Settlement | None = None
    if saved is not None:
        try:
            settlement = load_settlement(saved, scope)
        except ValueError as error:
            yield HaltStateLost(str(error))
    is_resumed = settlement is not None
    if settlement is None:
        settlement = Settlement.begin(scope, reason, options, now)
        yield SaveState(dump_settlement(settlement, now))
    yield HaltBegun(settlement.reason, len(scope.jobs), is_resumed)
    return settlement


def _read_reasons(settings: Settings, settlement: Settlement) -> Flow[None]:
    """Read why devices failed, where an earlier process has read that they did."""
    known = {job_id for job_id, _ in settlement.tasks}
    for job_id in settlement.letters:
        if job_id in known:
            continue
        try:
            settlement.keep_reasons(job_id, (yield from read_job(settings, job_id, settlement.scope.jobs[job_id])))
        except TuyaOTAError as error:
            yield HaltJobUnread(job_id, error.sentence)
