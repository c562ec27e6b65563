from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.gateway.tables import ACTIONS
from airflow_provider_tuya_ota.emulator.journal import FORM, TIDIED, Journal
from airflow_provider_tuya_ota.emulator.recorder import CHANGING
from airflow_provider_tuya_ota.emulator.restore import restore
from tests.emulator.plain_client import PlainClient, in_memory, over_socket

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "airflow_provider_tuya_ota.emulator"]
SCENARIO = {"quotas": {"enabled": False}, "products": [{"devices": 20, "device": {"device-003": {"online": False}}}]}
EVERYONE = {"ProductKey": "k1demoproduct", "TargetSelection": "ALL"}


class Wall:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "emulator.state"


def begin(path: Path, wall: Wall, document: Any = None) -> tuple[Emulator, PlainClient]:
    emulator = Emulator(clock=Clock(wall))
    if not path.exists():
        from airflow_provider_tuya_ota.emulator.scenario import read  # noqa: PLC0415 - as the command does

        emulator.reset(read(SCENARIO if document is None else document))
    emulator.recorder = restore(emulator, Journal(path), SCENARIO if document is None else document)
    return emulator, PlainClient(in_memory(emulator), now=wall)


def after_a_kill(path: Path) -> Path:
    """Give the file as a process leaves it that is killed now; ours has it locked and goes on."""
    left = path.with_name(f"{path.name}.left")
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", f"{left}{end}")
    return left


def a_busy_day(client: PlainClient, wall: Wall) -> str:
    """Do something of everything that changes the world."""
    client.ask("CreateOTAModule", ModuleName="mcu", ProductKey="k1demoproduct")
    verified = client.create_firmware("1.1.0", b"the first")
    wall.now += 1.25
    client.verify(verified, "device-001", "device-002")
    wall.now += 60
    client.control("POST", "quirks", {"list_shape": "wrapped"})
    client.control("POST", "quirks", {"list_shape": "flat"})
    upgrade = client.ask("CreateOTAStaticUpgradeJob", FirmwareId=verified, NeedConfirm="true", **EVERYONE)[1]
    job: str = upgrade["data"]["jobId"]
    wall.now += 3.5
    waiting = [task["taskId"] for task in client.tasks(job).values()]
    client.ask("ConfirmOTATask", **{f"TaskId.{number}": task for number, task in enumerate(waiting[:10], 1)})
    wall.now += 4
    client.ask(
        "CancelOTATaskByDevice", FirmwareId=verified, ProductKey="k1demoproduct", **{"DeviceName.1": "device-020"}
    )
    client.control("POST", "devices/k1demoproduct/device-004", {"outcome": "silent"})
    return job


def state(client: PlainClient) -> Any:
    return client.control("GET", "state")


def test_what_happened_is_there_after_a_restart_to_the_last_detail(path: Path, wall: Wall) -> None:
    _, before = begin(path, wall)
    a_busy_day(before, wall)
    expected = state(before)

    emulator, after = begin(after_a_kill(path), wall)

    assert state(after) == expected
    assert "mcu" in emulator.world.products["k1demoproduct"].modules


def test_devices_go_on_as_if_nothing_had_happened(path: Path, wall: Wall, tmp_path: Path) -> None:
    def ended(file: Path, *, restarts: bool) -> Any:
        here = Wall()
        emulator, client = begin(file, here)
        job = a_busy_day(client, here)
        if restarts:
            emulator.recorder.close()  # type: ignore[union-attr] # it has one
            emulator, client = begin(file, here)
        here.now += 600
        return client.tasks(job)

    assert ended(path, restarts=True) == ended(tmp_path / "other", restarts=False)


def test_while_no_emulator_ran_no_time_passed_in_the_world(path: Path, wall: Wall) -> None:
    emulator, _ = begin(path, wall)
    wall.now += 100
    reached = emulator.clock.world()
    emulator.recorder.close()  # type: ignore[union-attr] # it has one
    wall.now += 1_000_000

    emulator, _ = begin(path, wall)

    assert emulator.clock.world() == pytest.approx(reached)


def test_ids_go_on_and_none_is_given_twice(path: Path, wall: Wall) -> None:
    _, before = begin(path, wall)
    first, first_request = (
        before.create_firmware("1.1.0"),
        before.ask("QueryProductList", CurrentPage="1", PageSize="1")[1],
    )
    _, after = begin(after_a_kill(path), wall)

    second, second_request = (
        after.create_firmware("1.2.0"),
        after.ask("QueryProductList", CurrentPage="1", PageSize="1")[1],
    )

    assert second != first
    assert second_request["requestId"] != first_request["requestId"]


def test_a_reset_and_another_scenario_are_kept_too(path: Path, wall: Wall) -> None:
    _, client = begin(path, wall)
    client.create_firmware()
    client.control("POST", "seed", {"products": [{"product_key": "k9", "devices": 2}]})

    left = after_a_kill(path)
    emulator, again = begin(left, wall, {"products": [{"product_key": "k9", "devices": 2}]})
    assert (list(emulator.world.products), state(again)["firmwares"]) == (["k9"], [])
    again.control("POST", "reset")

    assert list(
        begin(after_a_kill(left), wall, {"products": [{"product_key": "k9", "devices": 2}]})[0].world.products
    ) == ["k9"]


def test_a_step_of_the_clock_that_was_answered_outlives_a_kill(path: Path, wall: Wall) -> None:
    _, client = begin(path, wall)
    client.control("POST", "clock", {"freeze": True, "speed": 60, "gateway_offset": 5})
    answer = client.control("POST", "clock", {"advance": 600})

    _, again = begin(after_a_kill(path), wall)
    wall.now += 100

    assert again.control("GET", "clock") == {**answer, "gateway": answer["gateway"] + 100}


