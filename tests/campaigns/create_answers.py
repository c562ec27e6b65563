"""Answers to a create: what they name, and answers that do not show what was created."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.wire.http import Response


def unexplained(response: Response) -> Response:
    """Refuse with a code that nobody documents, whatever was carried out."""
    fields = {"code": "iot.firmware.UpgradeJobTimeout", "requestId": "late", "success": False}
    return replace(response, body=json.dumps(fields).encode())


def named_in(response: Response) -> str:
    """Give the job that the platform named in answer to a create."""
    return str((json.loads(response.body).get("data") or {}).get("jobId", ""))


def without_an_id(response: Response) -> Response:
    """Leave out the id of the job that was created."""
    body = json.loads(response.body)
    for key in ("jobId", "firmwareId"):
        (body.get("data") or {}).pop(key, None)
    return replace(response, body=json.dumps(body).encode())
