"""A flow that goes behind all others waits while requests are reserved ahead of it."""

from __future__ import annotations

import pytest

from airflow_provider_tuya_ota.core.actions import CancelOTATaskByJob, QueryOTAJob
from airflow_provider_tuya_ota.core.errors import NotFoundError
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.polling.paced import LONGEST_QUEUE, paced
from tests.core.script import SETTINGS, Script, job, ok, refused


def test_a_request_waits_until_few_others_are_reserved() -> None:
    script = Script([ok(data=job("9"))])
    queues = iter([20.0, 0.6, LONGEST_QUEUE])

    found = script.run(paced(call(SETTINGS, QueryOTAJob(job_id="9")), lambda: next(queues)))

    assert found.job_id == "9"
    assert script.sleeps == [20.0, 0.6]


def test_a_cancel_does_not_wait_for_other_requests() -> None:
    script = Script([ok()])

    script.run(paced(call(SETTINGS, CancelOTATaskByJob(job_id="9")), lambda: 20.0))

    assert script.sleeps == []


def test_a_refusal_is_the_flow_s_own() -> None:
    script = Script([refused("iot.firmware.InvalidOTAJobId")])

    with pytest.raises(NotFoundError):
        script.run(paced(call(SETTINGS, QueryOTAJob(job_id="9")), lambda: 0.0))
