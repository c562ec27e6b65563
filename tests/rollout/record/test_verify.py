from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from airflow_provider_tuya_ota.rollout.gate.assessment import assess_wave
from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.gate.outside import OutsideEvidence
from airflow_provider_tuya_ota.rollout.gate.series import Prefix
from airflow_provider_tuya_ota.rollout.record import verify
from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan, GateSettings
from airflow_provider_tuya_ota.rollout.record.canonical import canonical_bytes, digest_of_bytes
from airflow_provider_tuya_ota.rollout.record.check_chain import SignatureState
from airflow_provider_tuya_ota.rollout.record.course import (
    ControlNote,
    ControlVerb,
    JobCreated,
    OutsideSaid,
    VerdictGiven,
)
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.finding import Finding, FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt, LandedCheck, ReleaseEnded
from airflow_provider_tuya_ota.rollout.record.release_record import ReleaseRecord
from airflow_provider_tuya_ota.rollout.record.signature import Seal
from airflow_provider_tuya_ota.rollout.record.signing_key import SigningKey
from airflow_provider_tuya_ota.rollout.record.verify import evidence_of, verify_record
from tests.rollout.record.forgery import changed, first, found, places, with_entry, without
from tests.rollout.record.story import START, good, halted, story

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict

GOOD, HALTED = good(), halted()
KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))
SIGNED = GOOD.seal(SigningKey(KEY))
LINES = SIGNED.splitlines(keepends=True)


def kinds(data: bytes, key: object = None) -> set[FindingKind]:
    return {kind for kind, _ in found(data, key)}


@pytest.mark.parametrize("record", [GOOD, HALTED, good(60), story(40).tell()], ids=["good", "halted", "small", "clean"])
def test_nothing_is_wrong_with_a_true_record(record: ReleaseRecord) -> None:
    verification = verify_record(record.seal(None))

    assert verification.findings == ()
    assert verification.verdicts == len(places(record, VerdictGiven)) > 0
    assert (verification.signature, verification.key_id) == (SignatureState.UNSIGNED, "")


def test_the_signature_is_worth_what_the_key_is_worth() -> None:
    given = verify_record(SIGNED, KEY.public_key())
    unnamed = verify_record(SIGNED)

    assert (given.signature, given.findings) == (SignatureState.BY_GIVEN_KEY, ())
    assert (unnamed.signature, unnamed.findings) == (SignatureState.BY_ANY_KEY, ())
    assert given.key_id == unnamed.key_id == SigningKey(KEY).key_id


def test_another_key_or_no_signature_is_not_good_enough_for_a_given_key() -> None:
    other = verify_record(SIGNED, OTHER.public_key())
    unsigned = verify_record(GOOD.seal(None), KEY.public_key())

    assert (other.signature, [one.kind for one in other.findings]) == (
        SignatureState.BY_OTHER_KEY,
        [FindingKind.OTHER_KEY],
    )
    assert SigningKey(OTHER).key_id in other.findings[0].text
    assert (unsigned.signature, [one.kind for one in unsigned.findings]) == (
        SignatureState.UNSIGNED,
        [FindingKind.UNSIGNED],
    )


def test_a_signature_of_another_record_is_wrong() -> None:
    seal = HALTED.seal(SigningKey(KEY)).splitlines(keepends=True)[-1]
    moved = verify_record(b"".join([*LINES[:-1], seal]), KEY.public_key())
    own = Seal(digest=GOOD.head, key_id=SigningKey(KEY).key_id, public_key="00" * 32, signature="00" * 64)
    forged = verify_record(GOOD.to_bytes() + own.to_bytes() + b"\n", KEY.public_key())

    assert {one.kind for one in moved.findings} == {FindingKind.WRONG_DIGEST}
    assert (forged.signature, [one.kind for one in forged.findings]) == (
        SignatureState.WRONG,
        [FindingKind.WRONG_SIGNATURE],
    )


