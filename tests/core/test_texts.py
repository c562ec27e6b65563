from __future__ import annotations

import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.errors import ProtocolError
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.texts import LONGEST_NAME, LONGEST_TEXT, cut, encodable
from airflow_provider_tuya_ota.core.wire.record import LONGEST_EXACT, Record
from airflow_provider_tuya_ota.core.wire.redaction import excerpt, safe_name, safe_text

HOSTILE = {
    "a lone surrogate": "\ud800",
    "NUL": "a\x00b",
    "an escape sequence": "\x1b[31mred\x1b[0m",
    "C1": "\x9b2J",
    "writing from right to left": "abc\u202etxt.exe",
    "no width": "lamp\u200b-1",
    "a line": "done\n[2026-03-01] INFO - all devices were upgraded",
    "other line ends": "a\r\nb\x0bc\x0cd\x1ce\x85f\u2028g\u2029h",
}
PRESIGNED = "https://bucket.oss.example.com/ota/k.bin?Expires=1&OSSAccessKeyId=canary&Signature=canary"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_every_text_is_one_line_that_can_be_shown_and_encoded(text: str) -> None:
    for shown in (
        safe_text(text),
        safe_name(text),
        Record({"v": text}).text("V"),
        excerpt(text.encode("utf-8", "replace")),
    ):
        assert shown.isprintable()
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(shown)) == shown


@given(st.text(st.characters(codec=None)))
def test_any_text_can_be_encoded_and_keeps_what_can_be_shown(text: str) -> None:
    encodable(text).encode()
    assert safe_text(text).isprintable()
    if text.isprintable():
        assert encodable(text) == text


def test_a_text_is_short_whatever_was_sent() -> None:
    assert safe_text("灯" * 1_000_000) == "灯" * LONGEST_TEXT + "…"
    assert safe_name("灯 " * 1_000_000) == "灯 " * (LONGEST_NAME // 2) + "…"
    assert cut("abc", 3) == "abc"


@pytest.mark.parametrize(
    "text",
    [
        PRESIGNED,
        f"download of {PRESIGNED} failed",
        "http://b/k?token=canary",
        "policy: canary",
        "DeviceSecret=canary",
        "word " * 99 + "Signature=canary",
        "a" * 4000 + " DeviceSecret: canary",
    ],
)
def test_what_is_secret_in_a_text_of_a_device_is_removed(text: str) -> None:
    assert "canary" not in safe_text(text) + safe_name(text)


def test_a_secret_of_the_connection_is_removed_from_texts() -> None:
    record = Record({"data": {"list": [{"taskDesc": "key canary!"}]}}, [Secret("canary")])

    assert record["data"]["list"][0].text("TaskDesc") == "key [removed]!"


@pytest.mark.parametrize(
    "unit", ["a", "secret", "http://", "policy ", "policy=", "\ud800", "\n", "https://x?", "Signature", "%3D", "'"]
)
def test_reading_a_long_text_takes_time_in_proportion(unit: str) -> None:
    began = time.process_time()
    safe_text(unit * (1_000_000 // len(unit)))

    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    "name",
    [
        "d1",
        "k1demoproduct",
        "lamp_2.bin",
        "a:b@c",
        "lamp (2)",
        "灯-1",
        "a b",
        " padded ",
        "f" * 64,
        "dev-" + "0" * 32,
        "",
    ],
)
def test_a_name_is_kept_as_it_is(name: str) -> None:
    assert Record({"v": name}).name("V") == name


@pytest.mark.parametrize("name", ["d1\n", "d1\u200b", "\ufeffd1", "d1\x00", "d\u00ad1", "d1\ud800", "d1\u202c"])
def test_a_name_that_only_looks_like_another_never_equals_it(name: str) -> None:
    assert Record({"v": name}).name("V") != "d1"
    assert "\ufffd" in Record({"v": name}).name("V")


@pytest.mark.parametrize(
    ("value", "as_read"),
    [
        ("178", "178"),
        (178, "178"),
        (1836340779212669999, "1836340779212669999"),
        ("ca460d99-93c9.d1:ea@0_x", "ca460d99-93c9.d1:ea@0_x"),
        (10**40, "1" + "0" * 40),
        ("9" * LONGEST_NAME, "9" * LONGEST_NAME),
        ("", ""),
        (None, ""),
    ],
)
def test_an_id_is_read_exactly(value: Any, as_read: str) -> None:
    assert Record({"v": value}).id("V") == as_read


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        1.83634077921267e18,
        "1.0",
        "1.8E18",
        "1.8E+18",
        True,
        False,
        " 178",
        "178 ",
        "\t178",
        "17\n8",
        "178\x00",
        " ",
        "\uff11\uff17\uff18",
        "\ud8001",
        "1/2",
        "-1",
        -1,
        "a=b",
        "1" * (LONGEST_NAME + 1),
        [],
        {},
        ["1"],
        float("nan"),
        "None?",
        "灯",
    ],
)
def test_what_is_no_id_is_refused_and_never_mended(value: Any) -> None:
    with pytest.raises(ProtocolError, match="JobId should be an id") as caught:
        Record({"jobId": value}).id("JobId")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("value", ["eyJleHAi+/=", "https://b/k?x=1&y=2", "ключ/k.bin", "x" * LONGEST_EXACT, 7])
def test_what_is_sent_back_is_read_exactly(value: Any) -> None:
    assert Record({"v": value}).exact("V") == str(value)
    assert Record({}).exact("V") == ""


@pytest.mark.parametrize("value", ["a b", "a\r\nHost: x", "\ud800", "a\x00", "x" * (LONGEST_EXACT + 1), []])
def test_what_could_not_be_sent_back_is_refused(value: Any) -> None:
    with pytest.raises(ProtocolError):
        Record({"v": value}).exact("V")


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, "9" * 19, "1_0", "\u0661", "+", "0x1", "1.0"])
def test_a_number_that_no_database_holds_is_no_whole_number(value: Any) -> None:
    with pytest.raises(ProtocolError, match="V should be a whole number"):
        Record({"v": value}).whole("V")


def test_the_keys_that_an_error_names_are_few_short_and_safe() -> None:
    record = Record({"v": {"\x1b[2J" + "k" * 1000 + str(number): 1 for number in range(100)}})

    with pytest.raises(ProtocolError) as caught:
        record.items_of("V", item_key="Id")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 700
