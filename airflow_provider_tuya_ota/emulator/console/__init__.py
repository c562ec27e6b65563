"""The console: a page for browsers, and the JSON that it loads."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from airflow_provider_tuya_ota.emulator.messages import Request, Response

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.account import Account
    from airflow_provider_tuya_ota.emulator.fleet import Device, Product
    from airflow_provider_tuya_ota.emulator.simulation.jobs import Job

PATH: Final = "/_emulator/console/"
SHOWN: Final = 50
"""Firmware, jobs and devices on the page at once; twice as many requests."""
_FILES: Final = {
    "": ("index.html", "text/html; charset=utf-8"),
    "console.css": ("console.css", "text/css; charset=utf-8"),
    "console.js": ("console.js", "text/javascript; charset=utf-8"),
}
_URGENCY: Final = {
    "FAILED": 0,
    "IN_PROGRESS": 1,
    "CONFIRM": 2,
    "NOTIFIED": 2,
    "QUEUED": 2,
    "CANCELED": 3,
    "SUCCEEDED": 4,
}
_HEADERS: Final = {
    # No inline code and nothing from other hosts, so that a device's name can never run as code.
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'"
    ),
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


def answer(account: Account, request: Request) -> Response | None:
    """Answer a request of the console.

    :returns: None if the request is not for the console.
    """
    if request.method not in {"GET", "HEAD"}:
        return None
    if request.path == "/" and not request.query and "text/html" in request.headers.get("accept", ""):
        return _file("")
    if not request.path.startswith(PATH):
        return None
    name = request.path.removeprefix(PATH)
    asked = dict(parse_qsl(request.query))
    documents = {
        "overview": lambda: _overview(account),
        "job": lambda: _job(account, asked.get("id", "")),
        "devices": lambda: _devices(account, asked.get("product", ""), asked.get("find", "")),
    }
    if name in documents:
        return _json(documents[name]())
    return _file(name) if name in _FILES else Response(404, b"There is no such page.", "text/plain", dict(_HEADERS))


def _file(name: str) -> Response:
    file, content_type = _FILES[name]
    return Response(200, files(__package__).joinpath(file).read_bytes(), content_type, dict(_HEADERS))


def _json(values: Any) -> Response:
    return Response(200, json.dumps(values).encode(), headers=dict(_HEADERS))


def _overview(account: Account) -> dict[str, Any]:
    world, clock = account.world, account.clock
    firmwares, jobs = list(world.firmwares.by_id.values()), list(world.engine.jobs.values())
    return {
        "clock": {"world": clock.world(), "speed": clock.speed, "frozen": clock.frozen},
        "firmwares": {
            "total": len(firmwares),
            "shown": [firmware.describe() for firmware in firmwares[: -SHOWN - 1 : -1]],
        },
        "jobs": {
            "total": len(jobs),
            "shown": [_job_row(job) for job in jobs[: -SHOWN - 1 : -1]],
        },
        "products": [_product(product) for product in world.products.values()],
        "faults": len(account.faults.list),
        "quirks": {
            name: value
            for name, value in world.quirks.as_dict().items()
            if value != type(world.quirks)().as_dict()[name]
        },
        "requests": [
            {name: entry.get(name) for name in ("at", "action", "outcome", "status", "user_agent", "request_id")}
            for entry in list(account.log)[: -2 * SHOWN - 1 : -1]
        ],
    }


def _job_row(job: Job) -> dict[str, Any]:
    return job.describe() | {
        "Version": job.firmware.version,
        "Tasks": len(job.tasks),
        "Counts": {status: number for status, number in job.counts.items() if number},
    }


def _job(account: Account, job_id: str) -> dict[str, Any]:
    """Give one job with its device tasks, failed and unfinished ones first; None as the job if there is none."""
    job = account.world.engine.jobs.get(job_id)
    if job is None:
        return {"job": None, "total": 0, "shown": []}
    first = heapq.nsmallest(SHOWN, job.tasks, key=lambda task: _URGENCY.get(task.status, 0))
    return {"job": _job_row(job), "total": len(job.tasks), "shown": [task.describe() for task in first]}


def _product(product: Product) -> dict[str, Any]:
    devices = product.devices.values()
    versions = Counter(device.versions.get("default", "none") for device in devices)
    return {
        "product_key": product.product_key,
        "name": product.name,
        "devices": len(devices),
        "online": sum(device.online for device in devices),
        "versions": versions.most_common(8),
    }


def _devices(account: Account, product_key: str, find: str) -> dict[str, Any]:
    product = account.world.products.get(product_key)
    found = [device for device in product.devices.values() if find in device.name] if product else []
    return {
        "total": len(found),
        "shown": [
            {
                "name": device.name,
                "online": device.online,
                "versions": device.versions,
                "outcome": device.behaviour.outcome,
                "task": _task_of(account, device),
            }
            for device in found[:SHOWN]
        ],
    }


def _task_of(account: Account, device: Device) -> dict[str, Any] | None:
    task = account.world.engine.current_task(device)
    return None if task is None else {"job": task.job.job_id, "status": task.status, "progress": task.progress}