def test_an_entry_that_is_missing_moved_or_put_in_breaks_the_chain() -> None:
    for lines in (
        [*LINES[:5], *LINES[6:]],
        LINES[1:],
        [*LINES[:5], LINES[6], LINES[5], *LINES[7:]],
        [*LINES[:5], LINES[4], *LINES[5:]],
    ):
        assert FindingKind.BROKEN_CHAIN in kinds(b"".join(lines), KEY.public_key())
    end = len(LINES) - 2
    assert FindingKind.BROKEN_CHAIN in kinds(b"".join([*LINES[:-1], LINES[end], LINES[-1]]))


def test_a_record_that_was_cut_is_not_closed() -> None:
    no_seal = verify_record(b"".join(LINES[:-1]), KEY.public_key())
    no_end = verify_record(b"".join(LINES[:-2]))

    assert [one.kind for one in no_seal.findings] == [FindingKind.NOT_CLOSED, FindingKind.UNSIGNED]
    assert no_seal.signature is no_end.signature is SignatureState.OPEN
    assert [one.kind for one in no_end.findings] == [FindingKind.NOT_CLOSED, FindingKind.NOT_CLOSED]
    assert FindingKind.WRONG_DIGEST in kinds(b"".join([*LINES[:-2], LINES[-1]]))


def test_a_line_in_another_form_is_a_finding() -> None:
    entry = b"".join([*LINES[:3], LINES[3].replace(b",", b", ", 1), *LINES[4:]])
    seal = b"".join([*LINES[:-1], LINES[-1].replace(b",", b", ", 1)])

    assert kinds(entry) == {FindingKind.NOT_CANONICAL, FindingKind.BROKEN_CHAIN}
    assert kinds(seal, KEY.public_key()) == {FindingKind.NOT_CANONICAL}


def test_a_record_needs_one_beginning_one_plan_and_a_gate() -> None:
    assert found(without(GOOD, FrozenPlan))[0] == (FindingKind.INCOMPLETE, "there is no plan")
    assert (FindingKind.INCOMPLETE, "there is no gate") in found(without(GOOD, GateSettings))
    twice = with_entry(GOOD, first(GOOD, FrozenPlan), before=GateSettings)
    assert (FindingKind.INCOMPLETE, "there are 2 plans") in found(twice)
    headless = b"".join(LINES[1:])
    assert (FindingKind.INCOMPLETE, "the first entry does not say who has begun the release") in found(headless)


def test_evidence_whose_parts_do_not_fit_is_a_finding_and_judges_nothing() -> None:
    ((kind, text), *_) = [one for one in found(without(GOOD, EvidencePart, which=1)) if "evidence" in one[1]]

    assert (kind, text) == (
        FindingKind.WRONG_EVIDENCE,
        "evidence: a round is missing between two parts, or is there twice",
    )


def verdict_of(record: ReleaseRecord, which: int = 0) -> GateVerdict:
    given: VerdictGiven = first(record, VerdictGiven, which)
    return given.verdict


def test_a_verdict_that_the_evidence_does_not_give_is_found() -> None:
    verdict = verdict_of(HALTED, 1)
    assert verdict.decision is Decision.HALT
    assert verdict.prefix is not None
    milder = replace(verdict, decision=Decision.PROMOTE, reason="promote at 0 of the first 90 started; ceiling 5 %")
    other = replace(verdict, prefix=Prefix(devices=verdict.prefix.devices + 1, failures=verdict.prefix.failures))

    said = dict(found(changed(HALTED, VerdictGiven, which=1, verdict=milder)))
    assert said[FindingKind.WRONG_VERDICT].startswith("it says 'promote at 0 of the first 90")
    assert "judged again, the evidence says 'halt at" in said[FindingKind.WRONG_VERDICT]
    assert (
        FindingKind.WRONG_VERDICT,
        "judged again, the evidence gives the same decision with other numbers",
    ) in found(changed(HALTED, VerdictGiven, which=1, verdict=other))


