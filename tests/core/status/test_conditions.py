from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import (
    FirmwareStatusError,
    InvalidParameterError,
    NotFoundError,
    PollingFailedError,
)
from airflow_provider_tuya_ota.core.model.outcome_errors import WaitTimeoutError
from airflow_provider_tuya_ota.core.status.condition_wait import ConditionWait, wait_for_condition
from airflow_provider_tuya_ota.core.status.conditions import (
    Condition,
    ConditionSnapshot,
    DevicesCondition,
    FirmwareCondition,
    describe_condition,
    rebuild_condition,
)
from airflow_provider_tuya_ota.core.status.wait_state import KeyRefusedError, WaitState
from tests.core.script import NOW, SETTINGS, Script, firmware, gateway, lost, ok, refused

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.core.script import Sent

VERIFIED = FirmwareCondition(firmware_id="178", statuses=["VERIFIED"], failing_statuses=["FAILED"])


def in_status(status: int) -> Response:
    return ok(firmwareInfo=firmware(status=status))


def online(**changes: Any) -> DevicesCondition:
    arguments: dict[str, Any] = {"product_key": "pk", "device_names": ["a", "b"], "state": "ONLINE", "at_least": None}
    return DevicesCondition(**arguments | changes)


def states(**device_states: str) -> Response:
    return ok(deviceStatusList=[{"deviceName": name, "status": state} for name, state in device_states.items()])


def waiting_for(condition: Condition, *, deadline: datetime, poll_interval: float, state: WaitState) -> Flow[None]:
    wait = ConditionWait(condition, deadline=deadline, poll_interval=poll_interval, state=state)
    return wait_for_condition(SETTINGS, wait)


def wait(condition: Condition, answers: Any, seconds: float = 100.0) -> Script:
    script = Script(answers)
    deadline = NOW + timedelta(seconds=seconds)
    script.run(waiting_for(condition, deadline=deadline, poll_interval=30.0, state=WaitState()))
    return script


@pytest.mark.parametrize(("status", "is_met"), [(0, False), (1, True), (2, False), (7, False)])
def test_a_firmware_is_seen_with_its_status(status: int, is_met: bool) -> None:
    assert Script([in_status(status)]).run(VERIFIED.poll(SETTINGS)).is_met is is_met


def test_a_failing_status_ends_the_wait() -> None:
    with pytest.raises(FirmwareStatusError, match=r"firmware 178 \(1.1\) is FAILED, so it will not become VERIFIED"):
        wait(VERIFIED, [in_status(3)])


def test_a_status_that_is_wanted_does_not_fail() -> None:
    condition = FirmwareCondition(firmware_id="178", statuses=["FAILED"], failing_statuses=["FAILED"])

    assert Script([in_status(3)]).run(condition.poll(SETTINGS)) == ConditionSnapshot(
        is_met=True, line="firmware 178 (1.1) is FAILED"
    )


@pytest.mark.parametrize(
    ("device_states", "at_least", "seen"),
    [
        ({"a": "ONLINE", "b": "ONLINE"}, None, ConditionSnapshot(is_met=True, line="2 of 2 devices are ONLINE")),
        (
            {"a": "ONLINE", "b": "OFFLINE"},
            None,
            ConditionSnapshot(is_met=False, line="1 of 2 devices are ONLINE; missing: b"),
        ),
        ({"a": "ONLINE"}, 1, ConditionSnapshot(is_met=True, line="1 of 2 devices are ONLINE; missing: b")),
        (
            {"a": "OFFLINE", "x": "ONLINE"},
            1,
            ConditionSnapshot(is_met=False, line="0 of 2 devices are ONLINE; missing: a, b"),
        ),
    ],
)
def test_devices_are_counted_by_their_state(
    device_states: dict[str, str], at_least: int | None, seen: ConditionSnapshot
) -> None:
    assert Script([states(**device_states)]).run(online(at_least=at_least).poll(SETTINGS)) == seen


