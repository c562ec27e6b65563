"""Run the emulator."""

import sys

from airflow_provider_tuya_ota.emulator.server import main

sys.exit(main())