def test_a_verdict_is_judged_by_the_gate_and_the_rounds_before_it() -> None:
    later = replace(verdict_of(GOOD), occasion=replace(verdict_of(GOOD).occasion, rounds=5))

    assert FindingKind.WRONG_VERDICT in kinds(changed(GOOD, GateSettings, gate=Gate(ceiling="1%")))
    assert "no gate was recorded before it" in dict(found(without(GOOD, GateSettings)))[FindingKind.WRONG_VERDICT]
    problem = dict(found(changed(GOOD, VerdictGiven, verdict=later)))[FindingKind.WRONG_VERDICT]
    assert problem == "it judges 5 rounds of evidence, and 1 were recorded before it"


def test_a_gate_that_was_overridden_judges_from_there_on() -> None:
    override = GateSettings(gate=Gate(ceiling="1%"), who="ada", why="this product is in hospitals")
    milder = GateSettings(gate=Gate(ceiling="6%"), who="ada", why="this product is in no hospital")
    before, after = places(GOOD, VerdictGiven)[0], places(GOOD, ReleaseEnded)[0]

    assert FindingKind.WRONG_VERDICT in kinds(with_entry(GOOD, override, before=VerdictGiven))
    assert before < after
    assert found(with_entry(GOOD, milder, before=ReleaseEnded)) == []
    assert found(with_entry(GOOD, override, before=ReleaseEnded)) == [
        (
            FindingKind.WRONG_VERDICT,
            "the release ended, and no verdict says so: halt at 2 of the first 8 started; ceiling 1 %",
        )
    ]


def test_an_answer_from_outside_has_to_be_recorded_before_it_is_used() -> None:
    answer = OutsideEvidence(source="crash rate", decision=Decision.HOLD, reason="3 % crash", numbers={"rate": 0.03})
    told = story(40, gate=Gate(outside=("crash rate",)))
    told.tell_wave(told.plan.waves[0])
    verdict = replace(
        verdict_of(told.record), counts=assess_wave(told.gate, told.evidence, wave=1, now=told.now).counts
    )
    verdict = replace(verdict, occasion=replace(verdict.occasion, rounds=len(told.evidence.rounds)))
    assert "no answer from crash rate" in str(verdict)
    said = replace(
        verdict,
        reason="hold by outside evidence: crash rate: 3 % crash",
        occasion=replace(verdict.occasion, outside=(answer,)),
    )
    told.add(OutsideSaid(answer=answer))
    told.add(VerdictGiven(verdict=said))

    def problems(record: ReleaseRecord) -> list[str]:
        return [one.text for one in verify_record(record.to_bytes()).findings if one.kind == FindingKind.WRONG_VERDICT]

    assert problems(told.record) == []
    unsaid = ReleaseRecord()
    for entry in told.record.entries:
        if not isinstance(entry.content, OutsideSaid):
            unsaid = unsaid.append(entry.content, at=START)
    assert problems(unsaid) == ["it uses an answer of crash rate that was not recorded before it"]


def test_the_number_of_an_entry_is_its_place() -> None:
    values = [json.loads(line) for line in GOOD.to_bytes().splitlines()]
    values[5]["number"] = 7
    for place in range(6, len(values)):
        values[place]["previous"] = digest_of_bytes(canonical_bytes(values[place - 1]))
    data = b"".join(canonical_bytes(one) + b"\n" for one in values)
    findings = verify_record(data).findings

    assert [(one.kind, one.entry, one.text) for one in findings if one.entry is not None] == [
        (FindingKind.BROKEN_CHAIN, 5, "entry 7 stands where entry 5 belongs")
    ]


