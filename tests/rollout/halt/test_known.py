from __future__ import annotations

import pytest

from airflow_provider_tuya_ota.core.model.states import TaskStatus
from airflow_provider_tuya_ota.rollout.halt.known import Known, after, known_of, worst_of


@pytest.mark.parametrize(
    ("status", "known"),
    [
        ("CONFIRM", Known.WAITING),
        ("QUEUED", Known.WAITING),
        ("NOTIFIED", Known.WAITING),
        ("IN_PROGRESS", Known.FLASHING),
        ("REBOOTING", Known.FLASHING),
        ("SUCCEEDED", Known.SUCCEEDED),
        ("FAILED", Known.FAILED),
        ("CANCELED", Known.CANCELLED),
    ],
)
def test_a_status_is_read_and_an_unknown_one_may_be_flashing(status: str, known: Known) -> None:
    assert known_of(TaskStatus(status)) is known


@pytest.mark.parametrize("letters", [".wfs", ".wfx", ".wc", ".n", ".s", "ff", "ss", "nn"])
def test_the_documented_order_contradicts_nothing(letters: str) -> None:
    letter = letters[0]
    for seen in letters[1:]:
        letter = after(letter, Known(seen))

    assert letter == letters[-1]


@pytest.mark.parametrize(
    ("letter", "seen", "then"),
    [
        ("c", "s", "C"),
        ("s", "f", "S"),
        ("x", "s", "X"),
        ("n", "w", "N"),
        ("f", "w", "F"),
        ("f", "c", "C"),
        ("F", "f", "F"),
        ("F", "s", "S"),
        ("C", "c", "C"),
    ],
)
def test_the_first_end_stays_and_a_contradiction_is_kept(letter: str, seen: str, then: str) -> None:
    assert after(letter, Known(seen)) == then


@pytest.mark.parametrize(
    ("found", "worst"), [("sx", "x"), ("cs", "c"), ("sf", "f"), ("fw", "w"), ("xc", "x"), ("ss", "s")]
)
def test_no_success_hides_another_task_of_the_device(found: str, worst: str) -> None:
    assert worst_of(map(Known, found)) == worst
