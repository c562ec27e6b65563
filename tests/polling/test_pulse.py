from __future__ import annotations

import asyncio
import time

import pytest

from airflow_provider_tuya_ota.polling import pulse
from airflow_provider_tuya_ota.polling.pulse import BEAT, DOUBT, STOOD_STILL, feel_pulse
from airflow_provider_tuya_ota.transports.clock import steady_seconds


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_wall_clock_that_is_set_is_no_stall(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    async with feel_pulse() as felt:
        wall = time.time() + hours * 3600
        monkeypatch.setattr(time, "time", lambda: wall)

        assert not felt.stood_still()


async def test_a_machine_that_was_suspended_stood_still_and_is_trusted_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [steady_seconds()]
    monkeypatch.setattr(pulse, "steady_seconds", lambda: now[0])

    async with feel_pulse() as felt:
        now[0] += BEAT
        assert not felt.stood_still()
        now[0] += STOOD_STILL + BEAT
        assert felt.stood_still()
    await asyncio.sleep(0)
    now[0] += DOUBT

    assert not felt.stood_still()
