from __future__ import annotations

import io

from rich.console import Console

from airflow_provider_tuya_ota.demo.summary import Progress, print_summary

RELEASE = {
    "job_id": "1836",
    "firmware_id": "178",
    "devices": [
        {"name": "device-002", "status": "FAILED", "progress": "60", "reason": "step -4: block [/red] 0x3f"},
        {"name": "device-001", "status": "SUCCEEDED", "progress": "100", "reason": ""},
        {"name": "device-003", "status": "QUEUED", "progress": "", "reason": ""},
    ],
}


def console() -> Console:
    return Console(file=io.StringIO(), width=120)


def text_of(printed: Console) -> str:
    assert isinstance(printed.file, io.StringIO)
    return printed.file.getvalue()


def test_a_task_is_reported_once_for_each_state_and_not_while_it_waits() -> None:
    printed = console()
    progress = Progress(printed)

    progress.show(1.0, {"upload": "running", "verify": "waiting"})
    progress.show(2.0, {"upload": "running", "verify": "waiting"})
    progress.show(3.25, {"upload": "success", "verify": "deferred"})

    assert text_of(printed).splitlines() == [
        "   1.0 s  upload   running",
        "   3.2 s  upload   success",
        "   3.2 s  verify   deferred (the worker is free, the triggerer waits)",
    ]


def test_the_table_has_every_device_in_order_and_then_job_firmware_and_duration() -> None:
    printed = console()

    print_summary(printed, RELEASE, version="1.1.0", sha256="54218d8b83d706daffff", duration=20.24)

    lines = text_of(printed).splitlines()
    devices = [line.strip()[1:-1].split("│") for line in lines if "device-" in line]
    assert [[cell.strip() for cell in row] for row in devices] == [
        ["device-001", "SUCCEEDED", "100 %", ""],
        ["device-002", "FAILED", "60 %", "step -4: block [/red] 0x3f"],
        ["device-003", "QUEUED", "", ""],
    ]
    assert lines[-3:] == [
        "job       1836",
        "firmware  178, version 1.1.0, SHA256 54218d8b83d706da…",
        "duration  20.2 s from trigger to end of the run",
    ]


def test_a_firmware_whose_digest_is_unknown_is_shown_without_it() -> None:
    printed = console()

    print_summary(printed, RELEASE, version="1.1.0", sha256=None, duration=1.0)

    assert "firmware  178, version 1.1.0\n" in text_of(printed)
