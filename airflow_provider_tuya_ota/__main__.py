"""The command ``tuya-ota``, where its script is not on the path."""

import sys

from airflow_provider_tuya_ota.cli import main

if __name__ == "__main__":
    sys.exit(main())
