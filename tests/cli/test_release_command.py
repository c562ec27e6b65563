from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.cli import airflow_login, airflow_rest, main
from airflow_provider_tuya_ota.rollout.control import steer
from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId
from tests.cli.fake_airflow import PASSWORD, TOKEN, FakeAirflow
from tests.rollout.control.notes import RELEASE, begun, reason, stored, stored_halt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Capture = pytest.CaptureFixture[str]
NAMED = (RELEASE.dag_id, RELEASE.run_id)
WHY = ("--why", "odd noises")


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAirflow]:
    monkeypatch.setattr(steer, "SETTLED", 0.0)
    monkeypatch.setattr(airflow_rest, "PAUSES", (0.0, 0.0))
    for name in ("URL", "USER", "PASSWORD", "TOKEN"):
        monkeypatch.delenv(f"TUYA_OTA_AIRFLOW_{name}", raising=False)
    with FakeAirflow() as airflow:
        airflow.notes[RELEASE.note_key] = stored(begun())
        monkeypatch.setenv(airflow_login.URL_VARIABLE, airflow.url)
        monkeypatch.setenv(airflow_login.TOKEN_VARIABLE, TOKEN)
        yield airflow


def release(verb: str, *arguments: str, named: tuple[str, ...] = NAMED) -> int:
    return main(["release", verb, *named, *arguments])


