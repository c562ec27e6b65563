"""Which task of a device is its first attempt, where one round of polls shows several, and who can be excluded."""

from __future__ import annotations

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
from airflow_provider_tuya_ota.rollout.gate.outcomes import EXCLUSIONS, OUTCOMES, DeviceOutcome
from tests.rollout.gate.fleet import DAY, START, task


@pytest.mark.parametrize(
    ("first", "second", "outcome", "job"),
    [
        (("FAILED", "1"), ("SUCCEEDED", "2"), DeviceOutcome.OTHER, "1"),
        (("FAILED", "2"), ("SUCCEEDED", "1"), DeviceOutcome.OTHER, "2"),
        (("FAILED", "1"), ("FAILED", "2"), DeviceOutcome.OTHER, "1"),
        (("FAILED", "1"), ("NOTIFIED", "2"), DeviceOutcome.OTHER, "1"),
        (("NOTIFIED", "1"), ("SUCCEEDED", "2"), DeviceOutcome.PENDING, "1"),
        (("CANCELED", "1"), ("SUCCEEDED", "2"), DeviceOutcome.SUCCEEDED, "2"),
        (("CANCELED", "1"), ("CANCELED", "2"), DeviceOutcome.CANCELLED, "1"),
    ],
)
def test_the_order_of_the_tasks_of_one_round_says_nothing(
    first: tuple[str, str], second: tuple[str, str], outcome: DeviceOutcome, job: str
) -> None:
    both = [task("d0", status, job=number) for status, number in (first, second)]
    found = []
    for order in (both, both[::-1]):
        evidence = Evidence()
        evidence.record(order, {}, now=START, silent_after=DAY)
        found.append((OUTCOMES[evidence.outcomes[0]], [evidence.jobs[one] for one in evidence.job_of]))

    assert found == [(outcome, [job])] * 2


def test_a_job_that_is_known_already_comes_before_one_that_is_new() -> None:
    evidence = Evidence()
    evidence.record([task("d0", "SUCCEEDED", job="wave")], {}, now=START, silent_after=DAY)
    again = [task("d1", "FAILED", job="retry"), task("d1", "FAILED", job="wave")]
    evidence.record(again, {}, now=START, silent_after=DAY)

    assert [evidence.jobs[one] for one in evidence.job_of] == ["wave", "wave"]


@pytest.mark.parametrize("outcome", sorted(set(DeviceOutcome) - set(EXCLUSIONS)))
def test_an_outcome_of_a_started_device_excludes_nobody(outcome: DeviceOutcome) -> None:
    evidence = Evidence()
    with pytest.raises(ConfigurationError, match="excludes no device"):
        evidence.exclude(["d0"], outcome, {}, now=START)

    assert evidence == Evidence()
