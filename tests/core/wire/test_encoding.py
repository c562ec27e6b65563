from __future__ import annotations

import string
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.wire.encoding import canonical_query, percent_encode, percent_encode_query, to_wire

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.wire.encoding import Value

UNRESERVED = set(string.ascii_letters + string.digits + "-_.~")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        pytest.param(" ", "%20", id="a space is no plus"),
        pytest.param("+", "%2B", id="a plus is no space"),
        pytest.param("*", "%2A", id="an asterisk does not stay"),
        pytest.param("~", "~", id="a tilde stays"),
        pytest.param("/", "%2F", id="a slash does not stay"),
        pytest.param("%7e", "%257e", id="nothing counts as encoded already"),
        pytest.param("灯ü", "%E7%81%AF%C3%BC", id="utf-8 with capital hex digits"),
        pytest.param("!'()&=?#:;,@$[]", "%21%27%28%29%26%3D%3F%23%3A%3B%2C%40%24%5B%5D", id="reserved characters"),
        pytest.param("\r\n\0", "%0D%0A%00", id="control characters"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_values_are_encoded_as_rfc_3986_asks(text: str, encoded: str) -> None:
    assert percent_encode(text) == encoded


@given(TEXT)
def test_encoding_keeps_the_unreserved_characters_only_and_loses_nothing(text: str) -> None:
    encoded = percent_encode(text)

    assert unquote(encoded, errors="strict") == text
    assert set(encoded) <= UNRESERVED | {"%"}


def test_names_are_sorted_by_bytes_and_before_encoding() -> None:
    wire = {"a": "1", "B": "2", "X.2": "3", "X.10": "4", "X": "5", "é": "6", "~": "7"}

    assert canonical_query(wire) == "B=2&X=5&X.10=4&X.2=3&a=1&~=7&%C3%A9=6"


@given(st.dictionaries(TEXT, st.just("")))
def test_the_order_is_that_of_the_utf_8_bytes(wire: dict[str, str]) -> None:
    names = [unquote(pair.removesuffix("=")) for pair in canonical_query(wire).split("&")] if wire else []

    assert [name.encode() for name in names] == sorted(name.encode() for name in wire)


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ("text", {"P": "text"}),
        ("", {"P": ""}),
        (0, {"P": "0"}),
        (1440, {"P": "1440"}),
        (True, {"P": "true"}),
        (False, {"P": "false"}),
        (None, {}),
        ([], {}),
        (["a", "b"], {"P.1": "a", "P.2": "b"}),
        (("a",), {"P.1": "a"}),
        ([True, 7], {"P.1": "true", "P.2": "7"}),
    ],
)
def test_values_take_their_form_on_the_wire(value: Value, wire: dict[str, str]) -> None:
    assert to_wire({"P": value}) == wire


def test_what_is_secret_stays_wrapped_until_it_is_encoded() -> None:
    wire = to_wire({"Url": Secret("https://b/k?s=canary"), "A": 1})

    assert "canary" not in repr(wire)
    assert canonical_query(wire) == "A=1&Url=https%3A%2F%2Fb%2Fk%3Fs%3Dcanary"


def test_a_secret_that_cannot_be_sent_is_refused_without_being_shown() -> None:
    with pytest.raises(InvalidParameterError, match="Url") as caught:
        to_wire({"Url": Secret("canary\ud800")})
    assert "canary" not in str(caught.value)


def test_every_character_is_encoded_as_the_standard_library_encodes_it() -> None:
    characters = [chr(code) for code in range(0x300)] + ["固", "\U0001f680"]

    assert [percent_encode(one) for one in characters] == [quote(one, safe="") for one in characters]


def test_a_canonical_query_is_encoded_once_more_as_the_standard_library_encodes_it() -> None:
    query = canonical_query({"Name": "a b&c=d%/+~固", "Names.1": "x-y_z."})

    assert percent_encode_query(query) == quote(query, safe="")
