"""Writes the record of a simulated release from its events, as whoever carries out a release does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.rollout.record.begin import GateSettings, ReleaseBegun, frozen_plan_of
from airflow_provider_tuya_ota.rollout.record.canonical import digest_of_devices
from airflow_provider_tuya_ota.rollout.record.course import (
    ApprovalAsked,
    ControlNote,
    ControlVerb,
    JobCreated,
    JobPurpose,
)
from airflow_provider_tuya_ota.rollout.record.evidence_part import part_since
from airflow_provider_tuya_ota.rollout.record.release_record import ReleaseRecord
from airflow_provider_tuya_ota.rollout.wave.record_entries import entry_of

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.record.entry import Content
    from airflow_provider_tuya_ota.rollout.wave.events import Event
    from tests.rollout.wave.world import World


@dataclass
class Recorder:
    """The record so far.

    :param asked: number of the entry of the last request for an approval.
    """

    world: World
    record: ReleaseRecord = field(default_factory=ReleaseRecord)
    asked: int = 0
    rounds: int = 0
    jobs: int = 0
    excluded: set[str] = field(default_factory=set)
    known: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        plan = self.world.plan
        begun = ReleaseBegun(
            release_id=plan.release_id,
            triggered_by="zoe",
            product_key="k1demoproduct",
            module_name="default",
            version="2.0.0",
        )
        for content in (begun, frozen_plan_of(plan), GateSettings(gate=self.world.gate)):
            self.add(content)

    def add(self, content: Content) -> None:
        self.record = self.record.append(content, at=self.world.now)

    def polled(self) -> None:
        """Write what the last poll has added, and the devices that people have excluded since."""
        note, evidence = self.world.note(), self.world.evidence
        if note is not None and (new := set(note.excluded) - self.excluded):
            self.excluded |= new
            self.add(ControlNote(verb=ControlVerb.EXCLUDE, who="ada", why="old", devices=tuple(sorted(new))))
        if len(evidence.rounds) > self.rounds:
            self.add(part_since(evidence, rounds=self.rounds, jobs=self.jobs, contradictions=self.known))
        self.rounds, self.jobs, self.known = len(evidence.rounds), len(evidence.jobs), [*evidence.contradictions]

    def created(self, job: str, devices: tuple[str, ...], wave: int, pulse: int) -> None:
        self.add(
            JobCreated(
                job_id=job,
                firmware_id="178",
                purpose=JobPurpose.WAVE,
                wave=wave,
                pulse=pulse,
                devices=len(devices),
                devices_digest=digest_of_devices(devices),
            )
        )

    def took(self, event: Event) -> None:
        if (entry := entry_of(event, asked=self.asked)) is not None:
            self.add(entry)
            if isinstance(entry, ApprovalAsked):
                self.asked = len(self.record.entries) - 1
