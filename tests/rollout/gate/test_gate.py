from __future__ import annotations

import json
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.gate.gate import COUNTABLE, Confidence, Gate
from airflow_provider_tuya_ota.rollout.gate.outcomes import FAILURES, DeviceOutcome


def test_a_gate_without_arguments_has_safe_defaults() -> None:
    rules = Gate().rules

    assert (rules.ceiling, rules.false_halt, rules.false_promote) == (Fraction(1, 20),) * 3
    assert (rules.silent_after, rules.stall_after, rules.min_soak) == (86400, 43200, 0)
    assert (rules.min_share, rules.min_devices) == (Fraction(1, 2), 0)
    assert rules.counts == set(FAILURES)
    assert (rules.texts, rules.outside) == ({}, ())
    assert not rules.halts_on_stratum
    assert not rules.observe_only


def test_every_field_is_parsed() -> None:
    rules = Gate(
        ceiling="0.5%",
        confidence=Confidence(halt="99%", promote="99.9%"),
        silent_after="6h",
        min_soak=timedelta(hours=1),
        min_evidence=30,
        stall_after="90m",
        counts=["flash", "busy"],
        texts={"battery low": "declined"},
        red_stratum="halt",
        outside=["crash rate", "crash rate"],
        observe_only=True,
    ).rules

    assert (rules.ceiling, rules.false_halt, rules.false_promote) == (
        Fraction(1, 200),
        Fraction(1, 100),
        Fraction(1, 1000),
    )
    assert (rules.silent_after, rules.min_soak, rules.stall_after) == (21600, 3600, 5400)
    assert (rules.min_share, rules.min_devices) == (Fraction(0), 30)
    assert rules.counts == {"flash", "busy", "other"}
    assert rules.texts == {"battery low": DeviceOutcome.DECLINED}
    assert rules.outside == ("crash rate",)
    assert rules.halts_on_stratum
    assert rules.observe_only


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ceiling", 5),
        ("ceiling", 0.05),
        ("ceiling", "0%"),
        ("ceiling", "51%"),
        ("ceiling", None),
        ("confidence", "95"),
        ("confidence", "79.9%"),
        ("confidence", "100%"),
        ("confidence", 0.95),
        ("confidence.halt", Confidence(halt="50%")),
        ("confidence.promote", Confidence(promote="50%")),
        ("silent_after", "6"),
        ("silent_after", 0),
        ("silent_after", None),
        ("min_soak", "-1h"),
        ("min_evidence", 0),
        ("min_evidence", True),
        ("min_evidence", 0.5),
        ("min_evidence", "101%"),
        ("min_evidence", 1_000_001),
        ("stall_after", "24h"),
        ("stall_after", 0),
        ("counts", []),
        ("counts", "flash"),
        ("counts", ["flash", "flsh"]),
        ("counts", ["removed"]),
        ("counts", ["already on target"]),
        ("counts", [None]),
        ("texts", {"low": "declined"}),
        ("texts", {"battery low": "succeeded"}),
        ("texts", {"battery low": "silent?"}),
        ("texts", {7: "declined"}),
        ("texts", ["battery low"]),
        ("texts", None),
        ("red_stratum", "ignore"),
        ("red_stratum", True),
        ("outside", "crash rate"),
        ("outside", [""]),
        ("outside", []),
        ("outside", None),
        ("observe_only", "yes"),
        ("observe_only", 1),
    ],
)
def test_a_field_that_could_be_misread_is_refused_by_its_name(field: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"^{field}: "):
        Gate(**{field.partition(".")[0]: value})


def test_a_gate_that_counts_no_failure_could_never_act_and_says_so() -> None:
    with pytest.raises(ConfigurationError, match=r"^counts: is empty, so the gate could never act"):
        Gate(counts=())
    with pytest.raises(ConfigurationError, match=r"^counts: \[\] is not allowed"):
        Gate(counts=[])


def test_a_stall_that_silence_would_always_come_before_could_never_hold_and_says_so() -> None:
    with pytest.raises(
        ConfigurationError, match=r"^stall_after: 3600 seconds never hold, .* less than silent_after, 3600"
    ):
        Gate(silent_after="1h", stall_after="1h")
    assert Gate(silent_after="1h", stall_after=3599).rules.stall_after == 3599


def test_a_short_time_until_silence_makes_the_default_stall_shorter() -> None:
    assert Gate(silent_after="1h").rules.stall_after == 1800


@pytest.mark.parametrize("name", COUNTABLE)
def test_every_outcome_that_may_count_can_be_the_only_one_besides_other(name: DeviceOutcome) -> None:
    assert Gate(counts=[name.value]).rules.counts == {name, DeviceOutcome.OTHER}


