"""Several flows share a pace, and leave the rest of the rate limit to others."""

from __future__ import annotations

from functools import partial

import pytest

from airflow_provider_tuya_ota.core.actions import CancelOTATaskByJob, QueryOTAJob
from airflow_provider_tuya_ota.core.errors import NotFoundError
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.policy.rate import SECOND, TokenBucket
from airflow_provider_tuya_ota.polling.paced import paced
from tests.core.script import NOW, SETTINGS, Script, job, ok, refused


def seconds(script: Script) -> float:
    return (script.now - NOW).total_seconds()


def test_requests_of_all_flows_keep_the_shared_pace() -> None:
    script = Script([ok(data=job("9"))] * 3)
    pace = TokenBucket(2.0, 0.0)

    for _ in range(3):
        found = script.run(paced(call(SETTINGS, QueryOTAJob(job_id="9")), pace, partial(seconds, script)))
        assert found.job_id == "9"

    assert seconds(script) == pytest.approx(2 * SECOND / 2.0)


def test_a_cancel_does_not_wait_for_the_pace_of_polls() -> None:
    script = Script([ok()] * 3)
    pace = TokenBucket(2.0, 0.0)

    for _ in range(3):
        script.run(paced(call(SETTINGS, CancelOTATaskByJob(job_id="9")), pace, partial(seconds, script)))

    assert script.sleeps == []


def test_a_refusal_is_the_flow_s_own() -> None:
    script = Script([refused("iot.firmware.InvalidOTAJobId")])

    with pytest.raises(NotFoundError):
        script.run(paced(call(SETTINGS, QueryOTAJob(job_id="9")), TokenBucket(2.0, 0.0), partial(seconds, script)))
