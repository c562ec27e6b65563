"""A device task that polls have listed, and that the platform lists no more."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError
from airflow_provider_tuya_ota.core.model.verdict import Outcome
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from tests.core.one_job import wait_for_job
from tests.core.script import NOW, SETTINGS, Script, job, ok, task
from tests.core.status.test_job_wait import after

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.core.script import Sent


@pytest.mark.parametrize("names", [("d1", "d2"), ("d1", "d2", "d3", "d4")])
def test_a_device_task_that_is_listed_no_more_is_no_success(names: tuple[str, ...]) -> None:
    """The platform chose the devices, so no name says which of them is missing."""

    def tasks(sent: Sent) -> Response:
        goes_on = script.now < after(40)
        listed = [task(name, "SUCCEEDED") for name in names[: 4 if goes_on else 2]]
        if goes_on:
            listed[-1] = task(names[-1], "IN_PROGRESS")
        return ok(data=listed if sent.parameters["CurrentPage"] == "1" else [])

    def answer(sent: Sent) -> Response:
        status = "IN_PROGRESS" if script.now < after(40) else "COMPLETED"
        query = ok(data=job("9001", kind="UPGRADE_FIRMWARE", jobStatus=status))
        return query if sent.action == "QueryOTAJob" else tasks(sent)

    script = Script(answer)
    options = WaitOptions(deadline=NOW + timedelta(seconds=3600), settle_time=60.0)
    if len(names) == 2:
        assert script.run(wait_for_job(SETTINGS, "9001", options)).outcome is Outcome.SUCCEEDED
        return

    with pytest.raises(JobFailedError, match="4 device tasks were listed before, and 2 are now"):
        script.run(wait_for_job(SETTINGS, "9001", options))
