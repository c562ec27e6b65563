"""Upgrade jobs of firmware 178: intents, answers of the platform, and a script that starts a job."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob, CreateOTAVerifyJob
from airflow_provider_tuya_ota.core.jobs.intent import Attempt, Intent, Stage
from airflow_provider_tuya_ota.core.jobs.job_request import JobRequest
from airflow_provider_tuya_ota.core.jobs.start import start_job
from airflow_provider_tuya_ota.core.jobs.target import Target, digest_of, fingerprint_of
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin, TrackedJob
from airflow_provider_tuya_ota.core.model.states import JobType
from tests.core.script import NOW, SETTINGS, Script, by_action, job, ok

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.core.script import Answer, Sent

UPGRADE = "UPGRADE_FIRMWARE"
ACTION = CreateOTAStaticUpgradeJob(firmware_id="178", product_key="pk", target_selection="ALL")
NAMED = replace(ACTION, target_selection="SPECIFIC", target_device_name=["d1", "d2"])
JUST_NOW = "2026-03-01T12:00:00.000Z"
OWN = job("9", kind=UPGRADE, utcCreate=JUST_NOW, targetSelection="ALL")
NOTE = Intent(
    fingerprint=fingerprint_of(ACTION),
    target=Target.of(ACTION),
    stage=Stage.LOST,
    known=(digest_of("1"),),
    started_at=NOW,
)
OF_NAMED = replace(NOTE, fingerprint=fingerprint_of(NAMED), target=Target.of(NAMED))
CREATED = NOTE.at(Stage.CREATED, "9")
FOUND = TrackedJob(
    job_id="9",
    firmware_id="178",
    kind=JobType.UPGRADE_FIRMWARE,
    origin=JobOrigin.FOUND,
    utc_create=JUST_NOW,
    selection="ALL",
)


def jobs(*items: dict[str, Any]) -> Response:
    return ok(data=list(items))


def script_for(**answers: Answer | Sequence[Answer] | Callable[[Sent], Answer]) -> Script:
    usual: dict[str, Answer | Sequence[Answer] | Callable[[Sent], Answer]] = {
        "ListOTAJobByFirmware": jobs(),
        "QueryOTAJob": ok(data=OWN),
        "ListOTATaskByJob": ok(data=[]),
        "CreateOTAStaticUpgradeJob": ok(data={"jobId": "10"}),
        "CancelOTATaskByJob": ok(),
    }
    return Script(by_action(usual | answers))


def start(
    script: Script, attempt: Attempt | None = None, action: CreateOTAStaticUpgradeJob | CreateOTAVerifyJob = ACTION
) -> TrackedJob:
    kind = JobType.UPGRADE_FIRMWARE if isinstance(action, CreateOTAStaticUpgradeJob) else JobType.VERIFY_FIRMWARE
    return script.run(start_job(JobRequest(SETTINGS, action, kind), attempt or Attempt()))


def creates(script: Script) -> int:
    return script.actions.count("CreateOTAStaticUpgradeJob")


def stage(script: Script) -> tuple[str, str]:
    return script.saved["stage"], script.saved["entity_id"]
