from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.status.poll_events import ConditionChanged, JobFailureObserved, PollFailed

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.events import FlowEvent


@pytest.mark.parametrize(
    ("event", "level", "line"),
    [
        (PollFailed("job 9", "No answer."), "warning", "No answer. The wait for job 9 goes on."),
        (ConditionChanged("firmware 178", "firmware 178 is VERIFIED"), "info", "firmware 178 is VERIFIED"),
        (
            JobFailureObserved("9", "job 9 failed"),
            "warning",
            "job 9 failed. Polling job 9 again, in case the platform lags",
        ),
    ],
)
def test_an_event_of_a_wait_is_a_line_with_a_level(event: FlowEvent, level: str, line: str) -> None:
    assert (event.level, event.line()) == (level, line)
