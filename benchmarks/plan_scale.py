"""How long the plan of a large fleet takes, and how much memory: ``python -m benchmarks.plan_scale``.

Each fleet is planned in a process of its own: cohort, ranks, waves, pulses, jobs and digest, then the forecast and its
list. A million devices have to be planned in under 60 seconds and 1 GiB, and the time has to grow about as the fleet.
The time that counts is that for which the process had the core, which other work on the machine does not change.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.plan.build import plan_release
from airflow_provider_tuya_ota.rollout.plan.candidate import Candidate
from airflow_provider_tuya_ota.rollout.plan.cohort import freeze_cohort
from airflow_provider_tuya_ota.rollout.plan.cohort_rule import parse_cohort_rule
from airflow_provider_tuya_ota.rollout.plan.dry_run import list_dry_run
from airflow_provider_tuya_ota.rollout.plan.forecast import forecast_release
from airflow_provider_tuya_ota.rollout.plan.pace import Pace
from airflow_provider_tuya_ota.rollout.plan.schedule import parse_schedule

if TYPE_CHECKING:
    from collections.abc import Iterator

FLEETS: Final = (10_000, 100_000, 1_000_000)
SECONDS: Final = 60.0
MIB: Final = 1024.0
REGIONS: Final = ("eu", "us", "cn", "in")


def candidates(number: int) -> Iterator[Candidate]:
    """Give a fleet of which a tenth is on the version already, and one device in a hundred is busy."""
    for at in range(number):
        yield Candidate(
            name=f"thermostat-{at:010}",
            product_key="k1demoproduct",
            module_name="default",
            version="2.0.0" if at % 10 == 0 else f"1.{at % 3}.0",
            busy_job="183634077921266" if at % 100 == 1 else None,
            attributes={"region": REGIONS[at % 4]},
        )


def measure(number: int) -> dict[str, float]:
    """Plan one fleet in this process."""
    wall, began = time.perf_counter(), time.process_time()
    rule = parse_cohort_rule(product_key="k1demoproduct", version="2.0.0", strata=["region", "version"])
    schedule = parse_schedule(
        waves=["1%", "10%", "50%", "100%"],
        pace=Pace(first=50, double_every="1h"),
        soak="24h",
        window="Mon-Thu 09:00-16:00 Europe/Berlin",
    )
    cohort = freeze_cohort(candidates(number), rule)
    frozen = time.process_time()
    plan = plan_release("release", cohort, schedule, Gate(ceiling="5%"))
    planned = time.process_time()
    forecast = forecast_release(plan, start=datetime(2026, 12, 1, tzinfo=UTC), requests_per_second=10.0)
    list_dry_run(plan, forecast)
    listed = time.process_time()
    return {
        "devices": number,
        "jobs": sum(wave.jobs for wave in plan.waves),
        "cohort s": round(frozen - began, 2),
        "plan s": round(planned - frozen, 2),
        "forecast s": round(listed - planned, 2),
        "seconds of the core": round(listed - began, 2),
        "seconds on the wall": round(time.perf_counter() - wall, 2),
        "peak MiB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> int:
    """Print a line for each fleet, and how the time grows."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(int(sys.argv[2]))))
        return 0
    found = []
    for number in FLEETS:
        output = subprocess.run(
            [sys.executable, "-m", "benchmarks.plan_scale", "--one", str(number)],
            check=True,
            capture_output=True,
            text=True,
        )
        found.append(json.loads(output.stdout))
        print("  ".join(f"{name} {value:,}" for name, value in found[-1].items()), flush=True)
    few, many = found[0], found[-1]
    # The forecast draws the same number of courses for every fleet, so it is left out here.
    times = [one["cohort s"] + one["plan s"] for one in (few, many)]
    print(f"{many['devices'] / few['devices']:.0f} times the devices: {times[1] / times[0]:.0f} times the time")
    return 0 if many["seconds of the core"] <= SECONDS and many["peak MiB"] <= MIB else 1


if __name__ == "__main__":
    sys.exit(main())
