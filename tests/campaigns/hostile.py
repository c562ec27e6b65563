"""Texts that nobody expects, through every field of every answer, in a real triggerer beside a healthy wait."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.emulator.faults.hostile_texts import TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.campaigns.field import Case, Field

ACTIONS = ("QueryOTAJob", "ListOTATaskByJob", "ListOTAJobByFirmware")
"""What a wait for an upgrade asks."""
POLLS = 12
LONG = "1MB"
"""In several fields of one answer this text is more than a reply may have, and such a reply is none."""
_NEVER_WRITTEN = re.compile(rb"\x00|\x1b\[2J|\xe2\x80\xae|canaryOfADevice|\\ud800|x{2000}")
"""Bytes of the hostile texts that may stand in no log."""


def _spoil(field: Field, case: Case, text: str, fields: list[str] | None) -> None:
    which = {"fields": fields} if fields else {}
    (job_id,) = case.jobs()
    for action in ACTIONS:
        where = {"FirmwareId": case.firmware_id} if action == "ListOTAJobByFirmware" else {"JobId": job_id}
        fault = {"action": action, "kind": "hostile_texts", "text": text, "where": where}
        field.client.control("POST", "faults", fault | which)


def _polled(case: Case, times: int) -> None:
    before = case.polls()
    case.wait(lambda: case.polls() >= before + times, f"{times} polls")


def _hostile(field: Field, text: str) -> Iterator[tuple[str, str, str]]:
    """Play one text: in the fields that may hold anything, and in all of them, beside a healthy wait."""
    triggerers = {process.pid for process in field.triggerer_processes()}
    healthy, free, every = (field.start("deferred") for _ in range(3))
    _spoil(field, free, text, ["TaskDesc"] if text == LONG else None)
    _spoil(field, every, text, ["*"])
    for case in (free, every, healthy):
        _polled(case, POLLS)
    # The event of a failed device carries its text through the triggerer into the worker.
    field.client.script(free.device, outcome="fails")
    field.client.script(healthy.device, outcome="succeeds")
    field.client.script(every.device, outcome="succeeds")
    field.client.advance(300)
    yield "a healthy wait beside it", text, _end(healthy, {"success"})
    yield "in free fields", text, _end(free, {"failed", "up_for_retry"})
    field.client.control("DELETE", "faults")
    yield "in every field", text, _end(every, {"success"})
    gone = triggerers - {process.pid for process in field.triggerer_processes()}
    yield "the triggerer lives on", text, f"{gone} died" if gone else ""


def _end(case: Case, wanted: set[str]) -> str:
    case.wait(lambda: case.state() in {"success", "failed", "up_for_retry"}, "end")
    state = case.state()
    return "" if state in wanted else f"the task is {state}"


def _written(field: Field) -> str:
    """Search every log of Airflow for what may not stand in it."""
    for path in field.home.rglob("*.log"):
        if found := _NEVER_WRITTEN.search(path.read_bytes()):
            return f"{path.name}: {found[0][:40]!r}"
    return ""


def campaign(field: Field) -> Iterator[tuple[str, str, str]]:
    """Play every text.

    :returns: what was played, the text's name, and what was wrong, empty where nothing was.
    """
    for text in TEXTS:
        try:
            yield from _hostile(field, text)
        except Exception as error:  # noqa: BLE001 - the table shows whatever it is
            yield "hostile text", text, f"{type(error).__name__}: {error}"
        finally:
            field.client.control("DELETE", "faults")
    time.sleep(2.0)
    yield "logs", "all", _written(field)
