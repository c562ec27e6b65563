"""What importing the operators adds to a Dag file that imports Airflow anyway.

Runs both in fresh processes, in turn, and prints medians and their ratio: `.venv/bin/python benchmarks/parse_time.py
[RUNS]`.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

PROGRAM = """
import time
start = time.perf_counter()
import airflow.sdk
airflow_ready = time.perf_counter()
import airflow_provider_tuya_ota.operators.firmware
import airflow_provider_tuya_ota.operators.job
import airflow_provider_tuya_ota.sensors.job
import airflow_provider_tuya_ota.notifications.webhook
print(airflow_ready - start, time.perf_counter() - airflow_ready)
"""


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    pairs = []
    for _ in range(runs + 1):
        output = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
        pairs.append([float(number) * 1000 for number in output.split()[-2:]])
    # The first run warms the file cache.
    airflow, ours = (statistics.median(column) for column in zip(*pairs[1:], strict=True))
    print(f"import airflow.sdk          {airflow:8.1f} ms (median of {runs})")
    print(f"operators, sensor, notifier {ours:8.1f} ms on top, {ours / airflow:.1%} of it")


if __name__ == "__main__":
    main()
