from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.demo import airflow_process
from airflow_provider_tuya_ota.demo.airflow_process import AirflowProcess, dags_folder, environment
from airflow_provider_tuya_ota.demo.command import add_up_arguments, run_up
from airflow_provider_tuya_ota.demo.processes import ChildProcess, DemoError, free_ports, loopback_session

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]


@pytest.fixture
def idle_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start a process in Airflow's place that does nothing until it is stopped."""

    def idle(_: Sequence[str], environment: Mapping[str, str], log: int, stop_seconds: float) -> ChildProcess:
        return ChildProcess(["sleep", "60"], environment, log, stop_seconds)

    monkeypatch.setattr(airflow_process, "ChildProcess", idle)


def test_a_checkout_brings_its_own_sample_dags() -> None:
    assert dags_folder() == ROOT / "dags_examples"


@pytest.mark.parametrize("folder", ["package/example_dags", "dags_examples"])
def test_sample_dags_are_found_in_a_wheel_and_beside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "release_firmware.py").touch()
    monkeypatch.setattr(airflow_process, "__file__", str(tmp_path / "package/demo/airflow_process.py"))

    assert dags_folder() == tmp_path / folder


def test_an_installation_without_sample_dags_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(airflow_process, "__file__", str(tmp_path / "package/demo/airflow_process.py"))

    with pytest.raises(DemoError, match="sample Dags are missing"):
        dags_folder()


def test_airflow_listens_on_loopback_only_because_everybody_is_an_administrator(tmp_path: Path) -> None:
    settings = environment(tmp_path, 8080)

    assert settings["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS"] == "True"
    assert settings["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert settings["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8080/execution/"


def test_settings_of_another_airflow_are_not_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://production")
    monkeypatch.setenv("AIRFLOW_CONN_TUYA_OTA_DEFAULT", "{}")
    monkeypatch.setenv("AIRFLOW_HOME", "/production")

    settings = environment(tmp_path, 8080)

    assert settings["AIRFLOW_HOME"] == str(tmp_path)
    assert "production" not in " ".join(settings.values())
    assert "AIRFLOW_CONN_TUYA_OTA_DEFAULT" not in settings


def test_a_proxy_of_the_environment_is_not_asked_for_loopback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "")

    settings = environment(tmp_path, 8080)

    assert settings["NO_PROXY"] == settings["no_proxy"] == "127.0.0.1,localhost"
    with loopback_session() as session:
        assert session.merge_environment_settings("http://127.0.0.1", {}, None, None, None)["proxies"] == {}


def test_an_airflow_that_ends_while_it_starts_is_one_sentence_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Sequence[str], environment: Mapping[str, str], log: int, stop_seconds: float) -> ChildProcess:
        child = ChildProcess(["false"], environment, log, stop_seconds)
        child.process.wait(20)
        return child

    monkeypatch.setattr(airflow_process, "ChildProcess", fail)

    with (
        AirflowProcess(tmp_path, free_ports(1)[0]) as airflow,
        pytest.raises(DemoError, match=r"ended while it was starting; its log is .*standalone\.log"),
    ):
        airflow.wait_until_healthy()


@pytest.mark.usefixtures("idle_airflow")
def test_an_airflow_that_does_not_get_ready_names_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow_process, "START_SECONDS", 0.1)

    with (
        AirflowProcess(tmp_path, free_ports(1)[0]) as airflow,
        pytest.raises(DemoError, match="the API server is missing"),
    ):
        airflow.wait_until_healthy()
    assert not airflow.is_running


@pytest.mark.usefixtures("idle_airflow")
def test_a_folder_that_is_in_use_is_found_out_before_anything_is_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    add_up_arguments(parser)
    with AirflowProcess(tmp_path, 8080):
        assert run_up(parser.parse_args(["--home", str(tmp_path)])) == 1

    assert capsys.readouterr().err.startswith(f"tuya-ota: Another Airflow runs in {tmp_path}")
    assert not (tmp_path / "emulator.state").exists()


@pytest.mark.usefixtures("idle_airflow")
def test_one_folder_serves_one_airflow_at_a_time(tmp_path: Path) -> None:
    with AirflowProcess(tmp_path, 8080), pytest.raises(DemoError, match="Another Airflow runs in"):
        AirflowProcess(tmp_path, 8081)
    with AirflowProcess(tmp_path, 8080) as again:
        assert again.is_running
