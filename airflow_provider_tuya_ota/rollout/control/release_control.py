"""What people ask of a release now: its two stored notes merged into one answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Self

from airflow_provider_tuya_ota.rollout.control.halt_note import read_halt_note
from airflow_provider_tuya_ota.rollout.control.run_note import RunState
from airflow_provider_tuya_ota.rollout.control.stored_run_note import read_run_note
from airflow_provider_tuya_ota.rollout.control.unreadable import ControlNoteUnreadableError

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.control.change import AdvanceRequest, Change, Reason
    from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId
    from airflow_provider_tuya_ota.rollout.control.run_note import RunNote

MISSING: Final = "is missing: the release has not stored it yet, or somebody has deleted it"
NOT_KNOWN: Final = "not known"


class ControlState(StrEnum):
    """What a release may do."""

    RUN = "run"
    """It may start what its plan, its gate and its windows allow."""
    HOLD = "hold"
    """It starts nothing new; jobs that run go on. It can be resumed."""
    HALT = "halt"
    """It never starts anything again, and cancels what can be cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseControl:
    """What people ask of a release now.

    A note that is missing or cannot be read is a hold whose ``problem`` says why: nobody has allowed anything then. A
    halt outranks everything.

    :param state: run, hold or halt.
    :param who: who asked for this state; empty for a hold that nobody asked for.
    :param why: the reason.
    :param at: when it was asked, in UTC; None where that is not known.
    :param seq: number of the last change of the run note; 0 where that note cannot be read.
    :param excluded: devices that no job may take from now on, sorted; nothing is known of them where ``seq`` is 0.
    :param advance: the request to go on without waiting; None where there is none, and always with hold and halt.
    :param changes: the last changes of the run note, oldest first; for the release record.
    :param problem: why a note could not be read; empty where both could.
    """

    state: ControlState
    who: str = ""
    why: str
    at: datetime | None = None
    seq: int = 0
    excluded: tuple[str, ...] = field(default=(), repr=False)
    advance: AdvanceRequest | None = None
    changes: tuple[Change, ...] = field(default=(), repr=False)
    problem: str = ""

    @property
    def may_start(self) -> bool:
        """Whether a job may be created."""
        return self.state is ControlState.RUN

    @classmethod
    def unreadable(cls, problem: str) -> Self:
        """Give the hold of a release whose note cannot be read.

        :param problem: what is wrong, as the end of "the control note …".
        """
        return cls(state=ControlState.HOLD, why=f"the control note {problem}", problem=problem)


def merge_stored(release: ReleaseId, run_value: Any, halt_value: Any) -> ReleaseControl:
    """Merge the two stored values of a release, which may be anything; None where the store has none.

    A halt decides whatever the run note says, and also where that note is missing or unreadable. A halt note that
    cannot be read holds: it may be a halt, and a release is not ended for good by a value that does not say so.
    """
    run, halt, is_halted, problem = None, None, False, ""
    try:
        run = _read_run(run_value, release)
    except ControlNoteUnreadableError as error:
        problem = error.problem
    try:
        if halt_value is not None:
            halt, is_halted = read_halt_note(halt_value, release), True
    except ControlNoteUnreadableError as error:
        problem = error.problem
    control = _halted(halt, problem) if is_halted else _not_halted(run, problem)
    return control if run is None else replace(control, seq=run.seq, excluded=run.excluded, changes=run.changes)


def _not_halted(run: RunNote | None, problem: str) -> ReleaseControl:
    if run is None or problem:
        return ReleaseControl.unreadable(problem)
    return ReleaseControl(
        state=ControlState.RUN if run.state is RunState.RUN else ControlState.HOLD,
        who=run.reason.who,
        why=run.reason.why,
        at=run.reason.at,
        advance=run.advance,
    )


def _halted(reason: Reason | None, problem: str) -> ReleaseControl:
    return ReleaseControl(
        state=ControlState.HALT,
        who=reason.who if reason else NOT_KNOWN,
        why=reason.why if reason else NOT_KNOWN,
        at=reason.at if reason else None,
        problem=problem,
    )


def _read_run(value: Any, release: ReleaseId) -> RunNote:
    if value is None:
        raise ControlNoteUnreadableError(MISSING)
    return read_run_note(value, release)
