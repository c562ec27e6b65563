from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.emulator.messages import ConnectionDropped
from tests.emulator.stranger import Stranger, in_memory

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

    assert len(stranger.control("GET", "state")["packages"]) == packages


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
        stranger.control("POST", "seed", {"seed": 5})
        fault(stranger, "status", probability=0.5)
        return [raw(stranger)[0] for _ in range(30)]

    first = outcomes()

    assert first == outcomes()
    assert {200, 503} == set(first)


@pytest.mark.parametrize(
    ("quirk", "value", "key"),
    [
        ("verify_job_id", "jobId", "jobId"),
        ("verify_job_id", "firmwareId", "firmwareId"),
        ("verify_job_id", "absent", None),
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

    assert stranger.control("GET", "state") == {"packages": [], "jobs": [], "tasks": []}
    assert stranger.control("GET", "faults") == []


@pytest.mark.parametrize(
    ("method", "path", "values", "said"),
    [
        ("POST", "quirks", {"nonsense": 1}, "unknown quirk"),
        ("POST", "quirks", {"list_shape": "round"}, "not one of"),
        ("POST", "faults", {"action": "*", "kind": "flood"}, "not one of"),
        ("POST", "faults", {"kind": "status"}, "action"),
        ("POST", "clock", {"advance": -1}, "backwards"),
        ("POST", "clock", {"warp": 9}, "known"),
        ("POST", "seed", {"produts": []}, "known"),
        ("POST", "seed", {"products": [{"devices": 100001}]}, "100000"),
        ("POST", "seed", {"products": [{"device": {"x": {"outcome": "explodes"}}}]}, "succeeds"),
        ("POST", "seed", {"products": [{}, {}]}, "twice"),
        ("POST", "devices/k1demoproduct/nobody", {}, "nobody"),
        ("GET", "nonsense", None, "nonsense"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(stranger: Stranger, method: str, path: str, values: Any, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        stranger.control(method, path, values)