def test_many_devices_are_asked_for_fifty_at_a_time_and_named_ten_at_the_most() -> None:
    names = [f"d{number}" for number in range(120)]
    asked: list[int] = []

    def platform(sent: Sent) -> Response:
        asked.append(sum(name.startswith("DeviceName.") for name in sent.parameters))
        return states()

    seen = Script(platform).run(online(device_names=names).poll(SETTINGS))

    assert asked == [50, 50, 20]
    assert seen.line.endswith("d8, d9 and 110 more")


def test_a_wait_polls_until_the_condition_holds_and_says_only_what_is_new() -> None:
    script = wait(VERIFIED, [in_status(0), in_status(0), in_status(2), in_status(1)])

    assert script.sleeps == [30.0, 30.0, 30.0]
    assert [line.rpartition(" ")[2] for line in script.lines] == ["UNVERIFIED", "VERIFYING", "VERIFIED"]


def test_a_poll_that_fails_in_transit_counts_as_not_yet() -> None:
    script = wait(VERIFIED, [*[lost()] * 5, in_status(1)])

    assert "The wait for firmware 178 goes on." in script.warnings[-1]


def test_after_the_deadline_there_is_one_more_poll() -> None:
    script = wait(VERIFIED, [in_status(0), in_status(0), in_status(1)], seconds=40.0)

    assert script.sleeps == [30.0, 10.0]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([in_status(0), in_status(2)], "the time to wait is over: firmware 178 .* is VERIFYING"),
        ([lost()] * 50, "no poll succeeded"),
    ],
)
def test_a_wait_that_is_over_says_what_was_seen_last(answers: list[Any], said: str) -> None:
    with pytest.raises(WaitTimeoutError, match=said):
        wait(VERIFIED, answers, seconds=30.0)


def test_what_does_not_exist_is_not_waited_for() -> None:
    with pytest.raises(NotFoundError):
        wait(VERIFIED, [refused("iot.firmware.FirmwareNotFound")])


@pytest.mark.parametrize(
    ("condition", "subject"), [(VERIFIED, "firmware 178"), (online(), "the devices of product pk")]
)
def test_an_outage_is_tolerated_for_two_hours_and_no_longer(condition: Condition, subject: str) -> None:
    script = Script(lambda _: lost())

    with pytest.raises(PollingFailedError, match=f"{subject} could not be polled for 7200 s; to wait on, run the task"):
        script.run(waiting_for(condition, deadline=NOW + timedelta(days=1), poll_interval=600, state=WaitState()))

    assert timedelta(hours=2) <= script.now - NOW < timedelta(hours=2, minutes=15)


def test_what_was_seen_well_and_is_refused_is_given_a_moment() -> None:
    state = WaitState()
    answers = [in_status(0), *[refused("iot.firmware.FirmwareNotFound")] * 2, in_status(1)]

    script = Script(answers)
    script.run(waiting_for(VERIFIED, deadline=NOW + timedelta(hours=1), poll_interval=100, state=state))
    script = Script(lambda _: refused("iot.firmware.FirmwareNotFound"))
    with pytest.raises(PollingFailedError, match="for 300 s"):
        script.run(waiting_for(VERIFIED, deadline=NOW + timedelta(hours=1), poll_interval=100, state=state))

    assert script.now - NOW == timedelta(seconds=300)


def test_a_wait_whose_key_is_refused_is_given_back_to_whoever_can_read_the_connection_again() -> None:
    state = WaitState()
    script = Script([in_status(0), gateway("SignatureDoesNotMatch", 403), in_status(1)])
    deadline = NOW + timedelta(hours=1)

    with pytest.raises(KeyRefusedError) as caught:
        script.run(waiting_for(VERIFIED, deadline=deadline, poll_interval=30, state=state))
    assert caught.value.pause == 30
    script.run(waiting_for(VERIFIED, deadline=deadline, poll_interval=30, state=state))

    assert len(script.sent) == 3


def test_a_wait_that_is_over_while_its_key_is_refused_is_over() -> None:
    state = WaitState()
    state.record()

    with pytest.raises(WaitTimeoutError):
        Script([gateway("SignatureDoesNotMatch", 403)]).run(
            waiting_for(VERIFIED, deadline=NOW, poll_interval=30, state=state)
        )


