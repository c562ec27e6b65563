"""The largest file that the platform takes, uploaded in constant memory."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LARGEST = 1_048_576_000
MEBIBYTE = 1024 * 1024
UPLOAD = """
import json, re, sys
from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core.actions import CreateOTAFirmware, ListOTAFirmware
from airflow_provider_tuya_ota.core.settings import Settings
from airflow_provider_tuya_ota.core.upload import ensure_firmware
from airflow_provider_tuya_ota.runtime.source import opened_source

def memory(name):
    return int(re.search(name + r":\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024

source, url = sys.argv[1:]
settings = Settings.from_connection_fields(
    host=url, login="demo-access-key-id", password="demo-access-key-secret", extra={"read_timeout": 300}
)
with TuyaOTAClient(settings) as client:
    client.do(ListOTAFirmware(current_page=1, page_size=1))
    idle = memory("VmRSS")
    action = CreateOTAFirmware(dest_version="9.9.9", firmware_name="largest", product_key="k1demoproduct")
    with opened_source(source) as file:
        firmware = client.run(ensure_firmware(settings, action, file))
    stored = client.call("QueryOTAFirmware", {"FirmwareId": firmware.firmware_id}).fields["FirmwareInfo"]
print(json.dumps({"size": stored["FirmwareSize"], "above_idle": memory("VmHWM") - idle}))
"""


@pytest.mark.program
def test_the_largest_file_stays_below_64_mebibytes_above_idle(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    path = tmp_path / "largest.bin"
    with path.open("wb") as file:
        file.truncate(LARGEST)
    command = [sys.executable, "-m", "airflow_provider_tuya_ota.emulator"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as emulator:
        assert emulator.stdout
        try:
            url = json.loads(emulator.stdout.readline())["url"]
            ended = subprocess.run(
                [sys.executable, "-c", UPLOAD, str(path), url], capture_output=True, text=True, timeout=300, check=False
            )
        finally:
            emulator.terminate()

    assert ended.returncode == 0, ended.stderr
    result = json.loads(ended.stdout.splitlines()[-1])
    assert result["size"] == LARGEST
    assert result["above_idle"] < 64 * MEBIBYTE
    record_property("mebibytes above idle", round(result["above_idle"] / MEBIBYTE, 1))
