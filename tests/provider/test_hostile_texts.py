"""Airflow's encoders accept everything that is made of an answer, whatever its fields contain."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from airflow.sdk.serde import deserialize, serialize

from airflow_provider_tuya_ota.core.actions import ALL_ACTIONS, ListOTATaskByJob, QueryOTAFirmware, QueryOTAJob
from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.model.error_event import describe_error
from airflow_provider_tuya_ota.core.model.verdict import Verdict, assess_job
from airflow_provider_tuya_ota.core.wire.http import Response
from tests.core.script import answered, firmware, job, task
from tests.fuzz.mutations import DEEP, DIGITS, STAND_INS, leaves
from tests.fuzz.replies import Sample, ask, samples, what_is_wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

HOSTILE: dict[str, Any] = {
    "a lone surrogate": "\ud800",
    "half of a pair, turned round": "\udc00\ud800",
    "NUL": "a\x00b",
    "an escape sequence": "\x1b[2J\x1b[31mdone",
    "C1": "\x9b31m",
    "writing from right to left": "\u202egnp.exe\u2066",
    "a line of the log": "done\n[2026-03-01] INFO - everything was upgraded",
    "other line ends": "a\u2028b\u2029c\x85d\x0be",
    "a megabyte": "灯" * 350_000,
    "a presigned address": "https://b.example.com/k?Expires=1&OSSAccessKeyId=canary&Signature=canary",
    "a policy": "policy=canary",
    "a device's secret": "DeviceSecret: canary",
    "a number of 5,000 digits": DIGITS,
    "a deep list": DEEP[0],
    "no finite number": float("inf"),
    "a wide number": 10**400,
    "a decimal": 1.83634077921266e18,
}
JSON_SAMPLES = {sample.action.name: sample for sample in samples() if not sample.body.startswith(b"<")}


def with_each_field_replaced(sample: Sample, hostile: Any) -> Iterator[Response]:
    parsed = json.loads(sample.body)
    for place in range(len(list(leaves(parsed)))):
        changed = deepcopy(parsed)
        holder, key = list(leaves(changed))[place]
        holder[key] = hostile
        yield hostile_answer(changed)


def hostile_answer(values: Any) -> Response:
    body = json.dumps(values).encode("utf-8", "surrogatepass")
    for stand_in, raw in STAND_INS.items():
        body = body.replace(stand_in, raw)
    return Response(200, {}, body)


def test_every_operation_takes_part() -> None:
    assert set(JSON_SAMPLES) == set(ALL_ACTIONS)


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", ALL_ACTIONS)
def test_what_is_made_of_a_hostile_field_can_be_encoded_and_shown(name: str, hostile: Any) -> None:
    sample = JSON_SAMPLES[name]
    for response in with_each_field_replaced(sample, hostile):
        try:
            wrong = what_is_wrong(sample.action, ask(sample.action, response), response.body)
        except TuyaOTAError as error:
            text = json.dumps(describe_error(error), ensure_ascii=False, allow_nan=False)
            assert text.isprintable()
            assert "canary" not in text
            assert len(text) < 3000
            msgspec.msgpack.encode(describe_error(error))
        else:
            assert wrong == ""


def verdict_over(hostile: Any) -> Verdict:
    """Look at a job in which every free text, name and status is hostile."""
    others = {"utcCreate": hostile, "targetSelection": hostile, "jobType": hostile}
    found = ask(QueryOTAJob(job_id="9"), hostile_answer(json.loads(answered(WRAP | {"data": job("9") | others}).body)))
    tasks = [
        task("d", "QUEUED", taskId=f"t{number}")
        | dict.fromkeys(("deviceName", "taskDesc", "progress", "srcVersion"), hostile)
        | {"taskStatus": f"{number}{hostile}"}
        for number in range(100)
    ]
    shown = ask(ListOTATaskByJob(job_id="9"), hostile_answer(WRAP | {"data": tasks}))
    firmware_found = ask(
        QueryOTAFirmware(firmware_id="178"), hostile_answer(WRAP | {"firmwareInfo": firmware(destVersion=hostile)})
    )
    return assess_job(found, shown.items, firmware_found)


WRAP: dict[str, Any] = {"code": "", "success": True, "requestId": "r"}
SHORT = {name: text for name, text in HOSTILE.items() if isinstance(text, str) and text[:1] != "@"}


@pytest.mark.parametrize("hostile", [text[:5000] for text in SHORT.values()], ids=SHORT)
def test_an_event_over_hostile_devices_is_small_and_goes_through_the_triggerer(hostile: str) -> None:
    verdict = verdict_over(hostile)

    payload = {"status": "success", "verdict": verdict.to_dict()}
    packed = msgspec.msgpack.encode(payload)
    stored: Any = json.loads(json.dumps(serialize(payload), ensure_ascii=False).encode())
    restored: Any = deserialize(stored)
    assert len(packed) < 150_000
    assert Verdict.from_dict(restored["verdict"]) == verdict
    for line in (verdict.line(), verdict.failure_text()):
        assert line.isprintable()
        assert "canary" not in line
