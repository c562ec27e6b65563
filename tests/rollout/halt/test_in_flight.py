"""Halts of releases in flight in the emulator."""

from __future__ import annotations

from airflow_provider_tuya_ota.rollout.halt.events import HaltBegun
from tests.campaigns.halts import QUICK, few
from tests.rollout.halt.field import Fate, Field


def test_each_class_of_a_receipt_is_what_the_emulator_knows() -> None:
    field = few()
    settled = field.halt(options=QUICK)

    field.require_truth(settled)
    assert {kind: len(names) for kind, names in settled.receipt.by_receipt.items()} == {
        "cancelled": 2,
        "could not be cancelled": 1,
        "landed after the halt": 3,
        "failed": 1,
        "spared": 3,
    }


def test_a_halt_whose_process_is_killed_goes_on() -> None:
    field = few()
    field.require_truth(field.halt(Fate(9), Fate(20, is_after=True), options=QUICK))

    assert [event.is_resumed for event in field.log.events if isinstance(event, HaltBegun)] == [False, True, True]


def test_no_device_begins_after_the_cancels_of_the_first_round() -> None:
    field = Field({"devices": 40, "silent": 0.5, "flash": {"seconds": 600}}, (20, 20))
    field.sleep(2.2)
    begun = {task.task_id for task in field.emulator.world.engine.tasks.values() if task.status == "IN_PROGRESS"}

    field.require_truth(field.halt())

    ended = field.emulator.world.engine.tasks.values()
    assert {task.task_id for task in ended if task.status == "SUCCEEDED"} == begun
    assert {task.status for task in ended} == {"SUCCEEDED", "CANCELED"}
