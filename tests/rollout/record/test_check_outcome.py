from __future__ import annotations

from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.gate.outside import OutsideEvidence
from airflow_provider_tuya_ota.rollout.record.course import ControlNote, ControlVerb, OutsideSaid
from airflow_provider_tuya_ota.rollout.record.finding import FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt, ReleaseEnded, ReleaseOutcome
from tests.rollout.record.forgery import changed, first, found, texts, with_entry, without
from tests.rollout.record.story import Story, halted, story

HALTED = halted(400)


def test_exceptions_need_an_exception() -> None:
    record = story(40).tell()

    assert first(record, ReleaseEnded).outcome is ReleaseOutcome.COMPLETE
    assert texts(changed(record, ReleaseEnded, outcome=ReleaseOutcome.WITH_EXCEPTIONS), FindingKind.WRONG_COUNTS) == [
        "it is complete with exceptions, and there is none"
    ]


def test_a_halt_needs_its_receipt_and_its_outcome() -> None:
    assert "there is no receipt of a halt, and the release was halted" in texts(
        without(HALTED, HaltReceipt), FindingKind.WRONG_COUNTS
    )
    complete = changed(HALTED, ReleaseEnded, outcome=ReleaseOutcome.WITH_EXCEPTIONS)
    assert "the outcome is complete with exceptions, and the release was halted" in texts(
        complete, FindingKind.WRONG_COUNTS
    )


def test_a_release_that_ends_before_its_first_wave_has_not_started() -> None:
    told: Story = story(40, gate=Gate())
    told.add(
        ReleaseEnded(
            outcome=ReleaseOutcome.NOT_STARTED, reason="verification failed", planned=40, in_no_job=40, counts={}
        )
    )
    record = told.record

    assert found(record.seal(None)) == []
    halted_before = with_entry(
        record, ControlNote(verb=ControlVerb.HALT, who="ada", why="wrong file"), before=ReleaseEnded
    )
    assert found(halted_before) == []
    assert texts(changed(record, ReleaseEnded, outcome=ReleaseOutcome.HALTED), FindingKind.WRONG_COUNTS) == [
        "the outcome is halted, and no wave began"
    ]


def test_a_wave_may_be_left_out_only_where_all_its_devices_are_excused() -> None:
    told = story(40)
    record = told.tell(waves=2)
    names = first(record, ReleaseEnded).left_out
    note = ControlNote(verb=ControlVerb.EXCLUDE, who="ada", why="sold", devices=names)
    all_but_one = ControlNote(verb=ControlVerb.EXCLUDE, who="ada", why="sold", devices=names[1:])
    problem = (
        FindingKind.WRONG_COUNTS,
        "the outcome is complete with exceptions, and these waves never began: 3 (100%)",
    )

    assert len(names) == told.plan.waves[2].size
    assert found(record.seal(None)) == [problem]
    assert found(with_entry(record, all_but_one, before=ReleaseEnded)) == [problem]
    assert found(with_entry(record, note, before=ReleaseEnded)) == []


def test_a_release_whose_devices_turn_out_to_run_another_version_is_halted_at_its_end() -> None:
    record = story(200, lambda rank: "liar" if rank % 3 else "good").tell()

    assert first(record, ReleaseEnded).outcome is ReleaseOutcome.HALTED
    assert found(record.seal(None)) == []


def test_what_the_check_of_landed_versions_finds_at_the_end_need_not_be_judged() -> None:
    told = story(200, lambda rank: "liar" if rank % 3 else "good")
    told.judges_landed = False
    record = told.tell()
    calls = OutsideEvidence(source="support", decision=Decision.HALT, reason="hundreds of calls")
    unheard = with_entry(story(200).tell(), OutsideSaid(answer=calls), before=ReleaseEnded)

    assert first(record, ReleaseEnded).outcome is ReleaseOutcome.WITH_EXCEPTIONS
    assert found(record.seal(None)) == []
    assert [kind for kind, _ in found(unheard)] == [FindingKind.WRONG_VERDICT]
