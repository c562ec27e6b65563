"""The short form of the crash campaign; ``make campaigns`` runs the long one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.jobs import create, recover
from tests.campaigns.crash import campaign

if TYPE_CHECKING:
    import pytest

    from airflow_provider_tuya_ota.core.flows.effects import Flow

RUNS = 1000


def test_there_is_one_job_for_each_intent_whatever_crashes() -> None:
    counts, wrong = campaign(RUNS)

    assert wrong == []
    assert sum(number for key, number in counts.items() if key[-1] == "runs") == RUNS
    assert sum(number for key, number in counts.items() if key[-1] == "kills") > RUNS
    # Where a list ends before its total, no job is created twice, and the task stops.
    assert any(key[-1] == "incomplete" for key in counts)
    # With a state store nothing but a release that was done before a clear may stop a run.
    assert not any(key[0] == "verification" and key[2] == "state store" and key[-1] == "stopped" for key in counts)


def nobody(*_: object, **__: object) -> Flow[None]:
    """Find no job."""
    yield from ()


def test_the_campaign_finds_a_task_that_does_not_look_for_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (create, recover):
        monkeypatch.setattr(module, "find_job", nobody)

    _, wrong = campaign(200)

    assert any("several jobs" in line for line in wrong)
