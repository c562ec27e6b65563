"""A running verification of which the platform lists some of the requested devices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_tuya_ota.core.errors import AlreadyUnderWayError
from airflow_provider_tuya_ota.core.jobs.verification import IfVerified, start_verification
from tests.core.jobs.test_verification import ACTION, NEW, jobs, script_for
from tests.core.script import SETTINGS, ok, task

BOTH = replace(ACTION, target_device_name=["d1", "d2"])


def test_a_verification_of_some_of_the_devices_is_not_followed_once_the_others_have_had_time_to_be_listed() -> None:
    script = script_for(status=2, lists=jobs(NEW), devices=["d1"])

    with pytest.raises(AlreadyUnderWayError, match="job 2 is verifying firmware 178 on other devices"):
        script.run(start_verification(SETTINGS, BOTH, if_verified=IfVerified.SUCCEED))
    assert 60 <= sum(script.sleeps) < 97


def test_a_verification_whose_devices_are_listed_one_after_another_is_followed() -> None:
    script = script_for(status=2, lists=jobs(NEW), devices=["d1"])
    usual = script.answers
    assert callable(usual)
    both = ok(data=[task("d1", "QUEUED"), task("d2", "QUEUED")])
    script.answers = lambda sent: both if sent.action == "ListOTATaskByJob" and sum(script.sleeps) > 30 else usual(sent)

    assert script.run(start_verification(SETTINGS, BOTH, if_verified=IfVerified.SUCCEED)).job_id == "2"
