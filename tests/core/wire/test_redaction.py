from __future__ import annotations

import base64
import hashlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.texts import LONGEST_TEXT
from airflow_provider_tuya_ota.core.wire.redaction import (
    EXCERPT_LENGTH,
    excerpt,
    mask_reply,
    redact,
    redact_code,
    safe_name,
    safe_text,
)
from tests.core.script import REQUEST_ID

SIGNATURE = "WJN0Ee8+X6pogcD3loLHIqQNEN0="


@pytest.mark.parametrize(
    "text",
    [
        "the secret is canary",
        "AccessKeyId=canary&Action=X",
        "AccessKeyId%3Dcanary%26Action%3DX",
        "AccessKeyId%253Dcanary%2526Action",
        "GET&%2F&AccessKeyId%3Dcanary%26Action",
        '{"ossAccessKeyId":"canary","x":1}',
        '{"OSSAccessKeyId" : "canary"}',
        "<OSSAccessKeyId>canary</OSSAccessKeyId>",
        "<Policy>canary</Policy>",
        "?Expires=1&OSSAccessKeyId=canary&Signature=canary",
        '"policy":"canary"',
        "'deviceSecret': 'canary'",
        "access_key_id: canary",
        "firmwareUrl=https://canary",
        f"Signature {SIGNATURE}canary",
        "eyJleHBpcmF0aW9uIjoiMjAyNC0xMS0yMFQwMDoxMTox" + "canary",
    ],
)
def test_no_secret_survives(text: str) -> None:
    assert "canary" not in redact(text, [Secret("secret is canary")])


@pytest.mark.parametrize(
    "text",
    [
        f"request id {REQUEST_ID} was refused",
        REQUEST_ID.upper(),
        "5C3D9175B6FC201293AD****",
        "SignatureDoesNotMatch",
        "SignatureNonceUsed: use another",
        "the device device-001 of product k1demoproduct is offline",
        "job 1836340779212669999",
        "",
    ],
)
def test_what_support_asks_for_survives(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("secret", ["", "short"])
def test_an_empty_known_secret_removes_nothing(secret: str) -> None:
    assert redact("plain words", [Secret(secret)]) == "plain words"


@given(st.binary(min_size=21, max_size=64))
def test_no_signature_or_token_survives_in_any_text(raw: bytes) -> None:
    token = base64.b64encode(raw).decode()

    assert token not in redact(f"got '{token}' instead")


@given(st.binary())
def test_no_digest_survives(raw: bytes) -> None:
    secret = hashlib.sha256(raw).hexdigest()

    assert secret not in redact(f"DeviceSecret is {secret}.")


@pytest.mark.parametrize("code", ["iot.firmware.DeviceWithDestinationVersionInArray", "Throttling.User", ""])
def test_error_codes_of_any_length_survive(code: str) -> None:
    assert redact_code(code) == code


@pytest.mark.parametrize("code", [SIGNATURE, "a" * 20 + "1" * 20, "known.canary"])
def test_what_is_no_error_code_is_treated_as_text(code: str) -> None:
    assert redact_code(code, [Secret("canary"), Secret("")]) != code


def test_an_excerpt_is_one_short_line() -> None:
    shown = excerpt(b"a b\n\tc " + b"word " * 400)

    assert shown.startswith("a b c word")
    assert shown.endswith("…")
    assert len(shown) == EXCERPT_LENGTH + 1


def test_a_short_excerpt_is_complete_and_tolerates_any_bytes() -> None:
    assert excerpt(b"caf\xe9 ok") == "caf\ufffd ok"


def test_a_secret_across_the_end_of_an_excerpt_is_removed_whole() -> None:
    assert "canary" not in excerpt(b"word " * 31 + b"canary-secret tail", [Secret("canary-secret")])


def test_a_masked_reply_hides_values_behind_secret_names_at_any_depth() -> None:
    reply = {
        "data": {"OSSAccessKeyId": "canary", "policy": "canary", "key": "ota/x", "signature": ""},
        "FirmwareInfo": {"List": [{"firmwareUrl": "canary", "FirmwareSign": "abc"}, 7]},
        "deviceSecret": "canary",
    }

    reply["info"] = '{"deviceSecret": "one canary"}'
    reply["text"] = [{"TaskDesc": "see https://bucket/k?Signature=canary&Expires=1 for more"}]

    masked = mask_reply(reply)

    assert "canary" not in json.dumps(masked)
    assert masked["text"] == [{"TaskDesc": "see https://bucket/k?[removed] for more"}]
    assert masked["data"] == {"OSSAccessKeyId": "***", "policy": "***", "key": "ota/x", "signature": ""}
    assert masked["FirmwareInfo"]["List"] == [{"firmwareUrl": "***", "FirmwareSign": "abc"}, 7]


@pytest.mark.parametrize(
    "key",
    [
        *("productSecret", "AccessKeySecret", "accessSecret", "DeviceSecret", "secret"),
        *("mqttPassword", "device_password", "pa\u017f\u017fword"),
        *("securityToken", "TOKEN", "deviceSecret ", "secretKey", "api_key", "Cookie", "passphrase"),
    ],
)
def test_every_field_whose_name_ends_like_a_secret_is_masked(key: str) -> None:
    assert mask_reply({"data": [{key: "canary"}, {key: ["canary"]}, {key: {"a": "canary"}}]}) == {
        "data": [{key: "***"}] * 3
    }


@pytest.mark.parametrize("key", ["NextToken", "tokenCount", "secretary", "FirmwareSign"])
def test_a_field_whose_name_only_resembles_a_secret_is_kept(key: str) -> None:
    assert mask_reply({key: "shown"}) == {key: "shown"}


@pytest.mark.parametrize(
    "address",
    [
        "glued_https://h/p",
        r"https:\/\/h\/p",
        "//h/p",
        "oss://bucket/key",
        'https://h/a"b',
        "https://h/" + "p" * 400,
        "https://h/p#part",
    ],
)
def test_the_query_of_any_address_is_removed(address: str) -> None:
    for shown in (redact(f"see {address}?sig=TOPSECRET12 there"), mask_reply([f"{address}?sig=TOPSECRET12"])[0]):
        assert "TOPSECRET12" not in shown


@pytest.mark.parametrize(
    "address",
    [
        "https://user:hunter2pw@h.example/fw.bin",
        "https://user:p@hunter2pw@h.example",
        "https://hunter2pw@h.example/fw.bin",
        r"https:\/\/user:hunter2pw@h.example\/fw.bin",
        "https%3A%2F%2Fuser%3Ahunter2pw%40h.example%2Ffw.bin",
        "https%253a%252f%252fuser%253Ahunter2pw%2540h.example",
        "//user:hunter2pw@h.example",
        "glued_ftp://user:hunter2pw@h.example:21/fw.bin",
    ],
)
def test_user_and_password_of_any_address_are_removed_and_its_host_stays(address: str) -> None:
    for shown in (redact(f"see {address} there"), mask_reply([f"see {address} there"])[0]):
        assert "hunter2pw" not in shown
        assert "h.example" in shown
        assert "there" in shown


@pytest.mark.parametrize("text", ["write to ops@example.com", "see https://h/p of a@b", "1 // 2 @ 3", "https://h/a@b"])
def test_an_at_sign_elsewhere_removes_nothing(text: str) -> None:
    assert redact(text) == text


def test_a_known_secret_is_no_name() -> None:
    assert "topsecret" not in safe_name("v-topsecret-1", [Secret("topsecret"), Secret("")])


@pytest.mark.parametrize(
    "text",
    [
        r"{\"DeviceSecret\":\"canary0123456789\"}",
        r"{\\\"deviceSecret\\\": \\\"canary0123456789\\\"}",
        "&quot;DeviceSecret&quot;:&quot;canary0123456789&quot;",
        "Authorization: Bearer canary0123456789",
        "password=canary0123456789",
        "token: canary0123456789",
    ],
)
def test_a_secret_behind_its_name_is_removed_however_it_is_quoted(text: str) -> None:
    assert "canary0123456789" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"deviceSecret":"one canary", "x":1}',
        '{"password": "one,canary;more"}',
        '{"password": "it\'s canary"}',
        '{"token":"a&canary=c"}',
        r'{"password":"one\"canary"}',
        r'"{\"token\":\"one\\\"canary\"}"',
        '{"Password":"one<canary"}',
        '{"productSecret":"one}canary',
        '{"secrets":["a]b","canary"]}',
        '{"secret":["a]canary',
        '{"password":{"a":{"v":1},"b":"canary"}}',
        r'{"token":{\"a\":\"b\",\"c\":\"canary\"}}',
        "<password>one canary</password>",
        "<DeviceSecret>one canary",
        "secretKey=canary",
        "api_key: canary",
        "passwd=canary",
        "passphrase='one canary'",
        "Cookie: canary",
    ],
)
def test_a_value_of_a_secret_name_is_removed_up_to_its_end(text: str) -> None:
    assert "canary" not in redact(text)


