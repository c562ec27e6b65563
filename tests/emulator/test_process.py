from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.web.http_server import HttpServer
from tests.emulator.plain_client import PlainClient, over_socket

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "airflow_provider_tuya_ota.emulator"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_announces_itself_serves_and_stops_cleanly(number: signal.Signals, tmp_path: Path) -> None:
    scenario = tmp_path / "fleet.toml"
    scenario.write_text('[[products]]\nproduct_key = "k2"\ndevices = 3\n')
    arguments = ["--access-key", "me:secret:with:colons", "--scenario", str(scenario), "--speed", "60"]
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        client = PlainClient(over_socket(ready["url"]), ready["access_key_id"], ready["access_key_secret"])
        answered = client.ask("ListOTAFirmware", CurrentPage="1", PageSize="1")[1]["success"]
        process.send_signal(number)
        output, errors = process.communicate(timeout=20)

    assert answered is True
    assert ready["product_keys"] == ["k2"]
    assert (ready["access_key_id"], ready["access_key_secret"]) == ("me", "secret:with:colons")
    assert (process.returncode, output, errors) == (0, "", "")


def test_an_idle_connection_is_kept_for_longer_than_any_client_waits_between_two_polls() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = HttpServer(Emulator(), listener, lambda: None)

    assert server.config.timeout_keep_alive >= 60


def test_a_busy_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("--port", str(taken.getsockname()[1]))

    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert "choose another" in ended.stderr.lower()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.toml", None, "No such file"),
        ("bad.toml", "= 1", "not valid TOML"),
        ("bad.json", "{", "not valid JSON"),
        ("unknown.toml", "colour = 1", "unknown colour"),
        ("kind.toml", "products = 3", "products 3 is not a list"),
    ],
)
def test_a_bad_scenario_is_one_sentence(tmp_path: Path, name: str, content: str | None, said: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)

    ended = run("--scenario", str(path))

    assert ended.returncode == 2
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--access-key", "nocolon"], ["--speed", "0"]])
def test_bad_arguments_are_refused(arguments: list[str]) -> None:
    assert run(*arguments).returncode == 2


def test_importing_the_package_loads_no_server() -> None:
    program = "import sys, airflow_provider_tuya_ota.emulator; print({'starlette', 'uvicorn'} & set(sys.modules))"

    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "set()\n"
    )