def test_each_finding_names_the_entry_that_it_is_about() -> None:
    halt = ControlNote(verb=ControlVerb.HALT, who="ada", why="stop")
    verdict = replace(verdict_of(GOOD), reason="all is well")
    cases: dict[FindingKind, tuple[bytes, int]] = {
        FindingKind.BROKEN_CHAIN: (b"".join([*LINES[:5], *LINES[6:]]), 5),
        FindingKind.NOT_CANONICAL: (b"".join([*LINES[:3], LINES[3].replace(b",", b", ", 1), *LINES[4:]]), 3),
        FindingKind.INCOMPLETE: (with_entry(GOOD, first(GOOD, FrozenPlan), before=GateSettings), 2),
        FindingKind.JOB_AFTER_HALT: (with_entry(GOOD, halt, before=JobCreated), 4),
        FindingKind.NOT_PLANNED: (changed(GOOD, JobCreated, which=1, pulse=9), places(GOOD, JobCreated)[1]),
        FindingKind.WRONG_VERDICT: (changed(GOOD, VerdictGiven, verdict=verdict), places(GOOD, VerdictGiven)[0]),
        FindingKind.WRONG_RECEIPT: (changed(HALTED, HaltReceipt, rounds=9), places(HALTED, HaltReceipt)[0]),
        FindingKind.WRONG_LANDED_CHECK: (changed(GOOD, LandedCheck, checked=1), places(GOOD, LandedCheck)[0]),
        FindingKind.WRONG_COUNTS: (changed(GOOD, ReleaseEnded, planned=1), places(GOOD, ReleaseEnded)[0]),
    }
    for kind, (data, place) in cases.items():
        assert place in [one.entry for one in verify_record(data).findings if one.kind is kind], kind
    headless = verify_record(b"".join(LINES[1:])).findings
    assert [one.entry for one in headless if one.kind is FindingKind.INCOMPLETE] == [0]
    ended = b"".join([*LINES[:-1], LINES[-2], LINES[-1]])
    assert (len(LINES) - 2, "entries follow the end of the release") in [
        (one.entry, one.text) for one in verify_record(ended).findings
    ]


def test_the_arithmetic_of_the_plan_and_the_devices_of_each_job_are_verified_too() -> None:
    part: EvidencePart = first(GOOD, EvidencePart)
    other = (*part.devices[:-1], "stranger")

    assert (FindingKind.WRONG_PLAN, "600 devices and 0 excluded ones are not 601 candidates") in found(
        changed(GOOD, FrozenPlan, candidates=601)
    )
    assert (
        FindingKind.WRONG_DEVICES,
        "job 1-1-1 was created for other devices than those that the evidence has",
    ) in found(changed(GOOD, EvidencePart, devices=other))


def test_a_device_in_two_jobs_is_found_in_a_record() -> None:
    part: EvidencePart = first(GOOD, EvidencePart, 2)
    again = (first(GOOD, EvidencePart).devices[0], *part.devices[1:])

    assert (
        FindingKind.DEVICE_IN_TWO_JOBS,
        f"tried in two jobs: '{again[0]}' (1 in all)",
    ) in found(changed(GOOD, EvidencePart, which=2, devices=again))


def test_a_finding_is_one_sentence_with_its_entry() -> None:
    assert str(Finding(kind=FindingKind.NOT_CLOSED, text="it was cut")) == "not closed: it was cut"
    assert str(Finding(kind=FindingKind.WRONG_PLAN, text="no", entry=3)) == "wrong plan (entry 3): no"


def test_findings_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verify.MOST_FINDINGS == 1000
    monkeypatch.setattr(verify, "MOST_FINDINGS", 3)
    note = ControlNote(verb=ControlVerb.HALT, who="ada", why="stop")
    data = with_entry(GOOD, note, before=JobCreated)

    assert len(verify_record(data).findings) == 3


def test_the_evidence_of_a_record_is_that_of_the_release() -> None:
    told = story(40)
    record = told.tell()

    joined = evidence_of(verify_record(record.seal(None)).file)
    assert joined == told.evidence
