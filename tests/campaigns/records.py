"""Records of whole releases: verdicts judged again, single bits turned over, devices that lie."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from airflow_provider_tuya_ota.rollout.record.finish import LandedCheck
from airflow_provider_tuya_ota.rollout.record.signing_key import SigningKey
from airflow_provider_tuya_ota.rollout.record.unreadable import RecordUnreadableError
from airflow_provider_tuya_ota.rollout.record.verify import verify_record
from tests.campaigns.table import Row
from tests.rollout.record.lies import LIES, told
from tests.rollout.record.story import good, halted, story

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rollout.record.story import Story

SEED: Final = 20260302
DEVICES: Final = 600
KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRATA: Final = ((), ("north", "south"), ("1.0", "1.1", "1.2", "1.3"))
FATES: Final = ("bad", "slow", "mute", "waits", "asleep", "busy", "liar")


def rows(flips: int, releases: int, devices: int = DEVICES) -> Iterator[Row]:
    """Tell releases at random, verify their records, tell lies in them, and turn over single bits of some."""
    chance = random.Random(SEED)  # noqa: S311 - reproducible, nothing secret
    yield _releases(chance, releases, devices)
    yield _lies(chance, max(1, releases // 10), devices)
    for name, key in (("signed", SigningKey(KEY)), ("unsigned", None)):
        for tell in (good, halted):
            yield _flips(chance, f"{name}, {tell.__name__}", tell(devices).seal(key), flips)


def _story(chance: random.Random, devices: int) -> Story:
    weights = [chance.choice((0.0, 0.0, 0.02, 0.1, 0.3)) for _ in FATES]
    fates = chance.choices([*FATES, "good"], [*weights, 1.0], k=devices)
    return story(devices, fates.__getitem__, strata=chance.choice(STRATA))


def _lies(chance: random.Random, number: int, devices: int) -> Row:
    """Tell each lie at one place of each of some records."""
    noticed, wrong = Counter[str](), list[str]()
    for run in range(number):
        record = _story(chance, devices).tell()
        for name, (kind, _) in LIES.items():
            if places := list(told(record, name)):
                found = {finding.kind for finding in verify_record(chance.choice(places)).findings}
                noticed[kind] += kind in found
                wrong += [] if kind in found else [f"release {run}: {name}"]
    figures = ", ".join(f"{count} {kind}" for kind, count in noticed.most_common())
    return Row("records", f"lies in releases of {devices} devices", sum(noticed.values()) + len(wrong), wrong, figures)


def _releases(chance: random.Random, number: int, devices: int) -> Row:
    verdicts, outcomes, liars, wrong = 0, Counter[str](), 0, list[str]()
    for run in range(number):
        release = _story(chance, devices)
        record = release.tell()
        verification = verify_record(record.seal(SigningKey(KEY)), KEY.public_key())
        wrong += [f"release {run}: {finding}" for finding in verification.findings]
        verdicts += verification.verdicts
        listed = {one.device for _, check in verification.file.of(LandedCheck) for one in check.elsewhere}
        lied = {name for name in release.evidence.devices if release.fate_of(name) == "liar"}
        if listed != lied and not release.halted:
            wrong.append(f"release {run}: {len(lied)} lied, {len(listed)} are listed")
        liars += len(listed)
        outcomes[verification.file.entries[-1].content.outcome] += 1  # type: ignore[union-attr] # the end of a release
    ends = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    return Row(
        "records",
        f"releases of {devices} devices",
        number,
        wrong,
        f"{verdicts} verdicts judged again and equal; {liars} liars listed by name; {ends}",
    )


def _flips(chance: random.Random, case: str, data: bytes, number: int) -> Row:
    key = KEY.public_key() if case.startswith("signed") else None
    noticed, wrong = Counter[str](), list[str]()
    for place in chance.sample(range(8 * len(data)), number):
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        try:
            findings = verify_record(bytes(flipped), key).findings
        except RecordUnreadableError:
            noticed["unreadable"] += 1
            continue
        if not findings:
            wrong.append(f"bit {place} of {8 * len(data)}")
        noticed.update({finding.kind for finding in findings})
    figures = ", ".join(f"{count} {kind}" for kind, count in noticed.most_common())
    return Row("records", f"single bits turned over, {case}", number, wrong, figures)
