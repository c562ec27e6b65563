"""A result that cannot be printed is no verdict: the exit code says so, and there is no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from airflow_provider_tuya_ota.cli import NOT_PRINTED, main
from tests.rollout.record.story import story

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM: Final = "import sys; from airflow_provider_tuya_ota.cli import main; sys.exit(main(sys.argv[1:]))"
COMMAND: Final = f'exec "{sys.executable}" -c "{PROGRAM}"'


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("record") / "record"
    path.write_bytes(story(40).tell().seal(None))
    return path


@pytest.mark.parametrize("command", ["verify", "show"])
@pytest.mark.parametrize(
    ("output", "said"),
    [
        (">&-", "tuya-ota: there is no standard output, so the result could not be printed.\n"),
        (">/dev/full", "tuya-ota: the result could not be printed (No space left on device).\n"),
    ],
)
def test_a_result_that_cannot_be_printed_ends_with_3(record: Path, command: str, output: str, said: str) -> None:
    ended = subprocess.run(
        ["/bin/sh", "-c", f'{COMMAND} record {command} "{record}" {output}'],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (NOT_PRINTED, said)


def test_what_is_wrong_is_told_by_the_code_also_without_an_output(record: Path) -> None:
    cut = record.with_name("cut")
    cut.write_bytes(b"".join(record.read_bytes().splitlines(keepends=True)[:-1]))
    ended = [
        subprocess.run(
            ["/bin/sh", "-c", f'{COMMAND} record verify "{name}" >&-'], stderr=subprocess.PIPE, text=True, check=False
        )
        for name in (cut, record.with_name("absent"))
    ]

    assert [one.returncode for one in ended] == [1, 2]
    assert ended[0].stderr == ""


def test_a_reader_that_has_gone_ends_a_verification_with_3_and_says_nothing(record: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, "record", "verify", str(record)],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)

    assert (ended.returncode, ended.stderr) == (NOT_PRINTED, "")


@pytest.mark.parametrize("name", ["a\x1b[31mred", "a\rtuya-ota: all is well", "a\u202eb", "a\udcff"])
def test_a_hostile_name_of_a_file_is_shown_as_text(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record", "verify", name]) == 2

    said = capsys.readouterr().err
    assert said.startswith("tuya-ota: release record: a\ufffd")
    assert not set(said) & {"\x1b", "\r", "\u202e", "\udcff"}
