"""A whole release with one fault at one of its calls: every fault, at every call."""

from __future__ import annotations

from typing import Any

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.emulator.faults.fault import KINDS, PARTS
from tests.contract.release import ONCE, RIGHT, Platform, a_release
from tests.contract.worlds import Meeting

APART = {"endless_list"}
"""A list with invented entries cannot be recognised, so no client can be right about it."""
STATUSES = (200, 400, 401, 403, 404, 407, 408, 418, 500, 502, 503, 504)
"""Answered by a proxy, without a code of the platform."""
ODD = ("float", "exponent", "bool", "padded", "surrogate", "list")
"""How ids come that are none."""
_WITH_VALUES = {
    *("status", "status_after", "refuse", "outage", "skew", "wrong_status", "other_id", "odd_ids", "odd_fields"),
    *("hostile_texts", "drip", "huge", "deep", "refused_after"),
}
LATE_REFUSALS = ((408, "RequestTimeout"), (200, "iot.firmware.UpgradeJobTimeout"), (400, "iot.new.Timeout"))
"""Status and code with which a call is refused that was carried out; no code is documented."""
FAULTS: list[dict[str, Any]] = [
    *({"kind": kind} for kind in KINDS if kind not in {*_WITH_VALUES, *APART}),
    *({"kind": kind, "status": status} for kind in ("status", "status_after") for status in STATUSES),
    *({"kind": "refused_after", "status": status, "text": text} for status, text in LATE_REFUSALS),
    *({"kind": "wrong_status", "status": status} for status in (405, 429, 500)),
    {"kind": "delay", "seconds": 60},
    {"kind": "slow_body", "seconds": 60},
    *({"kind": "drip", "seconds": 60, "part": part} for part in PARTS),
    {"kind": "refuse", "seconds": 5},
    {"kind": "refuse", "seconds": 120},
    {"kind": "outage", "seconds": 5},
    {"kind": "outage", "seconds": 120},
    {"kind": "skew", "seconds": 3600},
    {"kind": "skew", "seconds": -3600},
    {"kind": "other_id", "about": "inexistent"},
    {"kind": "odd_ids", "text": "number"},
    *({"kind": "odd_ids", "text": text} for text in ODD),
    *({"kind": "odd_fields", "text": text} for text in ("list", "object")),
    {"kind": "hostile_texts", "text": "everything"},
    {"kind": "hostile_texts", "text": "1MB"},
    {"kind": "hostile_texts", "text": "everything", "fields": ["TaskStatus", "JobStatus", "DestVersion"]},
    {"kind": "huge", "size": 1_000_000},
    {"kind": "deep", "size": 600},
    {"kind": "deep", "size": 10_000},
]
"""Every kind, with what it may last or answer; answers come late enough to count as lost, and soon enough not to."""
CREATES = ("CreateOTAFirmware", "CreateOTAVerifyJob", "CreateOTAStaticUpgradeJob")


def calls_of_a_release() -> list[str]:
    """List what a release asks for, in order, when nothing goes wrong."""
    platform = Platform()
    Meeting(platform.emulator, platform.world).in_memory(lambda settings: a_release(settings, platform))
    return [entry["action"] for entry in platform.emulator.log]


def outcome(fault: dict[str, Any], position: int, way: str = "in_memory", **extra: Any) -> str:
    """Release with a fault at one call.

    :param position: number of the call, from 1.
    :returns: ``right``, ``stopped: <error>`` for a typed error, or what was wrong.
    """
    platform = Platform()
    platform.emulator.faults.add({"action": "*", "nth": position} | fault)
    try:
        seen = getattr(Meeting(platform.emulator, platform.world, extra), way)(
            lambda settings: a_release(settings, platform)
        )
    except TuyaOTAError as error:
        return _what_is_there(platform) or f"stopped: {type(error).__name__}"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no typed error
        return f"wrong: {type(error).__name__}: {error}"
    if seen != RIGHT:
        return f"wrong: the client saw {seen}"
    if platform.jobs != ONCE:
        return f"wrong: jobs {dict(platform.jobs)}"
    return _what_is_there(platform) or "right"


def _what_is_there(platform: Platform) -> str:
    twice = {intent: number for intent, number in platform.jobs.items() if number > 1 or intent not in ONCE}
    if twice:
        return f"wrong: jobs {twice}"
    if platform.firmwares > 1:
        return f"wrong: {platform.firmwares} firmwares"
    return ""
