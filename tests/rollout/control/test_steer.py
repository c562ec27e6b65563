from __future__ import annotations

import copy
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError, StateUnavailableError
from airflow_provider_tuya_ota.rollout.control.change import ChangeVerb
from airflow_provider_tuya_ota.rollout.control.refused import ControlRefusedError
from airflow_provider_tuya_ota.rollout.control.release_control import ControlState
from airflow_provider_tuya_ota.rollout.control.steer import (
    ROUNDS,
    SETTLED,
    Steered,
    Steering,
    begin_release,
    halt_release,
    read_control,
    steer_release,
)
from airflow_provider_tuya_ota.rollout.control.stored_run_note import read_run_note, write_run_note
from tests.rollout.control.notes import AT, RELEASE, begun, reason, stored, stored_halt

if TYPE_CHECKING:
    from collections.abc import Callable


class Store:
    """Airflow's store of the asset.

    :ivar keeps: what it makes of a written value.
    """

    def __init__(self, run: Any = None, halt: Any = None) -> None:
        self.values = {RELEASE.note_key: run, RELEASE.halt_key: halt}
        self.asked: list[tuple[str, str]] = []
        self.unanswered: set[str] = set()
        self.keeps: Callable[[Any], Any] = copy.deepcopy

    def read(self, key: str) -> Any:
        self.asked.append(("read", key.partition("/")[0]))
        if key in self.unanswered:
            raise StateUnavailableError("answer", reason="nothing")
        return copy.deepcopy(self.values[key])

    def write(self, key: str, value: Any) -> None:
        self.asked.append(("write", key.partition("/")[0]))
        self.values[key] = self.keeps(value)

    @property
    def written(self) -> list[str]:
        return [key for verb, key in self.asked if verb == "write"]


def no_pause(_: float) -> None:
    """Nobody writes at the same time."""


def steer(store: Store, verb: ChangeVerb, **given: Any) -> Steered:
    steering = {"reason": reason("ann", "odd noises", 10)} | {
        name: given.pop(name) for name in ("reason", "wave", "devices", "since") if name in given
    }
    return steer_release(store, RELEASE, Steering(verb=verb, **steering), **{"pause": no_pause} | given)


def test_a_release_begins_once() -> None:
    store = Store()
    control = begin_release(store, RELEASE, reason("the release", "it begins"))
    assert (control.state, control.who) == (ControlState.RUN, "the release")
    steer(store, ChangeVerb.HOLD)
    assert begin_release(store, RELEASE, reason("a retry", "it begins")).who == "ann"
    assert store.written == ["release", "release"]


def test_an_unreadable_note_stays_and_a_halted_release_begins_halted() -> None:
    store = Store("garbage")
    assert begin_release(store, RELEASE, reason()).state is ControlState.HOLD
    assert store.values[RELEASE.note_key] == "garbage"
    assert begin_release(Store(None, stored_halt()), RELEASE, reason()).state is ControlState.HALT


def test_hold_and_resume_are_stored_with_who_and_why() -> None:
    store = Store(stored(begun()))
    held = steer(store, ChangeVerb.HOLD)
    assert held.is_changed
    assert (held.control.state, held.control.who, held.control.why) == (ControlState.HOLD, "ann", "odd noises")
    resumed = steer(store, ChangeVerb.RESUME, reason=reason("bob", "it was the fan", 20))
    assert (resumed.control.state, resumed.control.who, resumed.control.seq) == (ControlState.RUN, "bob", 3)
    assert store.written == ["release", "release"]


def test_resuming_a_release_that_runs_writes_nothing() -> None:
    store = Store(stored(begun()))
    steered = steer(store, ChangeVerb.RESUME)
    assert (steered.is_changed, steered.control.who, store.written) == (False, "the release", [])


def test_an_advance_is_stored_once_for_each_request() -> None:
    store = Store(stored(begun()))
    first = steer(store, ChangeVerb.ADVANCE, wave=2, since=AT)
    assert first.control.advance is not None
    assert (first.control.advance.wave, first.control.advance.seq) == (2, 2)
    later = reason("ann", "odd noises", 30)
    assert not steer(store, ChangeVerb.ADVANCE, wave=2, since=AT, reason=later).is_changed
    assert store.written == ["release"]


