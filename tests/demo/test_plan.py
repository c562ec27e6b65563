from __future__ import annotations

import argparse
import socket
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.demo.command import add_demo_arguments, add_up_arguments, run_demo, run_up
from airflow_provider_tuya_ota.demo.image import SIZE, write_image
from airflow_provider_tuya_ota.demo.plan import ArgumentError, ReleasePlan
from airflow_provider_tuya_ota.emulator.scenario import ProductPlan

if TYPE_CHECKING:
    from pathlib import Path


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_demo_arguments(parser)
    return parser.parse_args(arguments)


def test_without_arguments_a_generated_image_goes_to_three_devices() -> None:
    plan = ReleasePlan.from_arguments(parse())

    assert plan == ReleasePlan("1.1.0", ("device-001", "device-002", "device-003"), (), None)


def test_devices_are_separated_by_commas_and_blanks_are_dropped() -> None:
    plan = ReleasePlan.from_arguments(parse("--devices", " device-007, device-009,", "--fail", "device-009"))

    assert plan.devices == ("device-007", "device-009")
    assert plan.failing == ("device-009",)


def test_a_relative_firmware_path_is_made_absolute_because_the_worker_has_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "image.bin").write_bytes(b"firmware")
    monkeypatch.chdir(tmp_path)

    assert ReleasePlan.from_arguments(parse("--firmware", "image.bin")).firmware == tmp_path / "image.bin"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--version", "1 1"], "--version '1 1'"),
        (["--version", "../../etc/x"], "--version '../../etc/x'"),
        (["--version", "1.1\n"], "--version '1.1\\n'"),
        (["--version", ""], "--version ''"),
        (["--version", "1" * 65], "1 to 64"),
        (["--version", ProductPlan().version], "the devices already run it"),
        (["--devices", " ,"], "--devices names no device"),
        (["--devices", "device-001,device-001"], "device-001 more than once"),
        (["--fail", "device-009"], "--fail device-009: not one of the devices device-001"),
        (["--firmware", "nowhere.bin"], "--firmware nowhere.bin: there is no such file"),
    ],
)
def test_an_unusable_argument_is_named_before_anything_is_started(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    parsed = parse(*arguments)

    with pytest.raises(ArgumentError) as refused:
        ReleasePlan.from_arguments(parsed)

    assert said in str(refused.value)
    assert run_demo(parsed) == 2
    assert capsys.readouterr().err == f"tuya-ota demo: {refused.value}\n"
    assert list(tmp_path.iterdir()) == []


def test_the_image_of_a_version_is_always_the_same_and_of_another_version_another(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()

    first, again, other = (
        write_image(tmp_path, "1.0"),
        write_image(tmp_path / "again", "1.0"),
        write_image(tmp_path, "2"),
    )

    assert len(first.read_bytes()) == SIZE
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_that_is_none_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_up_arguments(parser)

    with pytest.raises(SystemExit):
        parser.parse_args(["--port", port])

    assert "argument --port" in capsys.readouterr().err


def test_a_port_that_is_in_use_is_named_before_anything_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    add_up_arguments(parser)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        assert run_up(parser.parse_args(["--port", str(port), "--home", str(tmp_path)])) == 1

    assert capsys.readouterr().err == (
        f"tuya-ota: Port {port} is in use; choose another with --port, or leave it out for a free one.\n"
    )
