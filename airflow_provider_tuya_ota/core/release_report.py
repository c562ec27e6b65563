"""What people and systems are told about a package or job: plain values and one ready text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.verdicts import Outcome

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.uploading import Package
    from airflow_provider_tuya_ota.core.verdicts import Verdict


def report_job(verdict: Verdict, *, product_key: str, duration: float, link: str, error: str = "") -> dict[str, Any]:
    """Describe how a job stands, as the ``ota_release`` of notifications and XCom.

    :param verdict: the last state that was seen.
    :param product_key: product of the devices.
    :param duration: seconds since the task began.
    :param link: the job's page in the vendor's console.
    :param error: why the task fails; empty on success.
    :returns: ``event`` (succeeded, failed or timeout), ``text``, ``product_key``, ``firmware_id``, ``job_id``,
        ``counts``, ``failing`` (up to 50 devices), ``devices`` (up to 50), ``duration`` in seconds and ``link``.
    """
    event = {Outcome.SUCCEEDED: "succeeded", Outcome.FAILED: "failed", Outcome.SETTLING: "failed"}.get(
        verdict.outcome, "timeout"
    )
    state = verdict.to_dict()
    counts = ", ".join(f"{number} {status}" for status, number in verdict.counts.items()) or "no device tasks"
    text = f"OTA job {verdict.job_id} for package {verdict.firmware_id} {event}: {counts}, {duration:.0f} s."
    return {
        "event": event,
        "text": f"{text} {error}".strip(),
        "product_key": product_key,
        "firmware_id": verdict.firmware_id,
        "job_id": verdict.job_id,
        "counts": state["counts"],
        "failing": [device for device in state["devices"] if device["status"] in {"FAILED", "CANCELED"}],
        "devices": state["devices"],
        "duration": round(duration, 1),
        "link": link,
    }


def report_package(package: Package, *, product_key: str, version: str, duration: float) -> dict[str, Any]:
    """Describe a package that is ready to be verified, in the same form as :func:`report_job`."""
    verb = "created" if package.is_new else "existed already"
    what = f"OTA package {package.firmware_id} for version {version} of product {product_key}"
    return {
        "event": "uploaded",
        "text": f"{what} {verb}, {duration:.0f} s.",
        "product_key": product_key,
        "firmware_id": package.firmware_id,
        "job_id": "",
        "counts": {},
        "failing": [],
        "devices": [],
        "duration": round(duration, 1),
        "link": "",
    }


def report_verified(firmware_id: str, job_id: str, product_key: str, link: str) -> dict[str, Any]:
    """Describe a package that was verified before, in the same form as :func:`report_job`."""
    return {
        "event": "succeeded",
        "text": f"OTA package {firmware_id} was verified before; nothing was started.",
        "product_key": product_key,
        "firmware_id": firmware_id,
        "job_id": job_id,
        "counts": {},
        "failing": [],
        "devices": [],
        "duration": 0.0,
        "link": link,
    }
