from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.flows import eventually as appearing
from airflow_provider_tuya_ota.core.jobs import search as job_search
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.pytest_plugin import SPEED

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.pytest_plugin import RunningEmulator


def test_the_fixture_is_behind_the_default_connection(tuya_ota_emulator: RunningEmulator) -> None:
    worked, _ = TuyaOTAHook().test_connection()

    assert worked
    assert tuya_ota_emulator.actions == ["ListOTAFirmware"]


def test_connections_may_be_wrong_on_purpose(tuya_ota_emulator: RunningEmulator) -> None:
    tuya_ota_emulator.connect("second", password="wrong")

    worked, text = TuyaOTAHook("second").test_connection()

    assert (worked, "AccessKey secret is wrong" in text) == (False, True)


def test_each_test_has_a_platform_of_its_own(tuya_ota_emulator: RunningEmulator) -> None:
    assert tuya_ota_emulator.actions == []
    assert tuya_ota_emulator.emulator.world.firmwares.by_id == {}


def test_time_passes_at_once(tuya_ota_emulator: RunningEmulator) -> None:
    before = tuya_ota_emulator.emulator.clock.world()

    tuya_ota_emulator.advance(86400)

    assert tuya_ota_emulator.emulator.clock.world() - before >= 86400


def test_lists_are_granted_as_much_less_time_as_devices_live_faster(request: pytest.FixtureRequest) -> None:
    usual = [*appearing.GRACE_PAUSES, job_search.LISTED_WITHIN.total_seconds()]

    request.getfixturevalue("tuya_ota_emulator")

    assert [*appearing.GRACE_PAUSES, job_search.LISTED_WITHIN.total_seconds()] == pytest.approx(
        [s / SPEED for s in usual]
    )


def test_a_wrong_scenario_is_named(tuya_ota_emulator: RunningEmulator) -> None:
    with pytest.raises(ValueError, match="explodes"):
        tuya_ota_emulator.script("device-001", outcome="explodes")


def test_loading_the_plugin_costs_nobody_anything() -> None:
    program = (
        "import sys, pytest; before = set(sys.modules); import airflow_provider_tuya_ota.pytest_plugin;"
        "print(sorted(name for name in set(sys.modules) - before))"
    )

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert loaded.strip() == "['airflow_provider_tuya_ota', 'airflow_provider_tuya_ota.pytest_plugin']"
