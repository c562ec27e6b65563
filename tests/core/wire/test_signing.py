from __future__ import annotations

import base64
import dataclasses
import hmac
import json
from datetime import timedelta
from pathlib import Path

import pytest

from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.wire.encoding import canonical_query
from airflow_provider_tuya_ota.core.wire.signing import common_parameters, signature, signed_query, string_to_sign
from tests.core.script import NOW, SECRET, SETTINGS

VECTORS = sorted(path for path in (Path(__file__).parent / "signing_vectors").iterdir() if path.is_dir())
each_vector = pytest.mark.parametrize("vector", VECTORS, ids=lambda path: path.name)


def stage(vector: Path, name: str) -> str:
    return (vector / f"{name}.txt").read_text().rstrip("\n")


def parameters(vector: Path) -> dict[str, str]:
    values: dict[str, str] = json.loads((vector / "parameters.json").read_text())
    return values


def test_both_documented_vectors_are_present() -> None:
    assert [vector.name for vector in VECTORS] == ["vendor_publish", "verify_job_with_devices"]


@each_vector
def test_the_canonical_query_is_as_documented(vector: Path) -> None:
    assert canonical_query(parameters(vector)) == stage(vector, "canonical_query")


@each_vector
def test_the_string_to_sign_is_as_documented(vector: Path) -> None:
    assert string_to_sign("GET", stage(vector, "canonical_query")) == stage(vector, "string_to_sign")


@each_vector
def test_the_signature_is_as_documented(vector: Path) -> None:
    assert signature(Secret("testsecret"), stage(vector, "string_to_sign")) == stage(vector, "signature")


@each_vector
def test_the_signed_query_carries_the_signature_encoded_at_its_end(vector: Path) -> None:
    encoded = stage(vector, "signature").replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")

    query = signed_query("GET", parameters(vector), Secret("testsecret"))

    assert query == f"{stage(vector, 'canonical_query')}&Signature={encoded}"


def test_the_method_is_part_of_what_is_signed() -> None:
    assert string_to_sign("POST", "A=1") == "POST&%2F&A%3D1"


def test_each_text_is_signed_with_its_own_key_and_nothing_signed_before() -> None:
    signed = [(key, text) for text in ("text", "other", "text") for key in ("one", "two", "one")]

    found = [signature(Secret(key), text) for key, text in signed]

    digests = [hmac.digest(f"{key}&".encode(), text.encode(), "sha1") for key, text in signed]
    assert found == [base64.b64encode(digest).decode() for digest in digests]


def test_a_secret_outside_ascii_signs_in_utf_8() -> None:
    # What `openssl dgst -sha1 -hmac 'schlüssel&' -binary | base64` makes of the text where the terminal speaks UTF-8.
    assert signature(Secret("schlüssel"), "text") == "kpeSmhA0Hfuo8AuIxubkvaB3WDs="


def test_every_request_names_key_action_time_and_nonce() -> None:
    common = common_parameters(SETTINGS, action="QueryOTAJob", timestamp=NOW, nonce="n-1")

    assert common == {
        "Action": "QueryOTAJob",
        "AccessKeyId": SETTINGS.credentials.access_key_id,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "n-1",
        "Timestamp": "2026-03-01T12:00:00Z",
        "Format": "JSON",
        "Version": "2018-01-20",
        "SignatureVersion": "1.0",
    }


def test_the_three_doubtful_parameters_can_be_left_out() -> None:
    settings = dataclasses.replace(SETTINGS, send_common_parameters=False)

    common = common_parameters(settings, action="QueryOTAJob", timestamp=NOW, nonce="n-1")

    assert set(common) == {"Action", "AccessKeyId", "SignatureMethod", "SignatureNonce", "Timestamp"}


def test_the_timestamp_has_whole_seconds() -> None:
    late = NOW + timedelta(microseconds=999_999)

    assert common_parameters(SETTINGS, action="X", timestamp=late, nonce="n")["Timestamp"] == "2026-03-01T12:00:00Z"


def test_the_secret_itself_is_not_sent() -> None:
    assert SECRET not in signed_query("GET", {"Action": "X"}, Secret(SECRET))