@pytest.mark.parametrize("condition", [VERIFIED, online(), online(at_least=1, state="OFFLINE")])
def test_a_condition_survives_as_json(condition: Condition) -> None:
    assert rebuild_condition(json.loads(json.dumps(describe_condition(condition)))) == condition


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"statuses": ["GOOD"]}, "statuses: GOOD is no status"),
        ({"statuses": []}, "statuses: is empty"),
        ({"failing_statuses": ["BAD", "FAILED"]}, "failing_statuses: BAD is no status"),
        ({"firmware_id": ""}, "firmware_id"),
    ],
)
def test_a_wait_for_a_firmware_that_makes_no_sense_is_refused(changes: dict[str, Any], said: str) -> None:
    arguments: dict[str, Any] = {"firmware_id": "178", "statuses": ["VERIFIED"], "failing_statuses": []}

    with pytest.raises(InvalidParameterError, match=said):
        FirmwareCondition(**arguments | changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"device_names": []}, "device_names: is empty"),
        ({"device_names": ["a", "a"]}, "device_names: has a device twice"),
        ({"state": "AWAKE"}, "state: 'AWAKE' is no state"),
        ({"at_least": 0}, "at_least: 0 is not possible"),
        ({"at_least": 3}, "at_least: 3 is not possible"),
        ({"product_key": ""}, "product_key"),
    ],
)
def test_a_wait_for_devices_that_makes_no_sense_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidParameterError, match=said):
        online(**changes)


def test_a_wait_at_another_interval_goes_on_from_the_same_state() -> None:
    state = WaitState()
    one = ConditionWait(VERIFIED, deadline=NOW, poll_interval=15.0, state=state)

    other = one.polling_every(60.0)

    assert (other.condition, other.deadline, other.poll_interval) == (VERIFIED, NOW, 60.0)
    assert other.state is state


def test_an_error_that_let_no_poll_begin_counts_as_one_that_failed() -> None:
    wait = ConditionWait(VERIFIED, deadline=NOW + timedelta(seconds=20), poll_interval=30.0, state=WaitState())

    event, pause = wait.pause_after(lost(), NOW)

    assert event.line().endswith("The wait for firmware 178 goes on.")
    assert pause == 20.0
    with pytest.raises(WaitTimeoutError, match="no poll succeeded"):
        wait.pause_after(lost(), NOW + timedelta(seconds=20))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (online(), online(device_names=["b", "a"])),
        (online(), online(at_least=2)),
        (
            FirmwareCondition(firmware_id="178", statuses=["VERIFIED", "NOT_NEEDED"], failing_statuses=["FAILED"]),
            FirmwareCondition(firmware_id="178", statuses=["NOT_NEEDED", "VERIFIED"], failing_statuses=["FAILED"]),
        ),
    ],
)
def test_a_condition_in_other_words_is_the_same_condition(one: Condition, other: Condition) -> None:
    assert (one, hash(one)) == (other, hash(other))


@pytest.mark.parametrize(
    "changes", [{"device_names": ["a", "c"]}, {"at_least": 1}, {"state": "OFFLINE"}, {"product_key": "another"}]
)
def test_other_devices_states_and_numbers_are_another_condition(changes: dict[str, Any]) -> None:
    assert online(**changes) != online()


def test_devices_that_are_missing_are_named_in_the_order_in_which_they_were_given() -> None:
    seen = Script([states()]).run(online(device_names=["d10", "d9"]).poll(SETTINGS))

    assert seen.line == "0 of 2 devices are ONLINE; missing: d10, d9"


def test_a_wait_that_is_over_while_polls_fail_states_no_old_state_as_today_s() -> None:
    with pytest.raises(WaitTimeoutError, match=r"the last poll failed: .*The last poll that succeeded: firmware 178"):
        wait(VERIFIED, [in_status(0), *[lost()] * 50], seconds=30.0)
