from __future__ import annotations

import copy
import pickle
import traceback
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.rollout.record.canonical import digest_of_bytes
from airflow_provider_tuya_ota.rollout.record.signature import Seal, seal_record, signed_bytes
from airflow_provider_tuya_ota.rollout.record.signing_key import (
    LONGEST_KEY,
    SigningKey,
    is_weak,
    key_id_of,
    parse_public_key,
    parse_signing_key,
)
from airflow_provider_tuya_ota.rollout.record.unreadable import RecordUnreadableError

SEED = bytes(range(32))
KEY = Ed25519PrivateKey.from_private_bytes(SEED)
SIGNING = SigningKey(KEY)
RAW = b64encode(SEED).decode()
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
OPENSSH = KEY.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
WITH_PASSWORD = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"pw")).decode()
PUBLIC = KEY.public_key()
PUBLIC_PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
PUBLIC_SSH = PUBLIC.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
PUBLIC_RAW = b64encode(PUBLIC.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
OTHER = ec.generate_private_key(ec.SECP256R1())
OTHER_PEM = OTHER.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
OTHER_SSH = OTHER.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
OTHER_PUBLIC = OTHER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
DIGEST = digest_of_bytes(b"a record")


@pytest.mark.parametrize("text", [RAW, PEM, OPENSSH, f"\n{RAW}\n", PEM.replace("\n", "\r\n")])
def test_a_private_key_in_any_form_is_the_same_key(text: str) -> None:
    assert parse_signing_key(Secret(text)).key_id == SIGNING.key_id


@pytest.mark.parametrize("text", [PUBLIC_RAW, PUBLIC_PEM, PUBLIC_SSH, f"{PUBLIC_SSH} ada@example\n"])
def test_a_public_key_in_any_form_is_the_same_key(text: str) -> None:
    assert key_id_of(parse_public_key(text)) == SIGNING.key_id


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "none of the known forms"),
        ("not a key, but longer than 32 bytes", "none of the known forms"),
        (b64encode(SEED + b"x").decode(), "none of the known forms"),
        (RAW[:-4], "none of the known forms"),
        (f"{RAW[:7]}!{RAW[7:]}", "none of the known forms"),
        ("\ud800\U0001f511", "none of the known forms"),
        (PEM.replace("MC4", "MC5"), "none of the known forms"),
        (OPENSSH.replace("b3BlbnNzaC1r", "b3BlbnNzaC1s"), "none of the known forms"),
        (WITH_PASSWORD, "has a password"),
        (OTHER_PEM, "another algorithm than Ed25519"),
        (OTHER_SSH, "another algorithm than Ed25519"),
        (PUBLIC_PEM, "is a public key"),
        (PUBLIC_SSH, "is a public key"),
        ("k" * LONGEST_KEY, "none of the known forms"),
        ("k" * (LONGEST_KEY + 1), "is too long"),
    ],
)
def test_what_is_no_private_key_is_refused_without_showing_it(text: str, problem: str) -> None:
    with pytest.raises(RecordUnreadableError, match=problem) as caught:
        parse_signing_key(Secret(text))

    lines = [line for line in text.splitlines() if len(line) > 20]
    assert not any(line in str(caught.value) for line in lines)
    assert caught.value.line is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "none of the known forms"),
        ("ssh-ed25519 AAAA", "none of the known forms"),
        (f"{PUBLIC_RAW[:7]}!{PUBLIC_RAW[7:]}", "none of the known forms"),
        ("\ud800", "none of the known forms"),
        (PUBLIC_PEM.replace("MCow", "MCox"), "none of the known forms"),
        (OTHER_PUBLIC, "another algorithm than Ed25519"),
        (PEM, "is a private key"),
        (OPENSSH, "is a private key"),
        ("k" * LONGEST_KEY, "none of the known forms"),
        ("k" * (LONGEST_KEY + 1), "is too long"),
    ],
)
def test_what_is_no_public_key_is_refused_without_showing_it(text: str, problem: str) -> None:
    with pytest.raises(RecordUnreadableError, match=problem) as caught:
        parse_public_key(text)

    assert not any(line in str(caught.value) for line in text.splitlines() if len(line) > 20)