def test_the_whole_life_of_a_note(airflow: FakeAirflow, capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "devices.txt").write_text("b\n\n c \n")
    assert release("hold", *WHY) == 0
    assert release("exclude", *WHY, "--device", "a", "--devices-file", str(tmp_path / "devices.txt")) == 0
    assert release("resume", "--why", "it was the fan", "--who", "Bob") == 0
    assert release("advance", "--why", "the lab is done", "--wave", "2") == 0
    capsys.readouterr()
    assert release("status", "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["state"], printed["who"], printed["why"]) == ("run", "Bob (as ann)", "it was the fan")
    assert (printed["excluded"], printed["advance"]["wave"], printed["seq"]) == (["a", "b", "c"], 2, 5)
    assert [change["verb"] for change in printed["changes"]] == ["begin", "hold", "exclude", "resume", "advance"]
    assert printed["changes"][2]["devices"] == ["a", "b", "c"]

    assert release("halt", "--why", "smoke") == 0
    assert release("resume", *WHY) == 1
    answer = capsys.readouterr()
    assert " halt by ann since " in answer.out
    assert answer.err.startswith("tuya-ota: The release was halted by ann (smoke) and takes no resume.")
    assert set(airflow.notes) == {RELEASE.note_key, RELEASE.halt_key}


def test_status_is_readable(airflow: FakeAirflow, capsys: Capture) -> None:
    note = begun().exclude(["a", "b"], reason("bob", "in a museum", 1)).advance_wave(2, reason("cy", "go", 2))
    airflow.notes[RELEASE.note_key] = stored(note)
    assert release("status") == 0
    assert capsys.readouterr().out.splitlines() == [
        "thermostat / manual__2026-11-30T09:00:00+00:00: run by the release since 2026-11-30 09:00:00 UTC: it begins",
        "Wave 2 is to go on at once: cy, 2026-11-30 09:02:00 UTC",
        "Excluded devices: 2: a, b",
        "Changes:",
        "     1  2026-11-30 09:00:00 UTC  begin by the release: it begins",
        "     2  2026-11-30 09:01:00 UTC  exclude 2 devices by bob: in a museum",
        "     3  2026-11-30 09:02:00 UTC  advance wave 2 by cy: go",
    ]


def test_what_is_so_already_is_said(airflow: FakeAirflow, capsys: Capture) -> None:
    airflow.notes[RELEASE.halt_key] = stored_halt()
    assert release("halt", *WHY) == 0
    assert capsys.readouterr().out.startswith("Nothing was changed: it was so already.\nthermostat / ")


def test_a_run_that_does_not_exist_is_refused(airflow: FakeAirflow, capsys: Capture) -> None:
    assert release("halt", *WHY, named=("thermostat", "manual__1")) == 2
    assert "Nothing was stored: the Dag thermostat has no run manual__1." in capsys.readouterr().err
    assert set(airflow.notes) == {RELEASE.note_key}


def test_the_groups_of_a_run_are_named(airflow: FakeAirflow, capsys: Capture) -> None:
    airflow.notes = {f"release/a/{number:03}": {} for number in range(150)}
    for group in ("valves", "pumps"):
        own = ReleaseId(dag_id=RELEASE.dag_id, run_id=RELEASE.run_id, group=group)
        airflow.notes[own.note_key] = stored(begun(), own)
    assert release("halt", *WHY) == 2
    assert "Give one of --group pumps, --group valves." in capsys.readouterr().err
    assert release("halt", *WHY, "--group", "pumps") == 0
    assert f"halt/{RELEASE.dag_id}/{RELEASE.run_id}/pumps" in airflow.notes


def test_a_halt_before_the_release_begins_is_stored(airflow: FakeAirflow, capsys: Capture) -> None:
    del airflow.notes[RELEASE.note_key]
    assert release("hold", *WHY) == 1
    assert release("halt", *WHY) == 0
    assert "The control note is missing" in capsys.readouterr().out


def test_a_note_that_cannot_be_read_is_replaced_on_request(airflow: FakeAirflow, capsys: Capture) -> None:
    airflow.notes[RELEASE.note_key] = ["garbage"]
    assert release("resume", *WHY) == 1
    assert "A hold with a new note replaces it" in capsys.readouterr().err
    assert release("hold", *WHY, "--new-note") == 0
    assert release("resume", *WHY) == 0
    assert airflow.notes[RELEASE.note_key]["state"] == "run"


def test_a_passing_failure_is_repeated_and_a_lasting_one_says_what_to_do(
    airflow: FakeAirflow, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = iter([(503, b"<html>busy</html>")] * 2)
    airflow.spoils = lambda method, _: next(busy, None) if method == "PUT" else None
    assert release("hold", *WHY) == 0
    assert airflow.notes[RELEASE.note_key]["state"] == "hold"
    airflow.spoils = lambda _method, _path: (503, b"")
    assert release("hold", *WHY) == 1
    assert "HTTP 503" in capsys.readouterr().err
    monkeypatch.setenv(airflow_login.URL_VARIABLE, "http://127.0.0.1:9")
    assert release("halt", *WHY) == 1
    said = capsys.readouterr().err
    assert said.startswith("tuya-ota: Airflow's API did not answer at http://127.0.0.1:9; nothing is known to be")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((307, b""), "sends to https://login.example/sso: give the address of Airflow itself."),
        ((200, b"<html>"), "does not answer as Airflow does"),
        ((200, b"[" * 100_000), "does not answer as Airflow does"),
        ((422, b'{"detail": [{"msg": "too large", "input": "secret-input"}]}'), "HTTP 422, too large"),
        ((418, b"short"), "HTTP 418, "),
    ],
)
def test_another_answer_is_explained(
    airflow: FakeAirflow, capsys: Capture, answer: tuple[int, bytes], said: str
) -> None:
    airflow.spoils = lambda _method, path: answer if "state-store" in path else None
    assert release("status") == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert "secret" not in printed


