"""A poller and a platform in virtual time, for the tests of polling."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.core.status.wait_state import KeyRefusedError, WaitState
from airflow_provider_tuya_ota.polling.poller import Poller
from airflow_provider_tuya_ota.transports.limiter import RateLimiter
from tests.campaigns.virtual import LoopWorld, Metered, VirtualLoop
from tests.campaigns.waits import Shape, release
from tests.contract.worlds import Quiet, settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from airflow_provider_tuya_ota.core.flows.events import FlowEvent
    from airflow_provider_tuya_ota.core.model.verdict import Verdict

RATE = 10.0


class Heard(Quiet):
    """Keeps what a wait would write into its log."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.reports: list[Verdict] = []

    def event(self, event: FlowEvent) -> None:
        self.notes.append(event.line())

    def report(self, verdict: Verdict) -> None:
        self.reports.append(verdict)


class Stage:
    """A poller and a platform in virtual time."""

    def __init__(self, loop: VirtualLoop, waits: int, firmwares: int = 1, *, silent: bool = False) -> None:
        self.loop = loop
        self.emulator, self.jobs = release(Shape(waits, firmwares, 15), loop, silent=silent, minutes=5)
        self.transport = Metered(self.emulator)
        limiter = RateLimiter({RateLimitGroup.CALLS: RATE, RateLimitGroup.CANCELS: RATE}, clock=loop.time)
        self.where = replace(settings("http://127.0.0.1:1"), requests_per_second=RATE)
        self.world = LoopWorld(loop)
        client = AsyncTuyaOTAClient(
            self.where, transport=self.transport, listener=Quiet(), runtime=self.world, limiter=limiter
        )
        self.poller = Poller(client)
        self.heard: dict[str, Heard] = {}

    def options(self, *, seconds: float = 7200.0, **changes: Any) -> WaitOptions:
        return WaitOptions(
            deadline=datetime.fromtimestamp(self.loop.wall(), UTC) + timedelta(seconds=seconds), **changes
        )

    async def wait(self, job_id: str, options: WaitOptions | None = None, *, firmware_id: str | None = None) -> Verdict:
        heard = self.heard.setdefault(job_id, Heard())
        firmware_id = self.jobs.get(job_id, "") if firmware_id is None else firmware_id
        state, how = WaitState(), options or self.options()
        while True:
            try:
                return await self.poller.wait_for_job(
                    job_id, how, firmware_id=firmware_id, listener=heard, runtime=self.world, state=state
                )
            except KeyRefusedError as refused:
                # As a trigger does whose connection is still the same.
                await asyncio.sleep(refused.pause)

    def wait_for_all(self) -> Awaitable[list[Any]]:
        return asyncio.gather(*(self.wait(job) for job in self.jobs), return_exceptions=True)

    def fault(self, kind: str, action: str = "*", **values: Any) -> None:
        self.emulator.faults.add({"action": action, "kind": kind, **values})

    def count(self, action: str) -> int:
        return self.transport.actions.get(action, 0)


def play(scene: Callable[[Stage], Coroutine[Any, Any, None]], waits: int, firmwares: int = 1, **how: Any) -> None:
    """Let a scene happen, and the poller close at its end."""
    loop = VirtualLoop()

    async def run() -> None:
        stage = Stage(loop, waits, firmwares, **how)
        async with stage.poller:
            await scene(stage)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    try:
        loop.run_until_complete(run())
    finally:
        loop.close()
