"""Halts of releases in flight, killed again and again: the receipt is what the emulator knows."""

from __future__ import annotations

from collections import Counter

from airflow_provider_tuya_ota.rollout.halt.events import HaltBegun
from airflow_provider_tuya_ota.rollout.halt.settlement import HaltOptions
from tests.rollout.halt.field import Fate, Field, drawn, fates

FEW = {
    "devices": 10,
    "device": {
        "device-001": {"flash_seconds": 400},
        "device-002": {"outcome": "lies"},
        "device-003": {"online": False},
        "device-004": {"outcome": "silent"},
        "device-005": {"outcome": "fails", "flash_seconds": 200},
        "device-006": {"flash_seconds": 1},
    },
}


QUICK = HaltOptions(silent_after=300.0, longest=5000.0, poll_interval=150.0)


def few() -> Field:
    field = Field(FEW, (4, 3), {"task_list_delay": 20.0, "list_order": "any_order", "planning": "in_parts"})
    field.sleep(4)
    field.poll()
    return field


def test_the_receipt_equals_the_truth_whatever_is_killed() -> None:
    seen, kills = Counter[str](), 0
    for seed in range(20):
        field = drawn(seed)
        settled = field.halt(*fates(seed))
        field.require_truth(settled)
        seen.update(settled.counts)
        kills += field.kills

    assert all(seen.values()), seen
    assert kills > 20


def test_a_kill_at_every_effect_changes_no_receipt() -> None:
    whole = Fate()
    field = few()
    settled = field.run(field.flow(QUICK), whole)
    field.require_truth(settled)
    assert {kind: len(names) for kind, names in settled.receipt.by_receipt.items()} == {
        "cancelled": 2,
        "could not be cancelled": 1,
        "landed after the halt": 3,
        "failed": 1,
        "spared": 3,
    }
    for effect in range(1, whole.seen + 1):
        field = few()
        field.require_truth(field.halt(Fate(effect, is_after=effect % 2 == 0), options=QUICK))
        assert [event.is_resumed for event in field.log.events if isinstance(event, HaltBegun)][1:] in ([], [True])


def test_no_device_begins_after_the_cancels_of_the_first_round() -> None:
    field = Field({"devices": 40, "silent": 0.5, "flash": {"seconds": 600}}, (20, 20))
    field.sleep(2.2)
    begun = {task.task_id for task in field.emulator.world.engine.tasks.values() if task.status == "IN_PROGRESS"}

    field.require_truth(field.halt())

    ended = field.emulator.world.engine.tasks.values()
    assert {task.task_id for task in ended if task.status == "SUCCEEDED"} == begun
    assert {task.status for task in ended} == {"SUCCEEDED", "CANCELED"}
