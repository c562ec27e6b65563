from __future__ import annotations

import copy
from typing import Any

import pytest

from airflow_provider_tuya_ota.rollout.control.release_control import ControlState, merge_stored
from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId
from tests.rollout.control.notes import AT, RELEASE, begun, reason, stored, stored_halt


def test_a_note_that_runs_lets_the_release_start() -> None:
    note = begun().exclude(["a"], reason("ann")).advance_wave(3, reason("bob"))
    control = merge_stored(RELEASE, stored(note), None)

    assert control.state is ControlState.RUN
    assert control.may_start
    assert (control.who, control.why, control.at, control.seq) == ("the release", "it begins", AT, 3)
    assert control.excluded == ("a",)
    assert control.advance == note.advance
    assert control.changes == note.changes
    assert not control.problem


def test_a_note_that_holds_says_who_and_why() -> None:
    control = merge_stored(RELEASE, stored(begun().hold(reason("ann", "odd noises"))), None)
    assert (control.state, control.who, control.why, control.problem) == (ControlState.HOLD, "ann", "odd noises", "")
    assert not control.may_start


@pytest.mark.parametrize("run", [stored(begun()), stored(begun().hold(reason())), None, "garbage", {"version": 9}])
def test_a_halt_outranks_every_run_note(run: Any) -> None:
    control = merge_stored(RELEASE, run, stored_halt())
    assert (control.state, control.who, control.why, control.at) == (ControlState.HALT, "bob", "smoke", AT)
    assert control.advance is None
    assert not control.may_start


def test_a_halt_keeps_what_the_run_note_says_of_devices_and_changes() -> None:
    note = begun().exclude(["a"], reason("ann"))
    control = merge_stored(RELEASE, stored(note), stored_halt())
    assert (control.excluded, control.seq, control.changes, control.problem) == (("a",), 2, note.changes, "")
    assert merge_stored(RELEASE, None, stored_halt()).problem.startswith("is missing")


def test_a_missing_note_holds() -> None:
    control = merge_stored(RELEASE, None, None)
    assert (control.state, control.who, control.at, control.seq) == (ControlState.HOLD, "", None, 0)
    assert control.why == "the control note is missing: the release has not stored it yet, or somebody has deleted it"
    assert f"the control note {control.problem}" == control.why


@pytest.mark.parametrize("version", [0, 2, True, 1.0, "1", None])
def test_a_note_of_an_unknown_version_holds(version: Any) -> None:
    control = merge_stored(RELEASE, stored(begun()) | {"version": version}, None)
    assert control.state is ControlState.HOLD
    assert control.problem.endswith("and only 1 is known here")


@pytest.mark.parametrize(
    "other", [{"version": 2}, {"reason": None}, {"reason": {"who": 1}}, {"version": "x", "more": [1]}]
)
def test_a_halt_of_another_version_or_without_a_readable_reason_halts(other: dict[str, Any]) -> None:
    assert merge_stored(RELEASE, stored(begun()), stored_halt(**other)).state is ControlState.HALT


def test_a_halt_that_does_not_say_who_says_so() -> None:
    control = merge_stored(RELEASE, stored(begun()), stored_halt(reason=None))
    assert (control.who, control.why, control.at) == ("not known", "not known", None)


@pytest.mark.parametrize("value", ["halt", 1, [], {}, {"state": "run"}, {"state": "HALT"}, False, ""])
def test_a_halt_note_that_does_not_say_halt_holds(value: Any) -> None:
    note = begun().exclude(["a"], reason()).advance_wave(2, reason())
    control = merge_stored(RELEASE, stored(note), value)
    assert (control.state, control.who, control.at, control.advance) == (ControlState.HOLD, "", None, None)
    assert (control.excluded, control.seq, control.changes) == (("a",), 3, note.changes)
    assert control.problem.startswith("of a halt cannot be read: ")


OTHER = ReleaseId(dag_id="thermostat", run_id="another")


def test_notes_of_another_release_hold() -> None:
    assert merge_stored(OTHER, stored(begun()), None).problem.startswith("names another release")
    control = merge_stored(OTHER, stored(begun(), OTHER), stored_halt())
    assert (control.state, control.problem[:21]) == (ControlState.HOLD, "names another release")


HOSTILE: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**53,
    1.5,
    float("nan"),
    "",
    "x",
    "\ud800",
    "x" * 100_000,
    [],
    [[]],
    {},
    {"a": 1},
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] * bool(path) + [place for key, part in parts for place in _places(part, (*path, key))]


NOTE = stored(begun().exclude(["a", "b"], reason("ann")).advance_wave(2, reason("bob")))


@pytest.mark.parametrize("path", _places(NOTE), ids=str)
def test_a_spoilt_value_anywhere_in_a_note_never_starts_more(path: tuple[Any, ...]) -> None:
    for value in HOSTILE:
        spoilt = copy.deepcopy(NOTE)
        inner = spoilt
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
        control = merge_stored(RELEASE, spoilt, None)
        _check_no_more_than_before(control, value)
        del inner[path[-1]]
        _check_no_more_than_before(merge_stored(RELEASE, spoilt, None), "left out")


def _check_no_more_than_before(control: Any, value: Any) -> None:
    """A spoilt note holds, or its text for people has changed, or the request to advance is gone."""
    control.why.encode()
    assert len(control.why) <= 600
    if control.state is ControlState.RUN:
        assert control.excluded == ("a", "b"), value
        assert control.advance is None or control.advance.wave == 2, value
        for change in control.changes:
            f"{change.reason.who}{change.reason.why}".encode()


@pytest.mark.parametrize("value", [*HOSTILE[1:], {f"name{number}": 1 for number in range(100_000)}])
def test_any_other_value_instead_of_a_note_holds(value: Any) -> None:
    control = merge_stored(RELEASE, value, None)
    assert control.state is ControlState.HOLD
    control.why.encode()
    assert len(control.why) <= 600
