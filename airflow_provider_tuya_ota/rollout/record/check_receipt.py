"""Check that the receipt of a halt has exactly the devices without an outcome, each in the class that is its own."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.gate.evidence import UNENDED
from airflow_provider_tuya_ota.rollout.gate.outcomes import FAILURES, NOT_TRIED, UNFINISHED, DeviceOutcome
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt, Receipt
from airflow_provider_tuya_ota.rollout.record.recorded_devices import some_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile
    from airflow_provider_tuya_ota.rollout.record.recorded_devices import RecordedDevices

_NO_RECEIPT: Final = NOT_TRIED - {DeviceOutcome.CANCELLED} | {DeviceOutcome.REMOVED}
"""Outcomes of devices that were not flashed, and that no cancel was for."""
_FITTING: Final = {
    Receipt.CANCELLED: frozenset({DeviceOutcome.CANCELLED, DeviceOutcome.OTHER, *_NO_RECEIPT}),
    Receipt.NOT_CANCELLED: frozenset({*UNFINISHED, DeviceOutcome.SILENT, *_NO_RECEIPT}),
    Receipt.LANDED: frozenset({DeviceOutcome.SUCCEEDED, DeviceOutcome.WRONG_VERSION}),
    Receipt.FAILED: frozenset({*FAILURES, *_NO_RECEIPT}),
    Receipt.SPARED: frozenset({DeviceOutcome.REMOVED}),
}


def check_receipt(file: RecordFile, devices: RecordedDevices) -> Iterator[Finding]:
    """Find devices that the receipt of a halt leaves out, has twice, or has in a class that is not theirs."""
    for place, receipt in file.of(HaltReceipt):
        for text in _problems_of_receipt(receipt, devices):
            yield Finding(kind=FindingKind.WRONG_RECEIPT, text=text, entry=place)


def _problems_of_receipt(receipt: HaltReceipt, devices: RecordedDevices) -> Iterator[str]:
    listed = [name for names in receipt.by_receipt.values() for name in names]
    if twice := [name for name, number in Counter(listed).items() if number > 1]:
        yield f"listed twice: {some_names(twice)}"
    open_, ended = _open_at(receipt.rounds, devices)
    present = set(listed)
    if missing := [name for name in open_ if name not in present]:
        yield f"not listed, and without an outcome at the halt: {some_names(missing)}"
    if early := [name for name in listed if name in ended]:
        yield f"listed, and with an outcome before the halt: {some_names(early)}"
    for kind, names in receipt.by_receipt.items():
        known = [name for name in names if name in devices.last]
        wrong = [name for name in known if devices.outcome(devices.last[name]) not in _FITTING[kind]]
        if kind in {Receipt.LANDED, Receipt.FAILED}:
            wrong += [name for name in names if name not in devices.last]
        if wrong:
            yield f"listed as {kind}, and the evidence has another outcome: {some_names(wrong)}"


def _open_at(rounds: int, devices: RecordedDevices) -> tuple[list[str], set[str]]:
    """Give the devices that need a receipt, and those that cannot be in it."""
    open_: list[str] = []
    ended: set[str] = set()
    for name, place in devices.last.items():
        end = devices.evidence.ended[place]
        if end != UNENDED and end < rounds:
            ended.add(name)
        elif devices.outcome(place) not in _NO_RECEIPT:
            open_.append(name)
    # A person may have excluded a device that was in no job; nobody has notified it.
    return open_, {name for name in ended if devices.outcome(devices.last[name]) is not DeviceOutcome.REMOVED}
