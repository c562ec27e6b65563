from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.emulator.messages import ConnectionDropped, Request
from tests.emulator.stranger import Stranger, form_of, in_memory

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.emulator import Emulator

PAGE = {"CurrentPage": "1", "PageSize": "10"}
Dropped = (ConnectionDropped, http.client.HTTPException, ConnectionError)


def fault(stranger: Stranger, kind: str, action: str = "ListOTAFirmware", **values: Any) -> None:
    stranger.control("POST", "faults", {"action": action, "kind": kind, **values})


def raw(stranger: Stranger) -> tuple[int, dict[str, str], bytes]:
    query = stranger.sign("GET", stranger.parameters("ListOTAFirmware", **PAGE))
    return stranger.send("GET", f"/?{query}", {}, b"")


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_status_fault_answers_what_a_proxy_would(stranger: Stranger, status: int) -> None:
    fault(stranger, "status", status=status)

    answered, headers, _ = raw(stranger)

    assert (answered, headers["content-type"].partition(";")[0]) == (status, "text/html")


def test_a_throttle_fault_answers_the_documented_code(stranger: Stranger) -> None:
    fault(stranger, "throttle")

    assert b"Throttling.User" in raw(stranger)[2]


def test_garbage_and_truncated_answers_are_no_json(stranger: Stranger) -> None:
    whole = raw(stranger)[2]
    fault(stranger, "truncate", nth=1)
    assert len(raw(stranger)[2]) == len(whole) // 2
    fault(stranger, "garbage", nth=1)

    assert b"\xff" in raw(stranger)[2]


def test_a_redirect_points_elsewhere(stranger: Stranger) -> None:
    fault(stranger, "redirect")

    status, headers, _ = raw(stranger)

    assert (status, headers["location"]) == (302, "https://console.invalid:3443/")


