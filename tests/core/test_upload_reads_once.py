"""Each byte of a file is read once, whether its version exists or not."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from typing import TYPE_CHECKING, Any, BinaryIO

import pytest

from airflow_provider_tuya_ota.core.errors import (
    ConfigurationError,
    ProtocolError,
    SourceUnavailableError,
    TransportError,
    TuyaOTAError,
    UnreadableReplyError,
)
from tests.core.script import lost, ok
from tests.core.test_upload import (
    ACTION,
    EXPIRED,
    FILE,
    MD5,
    OURS,
    SHA256,
    STORED,
    ensure,
    listing,
    script_for,
    ticket,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.core.script import Answer

SOURCE_FAILS = SourceUnavailableError("'s3://b/lamp.bin'", "SlowDown")


class Reads:
    """A file that has something else each time it is opened, and counts what is read of it."""

    def __init__(self, contents: Sequence[bytes | Exception]) -> None:
        self.contents = contents
        self.opened = self.read_bytes = 0
        self.file = dataclasses.replace(FILE, open_file=self.open)

    def open(self) -> BinaryIO:
        content = self.contents[self.opened]
        self.opened += 1
        if isinstance(content, Exception):
            raise content
        return Counted(content, self)


class Counted(io.BytesIO):
    def __init__(self, content: bytes, reads: Reads) -> None:
        super().__init__(content)
        self.reads = reads

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self.reads.read_bytes += len(piece)
        return piece


@pytest.mark.parametrize(
    ("asked", "signed", "digests"),
    [
        ("SHA256", {"SignMethod": "SHA256", "FirmwareSign": SHA256}, {"SHA256": SHA256}),
        ("MD5", {"SignMethod": "MD5", "FirmwareSign": MD5}, {"MD5": MD5, "SHA256": SHA256}),
        (None, {"SignMethod": "SHA256", "FirmwareSign": SHA256}, {"SHA256": SHA256}),
    ],
)
def test_a_new_firmware_has_the_size_and_digest_of_what_was_sent_and_its_file_is_read_once(
    asked: str | None, signed: dict[str, str], digests: dict[str, str]
) -> None:
    script = script_for(lists=listing(), tickets=ticket(), create=ok(data={"firmwareId": "178"}))
    file = Reads([b"lamp"])

    result = ensure(script, dataclasses.replace(ACTION, sign_method=asked), file.file)

    assert script.sent[3].parameters.items() >= (signed | {"FirmwareSize": "4"}).items()
    assert result.digests == digests
    assert (file.opened, file.read_bytes, script.digested) == (1, 4, [])


@pytest.mark.parametrize(
    ("theirs", "digested"),
    [
        ([OURS], ("SHA256",)),
        ([OURS | {"signMethod": "MD5", "firmwareSign": MD5}], ("MD5", "SHA256")),
        ([OURS | {"firmwareSign": "ef" * 32}, OURS | {"signMethod": "MD5", "firmwareSign": MD5}], ("MD5", "SHA256")),
        ([OURS | {"firmwareSign": "ef" * 32, "signMethod": "SHA512"}, OURS], ("SHA256",)),
    ],
)
def test_a_file_whose_version_exists_is_read_once_for_the_digests_that_its_firmwares_carry(
    theirs: list[dict[str, Any]], digested: tuple[str, ...]
) -> None:
    script, file = script_for(lists=listing(*theirs)), Reads([b"lamp"])

    result = ensure(script, file=file.file)

    assert (script.digested, file.opened, file.read_bytes) == ([digested], 1, 4)
    assert result.digests == {name: {"MD5": MD5, "SHA256": SHA256}[name] for name in digested}
    assert any("Reading lamp.bin, 4 bytes" in line for line in script.lines)


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_a_file_that_cannot_be_read_for_a_moment_is_read_again_twice(failures: int) -> None:
    script, file = script_for(lists=listing(OURS)), Reads([SOURCE_FAILS] * failures + [b"lamp"])

    if failures == 3:
        with pytest.raises(SourceUnavailableError):
            ensure(script, file=file.file)
    else:
        assert ensure(script, file=file.file).firmware_id == "178"

    assert script.sleeps == [0.5, 1.0][:failures]
    assert [note.split(" in ")[0].split(". ")[1] for note in script.warnings] == ["Reading again"] * min(failures, 2)


@pytest.mark.parametrize("content", [b"lam", b"lamps"])
def test_a_file_that_changes_while_it_is_compared_is_refused(content: bytes) -> None:
    script = script_for(lists=listing(OURS))

    with pytest.raises(ConfigurationError, match=r"lamp\.bin changed while it was being read: it has (more|fewer)"):
        ensure(script, file=Reads([content]).file)


def test_a_repeated_upload_creates_from_what_the_last_try_sent() -> None:
    script = script_for(
        lists=listing(),
        tickets=[ticket(1), ticket(2)],
        uploads=[EXPIRED, STORED],
        create=ok(data={"firmwareId": "1"}),
    )

    result = ensure(script, file=Reads([b"lamp", b"LAMP"]).file)

    assert result.digests == {"SHA256": hashlib.sha256(b"LAMP").hexdigest()}
    assert script.sent[-1].parameters["FirmwareSign"] == result.digests["SHA256"]


def test_an_answer_of_storage_that_came_before_the_end_of_the_file_stores_nothing() -> None:
    script = script_for(lists=listing(), tickets=ticket(), uploads=STORED)
    script.takes_files = False

    with pytest.raises(UnreadableReplyError, match=r"came before all of it was sent.* No firmware was created"):
        ensure(script)
    assert script.actions == ["ListOTAFirmware", *["GenerateOTAUploadURL", "POST"] * 3]


@pytest.mark.parametrize("method", ["SHA256", "MD5"])
def test_in_doubt_only_a_digest_that_was_not_taken_costs_another_read(method: str) -> None:
    theirs = OURS | {"signMethod": method, "firmwareSign": {"MD5": MD5, "SHA256": SHA256}[method]}
    script = script_for(lists=[listing(), listing(theirs)], tickets=ticket(), create=lost())
    file = Reads([b"lamp"] * 2)

    result = ensure(script, file=file.file)

    assert script.digested == ([] if method == "SHA256" else [("MD5",)])
    assert file.opened == 1 + len(script.digested)
    assert result.digests["SHA256"] == SHA256


@pytest.mark.parametrize("then", [[b"lamps"], [SOURCE_FAILS] * 3])
@pytest.mark.parametrize(("doubt", "kind"), [(lost(), TransportError), (ok(data={}), ProtocolError)])
def test_in_doubt_a_firmware_that_cannot_be_compared_leaves_the_doubt(
    doubt: Answer, kind: type[TuyaOTAError], then: list[bytes | Exception]
) -> None:
    theirs = OURS | {"signMethod": "MD5", "firmwareSign": MD5}
    script = script_for(lists=[listing(), listing(theirs)], tickets=ticket(), create=doubt)

    with pytest.raises(kind) as caught:
        ensure(script, file=Reads([b"lamp", *then]).file)

    assert not isinstance(caught.value, SourceUnavailableError)
