from __future__ import annotations

import pytest

from airflow_provider_tuya_ota.core.model.states import TaskStatus
from airflow_provider_tuya_ota.rollout.gate.outcomes import (
    CODES,
    EXCLUSIONS,
    FAILURES,
    OUTCOMES,
    UNFINISHED,
    DeviceOutcome,
    contradicts,
    parse_failure,
    parse_outcome,
)

FAILED, SUCCEEDED, CANCELED = TaskStatus.FAILED, TaskStatus.SUCCEEDED, TaskStatus.CANCELED


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("step -1: low memory", "flash"),
        ("step -4: flash failed", "flash"),
        ("-2", "download"),
        ("step: -3", "image verification"),
        ("Step -2", "download"),
        ("-25 degrees", "other"),
        ("stopped at step -4", "other"),
        ("timeout", "timeout"),
        (" Timeout ", "timeout"),
        ("no timeout", "other"),
        ("report version is not conform", "wrong version"),
        ("the device is in another unfinished task", "busy"),
        ("", "other"),
        ("battery low", "other"),
    ],
)
def test_a_reason_is_read_as_a_class_and_an_unknown_one_as_a_failure(reason: str, outcome: str) -> None:
    assert parse_failure(reason) == outcome


def test_the_author_s_texts_come_first_and_are_found_anywhere_in_any_case() -> None:
    texts = {"battery": DeviceOutcome.DECLINED, "timeout": DeviceOutcome.DOWNLOAD}

    assert parse_failure("step -1: Battery low", texts) == "declined"
    assert parse_failure("timeout", texts) == "download"
    assert parse_failure("step -1: low memory", texts) == "flash"


def test_a_device_that_has_started_cannot_have_been_busy_in_another_job() -> None:
    busy = "the device is in another unfinished task"

    assert parse_outcome(FAILED, busy, None) == "busy"
    assert parse_outcome(FAILED, busy, DeviceOutcome.PENDING) == "other"
    assert parse_outcome(FAILED, busy, DeviceOutcome.PENDING, {"unfinished task": DeviceOutcome.BUSY}) == "busy"


@pytest.mark.parametrize(
    ("status", "before", "outcome"),
    [
        ("CONFIRM", None, None),
        ("QUEUED", None, None),
        ("QUEUED", DeviceOutcome.FLASHING, "flashing"),
        ("NOTIFIED", None, "pending"),
        ("NOTIFIED", DeviceOutcome.FLASHING, "flashing"),
        ("ROLLED_BACK", None, "pending"),
        ("IN_PROGRESS", None, "flashing"),
        ("SUCCEEDED", None, "succeeded"),
        ("FAILED", DeviceOutcome.FLASHING, "other"),
        ("CANCELED", None, "cancelled"),
        ("CANCELED", DeviceOutcome.PENDING, "cancelled"),
        ("CANCELED", DeviceOutcome.FLASHING, "other"),
    ],
)
def test_a_status_is_read_with_what_was_known_of_the_device(
    status: str, before: DeviceOutcome | None, outcome: str | None
) -> None:
    assert parse_outcome(TaskStatus(status), "", before) == outcome


def test_every_outcome_is_unfinished_or_a_success_or_a_failure_or_an_exclusion_and_has_one_letter() -> None:
    assert sorted([*UNFINISHED, DeviceOutcome.SUCCEEDED, *FAILURES, *EXCLUSIONS]) == sorted(DeviceOutcome)
    assert len(set(CODES.values())) == len(DeviceOutcome)
    assert all(OUTCOMES[CODES[outcome]] is outcome for outcome in DeviceOutcome)


@pytest.mark.parametrize("status", [*TaskStatus, TaskStatus("ROLLED_BACK")])
def test_a_later_status_contradicts_what_it_does_not_fit(status: TaskStatus) -> None:
    fits = {
        "succeeded": {SUCCEEDED},
        "flash": {FAILED},
        "other": {FAILED, CANCELED},
        "wrong version": {FAILED, SUCCEEDED},
        "silent": {*TaskStatus, TaskStatus("ROLLED_BACK")} - {SUCCEEDED},
        "busy": {FAILED},
        "declined": {FAILED},
        "cancelled": {CANCELED},
    }

    for outcome, statuses in fits.items():
        assert contradicts(DeviceOutcome(outcome), status) == (status not in statuses), outcome


def test_of_several_texts_the_longest_counts_in_whatever_order_they_are_written() -> None:
    texts = {"battery": DeviceOutcome.FLASH, "low battery": DeviceOutcome.DECLINED, "memory": DeviceOutcome.OTHER}
    for given in (texts, dict(reversed(texts.items())), dict(sorted(texts.items()))):
        assert parse_failure("Low battery", given) == "declined"
        assert parse_failure("battery broken", given) == "flash"
    same = {"BATTERY": DeviceOutcome.FLASH, "battery": DeviceOutcome.DECLINED}
    assert parse_failure("battery", same) == parse_failure("battery", dict(reversed(same.items())))
