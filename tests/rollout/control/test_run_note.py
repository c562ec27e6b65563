from __future__ import annotations

from datetime import datetime

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.control.change import ChangeVerb, Reason
from airflow_provider_tuya_ota.rollout.control.run_note import MOST_CHANGES, MOST_DEVICES, RunNote, RunState
from airflow_provider_tuya_ota.rollout.control.stored_run_note import read_run_note
from tests.rollout.control.notes import AT, RELEASE, begun, reason, stored


def test_a_release_begins_running_and_a_replaced_note_holds() -> None:
    assert (begun().state, begun().seq, begun().excluded) == (RunState.RUN, 1, ())
    replaced = RunNote.begin_held(reason("ann", "the old one was deleted"))
    assert (replaced.state, replaced.reason.who) == (RunState.HOLD, "ann")
    assert [change.verb for change in replaced.changes] == [ChangeVerb.REPLACE]


def test_the_numbers_of_a_replaced_note_go_on_above_those_of_the_lost_one() -> None:
    replaced = RunNote.begin_held(reason("ann", "the old one was deleted"))
    assert replaced.seq == replaced.changes[0].seq == AT.timestamp()
    assert RunNote.begin_held(reason(minutes=1)).seq > replaced.hold(reason()).seq
    assert read_run_note(stored(replaced.resume(reason())), RELEASE).seq == replaced.seq + 1


def test_hold_and_resume_say_who_and_why_and_are_numbered() -> None:
    held = begun().hold(reason("ann", "odd noises", 1))
    resumed = held.resume(reason("bob", "it was the fan", 2))

    assert (held.state, held.reason.who, held.reason.why, held.seq) == (RunState.HOLD, "ann", "odd noises", 2)
    assert (resumed.state, resumed.reason.who, resumed.reason.why, resumed.seq) == (
        RunState.RUN,
        "bob",
        "it was the fan",
        3,
    )
    assert [(change.seq, change.verb) for change in resumed.changes] == [
        (1, ChangeVerb.BEGIN),
        (2, ChangeVerb.HOLD),
        (3, ChangeVerb.RESUME),
    ]


def test_an_advance_is_for_one_wave_and_a_hold_drops_it() -> None:
    advanced = begun().advance_wave(2, reason("ann", "enough soaked", 1))
    assert advanced.advance is not None
    assert (advanced.advance.wave, advanced.advance.seq, advanced.advance.reason.who) == (2, 2, "ann")
    assert advanced.state is RunState.RUN
    assert advanced.reason == begun().reason
    held = advanced.hold(reason(minutes=2))
    assert held.advance is None
    assert held.resume(reason(minutes=3)).advance is None


def test_a_held_release_does_not_take_an_advance() -> None:
    with pytest.raises(InvalidParameterError, match=r"^wave: the release is held by ann \(because\)\. Allowed: a wave"):
        begun().hold(reason()).advance_wave(2, reason())


@pytest.mark.parametrize("wave", [0, -1, 1001, True, 2.0, "2"])
def test_only_a_number_is_a_wave(wave: object) -> None:
    with pytest.raises(InvalidParameterError, match=r"is no wave\. Allowed: a number from 1 to 1000\.$"):
        begun().advance_wave(wave, reason())  # type: ignore[arg-type] # what a stored value or a template may give


@pytest.mark.parametrize("wave", [1, 1000])
def test_the_first_and_the_last_wave_are_waves(wave: int) -> None:
    advance = begun().advance_wave(wave, reason()).advance
    assert advance is not None
    assert advance.wave == wave


def test_excluded_devices_stay_excluded_and_each_change_knows_its_own() -> None:
    note = begun().exclude(["b", "a"], reason("ann")).exclude(["c", "a"], reason("bob"))

    assert note.excluded == ("a", "b", "c")
    assert note.excluded_by == {"a": 2, "b": 2, "c": 3}
    assert [change.devices for change in note.changes] == [(), ("a", "b"), ("c",)]
    assert note.hold(reason()).resume(reason()).excluded == ("a", "b", "c")


@pytest.mark.parametrize("name", ["", " a", "a\n", "\ud800", "x" * 257, 7, None])
def test_what_is_no_name_excludes_nothing(name: object) -> None:
    with pytest.raises(InvalidParameterError, match=r"^devices: .* is no name of a device\. Allowed: a list of names"):
        begun().exclude(["good", name], reason())  # type: ignore[list-item] # what a template may give


def test_no_devices_and_too_many_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match="devices: 0 are given"):
        begun().exclude([], reason())
    full = begun().exclude([f"d{number}" for number in range(MOST_DEVICES)], reason())
    assert len(full.excluded) == MOST_DEVICES
    assert full.exclude(["d1"], reason()).excluded == full.excluded
    with pytest.raises(InvalidParameterError, match=f"1 are given and {MOST_DEVICES} are excluded already"):
        full.exclude(["another"], reason())


def test_only_the_last_changes_are_kept() -> None:
    note = begun()
    for minutes in range(MOST_CHANGES):
        note = note.hold(reason(minutes=minutes))
    assert [change.seq for change in note.changes] == list(range(2, MOST_CHANGES + 2))


def test_who_and_why_are_shown_on_one_line_and_bounded() -> None:
    found = reason("ann\x1b[2J\nroot", "w" * 600)
    assert found.who == "ann\ufffd[2J root"
    assert found.why == "w" * 499 + "…"
    assert len(reason(who="a" * 300).who) == 256


@pytest.mark.parametrize("field", ["who", "why"])
@pytest.mark.parametrize("value", ["", " \n", None, 7])
def test_nobody_changes_a_note_without_name_and_reason(field: str, value: object) -> None:
    with pytest.raises(InvalidParameterError, match=f"^{field}: .* says nothing"):
        Reason(**{"who": "ann", "why": "because", "at": AT, field: value})  # type: ignore[arg-type] # as a template may give it


def test_a_time_has_an_offset() -> None:
    with pytest.raises(InvalidParameterError, match="at: has no offset"):
        Reason(who="ann", why="because", at=datetime.fromisoformat("2026-11-30T09:00"))
    assert reason().at == AT