@pytest.mark.parametrize(
    "other",
    [
        {"wave": 3, "since": AT},
        {"wave": 2, "since": None},
        {"wave": 2, "since": AT + timedelta(minutes=11)},
        {"wave": 2, "since": AT, "reason": reason("bob", "odd noises", 30)},
        {"wave": 2, "since": AT, "reason": reason("ann", "still odd", 30)},
    ],
)
def test_another_request_advances_again(other: dict[str, Any]) -> None:
    store = Store(stored(begun()))
    steer(store, ChangeVerb.ADVANCE, wave=2, since=AT)
    steered = steer(store, ChangeVerb.ADVANCE, **{"reason": reason("ann", "odd noises", 30)} | other)
    assert steered.is_changed
    assert steered.control.advance is not None
    assert steered.control.advance.seq == 3


def test_devices_are_excluded_also_while_the_release_is_held() -> None:
    store = Store(stored(begun().hold(reason())))
    steered = steer(store, ChangeVerb.EXCLUDE, devices=("b", "a"))
    assert (steered.control.excluded, steered.control.state) == (("a", "b"), ControlState.HOLD)


def test_wrong_arguments_write_nothing() -> None:
    store = Store(stored(begun()))
    with pytest.raises(InvalidParameterError, match="wave"):
        steer(store, ChangeVerb.ADVANCE, wave=0)
    with pytest.raises(InvalidParameterError, match="devices"):
        steer(store, ChangeVerb.EXCLUDE)
    assert store.written == []


def test_a_halt_has_its_own_key_and_needs_no_note() -> None:
    for run in (stored(begun()), None, "garbage"):
        store = Store(run)
        steered = halt_release(store, RELEASE, reason("ann", "smoke"))
        assert (steered.control.state, steered.control.who, steered.is_changed) == (ControlState.HALT, "ann", True)
        assert store.written == ["halt"]


def test_the_first_halt_stays() -> None:
    store = Store(stored(begun()), stored_halt())
    steered = halt_release(store, RELEASE, reason("ann", "fire"))
    assert (steered.control.who, steered.control.why, steered.is_changed) == ("bob", "smoke", False)
    assert store.written == []


def test_a_halt_replaces_one_that_cannot_be_read() -> None:
    store = Store(stored(begun()), "garbage")
    assert halt_release(store, RELEASE, reason("ann", "smoke")).control.who == "ann"


def test_a_halt_that_is_not_given_back_is_an_error() -> None:
    store = Store(stored(begun()))
    store.keeps = lambda _: {"ref": "elsewhere"}
    with pytest.raises(ControlRefusedError, match=r"^The halt is not stored"):
        halt_release(store, RELEASE, reason("ann", "smoke"))


@pytest.mark.parametrize("verb", [ChangeVerb.HOLD, ChangeVerb.RESUME, ChangeVerb.ADVANCE, ChangeVerb.EXCLUDE])
def test_a_halted_release_takes_nothing(verb: ChangeVerb) -> None:
    store = Store(stored(begun()), stored_halt())
    with pytest.raises(ControlRefusedError, match=rf"^The release was halted by bob \(smoke\) and takes no {verb}"):
        steer(store, verb, wave=2, devices=("a",), new_note=True)
    assert store.written == []


@pytest.mark.parametrize("verb", [ChangeVerb.HOLD, ChangeVerb.RESUME, ChangeVerb.ADVANCE, ChangeVerb.EXCLUDE])
@pytest.mark.parametrize("run", [None, "garbage", {"version": 2}])
def test_a_note_that_cannot_be_read_is_not_changed(verb: ChangeVerb, run: Any) -> None:
    store = Store(run)
    with pytest.raises(ControlRefusedError, match=f"^The {verb} is not stored: the control note .* holds meanwhile"):
        steer(store, verb, wave=2, devices=("a",))
    assert store.written == []


@pytest.mark.parametrize("verb", [ChangeVerb.RESUME, ChangeVerb.ADVANCE, ChangeVerb.EXCLUDE])
def test_only_a_hold_replaces_a_note(verb: ChangeVerb) -> None:
    with pytest.raises(ControlRefusedError):
        steer(Store("garbage"), verb, wave=2, devices=("a",), new_note=True)


