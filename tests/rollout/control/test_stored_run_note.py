from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.control.run_note import MOST_CHANGES, MOST_DEVICES
from airflow_provider_tuya_ota.rollout.control.stored_run_note import MOST_BYTES, read_run_note, write_run_note
from airflow_provider_tuya_ota.rollout.control.unreadable import ControlNoteUnreadableError
from tests.rollout.control.notes import RELEASE, begun, reason, stored


def test_what_was_stored_is_read_again() -> None:
    note = begun().exclude(["b", "a"], reason("ann")).advance_wave(2, reason("bob", minutes=5))
    assert read_run_note(stored(note), RELEASE) == note
    held = note.hold(reason("cy", "stop"))
    assert read_run_note(stored(held), RELEASE) == held


def test_the_stored_form_is_pinned() -> None:
    by = {"who": "the release", "why": "it begins", "at": "2026-11-30T09:00:00+00:00"}
    assert stored(begun()) == {
        "version": 1,
        "release": RELEASE.to_dict(),
        "state": "run",
        "reason": by,
        "seq": 1,
        "excluded": {},
        "excluded_number": 0,
        "advance": None,
        "changes": [{"seq": 1, "verb": "begin", "reason": by, "wave": None}],
    }


def test_the_oldest_changes_are_left_out_where_a_note_is_too_large() -> None:
    note = begun().exclude([f"device-{number:017}" for number in range(MOST_DEVICES)], reason())
    for minutes in range(MOST_CHANGES):
        note = note.hold(reason(why="烟" * 500, minutes=minutes))
    values = write_run_note(note, RELEASE)

    assert MOST_BYTES - 4000 < len(json.dumps(values)) <= MOST_BYTES
    read = read_run_note(values, RELEASE)
    assert read.excluded == note.excluded
    assert read.changes == note.changes[-len(read.changes) :]
    assert 1 <= len(read.changes) < MOST_CHANGES


def test_devices_that_do_not_fit_are_refused_and_not_cut() -> None:
    note = begun().exclude([f"{number:0128}" for number in range(MOST_DEVICES)], reason())
    with pytest.raises(InvalidParameterError, match=f"devices: {MOST_DEVICES} excluded devices do not fit"):
        write_run_note(note, RELEASE)


NOTE = stored(begun().exclude(["a"], reason()).advance_wave(2, reason()))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"state": "hold"}, "it holds, and asks to advance"),
        ({"state": "halt"}, "state: 'halt' is none of run, hold"),
        ({"excluded": {}}, "excluded_number: 1, and 0 devices are excluded"),
        ({"excluded": {"a": 1, "b": 1}}, "excluded_number: 1, and 2 devices are excluded"),
        ({"excluded": {"a": 4}}, "excluded: 4 is no whole number from 1 to 3"),
        ({"excluded": {"": 1}}, "excluded: '' is no name of a device"),
        ({"excluded": ["a"]}, "excluded: .* is no object of up to 1500"),
        ({"excluded": {f"d{number}": 1 for number in range(1501)}}, "is no object of up to 1500"),
        ({"changes": []}, "is no list of 1 to 20"),
        ({"changes": NOTE["changes"] * 7}, "is no list of 1 to 20"),
        ({"changes": NOTE["changes"][:2]}, "their numbers do not lead to 3"),
        ({"changes": NOTE["changes"][::2]}, "their numbers do not lead to 3"),
        ({"seq": 4}, "their numbers do not lead to 4"),
        ({"advance": {**NOTE["advance"], "seq": 4}}, "advance.seq: 4 is no whole number from 1 to 3"),
        ({"advance": {**NOTE["advance"], "wave": 1001}}, "advance.wave: 1001 is no whole number from 1 to 1000"),
        ({"reason": {**NOTE["reason"], "at": "2026-11-30T09:00:00"}}, "reason.at: .* is no time with an offset"),
        ({"reason": {**NOTE["reason"], "at": "0001-01-01T00:00:00+14:00"}}, "is no time with an offset"),
        ({"reason": {**NOTE["reason"], "at": "2026-11-30T09:00:00+00:00" + " " * 20}}, "is no time with an offset"),
        ({"changes": [*NOTE["changes"][:2], NOTE["changes"][2] | {"wave": None}]}, "wave: None, .* is advance"),
        ({"changes": [NOTE["changes"][0] | {"wave": 1}, *NOTE["changes"][1:]]}, "wave: 1, .* is begin"),
        ({"more": 1}, "note: missing or not known: 'more'"),
    ],
)
def test_a_note_that_contradicts_itself_is_not_read(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(ControlNoteUnreadableError, match=f"^the control note cannot be read: .*{problem}"):
        read_run_note(NOTE | change, RELEASE)


def test_a_left_out_name_is_named() -> None:
    values = {name: value for name, value in NOTE.items() if name != "seq"}
    with pytest.raises(ControlNoteUnreadableError, match=r"missing or not known: 'seq'$"):
        read_run_note(values, RELEASE)
