"""What became of each device of a halted release."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.model.entities import DeviceTask
from airflow_provider_tuya_ota.rollout.halt.known import ENDED, STATUSES, Known
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt, Receipt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.halt.settlement import Settlement

BEFORE: Final = "ended before the halt"
"""The count of devices that the receipt leaves out, beside those of :class:`.Receipt`."""
_LAST: Final = {
    Known.FAILED: Receipt.FAILED,
    Known.CANCELLED: Receipt.CANCELLED,
    Known.NEVER: Receipt.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledHalt:
    """A halt that has settled.

    :param begun_at: when it began.
    :param settled_at: when nothing was left to watch, or the deadline passed.
    :param cohort: number of devices that are planned, named by a job or listed by one.
    :param receipt: the entry of the record: the devices without an outcome at the halt, and the spared ones.
    :param before: number of devices by the outcome that they had at the halt.
    :param contradictions: devices whose status went back, changed after its end, or was cancelled after the device had
        reported progress. The first end counts.
    :param unplanned: devices that a job took and nobody had asked for.
    :param may_begin: whether devices may still begin: the deadline passed while something could be cancelled or could
        not be read, or devices of a job that goes on had no task.
    :param tasks: device tasks for the evidence, each with the end that counts. The evidence of the release has to
        record these and no other ones after the halt; else it contradicts the receipt.
    """

    begun_at: datetime
    settled_at: datetime
    cohort: int
    receipt: HaltReceipt
    before: Mapping[str, int]
    contradictions: tuple[str, ...]
    unplanned: tuple[str, ...]
    may_begin: bool
    tasks: tuple[DeviceTask, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Number of devices of each class; together they are the cohort."""
        listed = {receipt.value: len(names) for receipt, names in self.receipt.by_receipt.items()}
        return {**listed, BEFORE: sum(self.before.values())}

    def __str__(self) -> str:
        parts = [f"{number:,} {name}" for name, number in self.counts.items()]
        contradicted = [f"{len(self.contradictions):,} contradicted themselves"] * bool(self.contradictions)
        return f"{', '.join(parts)}; {self.cohort:,} devices in all" + "".join(f"; {text}" for text in contradicted)


def settled_halt(settlement: Settlement, settled_at: datetime) -> SettledHalt:
    """Make the receipt of a halt.

    :param settled_at: when it settled.
    """
    letters: dict[str, list[Known]] = {}
    contradictions: dict[str, None] = {}
    for of_job in settlement.letters.values():
        for name, letter in of_job.items():
            letters.setdefault(name, []).append(Known(letter.lower()))
            if letter.isupper():
                contradictions[name] = None
    scope = settlement.scope
    cohort = tuple(dict.fromkeys((*scope.cohort, *letters)))
    by_receipt: dict[Receipt, list[str]] = {receipt: [] for receipt in Receipt}
    for name in cohort:
        if name not in scope.before:
            by_receipt[_receipt_of(letters.get(name))].append(name)
    return SettledHalt(
        begun_at=settlement.begun_at,
        settled_at=settled_at,
        cohort=len(cohort),
        receipt=HaltReceipt(
            rounds=scope.rounds,
            reason=settlement.reason,
            cancelled=tuple(by_receipt[Receipt.CANCELLED]),
            not_cancelled=tuple(by_receipt[Receipt.NOT_CANCELLED]),
            landed=tuple(by_receipt[Receipt.LANDED]),
            failed=tuple(by_receipt[Receipt.FAILED]),
            spared=tuple(by_receipt[Receipt.SPARED]),
        ),
        before=dict(Counter(scope.before.values())),
        contradictions=tuple(contradictions),
        unplanned=cohort[len(scope.cohort) :],
        may_begin=settlement.may_begin,
        tasks=tuple(_tasks(settlement)),
    )


def _receipt_of(known: list[Known] | None) -> Receipt:
    """Give the class of a device without an outcome at the halt.

    :param known: what is known of it in each of its jobs; None where it was in none.
    """
    if known is None:
        return Receipt.SPARED
    if not ENDED.issuperset(known):
        return Receipt.NOT_CANCELLED
    return Receipt.LANDED if Known.SUCCEEDED in known else _LAST[known[-1]]


def _tasks(settlement: Settlement) -> list[DeviceTask]:
    found = []
    for job_id, letters in settlement.letters.items():
        for name, letter in letters.items():
            known = Known(letter.lower())
            task = settlement.tasks.get((job_id, name))
            if task is None and known in STATUSES:
                # An earlier process read the end, and the platform says something else now.
                task = DeviceTask(task_id="", device_name=name, status=STATUSES[known], job_id=job_id)
            if task is not None:
                found.append(task if task.job_id else _of_job(task, job_id))
    return found


def _of_job(task: DeviceTask, job_id: str) -> DeviceTask:
    return DeviceTask(
        task_id=task.task_id, device_name=task.device_name, status=task.status, reason=task.reason, job_id=job_id
    )
