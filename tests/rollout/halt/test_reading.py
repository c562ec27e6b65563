from __future__ import annotations

from airflow_provider_tuya_ota.rollout.halt.reading import read_job
from tests.core.script import SETTINGS, refused
from tests.rollout.halt.platform import Platform


def test_a_job_that_the_platform_does_not_show_has_not_ended() -> None:
    """It may be too young to be shown, and begin all of its tasks."""
    platform = Platform({"1": {0.0: {}}}, errors={("QueryOTAJob", "1"): [refused("iot.firmware.InvalidOTAJobId")]})

    reading = platform.script.run(read_job(SETTINGS, "1", ("a",)))

    assert (reading.has_ended, reading.is_all, reading.is_clean) == (False, False, False)
