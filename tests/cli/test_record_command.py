from __future__ import annotations

import errno
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from airflow_provider_tuya_ota.cli import main
from airflow_provider_tuya_ota.rollout.record.begin import ReleaseBegun
from airflow_provider_tuya_ota.rollout.record.finish import ReleaseEnded
from airflow_provider_tuya_ota.rollout.record.signing_key import SigningKey
from tests.rollout.record.forgery import changed
from tests.rollout.record.story import good, halted

Capture = pytest.CaptureFixture[str]
GOOD, HALTED = good(200), halted(200)
KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "unsigned").write_bytes(GOOD.seal(None))
    (tmp_path / "signed").write_bytes(GOOD.seal(SigningKey(KEY)))
    (tmp_path / "halted").write_bytes(HALTED.seal(None))
    (tmp_path / "open").write_bytes(GOOD.to_bytes())
    (tmp_path / "bad").write_bytes(changed(GOOD, ReleaseEnded, planned=7))
    (tmp_path / "cut").write_bytes(GOOD.seal(None)[:-20])
    (tmp_path / "key.pem").write_bytes(public(KEY))
    (tmp_path / "other.pem").write_bytes(public(OTHER))
    (tmp_path / "private.pem").write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return tmp_path


def verify(files: Path, name: str, key: str = "") -> int:
    return main(["record", "verify", str(files / name), *(["--key", str(files / key)] if key else [])])


def test_a_good_record_ends_with_0_and_says_that_it_is_unsigned(files: Path, capsys: Capture) -> None:
    assert verify(files, "unsigned") == 0

    printed = capsys.readouterr().out
    assert f"digest {GOOD.head}" in printed
    assert f"{len(GOOD.entries)} entries, " in printed
    assert "Signature: unsigned: anybody can have written it\n" in printed
    assert printed.endswith("Nothing is wrong.\n")


def test_a_signed_record_names_its_key(files: Path, capsys: Capture) -> None:
    assert verify(files, "signed", "key.pem") == 0
    assert f"Signature: signed by the given key; key {SigningKey(KEY).key_id}\n" in capsys.readouterr().out
    assert verify(files, "signed") == 0
    assert "signed, and no key was given: compare the id of the key" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "key", "problem"),
    [
        ("unsigned", "key.pem", "unsigned: it is not signed, and was to be verified with a key"),
        ("signed", "other.pem", "signed by another key: key "),
        ("open", "", "not closed: it has no seal: it is still open, or was cut"),
        ("bad", "", "wrong counts (entry 27): planned devices: it says 7; the plan says 200"),
    ],
)
def test_a_bad_record_ends_with_1_and_says_why(files: Path, name: str, key: str, problem: str, capsys: Capture) -> None:
    assert verify(files, name, key) == 1

    printed = capsys.readouterr().out
    assert problem in printed
    assert "Wrong: 1 (" in printed


@pytest.mark.parametrize(
    ("name", "key", "problem"),
    [
        ("cut", "", "release record: it is empty, or ends in the middle of a line."),
        ("absent", "", "absent cannot be read (No such file or directory)."),
        ("", "", "cannot be read (Is a directory)."),
        ("\0", "", "cannot be read (ValueError)."),
        ("signed", "absent", "absent cannot be read (No such file or directory)."),
        ("signed", "signed", "the key to verify with has none of the known forms"),
        ("signed", "private.pem", "the key to verify with is a private key"),
    ],
)
def test_what_cannot_be_read_ends_with_2(files: Path, name: str, key: str, problem: str, capsys: Capture) -> None:
    assert verify(files, name, key) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert problem in printed.err
    assert b64encode(bytes([1]) * 32).decode() not in printed.err


def test_an_empty_name_of_a_key_is_no_missing_key(files: Path, capsys: Capture) -> None:
    assert main(["record", "verify", str(files / "signed"), "--key", ""]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_the_table_has_a_row_for_each_entry_and_the_names_of_liars(
    files: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["record", "show", str(files / "unsigned")]) == 0

    printed = capsys.readouterr().out
    assert printed.count(" evidence ") == sum(entry.kind == "evidence" for entry in GOOD.entries)
    assert "to entry 15: approved by grace: looks good" in " ".join(printed.split())
    assert "Reported success, and run another version (4):" in printed
    assert printed.count(": 1.0.0\n") == 4
    assert printed.endswith("Signature: unsigned: anybody can have written it\nNothing is wrong.\n")


def test_the_table_says_that_something_is_wrong(files: Path, capsys: Capture) -> None:
    assert main(["record", "show", str(files / "bad")]) == 0
    assert "Wrong: 1 (tuya-ota record verify lists it)." in capsys.readouterr().out


def test_the_picture_is_written_where_it_is_asked_for(files: Path, capsys: Capture) -> None:
    picture = files / "halted.svg"

    assert main(["record", "show", str(files / "halted"), "--svg", str(picture)]) == 0
    assert picture.read_text(encoding="utf-8").startswith("<svg ")
    assert "Reported success" not in capsys.readouterr().out
    assert main(["record", "show", str(files / "halted"), "--svg", str(files)]) == 2
    assert "cannot be written (Is a directory)." in capsys.readouterr().err


@pytest.mark.parametrize("how", ["itself", "symlink", "hardlink", "path"])
def test_the_picture_never_takes_the_place_of_the_record(files: Path, how: str, capsys: Capture) -> None:
    record, picture = files / "halted", files / "picture.svg"
    if how == "symlink":
        picture.symlink_to(record)
    elif how == "hardlink":
        picture.hardlink_to(record)
    else:
        picture = record if how == "itself" else files / "." / "halted"

    assert main(["record", "show", str(record), "--svg", str(picture)]) == 2
    assert "is the record itself; give another file" in capsys.readouterr().err
    assert record.read_bytes() == HALTED.seal(None)


def test_a_picture_that_cannot_be_written_leaves_the_one_before(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    picture = files / "picture.svg"
    picture.write_text("the one before", encoding="utf-8")

    def full(self: Path, *_: object, **__: object) -> None:
        self.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    assert main(["record", "show", str(files / "halted"), "--svg", str(picture)]) == 2
    assert "cannot be written (No space left on device)." in capsys.readouterr().err
    assert picture.read_text(encoding="utf-8") == "the one before"
    assert [path.name for path in files.iterdir() if path.name.endswith(".part")] == []


def test_a_picture_may_go_into_a_pipe_or_through_a_link(files: Path) -> None:
    link, target = files / "link.svg", files / "target.svg"
    target.write_text("", encoding="utf-8")
    link.symlink_to(target)

    assert main(["record", "show", str(files / "halted"), "--svg", str(link)]) == 0
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8").startswith("<svg ")
    assert main(["record", "show", str(files / "halted"), "--svg", "/dev/null"]) == 0
    assert Path("/dev/null").is_char_device()


def test_a_name_from_outside_reaches_the_terminal_as_text(files: Path, capsys: Capture) -> None:
    hostile = changed(GOOD, ReleaseBegun, triggered_by="[red]\x1b[31mred\x1b[0m")
    (files / "hostile").write_bytes(hostile)

    assert main(["record", "show", str(files / "hostile")]) == 0
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "[red]" in printed
