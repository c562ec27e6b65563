from __future__ import annotations

import http.client
import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from airflow_provider_tuya_ota.emulator.console import PATH, SHOWN
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.messages import Request
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from tests.emulator.plain_client import PlainClient, in_memory, over_socket

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_tuya_ota.emulator.messages import Response

HOSTILE = "<img src=x onerror=alert(1)>"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(
        scenario=read({"quotas": {"enabled": False}, "products": [{"devices": 5, "device": {HOSTILE: {}}}]})
    )


def get(emulator: Emulator, path: str, query: str = "", accept: str = "text/html,*/*") -> Response:
    return emulator.handle(Request("GET", path, query, {"accept": accept, "host": "emulator.test"}))


def page_data(emulator: Emulator, name: str, query: str = "") -> Any:
    return json.loads(get(emulator, PATH + name, query).body)


def test_a_browser_finds_a_page_that_needs_nothing_from_elsewhere(emulator: Emulator) -> None:
    page = get(emulator, "/")

    assert (page.status, page.content_type) == (200, "text/html; charset=utf-8")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert b"http:" not in page.body
    assert b"https:" not in page.body
    for name in ("console.js", "console.css"):
        assert f"{PATH}{name}".encode() in page.body
        assert get(emulator, f"{PATH}{name}").status == 200


@pytest.mark.parametrize(("query", "accept"), [("", "*/*"), ("Action=ListOTAFirmware", "text/html")])
def test_whoever_does_not_want_a_page_gets_what_the_api_answers(emulator: Emulator, query: str, accept: str) -> None:
    answer = get(emulator, "/", query, accept)

    assert (answer.status, answer.content_type) == (400, "application/json")


def test_looking_is_no_request_of_the_log(emulator: Emulator) -> None:
    get(emulator, "/")
    page_data(emulator, "overview")

    assert list(emulator.log) == []


def test_the_overview_has_firmwares_jobs_fleet_and_requests(emulator: Emulator) -> None:
    client = PlainClient(in_memory(emulator))
    job = client.verify(client.create_firmware(), "device-001", "device-002")
    client.control("POST", "quirks", {"totals": "absent"})

    seen = page_data(emulator, "overview")

    (shown,) = seen["jobs"]["shown"]
    assert (shown["JobId"], shown["Tasks"], sum(shown["Counts"].values())) == (job, 2, 2)
    assert [firmware["DestVersion"] for firmware in seen["firmwares"]["shown"]] == ["1.1.0"]
    assert (seen["products"][0]["devices"], seen["products"][0]["online"]) == (6, 6)
    assert seen["requests"][0]["action"] == "CreateOTAVerifyJob"
    assert seen["quirks"] == {"totals": "absent"}


def test_one_job_is_shown_with_its_devices_and_those_that_need_a_look_first(emulator: Emulator) -> None:
    client = PlainClient(in_memory(emulator))
    client.script("device-003", outcome="fails", reason="block 0x3f")
    job = client.verify(client.create_firmware(), "device-001", "device-002", "device-003")
    client.advance(60)

    shown = page_data(emulator, "job", f"id={job}")

    assert (shown["job"]["JobId"], shown["job"]["JobStatus"], shown["total"]) == (job, "COMPLETED", 3)
    assert [task["TaskStatus"] for task in shown["shown"]] == ["FAILED", "SUCCEEDED", "SUCCEEDED"]
    assert shown["shown"][0]["TaskDesc"] == "step -1: block 0x3f"
    assert page_data(emulator, "job", "id=17") == {"job": None, "total": 0, "shown": []}


def test_a_large_job_makes_no_large_page() -> None:
    emulator = Emulator(scenario=read({"products": [{"devices": 20_000}], "quotas": {"enabled": False}}))
    client = PlainClient(in_memory(emulator))
    everyone = {"ProductKey": "k1demoproduct", "TargetSelection": "ALL"}
    firmware_id = client.create_firmware(NeedToVerify="false")
    job = client.ask("CreateOTAStaticUpgradeJob", FirmwareId=firmware_id, **everyone)[1]["data"]["jobId"]

    shown = page_data(emulator, "job", f"id={job}")

    assert (shown["total"], len(shown["shown"])) == (20_000, SHOWN)


