"""One task of a run, as Airflow's scheduler knows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.status.event import Event

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.status.report import ReleaseReport

GOING_ON: Final = frozenset(
    {"running", "deferred", "awaiting_input", "restarting", "up_for_retry", "up_for_reschedule"}
)
ENDED: Final = frozenset({"success", "failed", "skipped"})
_BEGUN: Final = GOING_ON | {"success", "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One task of a run, as Airflow's scheduler knows it.

    :param task_id: id of the task.
    :param state: its state; empty before it is scheduled.
    :param report: the report that it left; None where it left none.
    :param old_report: the report that it left before it was skipped, from before the run was cleared.
    :param is_from_before_clear: whether it ended, and its report is from before the run was cleared.
    :param run_link: its page in Airflow; empty where that is not known.
    :param leaves_reports: whether it is a task of this package. Other tasks are skipped if they succeeded.
    :param only_reads: whether it can start nothing, as a sensor.
    :param asks: whether it does nothing but ask a person.
    :param answer: the person's answer, where it asks.
    :param job_id: job that it has pushed as XCom, where it left no report; empty where there is none.
    :param map_index: which instance of a mapped task it is; -1 where the task is not mapped.
    :param tally: how its instances have ended, where there are several.
    """

    task_id: str
    state: str
    report: ReleaseReport | None = None
    old_report: ReleaseReport | None = None
    is_from_before_clear: bool = False
    run_link: str = ""
    leaves_reports: bool = True
    only_reads: bool = False
    asks: bool = False
    answer: Any = None
    job_id: str = ""
    map_index: int = -1
    tally: str = ""

    @property
    def has_begun(self) -> bool:
        """Whether it ran; the report of a skipped step shows it, see :mod:`.old_reports` for one of before a clear."""
        if self.state == "skipped":
            return self.report is not None and not self.report.event.is_good
        return self.state in _BEGUN

    @property
    def has_unreported_end(self) -> bool:
        """Whether Airflow says that it has ended, and it left no report of its end."""
        return self.state in ENDED and (self.report is None or self.report.event is Event.WAITING)

    @property
    def is_unreachable(self) -> bool:
        """Whether it could not poll its job, and Airflow says that no try follows."""
        return self.state in ENDED and self.report is not None and self.report.event is Event.UNREACHABLE

    @property
    def is_reported(self) -> bool:
        """Whether there is something to report about it."""
        return self.has_begun and (self.leaves_reports or self.report is not None or self.state != "success")
