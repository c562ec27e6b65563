"""Check that a device was silent for as long as the gate says before it counted as a failure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.rollout.gate.outcomes import CODES, DeviceOutcome
from airflow_provider_tuya_ota.rollout.record.begin import GateSettings
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.recorded_devices import some_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile

_SILENT: Final = chr(CODES[DeviceOutcome.SILENT])


def check_silence(file: RecordFile, evidence: Evidence) -> Iterator[Finding]:
    """Find devices that count as silent sooner than the gate says.

    A gate that is replaced may have been in force until just before: the shortest time so far counts.
    """
    shortest: list[float] = []
    for place, entry in enumerate(file.entries):
        if isinstance(entry.content, GateSettings):
            shortest = [min([*shortest, entry.content.gate.rules.silent_after])]
        elif isinstance(entry.content, EvidencePart) and shortest:
            names = _too_early(entry.content, evidence, timedelta(seconds=shortest[0]))
            if names:
                text = f"silent, and started less than {shortest[0]:g} seconds before: {some_names(names)}"
                yield Finding(kind=FindingKind.WRONG_EVIDENCE, text=text, entry=place)


def _too_early(part: EvidencePart, evidence: Evidence, silent_after: timedelta) -> list[str]:
    silent = [at for at, letter in zip(part.ended, part.outcomes, strict=True) if letter == _SILENT]
    rounds, started, ended = evidence.rounds, evidence.started, evidence.ended
    return [evidence.devices[at] for at in silent if rounds[ended[at]] - rounds[started[at]] < silent_after]
