from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.gate.outside import OutsideEvidence
from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan, GateSettings, ReleaseBegun
from airflow_provider_tuya_ota.rollout.record.course import (
    ApprovalAnswer,
    ApprovalAnswered,
    ApprovalAsked,
    ControlNote,
    ControlVerb,
    JobCreated,
    OutsideSaid,
)
from airflow_provider_tuya_ota.rollout.record.description import _describe, describe
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt, LandedCheck, ReleaseEnded
from tests.rollout.record.forgery import first
from tests.rollout.record.story import SHOWN, good, halted, story

GOOD, HALTED = good(200), halted(200)
BEGUN = "release release-1 of k1demoproduct, module default, version 2.0.0, by ada"
ENDED = "complete with exceptions: all waves ended; 200 planned, 0 in no job"
NOTE = ControlNote(verb=ControlVerb.EXCLUDE, who="ada", why="in a museum", devices=("a", "b"))
ANSWER = ApprovalAnswered(asked=3, answer=ApprovalAnswer.APPROVED, who="grace", why="fine", shown_digest=SHOWN)
SAID = OutsideSaid(answer=OutsideEvidence(source="crash rate", decision=Decision.HALT, reason="3 % crash"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            first(GOOD, ReleaseBegun),
            f"{BEGUN}, from https://bucket.example/fw.bin?[removed] (4,096 bytes)",
        ),
        (
            replace(first(GOOD, ReleaseBegun), source=""),
            BEGUN,
        ),
        (
            replace(first(GOOD, FrozenPlan), excluded={"busy in another job": 2}, candidates=202),
            "200 of 202 devices, 2 busy in another job; waves 20% (40 devices); 50% (60 devices); 100% (100 devices)",
        ),
        (GateSettings(gate=Gate()), "ceiling 5%, silent after 86400 s"),
        (
            GateSettings(gate=Gate(ceiling="1%", silent_after="6h"), who="ada", why="hospitals"),
            "ceiling 1%, silent after 21600 s, overridden by ada: hospitals",
        ),
        (first(GOOD, JobCreated), "job verification (verification, no wave) of firmware 178: 1 devices"),
        (
            replace(first(GOOD, JobCreated, 1), devices=None),
            "job 1-1-1 (wave, wave 1, pulse 1) of firmware 178: devices that the platform chooses",
        ),
        (first(GOOD, EvidencePart), "40 devices started, 0 have an outcome"),
        (
            first(GOOD, EvidencePart, -1),
            "0 devices started, 0 have an outcome, 4 turned out to run another version",
        ),
        (SAID, "crash rate: halt, 3 % crash"),
        (OutsideSaid(answer=OutsideEvidence(source="s", decision=Decision.PROMOTE)), "s: promote"),
        (ApprovalAsked(wave=3, shown_digest=SHOWN), "wave 3: asked anybody"),
        (
            ApprovalAsked(wave=3, shown_digest=SHOWN, approvers=("grace", "ada"), two_person=True),
            "wave 3: asked grace, ada, not who triggered it",
        ),
        (ANSWER, "to entry 3: approved by grace: fine"),
        (replace(ANSWER, answer=ApprovalAnswer.TIMED_OUT, who="", why=""), "to entry 3: timed out by nobody"),
        (NOTE, "exclude a, b by ada: in a museum"),
        (replace(NOTE, verb=ControlVerb.HOLD, devices=()), "hold by ada: in a museum"),
        (
            first(HALTED, HaltReceipt),
            "8 cancelled, 4 could not be cancelled, 4 landed after the halt, 0 failed, 160 spared",
        ),
        (first(GOOD, LandedCheck), "198 checked: 194 on the version, 4 on another one, 0 not known"),
        (
            replace(first(GOOD, LandedCheck), is_sample=True),
            "a sample of 198 checked: 194 on the version, 4 on another one, 0 not known",
        ),
        (
            replace(first(GOOD, ReleaseEnded), succeeded_on_retry=1),
            f"{ENDED}; 194 succeeded, 2 flash, 4 wrong version, 1 of them succeeded in a retry",
        ),
        (
            replace(first(GOOD, ReleaseEnded), counts={}),
            f"{ENDED}; no device started",
        ),
    ],
)
def test_an_entry_is_said_in_one_line(content: object, said: str) -> None:
    assert describe(content) == said  # type: ignore[arg-type] # all of them are entries


def test_a_verdict_is_said_with_its_wave() -> None:
    said = [describe(entry.content) for entry in GOOD.entries if entry.kind == "verdict"]

    assert said[0].startswith("wave 1: undecided: 40 started: ")


def test_each_kind_of_entry_has_its_words() -> None:
    for entry in (*GOOD.entries, *HALTED.entries, *story(40).tell().entries):
        assert describe(entry.content)
    with pytest.raises(TypeError, match="str is no entry of a record"):
        _describe("a text")


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert describe(replace(NOTE, why="red\x1b[31m\nnext", devices=())) == "exclude by ada: red\ufffd[31m next"
