from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import pytest

from airflow_provider_tuya_ota.core.policy.rate import TokenBucket
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.gateway.quotas import UPSTREAM_QUOTAS, Meter, Quotas
from airflow_provider_tuya_ota.emulator.messages import GatewayError

OPERATION, LIMIT = "QueryOTAJob", UPSTREAM_QUOTAS["QueryOTAJob"]
SECONDS = 600.0


@dataclass
class Process:
    """A process that always has something to ask."""

    yields: bool
    bucket: TokenBucket = field(init=False)
    served: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self.bucket = TokenBucket(LIMIT, 0.0)


def share(*processes: Process) -> None:
    """Let processes that know nothing of each other ask at an account's limit for ten minutes."""
    now = 0.0
    meter = Meter(Clock(lambda: now))
    due = [(process.bucket.reserve(0.0), number) for number, process in enumerate(processes)]
    while due[0][0] < SECONDS:
        now, number = heapq.heappop(due)
        process = processes[number]
        try:
            meter.admit(OPERATION, Quotas())
        except GatewayError:
            process.refused += 1
            if process.yields:
                process.bucket.slow_down(now)
        else:
            process.served += 1
        # A millisecond of the way there keeps two from asking in the very same moment for ever.
        heapq.heappush(due, (now + 0.001 * (number + 1) + process.bucket.reserve(now), number))


@pytest.mark.parametrize("number", [2, 3, 5])
def test_processes_at_an_account_s_limit_find_their_shares_without_a_storm(number: int) -> None:
    processes = [Process(yields=True) for _ in range(number)]

    share(*processes)

    served = [process.served for process in processes]
    refused = sum(process.refused for process in processes)
    assert sum(served) > 0.6 * LIMIT * SECONDS
    assert min(served) > 0.5 * sum(served) / number
    assert refused < 0.1 * sum(served)


def test_without_yielding_there_is_a_storm() -> None:
    processes = [Process(yields=False), Process(yields=False)]

    share(*processes)

    assert sum(process.refused for process in processes) > 0.5 * sum(process.served for process in processes)


def test_alone_a_process_has_the_whole_limit() -> None:
    process = Process(yields=True)

    share(process)

    assert process.served > 0.8 * LIMIT * SECONDS
    assert process.refused < 0.01 * process.served