def test_what_an_answer_has_shown_does_not_come_undone(path: Path, wall: Wall) -> None:
    _, client = begin(path, wall)
    job = client.verify(client.create_firmware(), "device-001")
    for _ in range(30):
        wall.now += 0.5
        shown = client.tasks(job)

    _, again = begin(after_a_kill(path), wall)

    assert shown["device-001"]["taskStatus"] == "SUCCEEDED"
    assert again.tasks(job) == shown


def test_a_request_cannot_be_replayed_after_a_restart(path: Path, wall: Wall) -> None:
    _, client = begin(path, wall)
    request = client.parameters("QueryProductList", CurrentPage="1", PageSize="10")
    assert client.ask_with(request)[0] == 200

    _, again = begin(after_a_kill(path), wall)

    status, answer = again.ask_with(request)
    assert (status, answer["Code"]) == (400, "SignatureNonceUsed")


def test_nonces_that_have_expired_are_not_kept_for_ever(path: Path, wall: Wall) -> None:
    journal = Journal(path)
    journal.begin({}, wall.now, wall.now)
    for number in range(TIDIED):
        journal.use(f"nonce {number}", wall.now + number, wall.now + TIDIED - 10)

    assert len(list(journal.nonces())) == 10


def test_a_file_that_another_emulator_uses_is_refused(path: Path, wall: Wall) -> None:
    _, client = begin(path, wall)

    assert "another emulator is using it" in refused("--state", str(path))
    client.create_firmware()
    assert len(state(begin(after_a_kill(path), wall)[1])["firmwares"]) == 1


def test_every_operation_that_changes_something_is_written() -> None:
    reads = {name for name in ACTIONS if name.startswith(("Query", "List", "BatchGet"))}

    assert set(ACTIONS) - reads == CHANGING


def test_the_file_is_its_owner_s_alone_and_holds_no_key(path: Path, wall: Wall) -> None:
    _, client = begin(path, wall)
    a_busy_day(client, wall)

    assert path.stat().st_mode & 0o077 == 0
    content = b"".join(part.read_bytes() for part in path.parent.iterdir())
    assert client.secret.encode() not in content


def ready(*arguments: str) -> tuple[subprocess.Popen[str], PlainClient]:
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    announcement = json.loads(process.stdout.readline())
    return process, PlainClient(over_socket(announcement["url"]))


def test_a_killed_process_loses_nothing_that_it_answered(path: Path) -> None:
    process, client = ready("--state", str(path), "--speed", "100")
    firmware_id = client.create_firmware()
    job = client.verify(firmware_id, "device-001", "device-002")
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)

    process, client = ready("--state", str(path), "--speed", "100")
    client.advance(120)
    found = client.tasks(job), client.firmware_status(firmware_id)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)

    assert {name: task["taskStatus"] for name, task in found[0].items()} == {
        "device-001": "SUCCEEDED",
        "device-002": "SUCCEEDED",
    }
    assert (found[1], process.returncode) == (1, 0)


def refused(*arguments: str) -> str:
    ended = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    return ended.stderr


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_file_that_is_something_else_is_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    assert "Choose another file" in refused("--state", str(path))
    assert path.read_bytes() == content


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert "No such file" in refused("--state", str(tmp_path / "missing" / "state"))


def test_another_program_s_database_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE mine (value)")
    other.close()
    content = path.read_bytes()

    assert "another program's" in refused("--state", str(path))
    assert path.read_bytes() == content


def test_a_damaged_file_is_left_alone(path: Path, wall: Wall) -> None:
    emulator, client = begin(path, wall)
    client.create_firmware("1.1.0", b"x" * 100_000)
    emulator.recorder.close()  # type: ignore[union-attr] # it has one
    content = bytearray(path.read_bytes())
    content[4096 : len(content) // 2] = b"\x5a" * (len(content) // 2 - 4096)
    path.write_bytes(content)

    assert "Choose another file" in refused("--state", str(path))
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "content",
    [{}, {"action": "NoSuchAction", "values": {}, "origin": ""}, {"action": "DeleteOTAFirmware"}, [], "not JSON"],
)
def test_a_file_with_what_cannot_have_happened_is_refused(path: Path, wall: Wall, content: Any) -> None:
    begin(path, wall)[0].recorder.close()  # type: ignore[union-attr] # it has one
    with sqlite3.connect(path) as file:
        text = content if isinstance(content, str) else json.dumps(content)
        statement = "INSERT INTO change (world, gateway, kind, arguments) VALUES (?, ?, 'call', ?)"
        file.execute(statement, (wall(), wall(), text))
    file.close()

    assert "cannot be restored" in refused("--state", str(path))


def test_a_file_of_another_version_is_not_guessed_at(path: Path, wall: Wall) -> None:
    emulator, _ = begin(path, wall)
    emulator.recorder.close()  # type: ignore[union-attr] # it has one
    with sqlite3.connect(path) as file:
        file.execute(f"PRAGMA user_version = {FORM + 1}")
    file.close()

    assert f"version {FORM + 1}" in refused("--state", str(path))


def test_another_scenario_than_the_one_that_was_begun_with_is_refused(path: Path, tmp_path: Path, wall: Wall) -> None:
    begin(path, wall)[0].recorder.close()  # type: ignore[union-attr] # it has one
    other = tmp_path / "other.toml"
    other.write_text("seed = 99\n")

    assert "begun with another scenario" in refused("--state", str(path), "--scenario", str(other))
