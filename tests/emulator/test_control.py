from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.emulator.messages import ConnectionDropped, Request
from tests.emulator.plain_client import PlainClient, form_of, in_memory

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.emulator import Emulator

PAGE = {"CurrentPage": "1", "PageSize": "10"}
Dropped = (ConnectionDropped, http.client.HTTPException, ConnectionError)


def fault(client: PlainClient, kind: str, action: str = "ListOTAFirmware", **values: Any) -> None:
    client.control("POST", "faults", {"action": action, "kind": kind, **values})


def raw(client: PlainClient) -> tuple[int, dict[str, str], bytes]:
    query = client.sign("GET", client.parameters("ListOTAFirmware", **PAGE))
    return client.send("GET", f"/?{query}", {}, b"")


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_status_fault_answers_what_a_proxy_would(client: PlainClient, status: int) -> None:
    fault(client, "status", status=status)

    answered, headers, _ = raw(client)

    assert (answered, headers["content-type"].partition(";")[0]) == (status, "text/html")


def test_a_throttle_fault_answers_the_documented_code(client: PlainClient) -> None:
    fault(client, "throttle")

    assert b"Throttling.User" in raw(client)[2]


def test_garbage_and_truncated_answers_are_no_json(client: PlainClient) -> None:
    whole = raw(client)[2]
    fault(client, "truncate", nth=1)
    assert len(raw(client)[2]) == len(whole) // 2
    fault(client, "garbage", nth=1)

    assert b"\xff" in raw(client)[2]


def test_a_redirect_points_elsewhere(client: PlainClient) -> None:
    fault(client, "redirect")

    status, headers, _ = raw(client)

    assert (status, headers["location"]) == (302, "https://console.invalid:3443/")


@pytest.mark.parametrize(("kind", "firmwares"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection_was_or_was_not_processed(client: PlainClient, kind: str, firmwares: int) -> None:
    fault(client, kind, action="CreateOTAFirmware")

    with pytest.raises(Dropped):
        client.create_firmware()

    assert len(client.control("GET", "state")["firmwares"]) == firmwares


def test_the_nth_call_is_hit_and_no_other(client: PlainClient) -> None:
    fault(client, "status", nth=2)

    assert [raw(client)[0] for _ in range(4)] == [200, 503, 200, 200]


def test_faults_can_be_taken_back(client: PlainClient) -> None:
    fault(client, "status", action="*")
    client.control("DELETE", "faults")

    assert raw(client)[0] == 200


def test_uploads_have_faults_too(client: PlainClient) -> None:
    fault(client, "status", action="PostObject")

    with pytest.raises(AssertionError):
        client.put(b"x")


def test_probability_comes_from_the_seed(emulator: Emulator) -> None:
    def outcomes() -> list[int]:
        client = PlainClient(in_memory(emulator))
        client.control("POST", "seed", {"seed": 5, "quotas": {"enabled": False}})
        fault(client, "status", probability=0.5)
        return [raw(client)[0] for _ in range(30)]

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
def test_the_job_id_stands_where_the_quirk_says(client: PlainClient, quirk: str, value: str, key: str | None) -> None:
    client.control("POST", "quirks", {quirk: value})
    firmware_id = client.create_firmware()

    _, answer = client.ask(
        "CreateOTAVerifyJob", FirmwareId=firmware_id, ProductKey="k1demoproduct", **{"TargetDeviceName.1": "device-001"}
    )

    (job,) = client.control("GET", "state")["jobs"]
    assert set(answer["data"]) == {"utcCreate"} | ({key} if key else set())
    assert key is None or answer["data"][key] == job["JobId"]


@pytest.mark.parametrize(("shape", "kind"), [("flat", list), ("wrapped", dict), ("single", dict)])
def test_lists_have_the_shape_of_the_quirk(client: PlainClient, shape: str, kind: type) -> None:
    client.control("POST", "quirks", {"list_shape": shape})
    client.create_firmware()

    assert isinstance(client.ask("ListOTAFirmware", **PAGE)[1]["firmwareInfo"], kind)


def test_keys_and_error_status_follow_their_quirks(client: PlainClient) -> None:
    client.control("POST", "quirks", {"key_case": "pascal", "error_status": 400})

    status, answer = client.ask("QueryOTAJob", JobId="1")

    assert (status, answer["Success"], answer["Code"]) == (400, False, "iot.firmware.InvalidOTAJobId")


def test_time_is_stopped_stepped_and_hurried(client: PlainClient) -> None:
    start = client.control("POST", "clock", {"freeze": True})["world"]
    stepped = client.control("POST", "clock", {"advance": 90})

    assert stepped["world"] - start == pytest.approx(90)
    assert client.control("POST", "clock", {"speed": 100, "freeze": False})["speed"] == 100


def test_a_reset_forgets_everything_that_was_made(client: PlainClient) -> None:
    client.create_firmware()
    fault(client, "status")

    client.control("POST", "reset")

    assert client.control("GET", "state") == {"firmwares": [], "jobs": [], "tasks": []}
    assert client.control("GET", "faults") == []


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
def test_a_wrong_command_says_what_is_wrong(
    client: PlainClient, method: str, path: str, values: Any, said: str
) -> None:
    status, _, body = client.send(
        method, f"/_emulator/{path}", {}, b"" if values is None else json.dumps(values).encode()
    )

    assert status in {400, 404}
    assert said in json.loads(body)["error"]


def test_a_command_that_is_no_json_is_refused(client: PlainClient) -> None:
    status, _, body = client.send("POST", "/_emulator/clock", {}, b"{")

    assert status == 400
    assert json.loads(body)["error"].startswith("the body is not JSON: ")


def test_a_delay_fault_holds_the_answer_back(emulator: Emulator) -> None:
    client = PlainClient(in_memory(emulator))
    fault(client, "delay", seconds=2.5)
    query = client.sign("GET", client.parameters("ListOTAFirmware", **PAGE))

    response = emulator.handle(Request("GET", query=query))

    assert (response.status, response.delay) == (200, 2.5)


def test_a_device_is_described_after_its_script_has_changed(client: PlainClient) -> None:
    path = "devices/k1demoproduct/device-001"

    changed = client.control("POST", path, {"version": "0.9.0", "outcome": "wrong_version", "reports": "3"})

    assert (changed["versions"], changed["outcome"], changed["version"]) == ({"default": "0.9.0"}, "wrong_version", "3")


def test_an_empty_version_is_none(client: PlainClient) -> None:
    changed = client.control("POST", "devices/k1demoproduct/device-001", {"version": ""})

    assert changed["versions"] == {}


def test_uploads_that_are_throttled_say_so_in_xml(client: PlainClient) -> None:
    fault(client, "throttle", action="PostObject")

    status, body = client.upload(form_of(client.ticket()), b"x")

    assert (status, b"<Code>ServiceUnavailable</Code>" in body) == (503, True)
