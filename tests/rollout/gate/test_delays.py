from __future__ import annotations

from benchmarks.gate_delays import SCENARIOS, by_outcomes, by_rule_p, simulate

SEEDS = range(30)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def test_failures_that_come_late_do_not_promote_a_bad_release() -> None:
    bad = BY_NAME["failures late, bad (10 %)"]

    assert simulate(bad, SEEDS, by_rule_p).promoted <= 2
    assert simulate(bad, SEEDS, by_outcomes).promoted > 15


def test_successes_that_come_late_do_not_halt_a_good_release() -> None:
    good = BY_NAME["successes late, good (4 %)"]

    assert simulate(good, SEEDS, by_rule_p).halted <= 2
    assert simulate(good, SEEDS, by_outcomes).halted > 15


def test_a_clean_release_is_promoted_and_a_bad_one_halted_whatever_comes_late() -> None:
    for late in ("failures late", "successes late", "no difference"):
        assert simulate(BY_NAME[f"{late}, good (1 %)"], SEEDS, by_rule_p).promoted >= 26
        assert simulate(BY_NAME[f"{late}, bad (10 %)"], SEEDS, by_rule_p).halted >= 26