@pytest.mark.parametrize(("kind", "packages"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection_was_or_was_not_processed(stranger: Stranger, kind: str, packages: int) -> None:
    fault(stranger, kind, action="CreateOTAFirmware")

    with pytest.raises(Dropped):
        stranger.package()

    assert len(stranger.control("GET", "state")["firmwares"]) == packages


def test_the_nth_call_is_hit_and_no_other(stranger: Stranger) -> None:
    fault(stranger, "status", nth=2)

    assert [raw(stranger)[0] for _ in range(4)] == [200, 503, 200, 200]


def test_faults_can_be_taken_back(stranger: Stranger) -> None:
    fault(stranger, "status", action="*")
    stranger.control("DELETE", "faults")

    assert raw(stranger)[0] == 200


def test_uploads_have_faults_too(stranger: Stranger) -> None:
    fault(stranger, "status", action="PostObject")

    with pytest.raises(AssertionError):
        stranger.put(b"x")


def test_probability_comes_from_the_seed(emulator: Emulator) -> None:
    def outcomes() -> list[int]:
        stranger = Stranger(in_memory(emulator))
        stranger.control("POST", "seed", {"seed": 5, "quotas": {"enabled": False}})
        fault(stranger, "status", probability=0.5)
        return [raw(stranger)[0] for _ in range(30)]

    first = outcomes()

    assert first == outcomes()
    assert {200, 503} == set(first)


@pytest.mark.parametrize(
    ("quirk", "value", "key"),
    [
        ("job_id", "jobId", "jobId"),
        ("job_id", "firmwareId", "firmwareId"),
        ("job_id", "absent", None),
    ],
)
def test_the_job_id_stands_where_the_quirk_says(stranger: Stranger, quirk: str, value: str, key: str | None) -> None:
    stranger.control("POST", "quirks", {quirk: value})
    package = stranger.package()

    _, answer = stranger.ask(
        "CreateOTAVerifyJob", FirmwareId=package, ProductKey="k1demoproduct", **{"TargetDeviceName.1": "device-001"}
    )

    (job,) = stranger.control("GET", "state")["jobs"]
    assert set(answer["data"]) == {"utcCreate"} | ({key} if key else set())
    assert key is None or answer["data"][key] == job["JobId"]


@pytest.mark.parametrize(("shape", "kind"), [("flat", list), ("wrapped", dict), ("single", dict)])
def test_lists_have_the_shape_of_the_quirk(stranger: Stranger, shape: str, kind: type) -> None:
    stranger.control("POST", "quirks", {"list_shape": shape})
    stranger.package()

    assert isinstance(stranger.ask("ListOTAFirmware", **PAGE)[1]["firmwareInfo"], kind)


def test_keys_and_error_status_follow_their_quirks(stranger: Stranger) -> None:
    stranger.control("POST", "quirks", {"key_case": "pascal", "error_status": 400})

    status, answer = stranger.ask("QueryOTAJob", JobId="1")

    assert (status, answer["Success"], answer["Code"]) == (400, False, "iot.firmware.InvalidOTAJobId")


def test_time_is_stopped_stepped_and_hurried(stranger: Stranger) -> None:
    start = stranger.control("POST", "clock", {"freeze": True})["world"]
    stepped = stranger.control("POST", "clock", {"advance": 90})

    assert stepped["world"] - start == pytest.approx(90)
    assert stranger.control("POST", "clock", {"speed": 100, "freeze": False})["speed"] == 100


def test_a_reset_forgets_everything_that_was_made(stranger: Stranger) -> None:
    stranger.package()
    fault(stranger, "status")

    stranger.control("POST", "reset")

    assert stranger.control("GET", "state") == {"firmwares": [], "jobs": [], "tasks": []}
    assert stranger.control("GET", "faults") == []


@pytest.mark.parametrize(
    ("method", "path", "values", "said"),
    [
        ("POST", "quirks", {"nonsense": 1}, "unknown nonsense"),
        ("POST", "quirks", {"list_shape": "round"}, "not one of"),
        ("POST", "quirks", {"error_status": 400.0}, "not one of"),
        ("POST", "faults", {"action": "*", "kind": "flood"}, "not one of"),
        ("POST", "faults", {"kind": "status"}, "action missing"),
        ("POST", "faults", {"action": "ListOTAFirmwares", "kind": "status"}, "not one of"),
        ("POST", "faults", {"action": "*", "kind": "status", "status": "500"}, "status '500' is not a whole number"),
        ("POST", "faults", {"action": "*", "kind": "status", "probability": 2}, "probability 2 is not from 0 to 1"),
        ("POST", "faults", {"action": "*", "kind": "status", "nth": True}, "nth True is not a whole number"),
        ("POST", "faults", {"action": "*", "kind": "garbage", "status": 500}, "a garbage takes no status"),
        ("POST", "faults", {"action": "*", "kind": "drop_after", "seconds": 5}, "a drop_after takes no seconds"),
        ("POST", "clock", {"advance": -1}, "advance -1 is not from 0"),
        ("POST", "clock", {"speed": 0}, "speed 0 is not from 0.001"),
        ("POST", "clock", {"speed": float("nan")}, "speed nan is not"),
        ("POST", "clock", {"gateway_offset": float("inf")}, "gateway_offset inf is not"),
        ("POST", "clock", {"freeze": "no"}, "freeze 'no' is not true or false"),
        ("POST", "clock", [1], "a table is needed"),
        ("POST", "confirm", [], "a table is needed"),
        ("POST", "confirm", {}, "job_id or task_ids is needed"),
        ("POST", "confirm", {"job_id": "404"}, "there is no job 404"),
        ("POST", "confirm", {"task_ids": ["7"]}, "there is no device task 7"),
        ("POST", "clock", {"warp": 9}, "known"),
        ("POST", "seed", {"produts": []}, "known"),
        ("POST", "seed", {"products": [{"devices": 100001}]}, "100000"),
        ("POST", "seed", {"products": [{"device": {"x": {"outcome": "explodes"}}}]}, "succeeds"),
        ("POST", "seed", {"products": [{}, {}]}, "twice"),
        ("POST", "seed", {"products": 3}, "products 3 is not a list"),
        ("POST", "seed", {"products": [{"device": [1]}]}, "is not a table"),
        ("POST", "seed", {"products": [{"device": {"x": {"online": 1}}}]}, "device x: online 1 is not true or false"),
        ("POST", "seed", {"seed": "a"}, "seed 'a' is not a whole number"),
        ("POST", "seed", {"quirks": [1]}, "is not a table"),
        ("POST", "devices/k1demoproduct/nobody", {}, "product k1demoproduct has no device nobody"),
        ("POST", "devices/nothing/device-001", {}, "there is no product nothing; there are k1demoproduct"),
        ("POST", "devices/k1demoproduct", {}, "PRODUCT/DEVICE"),
        ("POST", "devices/k1demoproduct/device-001", {"flash_seconds": "long"}, "is not a number"),
        ("POST", "devices/k1demoproduct/device-001", {"at_progress": 101}, "from 0 to 100"),
        ("POST", "devices/k1demoproduct/device-001", {"step": 3}, "not one of"),
        ("GET", "nonsense", None, "nonsense"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(stranger: Stranger, method: str, path: str, values: Any, said: str) -> None:
    status, _, body = stranger.send(
        method, f"/_emulator/{path}", {}, b"" if values is None else json.dumps(values).encode()
    )

    assert status in {400, 404}
    assert said in json.loads(body)["error"]


def test_a_command_that_is_no_json_is_refused(stranger: Stranger) -> None:
    status, _, body = stranger.send("POST", "/_emulator/clock", {}, b"{")

    assert status == 400
    assert json.loads(body)["error"].startswith("the body is not JSON: ")


def test_a_delay_fault_holds_the_answer_back(emulator: Emulator) -> None:
    stranger = Stranger(in_memory(emulator))
    fault(stranger, "delay", seconds=2.5)
    query = stranger.sign("GET", stranger.parameters("ListOTAFirmware", **PAGE))

    response = emulator.handle(Request("GET", query=query))

    assert (response.status, response.delay) == (200, 2.5)


def test_a_device_is_described_after_its_script_has_changed(stranger: Stranger) -> None:
    path = "devices/k1demoproduct/device-001"

    changed = stranger.control("POST", path, {"version": "0.9.0", "outcome": "wrong_version", "reports": "3"})

    assert (changed["versions"], changed["outcome"], changed["version"]) == ({"default": "0.9.0"}, "wrong_version", "3")


def test_an_empty_version_is_none(stranger: Stranger) -> None:
    changed = stranger.control("POST", "devices/k1demoproduct/device-001", {"version": ""})

    assert changed["versions"] == {}


def test_uploads_that_are_throttled_say_so_in_xml(stranger: Stranger) -> None:
    fault(stranger, "throttle", action="PostObject")

    status, body = stranger.upload(form_of(stranger.ticket()), b"x")

    assert (status, b"<Code>ServiceUnavailable</Code>" in body) == (503, True)
