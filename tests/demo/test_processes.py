from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.demo.emulator_process import EmulatorProcess
from airflow_provider_tuya_ota.demo.processes import ChildProcess, DemoError, free_ports, is_free
from tests.emulator.plain_client import PlainClient, over_socket

if TYPE_CHECKING:
    from pathlib import Path

STOPS_ON_SIGINT = """
import signal
try:
    print("ready", flush=True)
    signal.pause()
except KeyboardInterrupt:
    raise SystemExit(7)
"""
IGNORES_SIGINT = """
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("ready", flush=True)
signal.pause()
"""
LEAVES_A_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.signal(2, signal.SIG_IGN); signal.pause()"])
print(child.pid, flush=True)
"""


def start(program: str, stop_seconds: float = 20.0) -> tuple[ChildProcess, str]:
    child = ChildProcess([sys.executable, "-c", program], os.environ, subprocess.PIPE, stop_seconds)
    assert child.process.stdout
    return child, child.process.stdout.readline().strip()


def is_gone(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123 - the kernel's file
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_process_is_asked_to_stop_with_sigint() -> None:
    child, _ = start(STOPS_ON_SIGINT)

    assert child.is_running
    child.stop()

    assert child.process.returncode == 7


def test_a_process_stops_even_if_its_parent_ignores_sigint_as_background_jobs_do() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child, _ = start(STOPS_ON_SIGINT)
        child.stop()
    finally:
        signal.signal(signal.SIGINT, before)

    assert child.process.returncode == 7


def test_a_process_that_does_not_stop_is_killed() -> None:
    child, _ = start(IGNORES_SIGINT, stop_seconds=0.1)

    child.stop()

    assert child.process.returncode == -signal.SIGKILL


def test_a_grandchild_that_was_left_behind_is_killed() -> None:
    child, orphan = start(LEAVES_A_CHILD)
    child.process.wait(20)

    child.stop()

    for _ in range(200):
        if is_gone(int(orphan)):
            break
        threading.Event().wait(0.02)  # the kernel ends a killed process in its own time
    assert is_gone(int(orphan))


def test_an_interrupt_while_waiting_still_ends_the_process() -> None:
    child, _ = start(IGNORES_SIGINT)
    wait = child.process.wait

    def interrupted(timeout: float | None = None) -> int:
        if timeout is not None:
            raise KeyboardInterrupt
        return wait()

    child.process.wait = interrupted  # type: ignore[method-assign] # a second Ctrl-C at the worst moment
    with pytest.raises(KeyboardInterrupt):
        child.stop()

    assert child.process.returncode == -signal.SIGKILL


def test_stopping_twice_is_harmless() -> None:
    child, _ = start(STOPS_ON_SIGINT)

    child.stop()
    child.stop()

    assert not child.is_running


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(5)

    assert len(set(ports)) == 5
    assert all(is_free(port) for port in ports)


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not is_free(listener.getsockname()[1])


def test_the_emulator_announces_itself_and_is_stopped(tmp_path: Path) -> None:
    with EmulatorProcess(tmp_path, speed=10, access_key="some-id:some-secret", failing=("device-002",)) as emulator:
        announced = emulator.announcement
        assert emulator.is_running
        assert announced.access_key_secret == "some-secret"
        assert announced.product_keys == ("k1demoproduct",)
        assert announced.url.startswith("http://127.0.0.1:")
        assert "some-" not in repr(announced)

    assert not emulator.is_running


def test_an_emulator_that_is_started_again_on_its_state_has_its_jobs_and_gives_no_id_twice(tmp_path: Path) -> None:
    jobs: list[str] = []
    for version in ("1.1.0", "1.2.0"):
        with EmulatorProcess(tmp_path, speed=1, state=tmp_path / "state") as emulator:
            plain_client = PlainClient(over_socket(emulator.announcement.url))
            assert [job["JobId"] for job in plain_client.control("GET", "state")["jobs"]] == jobs
            jobs.append(plain_client.verify(plain_client.create_firmware(version, version.encode()), "device-001"))

    assert len(set(jobs)) == 2


def test_an_emulator_listens_where_it_should(tmp_path: Path) -> None:
    (port,) = free_ports(1)

    with EmulatorProcess(tmp_path, speed=1, port=port) as emulator:
        assert emulator.announcement.url == f"http://127.0.0.1:{port}"


def test_an_emulator_that_does_not_start_is_one_clear_sentence_below_its_own_message(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DemoError, match="did not start"):
        EmulatorProcess(tmp_path, speed=-1)

    assert "allowed: above 0" in capfd.readouterr().err