def test_what_follows_a_secret_value_stays() -> None:
    assert redact('{"secret":[["a"],{"b":"}"}],"x":1}') == '{"secret":[removed],"x":1}'
    assert redact('{"token":"a b","code":"x"}') == '{"token":"[removed]","code":"x"}'
    assert redact("<token>a b</token><code>x</code>") == "<token>[removed]</token><code>x</code>"


@pytest.mark.parametrize(
    "text", ['"' * 500_000, "secret:" * 70_000, '{"secret":' + "[" * 500_000, 'secret="' + "\\" * 500_000]
)
def test_a_megabyte_of_secret_names_or_marks_is_read_once(text: str) -> None:
    before = time.process_time()
    redact(text)

    # A second reading of each rest would take minutes.
    assert time.process_time() - before < 10


def test_a_megabyte_is_read_no_further_than_half_a_page_needs() -> None:
    text = f"{'%2F' * 700_000} canary"

    assert len(safe_text(text)) <= LONGEST_TEXT + 1


def test_no_word_of_a_long_text_is_shown_in_part() -> None:
    # Removed, the long run before it takes no room, so that the last word would be shown.
    text = f"{'x' * 65_500} {'y' * 20} canary0123456789canary"

    assert "canary" not in safe_text(text)


@pytest.mark.parametrize("length", [8, 9, 17])
def test_a_secret_that_the_end_of_a_text_cuts_is_removed(length: int) -> None:
    secret = "pol icy-pol icy-xy"

    assert redact(f"the form held {secret[:length]}", [Secret(secret)]) == "the form held [removed]"


@pytest.mark.parametrize("text", ["the form held pol icy", "the form held pol icy-pol ice", "pol icy-pol icy- or so"])
def test_what_is_no_cut_secret_is_kept(text: str) -> None:
    assert redact(text, [Secret("pol icy-pol icy-xy")]) == text


@pytest.mark.parametrize("name", ["token", "TOKEN", "to\u212aen", "pa\u017f\u017fword", "accessKeyId", "policy"])
def test_a_secret_behind_its_name_and_a_colon_is_in_no_name(name: str) -> None:
    assert safe_name(f"{name}:canary0123") == f"{name}:[removed]"


def test_a_time_with_colons_stays_a_name() -> None:
    assert safe_name("2026-01-01T00:00:00.000Z") == "2026-01-01T00:00:00.000Z"
