"""The receipt of a halt as an entry of a release record: whoever verifies the record finds nothing wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.halt.halt import halt_jobs
from airflow_provider_tuya_ota.rollout.halt.scope import HaltScope
from airflow_provider_tuya_ota.rollout.halt.settlement import HaltOptions
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt, ReleaseOutcome
from tests.core.script import SETTINGS
from tests.rollout.halt.platform import Platform
from tests.rollout.record.forgery import first, found
from tests.rollout.record.story import FATES, Story, story

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.rollout.halt.settled import SettledHalt
    from airflow_provider_tuya_ota.rollout.record.release_record import ReleaseRecord

LATER: Final = {"slow": "SUCCEEDED", "mute": "IN_PROGRESS", "waits": "CANCELED", "asleep": "CANCELED"}
MIXED = ("bad", "good", "bad", "slow", "good", "bad", "waits", "bad", "asleep", "mute")


class HaltedStory(Story):
    """A release whose halt is the real one."""

    settled: SettledHalt

    def settle(self) -> ReleaseRecord:
        now, later = {}, {}
        for job_id, names in self.jobs.items():
            now[job_id] = {name: FATES[self.fate_of(name)][0] for name in names}
            later[job_id] = {name: LATER.get(self.fate_of(name), now[job_id][name]) for name in names}
        platform = Platform(
            {job_id: {0.0: now[job_id], 20.0: later[job_id]} for job_id in self.jobs}, begun_at=self.now
        )
        scope = HaltScope.at_halt(list(self.places), self.jobs, self.evidence)
        options = HaltOptions(silent_after=600.0)
        self.settled = platform.run(halt_jobs(SETTINGS, scope, options, reason=str(self.halted)))
        self.now = platform.script.now
        self.take(list(self.settled.tasks))
        self.add(self.settled.receipt)
        return self.end(ReleaseOutcome.HALTED, in_no_job=len(self.settled.receipt.spared))


def halted(fate: Callable[[int], str], number: int = 400) -> tuple[ReleaseRecord, SettledHalt]:
    plain = story(number, fate)
    told = HaltedStory(plain.plan, plain.gate, fate)
    return told.tell(), told.settled


def test_a_record_with_the_receipt_of_a_halt_is_right() -> None:
    record, settled = halted(lambda rank: MIXED[rank % 10])

    assert found(record.seal(None)) == []
    receipt: HaltReceipt = first(record, HaltReceipt)
    assert {kind.value: len(names) for kind, names in receipt.by_receipt.items()} == {
        "cancelled": 10,
        "could not be cancelled": 5,
        "landed after the halt": 5,
        "failed": 0,
        "spared": 350,
    }
    assert sum(settled.counts.values()) == settled.cohort == 400


def test_a_device_that_was_busy_before_the_halt_is_not_in_its_receipt() -> None:
    record, settled = halted(lambda rank: "busy" if rank % 10 == 4 else MIXED[rank % 10])

    assert found(record.seal(None)) == []
    assert settled.before["busy"] == 5
