"""What a Dag file pays for importing this package on top of Airflow: everything that a Dag author imports.

Fresh processes import ``airflow.sdk`` and then the package; printed are medians of their CPU time, with the bytecode
compiled, as pip leaves it: ``python -m benchmarks.parse_time [RUNS]``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from benchmarks.table import Figure, print_table

RUNS, TARGET = 15, 8.0
PROGRAM = """
import time
start = time.process_time()
import airflow.sdk
airflow_ready = time.process_time()
from airflow.providers.common.compat.sdk import conf
from airflow.sdk import BaseNotifier, BaseOperator, BaseOperatorLink, BaseSensorOperator, ExceptionRetryPolicy
bases_ready = time.process_time()
import airflow_provider_tuya_ota.exceptions
import airflow_provider_tuya_ota.operators.firmware
import airflow_provider_tuya_ota.operators.job
import airflow_provider_tuya_ota.operators.module
import airflow_provider_tuya_ota.operators.task
import airflow_provider_tuya_ota.operators.upgrade
import airflow_provider_tuya_ota.retry_policy
import airflow_provider_tuya_ota.sensors.device
import airflow_provider_tuya_ota.sensors.firmware
import airflow_provider_tuya_ota.sensors.job
import airflow_provider_tuya_ota.notifications.webhook
print(airflow_ready - start, bases_ready - airflow_ready, time.process_time() - airflow_ready)
"""
"""Airflow loads its base classes when they are first asked for. Any package with operators, sensors and a retry policy
asks for them, so they count as this package's cost, and are shown apart as well."""


def measure(runs: int = RUNS) -> list[Figure]:
    """Measure; the first run, which compiles what it imports, is left out."""
    with tempfile.TemporaryDirectory() as folder:
        # A source tree may have no bytecode, and may forbid to write any: then each run would time the compiler.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}
        measured = [_import_once(environment) for _ in range(runs + 1)][1:]
    airflow, bases, ours = zip(*measured, strict=True)
    return [
        Figure.of("import of airflow.sdk", airflow, "ms"),
        Figure.of("import of operators, sensors, notifier, errors on top", ours, "ms", most=TARGET),
        Figure.of("of these, Airflow's own base classes", bases, "ms"),
        Figure.of("the same, of the import of airflow.sdk", [100 * one[2] / one[0] for one in measured], "%"),
    ]


def _import_once(environment: dict[str, str]) -> list[float]:
    """Give the milliseconds of the imports in a new process."""
    command = [sys.executable, "-c", PROGRAM]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return [float(number) * 1000 for number in output.split()[-3:]]


def main() -> int:
    """Measure and print."""
    return 0 if print_table(measure(*map(int, sys.argv[1:]))) else 1


if __name__ == "__main__":
    sys.exit(main())
