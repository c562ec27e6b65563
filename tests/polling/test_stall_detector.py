from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest

from airflow_provider_tuya_ota.polling import stall_detector
from airflow_provider_tuya_ota.polling.stall_detector import BEAT, DOUBT, STOOD_STILL, detect_stalls
from airflow_provider_tuya_ota.transports import clock
from airflow_provider_tuya_ota.transports.clock import steady_seconds


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_wall_clock_that_is_set_is_no_stall(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    async with detect_stalls() as felt:
        wall = time.time() + hours * 3600
        for module in (stall_detector, clock):
            monkeypatch.setattr(module, "time", SimpleNamespace(**vars(time) | {"time": lambda: wall}))

        assert not felt.recently_stalled()


async def test_a_machine_that_was_suspended_stood_still_and_is_trusted_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [steady_seconds()]
    monkeypatch.setattr(stall_detector, "steady_seconds", lambda: now[0])

    async with detect_stalls() as felt:
        now[0] += BEAT
        assert not felt.recently_stalled()
        now[0] += STOOD_STILL + BEAT
        assert felt.recently_stalled()
    await asyncio.sleep(0)
    now[0] += DOUBT

    assert not felt.recently_stalled()