def test_a_hold_with_a_new_note_replaces_what_cannot_be_read() -> None:
    store = Store("garbage")
    control = steer(store, ChangeVerb.HOLD, new_note=True).control
    assert (control.state, control.who, control.problem) == (ControlState.HOLD, "ann", "")
    assert [change.verb for change in control.changes] == [ChangeVerb.REPLACE]
    assert steer(store, ChangeVerb.RESUME).control.state is ControlState.RUN


def test_a_new_note_is_not_taken_where_the_old_one_can_be_read() -> None:
    store = Store(stored(begun().exclude(["a"], reason())))
    assert steer(store, ChangeVerb.HOLD, new_note=True).control.excluded == ("a",)


def test_no_release_is_resumed_beside_a_halt_note_that_cannot_be_read() -> None:
    store = Store(stored(begun().hold(reason())), "garbage")
    with pytest.raises(ControlRefusedError, match="delete the key halt/thermostat/manual"):
        steer(store, ChangeVerb.RESUME)
    assert steer(store, ChangeVerb.HOLD).control.state is ControlState.HOLD


def overwritten(store: Store, times: int, change: Any) -> Callable[[float], None]:
    """Let another writer store its change of the note that it has read before ours was written."""
    before = store.values[RELEASE.note_key]
    left = [times]

    def pause(seconds: float) -> None:
        assert seconds == SETTLED
        if left[0]:
            left[0] -= 1
            store.values[RELEASE.note_key] = write_run_note(change(read_run_note(before, RELEASE)), RELEASE)

    return pause


@pytest.mark.parametrize("verb", [ChangeVerb.HOLD, ChangeVerb.EXCLUDE])
def test_a_hold_and_an_exclusion_that_are_overwritten_are_made_again(verb: ChangeVerb) -> None:
    store = Store(stored(begun()))
    pause = overwritten(store, ROUNDS - 1, lambda note: note.exclude(["other"], reason("bob")))
    control = steer(store, verb, devices=("a",), pause=pause).control
    assert control.changes[-1].reason.who == "ann"
    assert "other" in control.excluded
    assert (control.state is ControlState.HOLD) is (verb is ChangeVerb.HOLD)


@pytest.mark.parametrize("verb", [ChangeVerb.RESUME, ChangeVerb.ADVANCE])
def test_a_resume_and_an_advance_that_are_overwritten_are_not_made_again(verb: ChangeVerb) -> None:
    store = Store(stored(begun().hold(reason()) if verb is ChangeVerb.RESUME else begun()))
    pause = overwritten(store, 1, lambda note: note.hold(reason("bob", "lunch")))
    with pytest.raises(ControlRefusedError, match=rf"^The {verb} is lost: .* Now: hold \(bob: lunch\)"):
        steer(store, verb, wave=2, pause=pause)
    assert store.written == ["release"]


def test_a_hold_that_is_overwritten_again_and_again_is_an_error() -> None:
    store = Store(stored(begun()))
    pause = overwritten(store, ROUNDS, lambda note: note.exclude(["other"], reason("bob")))
    with pytest.raises(ControlRefusedError, match=r"^The hold is lost: .* Now: run"):
        steer(store, ChangeVerb.HOLD, pause=pause)
    assert store.written == ["release"] * ROUNDS


def test_a_halt_while_a_hold_is_stored_is_seen() -> None:
    store = Store(stored(begun()))

    def pause(_: float) -> None:
        store.values[RELEASE.halt_key] = stored_halt()

    assert steer(store, ChangeVerb.HOLD, pause=pause).control.state is ControlState.HALT


def test_the_halt_is_read_last_and_also_where_the_other_note_is_not_given() -> None:
    store = Store(stored(begun()), stored_halt())
    read_control(store, RELEASE)
    assert store.asked == [("read", "release"), ("read", "halt")]
    store.unanswered = {RELEASE.note_key}
    assert read_control(store, RELEASE).state is ControlState.HALT
    store.values[RELEASE.halt_key] = None
    with pytest.raises(StateUnavailableError):
        read_control(store, RELEASE)
    store.unanswered = {RELEASE.halt_key}
    with pytest.raises(StateUnavailableError):
        read_control(store, RELEASE)