def test_no_error_and_no_text_shows_the_private_key() -> None:
    broken = Secret(PEM.replace("MC4", "MC5"))
    with pytest.raises(RecordUnreadableError) as caught:
        parse_signing_key(broken)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())

    assert broken.reveal().splitlines()[1] not in shown
    assert repr(SIGNING) == f"SigningKey({SIGNING.key_id})"
    assert repr(copy.deepcopy(SIGNING)) == repr(SIGNING)
    with pytest.raises(TypeError):
        pickle.dumps(SIGNING)


def test_the_id_of_a_key_is_the_digest_of_its_public_half_in_der() -> None:
    der = PUBLIC.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    assert SIGNING.key_id == key_id_of(PUBLIC) == digest_of_bytes(der)


def test_a_seal_is_read_back_and_valid() -> None:
    seal = seal_record(DIGEST, SIGNING)

    assert seal.is_signed
    assert seal.is_valid()
    PUBLIC.verify(bytes.fromhex(seal.signature), signed_bytes(DIGEST, SIGNING.key_id))
    assert seal.key_id == SIGNING.key_id


def test_without_a_key_the_seal_says_that_it_is_unsigned() -> None:
    seal = seal_record(DIGEST, None)

    assert not seal.is_signed
    assert seal.to_bytes() == f'{{"digest":"{DIGEST}","kind":"seal","signature":null,"version":1}}'.encode()


@pytest.mark.parametrize("name", ["digest", "key_id", "public_key", "signature"])
def test_a_seal_of_which_a_part_was_changed_is_not_valid(name: str) -> None:
    seal = seal_record(DIGEST, SIGNING)
    text = getattr(seal, name)
    values = {one: getattr(seal, one) for one in ("digest", "key_id", "public_key", "signature")}

    assert not Seal(**(values | {name: ("0" if text[0] != "0" else "1") + text[1:]})).is_valid()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"version": 2}, "version 2 of a seal is not known here"),
        ({"version": True}, "version True of a seal is not known here"),
        ({"algorithm": "RSA"}, "no seal of Ed25519"),
        ({"more": 1}, "no seal of Ed25519"),
        ({"signature": None}, "no seal of Ed25519"),
        ({"signature": "00"}, "the signature of the seal is '00'"),
        ({"digest": 5}, "the digest of the seal is 5"),
        ({"digest": None}, "the digest of the seal is None"),
        ({"key_id": DIGEST.upper()}, "the key_id of the seal is"),
    ],
)
def test_a_seal_of_another_form_is_refused(change: dict[str, object], problem: str) -> None:
    seal = seal_record(DIGEST, SIGNING)
    values = {
        "algorithm": "Ed25519",
        "digest": seal.digest,
        "key_id": seal.key_id,
        "kind": "seal",
        "public_key": seal.public_key,
        "signature": seal.signature,
        "version": 1,
    }
    assert Seal.from_values(values) == seal

    with pytest.raises(ValueError, match=problem):
        Seal.from_values(values | change)


WEAK = (
    "00" * 32,
    "01" + "00" * 31,
    "01" + "00" * 30 + "80",
    "00" * 31 + "80",
    "ec" + "ff" * 30 + "7f",
    "ed" + "ff" * 30 + "7f",
    "ee" + "ff" * 30 + "7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
)


@pytest.mark.parametrize("raw", WEAK)
def test_a_key_of_small_order_is_refused(raw: str) -> None:
    with pytest.raises(RecordUnreadableError, match="the key to verify with has a small order"):
        parse_public_key(b64encode(bytes.fromhex(raw)).decode())


@pytest.mark.parametrize("raw", WEAK)
def test_a_signature_of_a_key_of_small_order_is_wrong(raw: str) -> None:
    key_id = key_id_of(Ed25519PublicKey.from_public_bytes(bytes.fromhex(raw)))
    signature = (b"\x01" + b"\0" * 63).hex()  # the identity, which such keys take for any text

    assert not Seal(digest=DIGEST, key_id=key_id, public_key=raw, signature=signature).is_valid()


def test_true_keys_are_not_weak() -> None:
    assert not any(is_weak(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32).public_key()) for n in range(64))
