from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.cli import main
from airflow_provider_tuya_ota.cli.connection import SECRET_VARIABLE
from airflow_provider_tuya_ota.core.actions import ALL_ACTIONS
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook

if TYPE_CHECKING:
    from tests.provider.conftest import Service

MODULE = ["ProductKey=k1demoproduct", "ModuleName=mcu"]
PAGE = ["CurrentPage=1", "PageSize=10"]


@pytest.fixture(autouse=True)
def airflow_has_said_what_it_says_when_it_is_first_asked_for_a_connection(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    # In its unit-test mode Airflow logs to standard output.
    TuyaOTAHook().get_settings()
    capsys.readouterr()


def flags(service: Service) -> list[str]:
    return ["--host", service.url, "--access-key-id", service.emulator.key.access_key_id]


def test_a_call_by_host_prints_the_answer(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, service.emulator.key.access_key_secret)

    assert main(["call", "ListOTAFirmware", *PAGE, *flags(service)]) == 0

    assert json.loads(capsys.readouterr().out)["total"] == 0


def test_a_call_by_connection_id_prints_the_answer(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", "ListOTAFirmware", *PAGE, "--conn-id", "tuya_ota_default"]) == 0

    assert json.loads(capsys.readouterr().out)["success"] is True


@pytest.mark.parametrize(
    "words",
    [
        ["--conn-id", "tuya_ota_default", "ListOTAFirmware", *PAGE],
        ["ListOTAFirmware", "--conn-id", "tuya_ota_default", *PAGE],
        ["ListOTAFirmware", PAGE[0], "--conn-id", "tuya_ota_default", PAGE[1]],
    ],
)
def test_parameters_and_options_may_stand_in_any_order(
    service: Service, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(["call", *words]) == 0

    assert json.loads(capsys.readouterr().out)["total"] == 0


@pytest.mark.parametrize(
    "words",
    [
        ["GenerateOTAUploadURL", "--conn-id", "tuya_ota_default"],
        ["--conn-id", "tuya_ota_default", "GenerateOTAUploadURL"],
    ],
)
def test_an_operation_that_needs_no_parameter_is_called_without_any(
    service: Service, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(["call", *words]) == 0

    assert json.loads(capsys.readouterr().out)["success"] is True


@pytest.mark.parametrize("words", [["actions", "x=1"], ["call", "QueryOTAJob", "--conn", "x", "--odd"]])
def test_what_belongs_to_no_argument_is_refused(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)

    assert ended.value.code == 2
    assert "unrecognized arguments" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["airflow_provider_tuya_ota", "airflow_provider_tuya_ota.cli"])
def test_the_command_runs_as_a_module(module: str) -> None:
    listed = subprocess.run([sys.executable, "-m", module, "actions"], capture_output=True, text=True, check=False)
    refused = subprocess.run([sys.executable, "-m", module, "call", "X"], capture_output=True, text=True, check=False)

    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.startswith(next(iter(ALL_ACTIONS)))
    assert refused.returncode == 2
    assert refused.stderr.startswith("tuya-ota: Name the service")


def test_what_is_secret_in_the_answer_is_masked(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", "GenerateOTAUploadURL", "--conn-id", "tuya_ota_default"]) == 0

    data = json.loads(capsys.readouterr().out)["data"]
    assert {data[name] for name in ("firmwareUrl", "policy", "signature", "ossAccessKeyId")} == {"***"}
    assert data["key"].startswith("ota/firmware/")


def test_a_refusal_is_one_line_and_exit_1(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", "QueryOTAJob", "JobId=1", "--conn-id", "tuya_ota_default"]) == 1

    said = capsys.readouterr().err
    assert said.startswith("tuya-ota: QueryOTAJob was refused: iot.firmware.InvalidOTAJobId")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["JobId"], "not of the form Key=value"),
        (["JobId=1", "JobId=2"], "given twice"),
        (["Action=DeleteOTAFirmware", "--host", "example.com", "--access-key-id", "a"], "Action: is what the client"),
        (["Signature=x", "--host", "example.com", "--access-key-id", "a"], "Signature: is what the client"),
        ([], "Name the service"),
        (["--host", "h", "--conn-id", "c"], "exclude each other"),
        (["--host", "http://example.com", "--access-key-id", "a"], "plain http"),
        (["--host", "example.com"], "No AccessKey ID"),
        (["--conn-id", "nowhere"], "nowhere"),
    ],
)
def test_a_wrong_call_says_what_is_wrong_and_exits_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "secret")

    assert main(["call", "QueryOTAJob", *arguments]) == 2

    assert said in capsys.readouterr().err


def test_a_secret_that_nobody_can_type_is_asked_for_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)

    assert main(["call", "QueryOTAJob", "--host", "example.com", "--access-key-id", "a"]) == 2

    assert f"set {SECRET_VARIABLE}" in capsys.readouterr().err


def test_the_operations_are_listed_with_what_they_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["actions"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(ALL_ACTIONS)
    assert all(len(line.split()) > 3 for line in lines)


NAME = "Überwachung 温度 \U0001f321 €"


def run(encoding: str, *words: str, secret: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "airflow_provider_tuya_ota", *words]
    own = {"PYTHONIOENCODING": encoding, SECRET_VARIABLE: secret}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | own, encoding=encoding, errors="strict"
    )


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_an_answer_is_printed_on_every_terminal(service: Service, encoding: str) -> None:
    assert main(["call", "CreateOTAModule", f"Desc={NAME}", *MODULE, "--conn-id", "tuya_ota_default"]) == 0

    secret = service.emulator.key.access_key_secret
    listed = run(encoding, "call", "ListOTAModuleByProduct", MODULE[0], *flags(service), secret=secret)

    assert (listed.returncode, listed.stderr) == (0, "")
    assert f"'{NAME}'" in str(json.loads(listed.stdout))
    assert (NAME in listed.stdout) is (encoding == "utf-8")


@pytest.mark.parametrize(
    "words", [["--help"], ["call", "--help"], ["emulator", "--help"], ["demo", "--help"], ["actions"]]
)
def test_help_is_printed_on_every_terminal(words: list[str]) -> None:
    said = run("ascii", *words)

    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout


@pytest.mark.parametrize("name", ["", " ", "Query OTAJob", "QueryOTAJob&Action=DeleteOTAFirmware"])
def test_an_operation_without_a_proper_name_is_not_sent(
    service: Service, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["call", name, "A=b", "--conn-id", "tuya_ota_default"]) == 2

    assert "action: " in capsys.readouterr().err
    assert service.actions == []


def test_a_reader_that_has_seen_enough_gets_no_traceback() -> None:
    program = "import sys; from airflow_provider_tuya_ota.cli import main; sys.exit(main(['actions']))"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.close()
        assert process.stderr
        said = process.stderr.read()

    assert "Traceback" not in said
    assert "BrokenPipe" not in said
