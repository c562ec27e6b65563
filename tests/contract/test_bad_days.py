from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from airflow_provider_tuya_ota.emulator.faults.fault import AFTERWARDS, KINDS
from tests.contract.bad_days import APART, CREATES, FAULTS, calls_of_a_release, outcome

CALLS = calls_of_a_release()
LIES = {"no_id", "odd_ids", "other_id", "wrong_status", "refused_after"}
"""After one of these nobody knows what was meant."""
TRANSIENT_ERRORS = {"throttle", "hostile_texts", "odd_fields", *AFTERWARDS} - LIES
"""After one of these a release goes on by itself, wherever it hits."""
STATED = {
    "drop_before": {"TransportError"},
    "refuse": {"TransportError"},
    "status": {"UnavailableError", "UnreadableReplyError"},
    "outage": {"UnavailableError"},
    "redirect": {"ProtocolError"},
    "skew": {"AuthenticationError"},
    "no_id": {"ProtocolError"},
    "odd_ids": {"ProtocolError"},
    "other_id": {"ProtocolError", "NotFoundError"},
    "wrong_status": {"ProtocolError"},
    "refused_after": {"ApiError", "InvalidRequestError"},
}
"""What a release that is stopped says of the others."""


def name(fault: dict[str, Any]) -> str:
    return " ".join(str(value) for value in fault.values())


def _is_short(fault: dict[str, Any]) -> bool:
    return fault["kind"] not in {"redirect", "skew", *LIES} and fault.get("seconds", 0) < 120


def test_every_kind_of_fault_takes_part() -> None:
    assert {fault["kind"] for fault in FAULTS} == set(KINDS) - APART


@pytest.mark.parametrize("fault", FAULTS, ids=name)
def test_no_fault_at_any_call_makes_a_release_wrong(fault: dict[str, Any]) -> None:
    outcomes = {f"{number} {call}": outcome(fault, number) for number, call in enumerate(CALLS, 1)}

    allowed = {"right"} | {f"stopped: {error}" for error in STATED.get(fault["kind"], ())}
    if fault["kind"] in TRANSIENT_ERRORS:
        allowed = {"right"}
    assert {call: result for call, result in outcomes.items() if result not in allowed} == {}


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if _is_short(fault)], ids=name)
def test_a_short_fault_stops_a_release_only_where_a_create_was_not_carried_out(fault: dict[str, Any]) -> None:
    stopped = Counter(call for number, call in enumerate(CALLS, 1) if outcome(fault, number).startswith("stopped"))

    assert set(stopped) <= set(CREATES)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault["kind"] in {"replay", "refused_after"}], ids=name)
def test_a_create_that_was_carried_out_and_refused_is_found_and_not_repeated(fault: dict[str, Any]) -> None:
    outcomes = {number: outcome(fault, number) for number, call in enumerate(CALLS, 1) if call in CREATES}

    assert set(outcomes.values()) == {"right"}


@pytest.mark.parametrize("way", ["through_requests", "through_aiohttp"])
@pytest.mark.parametrize("fault", FAULTS, ids=name)
def test_over_sockets_too_no_fault_makes_a_second_job(fault: dict[str, Any], way: str) -> None:
    # Real seconds: late answers come after the client has hung up, refusals and outages outlast one try.
    real = fault | ({"seconds": 0.6} if fault.get("seconds", 0) > 0 and fault["kind"] != "skew" else {})
    outcomes = {
        f"{number} {call}": outcome(real, number, way, read_timeout=0.3, connect_timeout=1)
        for number, call in enumerate(CALLS, 1)
        if call in {*CREATES, "PostObject"}
    }

    assert {call: result for call, result in outcomes.items() if result.startswith("wrong")} == {}
    if fault["kind"] in TRANSIENT_ERRORS:
        assert set(outcomes.values()) == {"right"}
