"""All figures with targets in one table: upload, signed call, import. ``python -m benchmarks``."""

from __future__ import annotations

import sys

from benchmarks import parse_time, signed_call, upload
from benchmarks.table import print_table


def main() -> int:
    """Measure and print."""
    return 0 if print_table([*upload.measure(), *signed_call.measure(), *parse_time.measure()]) else 1


if __name__ == "__main__":
    sys.exit(main())