@pytest.mark.parametrize(
    "gate",
    [
        Gate(),
        Gate(
            confidence=Confidence(halt="90%"),
            silent_after=timedelta(hours=6),
            counts=["flash"],
            min_evidence=7,
            texts={"battery low": "declined"},
            red_stratum="halt",
            outside=["crash rate"],
            observe_only=True,
        ),
    ],
)
def test_a_gate_comes_back_from_json_with_the_same_rules(gate: Gate) -> None:
    again = Gate.from_dict(json.loads(json.dumps(gate.to_dict())))

    assert again.rules == gate.rules
    assert again.to_dict() == gate.to_dict()


def test_a_stored_gate_with_a_field_that_is_not_known_is_refused() -> None:
    with pytest.raises(TypeError):
        Gate.from_dict({**Gate().to_dict(), "new": 1})


def test_a_gate_does_not_change() -> None:
    with pytest.raises(AttributeError):
        Gate().ceiling = "50%"  # type: ignore[misc] # the assignment that has to fail


def test_decidability_is_known_before_a_wave_starts() -> None:
    assert Gate().decidability(50).promote is None
    assert Gate().decidability(50).halt == 9
    assert Gate().decidability(500).promote == 12
    assert Gate().decidability(1).halt is None


@pytest.mark.parametrize(("started", "needed"), [(0, 0), (1, 1), (3, 2), (4, 2), (101, 51)])
def test_a_share_of_the_evidence_is_rounded_up(started: int, needed: int) -> None:
    assert Gate().rules.needed(started) == needed


def test_the_smallest_and_the_largest_of_what_is_allowed_are_accepted() -> None:
    assert [Gate(min_evidence=devices).rules.min_devices for devices in (1, 1_000_000)] == [1, 1_000_000]
    assert [Gate(ceiling=text).rules.ceiling for text in ("0.01%", "50%")] == [Fraction(1, 10_000), Fraction(1, 2)]
    assert [Gate(confidence=text).rules.false_halt for text in ("80%", "99.99%")] == [
        Fraction(1, 5),
        Fraction(1, 10_000),
    ]
    assert Gate(texts={"cold": "declined"}).rules.texts == {"cold": "declined"}


def test_a_number_of_devices_is_needed_however_small_the_wave() -> None:
    assert Gate(min_evidence=30).rules.needed(4) == 30


def test_all_strata_together_have_the_error_rate_of_one_release() -> None:
    rules = Gate().rules

    assert rules.stratum_boundaries(4).row(20).halt == Gate(confidence="98.75%").rules.boundaries.row(20).halt
    assert rules.stratum_boundaries(4).row(20).halt == 6
    assert rules.boundaries.row(20).halt == 5
    amber, halt = rules.stratum_boundaries(4).row(100).amber, rules.stratum_boundaries(4).row(100).halt
    assert (amber, halt) == (13, 15)


@pytest.mark.parametrize("held", [0, 1])
def test_a_release_that_one_stratum_may_halt_shares_its_error_rate_with_its_strata(held: int) -> None:
    rules, half = Gate(red_stratum="halt").rules, Gate(confidence=Confidence(halt="97.5%")).rules

    assert rules.boundaries is half.boundaries
    assert rules.rest_boundaries(4, held) is half.rest_boundaries(4, held)
    assert rules.stratum_boundaries(4) is half.stratum_boundaries(4)
    assert rules.false_halt == Gate().rules.false_halt


def test_the_rest_of_a_release_is_promoted_later_the_more_choices_there_were_to_hold_strata() -> None:
    rules = Gate().rules
    first = [rules.rest_boundaries(4, held).first_clean_promotion for held in range(4)]

    assert first == [81, 129, 153, 159]
    # One held stratum of four: 5 % is shared among 2 x 4 choices.
    assert first[1] == Gate(confidence=Confidence(promote="99.375%")).rules.boundaries.first_clean_promotion


def test_names_in_a_set_are_sorted_and_those_in_a_list_keep_their_order() -> None:
    names = ["support calls", "crash rate", "dashboard"]

    assert Gate(outside=set(names)).to_dict()["outside"] == sorted(names)
    assert Gate(outside=frozenset(names)).rules.outside == tuple(sorted(names))
    assert Gate(outside=names).to_dict()["outside"] == names
    with pytest.raises(ConfigurationError, match="outside"):
        Gate(outside={"crash rate", 5})  # type: ignore[arg-type] # what an author may write