def test_a_large_world_makes_no_large_page() -> None:
    emulator = Emulator(scenario=read({"products": [{"devices": 100_000}], "quotas": {"enabled": False}}))
    client = PlainClient(in_memory(emulator))
    for number in range(SHOWN + 10):
        client.create_firmware(f"1.1.{number}", str(number).encode())

    overview, devices = (
        page_data(emulator, "overview"),
        page_data(emulator, "devices", "product=k1demoproduct&find=device-0999"),
    )

    assert (overview["firmwares"]["total"], len(overview["firmwares"]["shown"])) == (SHOWN + 10, SHOWN)
    assert (devices["total"], len(devices["shown"])) == (100, SHOWN)
    assert len(get(emulator, f"{PATH}overview").body) < 100_000


def test_no_secret_is_shown(emulator: Emulator) -> None:
    client = PlainClient(in_memory(emulator))
    client.verify(client.create_firmware(), "device-001")
    client.ask("QueryDevice", ProductKey="k1demoproduct")

    everything = get(emulator, f"{PATH}overview").body + get(emulator, f"{PATH}devices", "product=k1demoproduct").body

    for secret in (client.secret, client.key_id, "Signature", "Policy", "DeviceSecret", "OSSAccessKeyId"):
        assert secret.encode() not in everything


def test_an_unknown_page_and_an_unknown_product_are_said(emulator: Emulator) -> None:
    assert get(emulator, f"{PATH}../../etc/passwd").status == 404
    assert page_data(emulator, "devices", "product=nobody") == {"total": 0, "shown": []}


def test_the_head_of_the_page_is_there_too(emulator: Emulator) -> None:
    assert emulator.handle(Request("HEAD", headers={"accept": "text/html"})).status == 200


def test_over_a_socket_too() -> None:
    with EmulatorServer() as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=10)
        connection.request("GET", "/", headers={"Accept": "text/html"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()

    assert (answer.status, answer.getheader("content-type")) == (200, "text/html; charset=utf-8")
    assert b"OTA emulator" in body


def dom(url: str, folder: Path) -> str:
    """Let a browser open an address, and give what it has made of it."""
    return subprocess.run(
        [
            str(CHROMIUM),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            f"--user-data-dir={folder}",
            "--virtual-time-budget=4000",
            "--dump-dom",
            url,
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


@pytest.mark.program
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install the package chromium")
def test_a_browser_shows_what_happens_and_takes_hostile_names_for_text(emulator: Emulator, tmp_path: Path) -> None:
    with EmulatorServer(emulator) as server:
        client = PlainClient(over_socket(server.url))
        job = client.verify(client.create_firmware(), "device-001")
        shown = dom(server.url, tmp_path)

    assert job in shown
    assert "Live" in shown
    assert "<img" not in shown
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown


@pytest.mark.program
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: install the package chromium")
def test_an_address_opens_the_page_at_a_job(emulator: Emulator, tmp_path: Path) -> None:
    with EmulatorServer(emulator) as server:
        client = PlainClient(over_socket(server.url))
        client.script("device-002", outcome="fails", reason="<b>block</b> \u202e0x3f")
        job = client.verify(client.create_firmware(), "device-002")
        client.advance(60)
        shown = dom(f"{server.url}{PATH}?job={job}", tmp_path)
        missing = dom(f"{server.url}{PATH}?job=<script>", tmp_path)

    assert f">Job {job}</h2>" in shown
    assert "step -1: &lt;b&gt;block&lt;/b&gt;" in shown
    assert shown.index("step -1") < shown.index(">Jobs</h2>")
    assert "This job does not exist." in missing
    assert "Job &lt;script&gt;" in missing
