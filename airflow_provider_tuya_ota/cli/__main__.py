"""The command ``tuya-ota``, as a module."""

import sys

from airflow_provider_tuya_ota.cli import main

if __name__ == "__main__":
    sys.exit(main())
