"""Check that nobody has changed a record: its chain, its end, its digest and its signature."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan, GateSettings, ReleaseBegun
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt, ReleaseEnded
from airflow_provider_tuya_ota.rollout.record.signing_key import key_id_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from airflow_provider_tuya_ota.rollout.record.record_file import RecordFile


class SignatureState(StrEnum):
    """What the signature of a record is worth."""

    OPEN = "not sealed"
    UNSIGNED = "unsigned: anybody can have written it"
    BY_GIVEN_KEY = "signed by the given key"
    BY_ANY_KEY = "signed, and no key was given: compare the id of the key with that of the key you trust"
    BY_OTHER_KEY = "signed by another key than the given one"
    WRONG = "the signature is wrong"


def check_chain(file: RecordFile) -> Iterator[Finding]:
    """Find entries that are changed, missing, moved or put in."""
    for number in file.not_canonical:
        text = "its line is not in the form of RFC 8785, so it was not written by this package"
        yield Finding(kind=FindingKind.NOT_CANONICAL, text=text, entry=number)
    digests = ("", *file.digests)
    for place, entry in enumerate(file.entries):
        if entry.number != place:
            text = f"entry {entry.number} stands where entry {place} belongs"
            yield Finding(kind=FindingKind.BROKEN_CHAIN, text=text, entry=place)
        if entry.previous != digests[place]:
            text = "it does not hold the digest of the entry before it: that one was changed, or is not the right one"
            yield Finding(kind=FindingKind.BROKEN_CHAIN, text=text, entry=place)
        if isinstance(entry.content, ReleaseEnded) and place < len(file.entries) - 1:
            yield Finding(kind=FindingKind.BROKEN_CHAIN, text="entries follow the end of the release", entry=place)


def check_entries(file: RecordFile) -> Iterator[Finding]:
    """Find entries that are missing, or that are there too often."""
    if not isinstance(file.entries[0].content, ReleaseBegun):
        text = "the first entry does not say who has begun the release"
        yield Finding(kind=FindingKind.INCOMPLETE, text=text, entry=0)
    for kind, what in ((ReleaseBegun, "beginnings"), (FrozenPlan, "plans"), (HaltReceipt, "receipts of a halt")):
        if len(found := file.of(kind)) > 1:
            text = f"there are {len(found)} {what}"
            yield Finding(kind=FindingKind.INCOMPLETE, text=text, entry=found[1][0])
    missing = [what for kind, what in ((FrozenPlan, "plan"), (GateSettings, "gate")) if not file.of(kind)]
    if missing:
        yield Finding(kind=FindingKind.INCOMPLETE, text=f"there is no {' and no '.join(missing)}")


def check_seal(file: RecordFile, key: Ed25519PublicKey | None) -> Iterator[Finding]:
    """Find what is wrong with the end of a record and its seal.

    :param key: the key that has to have signed; None where any may have.
    """
    seal = file.seal
    if not isinstance(file.entries[-1].content, ReleaseEnded):
        text = "it does not end with the end of the release: it is still open, or was cut"
        yield Finding(kind=FindingKind.NOT_CLOSED, text=text)
    if seal is None:
        yield Finding(kind=FindingKind.NOT_CLOSED, text="it has no seal: it is still open, or was cut")
    elif seal.digest != file.digests[-1]:
        yield Finding(kind=FindingKind.WRONG_DIGEST, text="the seal has another digest than the last entry")
    if seal and not file.is_seal_canonical:
        yield Finding(kind=FindingKind.NOT_CANONICAL, text="the seal is not in the form of RFC 8785")
    state, key_id = signature_state(file, key), seal.key_id if seal else ""
    if key and state in {SignatureState.OPEN, SignatureState.UNSIGNED}:
        yield Finding(kind=FindingKind.UNSIGNED, text="it is not signed, and was to be verified with a key")
    elif key and state is SignatureState.BY_OTHER_KEY:
        text = f"key {key_id} has signed it, and the given key is {key_id_of(key)}"
        yield Finding(kind=FindingKind.OTHER_KEY, text=text)
    elif state is SignatureState.WRONG:
        yield Finding(kind=FindingKind.WRONG_SIGNATURE, text=f"key {key_id} has not signed this seal")


def signature_state(file: RecordFile, key: Ed25519PublicKey | None) -> SignatureState:
    """Say what the signature is worth."""
    seal = file.seal
    if seal is None:
        return SignatureState.OPEN
    if not seal.is_signed:
        return SignatureState.UNSIGNED
    if not seal.is_valid():
        return SignatureState.WRONG
    if key is None:
        return SignatureState.BY_ANY_KEY
    return SignatureState.BY_GIVEN_KEY if key_id_of(key) == seal.key_id else SignatureState.BY_OTHER_KEY
