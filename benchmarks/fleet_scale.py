"""How the emulator carries a large fleet: memory, and device task transitions per second of one core.

Runs a small and a large fleet in turn, each in a process of its own, and prints both with their ratio; exits with 1
where the large one takes more than a gibibyte. A transition is a change of a device task's status; progress reports, of
which there are five to each task, come on top and are not counted. Speed is given for the time on the wall, and for the
time that the process had the core, which other work on the machine does not change.

    python benchmarks/fleet_scale.py [DEVICES]
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.operations import HANDLERS
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.emulator.simulation.storage import StoredObject

LIMIT = 1024.0
PRODUCT, CONTENT = "k1demoproduct", b"firmware"


def peak() -> float:
    """Give the most memory that this process has had, in MiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measure(devices: int) -> dict[str, float]:
    """Upgrade a fleet, second by second, until the job has ended."""
    idle = peak()
    clock = Clock()
    clock.freeze(frozen=True)
    scenario = {
        "seed": 1,
        "products": [
            {
                "devices": devices,
                "versions": {"0.9.0": 0.3},
                "offline": 0.02,
                "silent": 0.005,
                "fails": [{"share": 0.01, "step": -4}],
                "flash": {"distribution": "lognormal", "seconds": 60, "spread": 0.5},
            }
        ],
    }
    emulator = Emulator(scenario=read(scenario), clock=clock)
    world = emulator.world
    ticket = HANDLERS["GenerateOTAUploadURL"](world, {}, "http://emulator")["Data"]
    digests = {"SHA256": hashlib.sha256(CONTENT).hexdigest()}
    world.storage.objects[ticket["Key"]] = StoredObject(
        ticket["Key"], len(CONTENT), digests, CONTENT, clock.gateway(), used=False
    )
    firmware = world.firmwares.create(
        {
            "DestVersion": "2.0.0",
            "FirmwareName": "large",
            "FirmwareUrl": ticket["FirmwareUrl"],
            "FirmwareSign": digests["SHA256"],
            "SignMethod": "SHA256",
            "ProductKey": PRODUCT,
            "NeedToVerify": False,
        },
        "http://emulator",
    )
    values = {"FirmwareId": firmware.firmware_id, "ProductKey": PRODUCT, "TargetSelection": "ALL"}
    began = time.perf_counter()
    HANDLERS["CreateOTAStaticUpgradeJob"](world, values, "http://emulator")
    created = time.perf_counter() - began
    began, before, used = time.perf_counter(), world.engine.changes, time.process_time()
    for _ in range(600):
        clock.advance(1.0)
        world.engine.run()
    seconds, used = time.perf_counter() - began, time.process_time() - used
    changes = world.engine.changes - before
    return {
        "devices": devices,
        "MiB": round(peak() - idle, 1),
        "seconds to create": round(created, 2),
        "transitions": changes,
        "transitions/s": round(changes / seconds),
        "transitions/s of the core": round(changes / used),
    }


def main() -> int:
    """Print a line for each fleet and their ratio."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(int(sys.argv[2]))))
        return 0
    large = int(sys.argv[1]) if sys.argv[1:] else 100_000
    found = []
    for devices in (large // 10, large):
        output = subprocess.run(
            [sys.executable, __file__, "--one", str(devices)], check=True, capture_output=True, text=True
        )
        found.append(json.loads(output.stdout))
        print("  ".join(f"{name} {value:,}" for name, value in found[-1].items()))
    few, many = found
    speed = "transitions/s of the core"
    print(f"speed of the large fleet to that of the small one: {many[speed] / few[speed]:.2f}")
    return 0 if many["MiB"] <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
