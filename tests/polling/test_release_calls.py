"""How many requests a whole release costs, and what each of them is for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob, CreateOTAVerifyJob
from airflow_provider_tuya_ota.core.jobs.upgrade import start_upgrade
from airflow_provider_tuya_ota.core.jobs.verification import IfVerified, start_verification
from airflow_provider_tuya_ota.core.model.verdict import Outcome
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.status.job_set_wait import JobSetWait, WaitedJob, require_only_success
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.polling.job_set_wait import wait_for_jobs
from airflow_provider_tuya_ota.polling.poller import Poller
from airflow_provider_tuya_ota.transports.limiter import RateLimiter
from tests.campaigns.virtual import LoopWorld, Metered, VirtualLoop
from tests.contract.worlds import Quiet, settings
from tests.emulator.plain_client import PlainClient, in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.jobs.tracked_job import TrackedJob

PRODUCT = "k1demoproduct"
WAVES = (5, 12, 30, 50)
TASK_START, TRIGGER_START = 2.0, 1.5
MOST = 57
"""Requests behind the upload, which takes three more; 32 in all by hand."""


def waves() -> Iterator[list[str]]:
    names = [f"device-{number:03d}" for number in range(1, 100)]
    begin = 2
    for size in WAVES:
        yield names[begin : begin + size]
        begin += size


def release(loop: VirtualLoop) -> Metered:
    """Release as Airflow does: a worker starts each job, and a triggerer waits for it."""
    emulator = Emulator(
        clock=Clock(loop.wall),
        scenario=read({"quotas": {"enabled": False}, "products": [{"product_key": PRODUCT, "devices": 99}]}),
    )
    firmware_id = PlainClient(in_memory(emulator), now=loop.wall).create_firmware("2.0.0", NeedToVerify="true")
    platform, world = Metered(emulator), LoopWorld(loop)
    where = replace(settings("http://127.0.0.1:1"), requests_per_second=10.0)

    def client() -> AsyncTuyaOTAClient:
        limiter = RateLimiter(dict.fromkeys(RateLimitGroup, 10.0), clock=loop.time)
        return AsyncTuyaOTAClient(where, transport=platform, listener=Quiet(), runtime=world, limiter=limiter)

    async def step(flow: Flow[TrackedJob], names: list[str]) -> None:
        await asyncio.sleep(TASK_START)
        job = await client().run(flow)
        await asyncio.sleep(TRIGGER_START)
        stored = job.waited_for(on_cancel="stop", expected=tuple(names)).to_dict()
        deadline = datetime.fromtimestamp(loop.wall(), UTC) + timedelta(hours=1)
        wait = JobSetWait([WaitedJob.from_dict(stored)], WaitOptions(deadline=deadline, poll_interval=5.0))
        async with Poller(client()) as poller:
            await wait_for_jobs(poller, wait, listener=Quiet(), runtime=world)
        assert require_only_success(wait.results).outcome is Outcome.SUCCEEDED

    async def run() -> None:
        two = ["device-001", "device-002"]
        verification = CreateOTAVerifyJob(firmware_id=firmware_id, product_key=PRODUCT, target_device_name=two)
        await step(start_verification(where, verification, if_verified=IfVerified.SUCCEED), two)
        for names in waves():
            upgrade = CreateOTAStaticUpgradeJob(
                firmware_id=firmware_id, product_key=PRODUCT, target_selection="SPECIFIC", target_device_name=names
            )
            await step(start_upgrade(where, upgrade), names)

    loop.run_until_complete(run())
    return platform


def test_each_request_of_a_release_is_one_that_a_promise_needs() -> None:
    loop = VirtualLoop()
    platform = release(loop)
    loop.close()

    actions = [entry["action"] for entry in platform.emulator.log][-len(platform.arrived) :]
    before, create, query = "ListOTAJobByFirmware", "CreateOTAStaticUpgradeJob", "QueryOTAJob"
    # Nobody upgrades these devices, the job is created once, it has the devices that were asked for, nobody was first.
    start = [before, before, create, query, "ListOTATaskByJob", before]
    # The device tasks of an ended job are read after the job.
    end = ["ListOTATaskByJob", query, "ListOTATaskByJob"]
    places = [at for at, action in enumerate(actions) if action == create]
    begins = [at - 2 for at in places]
    for begin, following in pairwise([*begins, len(actions)]):
        assert actions[begin : begin + len(start)] == start
        assert actions[following - len(end) : following] == end
        assert set(actions[begin + len(start) : following - len(end)]) == {"ListOTATaskByJob"}
    verification = actions[: begins[0]]
    assert verification[:4] == ["QueryOTAFirmware", before, "CreateOTAVerifyJob", query]
    assert verification[4:7] == ["ListOTATaskByJob", "ListOTATaskByJob", "QueryOTAFirmware"]
    assert verification[-4:] == [*end, "QueryOTAFirmware"]
    assert len(actions) <= MOST
