"""Waiting for a condition: how a wait reads each poll, and the loop of a wait that polls by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.errors import OutcomeError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import Flow, ReadContext, Sleep
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.core.status.conditions import fetch_condition
from airflow_provider_tuya_ota.core.status.poll_events import ConditionChanged, PollFailed
from airflow_provider_tuya_ota.core.status.wait_state import DEFAULT_TOLERANCE, KeyRefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.core.settings import Settings
    from airflow_provider_tuya_ota.core.status.conditions import Condition, ConditionSnapshot
    from airflow_provider_tuya_ota.core.status.wait_state import WaitState


class ConditionWait:
    """The decisions of one wait for a condition; the caller polls.

    :param condition: the condition.
    :param deadline: when to stop waiting.
    :param poll_interval: seconds between two polls.
    :param state: what earlier polls of this wait have shown; it is updated.
    """

    def __init__(self, condition: Condition, *, deadline: datetime, poll_interval: float, state: WaitState) -> None:
        self.condition = condition
        self.deadline = deadline
        self.poll_interval = poll_interval
        self.state = state

    def polling_every(self, seconds: float) -> ConditionWait:
        """Return the same wait, with the same state, at another poll interval."""
        return ConditionWait(self.condition, deadline=self.deadline, poll_interval=seconds, state=self.state)

    def is_last(self, now: datetime) -> bool:
        """Whether a poll that begins now is the last one."""
        return now >= self.deadline

    def pause(self, now: datetime) -> float:
        """Return the seconds from now until the next poll."""
        return min(self.poll_interval, max(0.0, (self.deadline - now).total_seconds()))

    def pause_after(self, error: TuyaOTAError, now: datetime) -> tuple[PollFailed, float]:
        """Take an error that let no poll begin.

        :returns: the event for the log, and the seconds until the next try.
        :raises WaitTimeoutError: the deadline has passed.
        :raises TuyaOTAError: as :func:`record_failure`.
        """
        event = record_failure(self.state, self.condition, error, now)
        if self.is_last(now):
            raise self.timeout()
        return event, self.pause(now)

    def timeout(self) -> WaitTimeoutError:
        """Build the error for a deadline that has passed."""
        return condition_timeout(self.state)


def condition_timeout(state: WaitState) -> WaitTimeoutError:
    """Build the error for a wait whose time is over: the last known state, and whether it is still known."""
    seen = state.line or "no poll succeeded"
    if state.last_error:
        before = f" The last poll that succeeded: {state.line}." if state.line else ""
        seen = f"{'the last poll failed' if state.line else seen}: {state.last_error.removesuffix('.')}.{before}"
    advice = "To wait longer, run the task again"
    return WaitTimeoutError(f"the time to wait is over: {seen.removesuffix('.')}. {advice}")


def record_snapshot(state: WaitState, condition: Condition, snapshot: ConditionSnapshot) -> ConditionChanged | None:
    """Take a poll that succeeded.

    :returns: what has changed, if anything has.
    """
    state.record()
    if snapshot.line == state.line:
        return None
    state.line = snapshot.line
    return ConditionChanged(condition.subject, snapshot.line)


def record_failure(state: WaitState, condition: Condition, error: TuyaOTAError, now: datetime) -> PollFailed:
    """Take a poll that failed, or an error that let no poll begin.

    :param now: steady time at which it began.
    :raises FirmwareStatusError: the firmware has a failing status.
    :raises PollingFailedError: polls have failed for two hours, or refusals of what was polled well before have lasted
        five minutes.
    :raises TuyaOTAError: the first poll failed with an error that waiting does not solve.
    """
    if isinstance(error, OutcomeError):
        raise error
    meanwhile = "to wait on, run the task again"
    state.record_failure(error, now, subject=condition.subject, meanwhile=meanwhile, tolerance=DEFAULT_TOLERANCE)
    return PollFailed(condition.subject, error.sentence)


def poll_condition(settings: Settings, condition: Condition, state: WaitState) -> Flow[bool]:
    """Poll once, as a sensor does.

    :param state: what earlier polls of this wait have shown; it is updated.
    :returns: whether the condition holds; False where the poll failed and that is tolerated.
    :raises TuyaOTAError: as :func:`record_failure`.
    """
    now = (yield ReadContext()).steady
    try:
        snapshot = yield from fetch_condition(settings, condition)
    except TuyaOTAError as error:
        yield record_failure(state, condition, error, now)
        return False
    if change := record_snapshot(state, condition, snapshot):
        yield change
    return snapshot.is_met


def wait_for_condition(settings: Settings, wait: ConditionWait) -> Flow[None]:
    """Poll until the condition holds or the deadline has passed; the last poll comes after the deadline.

    :raises WaitTimeoutError: the deadline has passed; names the last known state.
    :raises KeyRefusedError: the AccessKey pair is refused: read the connection again, then wait on.
    :raises TuyaOTAError: as :func:`record_failure`.
    """
    while not (yield from poll_condition(settings, wait.condition, wait.state)):
        now = (yield ReadContext()).steady
        if wait.is_last(now):
            raise wait.timeout()
        pause = wait.pause(now)
        if wait.state.is_key_refused:
            raise KeyRefusedError(pause)
        yield Sleep(pause)
