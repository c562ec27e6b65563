from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.wire.redaction import excerpt, redact


def escaped(text: str, way: str) -> str:
    """Escape a text as a server of JSON may."""
    if way == "slashes":
        return text.replace("/", r"\/")
    if way == "signs":
        return "".join(char if char.isalnum() else f"\\u{ord(char):04x}" for char in text)
    if way == "everything":
        return "".join(f"\\u{ord(char):04X}" for char in text)
    return escaped(text, "slashes").replace("\\", "\\\\")


ESCAPES = ["slashes", "signs", "everything", "twice"]


@given(st.binary(min_size=21, max_size=64), st.sampled_from(ESCAPES))
def test_no_escaped_signature_survives_in_an_answer_that_was_cut(raw: bytes, way: str) -> None:
    token = base64.b64encode(raw).decode()
    shown = redact(f'{{"data":{{"signature":"{escaped(token, way)}","x')

    assert "[removed]" in shown
    assert token[:8] not in shown
    assert escaped(token, way)[:48] not in shown


@pytest.mark.parametrize("way", ESCAPES)
@pytest.mark.parametrize("name", ["deviceSecret", "policy"])
def test_an_escaped_value_of_a_secret_name_is_removed_whole(name: str, way: str) -> None:
    body = f'{{"{name}":"{escaped("k/9f+2Qw8Er", way)}"'

    assert excerpt(body.encode()) == f'{{"{name}":"[removed]"'


@pytest.mark.parametrize("way", ESCAPES)
@pytest.mark.parametrize("length", [30, 20, 9])
def test_an_escaped_known_secret_is_removed_also_where_it_is_cut(way: str, length: int) -> None:
    secret = "aB3dE6gH9/jK2mN5pQ8+sT1vW4/yZ7"

    assert redact(f"it is {escaped(secret[:length], way)}", [Secret(secret)]) == "it is [removed]"


@pytest.mark.parametrize("rest", ["\\", r"\u", r"\u0", r"\u002"])
def test_a_known_secret_that_is_cut_inside_an_escape_is_removed(rest: str) -> None:
    assert redact(f"it is aB3dE6gH9{rest}", [Secret("aB3dE6gH9/jK2mN5pQ8")]) == "it is [removed]"


@pytest.mark.parametrize(
    "body",
    [
        r"""{"s\u0069gnature":"canary/x"}""",
        """{"signature":["canary", "canary"]}""",
        """{"signature": [ "canary""",
        """{"policy":{"a":"canary"}}""",
        r"""{\u0022signature\u0022:\u0022canary\u0022}""",
    ],
)
def test_a_secret_behind_an_escaped_name_or_in_a_list_is_removed(body: str) -> None:
    assert "canary" not in redact(body)


@pytest.mark.parametrize("text", [r"C:\users\/a", r"caf\u00e9 \ud83d \u000a", "a\\", r"\\\/", r"device \u0041"])
def test_a_text_without_a_secret_keeps_its_escapes(text: str) -> None:
    assert redact(text) == text


def test_an_escaped_text_beside_a_secret_gets_no_line_break() -> None:
    assert redact(r'\u0041\u000a \/ "token": "x"') == r'A\u000a / "token": "[removed]"'


def test_a_megabyte_of_backslashes_is_read_once() -> None:
    began = time.process_time()
    redact("\\" * 1_000_000 + "x")

    assert time.process_time() - began < 5
