from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.upload_events import (
    FileReadStarted,
    FileTransferRetried,
    FileUploadStarted,
    FirmwareAdopted,
    FirmwareOutcomeUnknown,
)

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.events import FlowEvent


@pytest.mark.parametrize(
    ("event", "level", "line"),
    [
        (FirmwareAdopted("178"), "info", "Firmware 178 has the same bytes already; nothing is uploaded"),
        (FirmwareOutcomeUnknown("No answer."), "warning", "No answer. Checking whether the firmware exists."),
        (
            FileReadStarted("lamp.bin", 3000),
            "info",
            "Reading lamp.bin, 3,000 bytes, to compare it with the firmware that has its version",
        ),
        (FileUploadStarted("lamp.bin", 3000), "info", "Uploading lamp.bin, 3,000 bytes"),
        (FileTransferRetried("Uploading", "No answer.", 1.0), "warning", "No answer. Uploading again in 1.0 s."),
    ],
)
def test_an_event_of_an_upload_is_a_line_with_a_level(event: FlowEvent, level: str, line: str) -> None:
    assert (event.level, event.line()) == (level, line)
