"""All figures with targets in one table: upload, signed call, import, and a whole release in a real Airflow.

``python -m benchmarks`` takes about eight minutes on two cores that do nothing else, and half of that
``--without-release``, which starts no Airflow. On a busy machine it takes a multiple of that.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks import parse_time, signed_call, upload, whole_release
from benchmarks.table import print_table


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without-release", action="store_true", help="start no Airflow")
    arguments = parser.parse_args()
    figures = [*upload.measure(), *signed_call.measure(), *parse_time.measure()]
    if not arguments.without_release:
        figures += whole_release.measure()
    return 0 if print_table(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
