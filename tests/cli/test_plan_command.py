from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.cli import main
from airflow_provider_tuya_ota.cli.connection import SECRET_VARIABLE
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.operations import HANDLERS
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from airflow_provider_tuya_ota.emulator.simulation.storage import StoredObject
from airflow_provider_tuya_ota.rollout.plan import devices_at_risk, read_candidates

if TYPE_CHECKING:
    from collections.abc import Iterator

Capture = pytest.CaptureFixture[str]
PRODUCT = "k1demoproduct"
FLEET: dict[str, Any] = {"seed": 1, "products": [{"devices": 12, "versions": {"0.9.0": 0.25}}]}
COURSE = ["--version", "2.0.0", "--wave", "25%", "--wave", "rest", "--start", "2026-12-01T08:00+01:00"]


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer(Emulator(scenario=read(FLEET), clock=Clock(speed=300))) as server:
        yield server


@pytest.fixture
def where(server: EmulatorServer, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    key = server.emulator.key
    server.emulator.reset(read(FLEET))
    server.emulator.clock.freeze(frozen=False)
    server.emulator.log.clear()
    monkeypatch.setenv(SECRET_VARIABLE, key.access_key_secret)
    monkeypatch.setattr(devices_at_risk, "COURSES", 5)
    return ["--product-key", PRODUCT, "--host", server.url, "--access-key-id", key.access_key_id]


def test_a_plan_is_printed_from_what_the_platform_lists_and_nothing_is_written(
    server: EmulatorServer, where: list[str], capsys: Capture
) -> None:
    assert main(["plan", *COURSE, *where]) == 0

    printed = capsys.readouterr().out
    assert printed.startswith("Release dry-run: 2.0.0 for product k1demoproduct\n")
    assert "Nothing was created or changed." in printed
    assert "  candidates     12\n" in printed
    assert "  0.9.0    3        1\n  1.0.0    9        2\n" in printed
    actions = {entry["action"] for entry in server.emulator.log}
    assert actions == {"QueryDevice", "ListOTAFirmware", "ListOTAModuleVersionsByDevice"}


def test_json_has_what_the_options_say(where: list[str], capsys: Capture) -> None:
    options = ["--source-version", "0.9.0", "--source-version", "1.0.0", "--every", "30m", "--first", "2"]
    options += ["--at-most", "2", "--soak", "1h", "--window", "daily 06:00-20:00 Europe/Berlin", "--approve", "rest"]
    options += ["--blackout", "2026-12-24", "--timeout-in-minutes", "60", "--devices-per-job", "1"]
    options += ["--ceiling", "1%", "--confidence", "90%", "--release-id", "release-7", "--json"]
    options += ["--begins-after", "0s", "--takes", "10m"]

    assert main(["plan", *COURSE, *options, *where]) == 0

    values = json.loads(capsys.readouterr().out)
    assert values["release_id"] == "release-7"
    assert values["cohort"]["devices"] == 12
    assert values["schedule"]["pace"] == {"first": 2, "interval": 1800, "doubles": False, "at_most": 2}
    assert values["schedule"]["hours"] == {"windows": ["daily 06:00-20:00 Europe/Berlin"], "blackouts": ["2026-12-24"]}
    assert (values["schedule"]["soak"], values["schedule"]["timeout_in_minutes"]) == (3600, 60)
    assert values["schedule"]["devices_per_job"] == 1
    assert (values["gate"]["ceiling"], values["gate"]["confidence"]) == ("1%", "90%")
    assert values["assumptions"] == {
        "start": "2026-12-01T07:00:00Z",
        "devices_begin_after_seconds": 0,
        "devices_take_seconds": 600,
        "spread": 0.35,
        "reaction_seconds": 30.0,
    }
    assert [(wave["wave"], wave["adds"], wave["jobs"], wave["needs_approval"]) for wave in values["waves"]] == [
        ("25%", 3, 3, False),
        ("100%", 9, 9, True),
    ]
    assert [pulse["starts_at"] for pulse in values["waves"][0]["pulses"]] == [
        "2026-12-01T07:00:00Z",
        "2026-12-01T07:30:00Z",
    ]


def test_devices_are_kept_out_by_name_and_module(server: EmulatorServer, where: list[str], capsys: Capture) -> None:
    first, second = list(server.emulator.world.products[PRODUCT].devices)[:2]

    assert (
        main(["plan", *COURSE, *where, "--exclude", first, "--verify-on", second, "--double-every", "2h", "--json"])
        == 0
    )

    values = json.loads(capsys.readouterr().out)
    assert values["cohort"]["excluded"] == {"excluded by name": 1, "verification device": 1}
    assert values["schedule"]["pace"]["interval"] == 7200


def test_devices_that_another_job_holds_are_in_no_wave(
    server: EmulatorServer, where: list[str], capsys: Capture
) -> None:
    server.emulator.clock.freeze(frozen=True)
    devices = list(server.emulator.world.products[PRODUCT].devices)
    job_id = start_upgrade(server.emulator, devices[:5])

    assert main(["plan", *COURSE, *where, "--json"]) == 0

    values = json.loads(capsys.readouterr().out)
    assert values["cohort"] == {"candidates": 12, "excluded": {"busy in another job": 5}, "devices": 7, "in_waves": 7}
    assert values["busy_jobs"] == {job_id: 5}
    assert any(warning.startswith("Unfinished jobs hold devices") for warning in values["warnings"])


def start_upgrade(emulator: Emulator, devices: list[str]) -> str:
    """Let another program upgrade some devices."""
    content = b"firmware"
    world = emulator.world
    ticket = HANDLERS["GenerateOTAUploadURL"](world, {}, "http://emulator")["Data"]
    digests = {"SHA256": hashlib.sha256(content).hexdigest()}
    stored = StoredObject(ticket["Key"], len(content), digests, content, emulator.clock.gateway(), used=False)
    world.storage.objects[ticket["Key"]] = stored
    values: dict[str, Any] = {"DestVersion": "1.5.0", "FirmwareName": "other", "FirmwareUrl": ticket["FirmwareUrl"]}
    values |= {"FirmwareSign": digests["SHA256"], "SignMethod": "SHA256", "ProductKey": PRODUCT, "NeedToVerify": False}
    firmware = world.firmwares.create(values, "http://emulator")
    request = {"FirmwareId": firmware.firmware_id, "ProductKey": PRODUCT, "TargetSelection": "SPECIFIC"}
    answer = HANDLERS["CreateOTAStaticUpgradeJob"](world, {**request, "TargetDeviceName": devices}, "http://emulator")
    return str(answer["Data"]["JobId"])


def test_a_job_without_devices_is_a_warning(where: list[str], capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def unclear(*_: object) -> Any:
        yield from ()
        return {}, ["4711"]

    monkeypatch.setattr(read_candidates, "_busy_devices", unclear)

    assert main(["plan", *COURSE, *where]) == 0

    assert "Job 4711 is unfinished and shows no devices yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--wave", "5%"], "waves: wave 3 (5%) is behind 100% and adds nobody"),
        (["--window", ""], "window: is blank"),
        (["--soak", ""], "soak: '' is not allowed"),
        (["--double-every", ""], "pace double_every: '' is not allowed"),
        (["--every", ""], "pace every: '' is not allowed"),
        (["--first", "0"], "pace first: 0 is not allowed"),
        (["--source-version", ""], "source_versions: is blank"),
        (["--ceiling", "5"], "ceiling: '5' is not allowed"),
        (["--takes", "0s"], "--takes: 0.0 is not allowed"),
        (["--begins-after", "9"], "--begins-after: '9' is not allowed"),
        (["--start", "tomorrow"], "--start: 'tomorrow' is no moment"),
        (["--start", "2026-12-01T08:00"], "--start: '2026-12-01T08:00' has no zone"),
        (["--start", "9999-12-31T08:00+00:00"], "start: 9999-12-31T08:00:00+00:00 is not allowed"),
        (["--start", "0001-01-01T00:00+05:00"], "start: 0001-01-01T00:00:00+05:00 is not allowed"),
    ],
)
def test_a_wrong_value_is_named_before_anything_is_sent(
    server: EmulatorServer, where: list[str], capsys: Capture, arguments: list[str], message: str
) -> None:
    assert main(["plan", *COURSE, *where, *arguments]) == 2

    assert capsys.readouterr().err.startswith(f"tuya-ota: {message}")
    assert not server.emulator.log


def test_the_two_ways_of_growth_exclude_each_other(where: list[str], capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        main(["plan", *COURSE, *where, "--every", "1h", "--double-every", "1h"])

    assert "not allowed with argument" in capsys.readouterr().err


def test_without_a_start_the_first_wave_may_start_now(where: list[str], capsys: Capture) -> None:
    assert main(["plan", *COURSE[:-2], *where, "--json"]) == 0

    values = json.loads(capsys.readouterr().out)
    assert values["assumptions"]["start"] == values["waves"][0]["starts_at"] > "2026-01-01"
