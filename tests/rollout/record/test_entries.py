from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from airflow_provider_tuya_ota.rollout.record.begin import GateSettings, ReleaseBegun
from airflow_provider_tuya_ota.rollout.record.course import ApprovalAnswer, ApprovalAnswered, ApprovalAsked, ControlNote
from airflow_provider_tuya_ota.rollout.record.entry import KINDS
from airflow_provider_tuya_ota.rollout.record.evidence_part import MOST_DEVICES, EvidencePart
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt, LandedCheck, ReleaseEnded
from airflow_provider_tuya_ota.rollout.record.values import read, write
from tests.rollout.record.forgery import first
from tests.rollout.record.story import SHOWN, good, halted

GOOD, HALTED = good(60), halted(60)
NAMES = {"maxLength": 256}
REASONS = {"maxLength": 2000}
DIGESTS = {"pattern": "[0-9a-f]{64}"}
LIMITS: dict[str, dict[str, dict[str, Any]]] = {
    "begun": dict.fromkeys(["release_id", "triggered_by", "product_key", "module_name", "version"], NAMES)
    | {"source": REASONS},
    "plan": dict.fromkeys(["plan_digest", "cohort_digest", "names_digest"], DIGESTS) | {"waves": {"maxItems": 100}},
    "gate": {"who": NAMES, "why": REASONS},
    "job": {"job_id": NAMES, "firmware_id": NAMES, "devices_digest": {"pattern": "|[0-9a-f]{64}"}},
    "evidence": {
        "strata": {"maxItems": 64},
        "devices": {"maxItems": 2_000_000},
        "ended": {"maxItems": 2_000_000},
        "outcomes": {"maxLength": 2_000_000, "pattern": "[sfdvwtxobanclr]*"},
    },
    "verdict": {},
    "outside evidence": {},
    "approval asked": {"shown_digest": DIGESTS, "approvers": {"maxItems": 1000}},
    "approval answered": {"who": NAMES, "why": REASONS, "shown_digest": DIGESTS},
    "control note": {"who": NAMES, "why": REASONS},
    "halt receipt": {"reason": REASONS},
    "landed check": {},
    "end": {"reason": REASONS},
}


def test_the_limits_of_each_field_are_as_they_are() -> None:
    found = {
        name: {one.name: dict(one.metadata) for one in fields(kind) if one.metadata} for name, kind in KINDS.items()
    }

    assert found == LIMITS
    assert MOST_DEVICES == 2_000_000


@pytest.mark.parametrize(
    ("content", "name", "value"),
    [
        (first(GOOD, ReleaseBegun), "triggered_by", "x" * 257),
        (first(GOOD, ReleaseBegun), "source", "x" * 2001),
        (first(GOOD, ApprovalAsked), "approvers", ["x"] * 1001),
        (first(GOOD, ApprovalAsked), "shown_digest", "0" * 63),
        (first(GOOD, ApprovalAnswered), "why", "x" * 2001),
        (first(GOOD, ControlNote), "who", "x" * 257),
        (first(HALTED, HaltReceipt), "reason", "x" * 2001),
        (first(GOOD, EvidencePart), "outcomes", "p"),
        (first(GOOD, EvidencePart), "strata", [f"{number}" for number in range(65)]),
    ],
)
def test_a_value_beyond_its_limit_is_refused(content: Any, name: str, value: Any) -> None:
    values = write(content)
    assert read(type(content), values, field="it") == content

    with pytest.raises(ValueError, match=rf"it\.{name}: "):
        read(type(content), values | {name: value}, field="it")


def test_what_is_left_out_claims_nothing() -> None:
    begun = ReleaseBegun(release_id="r", triggered_by="ada", product_key="k", module_name="m", version="2")
    asked = ApprovalAsked(wave=1, shown_digest=SHOWN)
    answered = ApprovalAnswered(asked=1, answer=ApprovalAnswer.TIMED_OUT, shown_digest=SHOWN)
    receipt = HaltReceipt(rounds=0, reason="r")
    check = LandedCheck(checked=0, is_sample=False, delay=0.0, on_target=0, elsewhere=())

    assert (begun.source, begun.size, begun.digests) == ("", 0, {})
    assert (asked.approvers, asked.two_person) == ((), False)
    assert (answered.who, answered.why) == ("", "")
    assert set(receipt.by_receipt.values()) == {()}
    assert check.not_known == ()
    settings, end = first(GOOD, GateSettings), first(HALTED, ReleaseEnded)
    assert (settings.who, settings.why, end.succeeded_on_retry, end.left_out) == ("", "", 0, ())