def test_rights_and_tokens_are_explained(
    airflow: FakeAirflow, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow.may_write = False
    assert release("hold", *WHY) == 2
    assert "does not let this user write the control note: that takes the right to PUT" in capsys.readouterr().err
    monkeypatch.setenv(airflow_login.TOKEN_VARIABLE, "an-old-token")
    assert release("hold", *WHY) == 2
    said = capsys.readouterr().err
    assert "Airflow does not accept the token" in said
    assert "an-old-token" not in said


def test_an_airflow_without_the_asset_is_explained(airflow: FakeAirflow, capsys: Capture) -> None:
    airflow.assets = ["ota-control-2"]
    assert release("status") == 2
    assert "This Airflow has no asset ota-control: no Dag names it" in capsys.readouterr().err


def test_a_user_logs_in_with_a_password(airflow: FakeAirflow, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(airflow_login.TOKEN_VARIABLE)
    monkeypatch.setenv(airflow_login.PASSWORD_VARIABLE, PASSWORD)
    assert release("status", "--user", "ann") == 0
    monkeypatch.setenv(airflow_login.USER_VARIABLE, "ann")
    assert release("status") == 0
    capsys.readouterr()
    monkeypatch.setenv(airflow_login.PASSWORD_VARIABLE, "a-wrong-password")
    assert release("status") == 2
    said = capsys.readouterr().err
    assert "Airflow does not accept the password of ann (HTTP 401" in said
    assert "a-wrong-password" not in said
    assert release("status", "--airflow-url", f"{airflow.url}/nowhere") == 2
    assert "Airflow gives no token (HTTP 404 from" in capsys.readouterr().err
    monkeypatch.delenv(airflow_login.PASSWORD_VARIABLE)
    assert release("status") == 2
    assert "No password for ann: set TUYA_OTA_AIRFLOW_PASSWORD" in capsys.readouterr().err


def test_an_airflow_that_lets_everybody_in_needs_no_secret(
    airflow: FakeAirflow, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(airflow_login.TOKEN_VARIABLE)
    assert release("status") == 2
    assert "Airflow asks who you are (HTTP 403" in capsys.readouterr().err
    airflow.all_admins = True
    assert release("status") == 0


def test_a_token_comes_from_a_file(
    airflow: FakeAirflow, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(airflow_login.TOKEN_VARIABLE)
    file = tmp_path / "token"
    for content, problem in ((b"", "is empty"), (b"two words", "contains no token"), (b"\xff", "cannot be read")):
        file.write_bytes(content)
        assert release("status", "--token-file", str(file)) == 2
        assert problem in capsys.readouterr().err
    file.write_text(f"{TOKEN}\n")
    assert release("status", "--token-file", str(file)) == 0


def test_netrc_does_not_replace_the_token(
    airflow: FakeAirflow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr(airflow_login, "_LOCAL", set())
    assert release("status", "--allow-http") == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("airflow.example", "is not of the form"),
        ("ftp://airflow.example", "is not of the form"),
        ("http://[", "is not of the form"),
        ("https://airflow.example/?token=secret", "is not of the form"),
        ("https://ann:secret@airflow.example", "contains a name or a password: give --user instead"),
        ("http://airflow.example", "http://airflow.example is not encrypted"),
    ],
)
def test_a_wrong_address_is_refused_before_anything_is_sent(
    airflow: FakeAirflow, capsys: Capture, url: str, said: str
) -> None:
    assert release("halt", *WHY, "--airflow-url", url) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert "secret" not in printed
    assert airflow.asked == []


def test_the_address_of_the_api_is_taken_for_that_of_the_ui(airflow: FakeAirflow) -> None:
    assert release("status", "--airflow-url", f"{airflow.url}/api/v2/") == 0


def test_nobody_changes_a_note_namelessly(airflow: FakeAirflow, capsys: Capture) -> None:
    airflow.user = None
    assert release("hold", *WHY) == 2
    assert "Airflow does not say who you are: give --who." in capsys.readouterr().err
    assert release("hold", *WHY, "--who", "Ann") == 0
    assert airflow.notes[RELEASE.note_key]["reason"]["who"] == "Ann"


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("exclude", (), "No device: give --device NAME or --devices-file FILE."),
        ("exclude", ("--devices-file", "/nowhere"), "/nowhere cannot be read (FileNotFoundError)"),
        ("exclude", ("--device", "a\nb"), "devices: 'a\\nb' is no name of a device"),
        ("advance", ("--wave", "0"), "wave: 0 is no wave"),
        ("hold", ("--why", " "), "why: ' ' says nothing"),
    ],
)
def test_wrong_arguments_store_nothing(
    airflow: FakeAirflow, capsys: Capture, verb: str, arguments: tuple[str, ...], said: str
) -> None:
    before: Any = dict(airflow.notes)
    assert release(verb, *WHY, *arguments) == 2
    assert said in capsys.readouterr().err
    assert airflow.notes == before


def test_the_reason_is_required(airflow: FakeAirflow, capsys: Capture) -> None:
    with pytest.raises(SystemExit):
        release("halt")
    assert "--why" in capsys.readouterr().err
