from __future__ import annotations

import hashlib
from fractions import Fraction
from itertools import islice

import pytest

from airflow_provider_tuya_ota.rollout.gate.boundaries import Boundaries, boundaries_for
from airflow_provider_tuya_ota.rollout.plan import devices_at_risk
from airflow_provider_tuya_ota.rollout.plan.device_timing import DeviceTiming
from airflow_provider_tuya_ota.rollout.plan.devices_at_risk import Risk, Start, forecast_risks

BOUNDARIES = boundaries_for(Fraction(1, 20), Fraction(1, 20), Fraction(1, 20))
FIXED = DeviceTiming(begins_after=0, takes=600, spread=0, reaction=0)
HOUR = 3600.0


def doubling(devices: int, first: int = 50) -> list[Start]:
    starts: list[Start] = []
    while devices > 0:
        starts.append((len(starts) * HOUR, min(first, devices)))
        devices -= first
        first *= 2
    return starts


def by_share(risks: tuple[Risk, ...]) -> dict[float, Risk]:
    return {risk.bad_share: risk for risk in risks}


def exact(starts: list[Start], share: float, boundaries: Boundaries) -> float:
    """Compute the mean exactly: every device has reported before the next pulse, and all of a pulse report at once."""
    alive = {0: 1.0}
    mean, devices = 0.0, 0
    for _, size in starts:
        reached = sum(alive.values())
        mean += size * reached
        for _ in range(size):
            devices += 1
            following: dict[int, float] = {}
            for failures, chance in alive.items():
                for more, part in ((0, 1 - share), (1, share)):
                    following[failures + more] = following.get(failures + more, 0.0) + chance * part
            alive = {
                failures: chance
                for failures, chance in following.items()
                if devices > boundaries.halt_within(failures) and chance > 1e-12
            }
    return mean


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_the_figure_at_a_pace_is_near_the_exact_mean(share: float) -> None:
    starts = doubling(1550)

    found = by_share(forecast_risks(starts, BOUNDARIES, FIXED))[share]

    assert found.paced == pytest.approx(exact(starts, share, BOUNDARIES), rel=0.1)


def test_a_pace_spares_devices_that_starting_at_once_does_not() -> None:
    found = by_share(forecast_risks(doubling(5000), BOUNDARIES, DeviceTiming()))

    # The design has 280 of 5,000 at 10 %.
    assert 200 < found[0.1].paced < 350
    assert found[0.2].paced < 80
    assert found[0.1].at_once > 3000
    assert found[0.05].paced > 4500
    assert all(risk.until_hold <= risk.paced <= risk.at_once for risk in found.values())
    assert found[0.1].until_hold < found[0.1].paced


@pytest.mark.usefixtures("few_courses")
def test_devices_that_begin_together_are_all_reached() -> None:
    found = by_share(forecast_risks([(0.0, 400)], BOUNDARIES, FIXED))

    assert {risk.at_once for risk in found.values()} == {risk.paced for risk in found.values()} == {400}
    assert {risk.until_hold for risk in found.values()} == {400}


@pytest.mark.usefixtures("few_courses")
def test_the_same_plan_has_the_same_figures() -> None:
    first, again = (forecast_risks(doubling(1000), BOUNDARIES, DeviceTiming()) for _ in range(2))

    assert first == again


@pytest.mark.usefixtures("few_courses")
def test_a_slow_reaction_reaches_more_devices() -> None:
    quick, slow = (
        by_share(forecast_risks([(0.0, 3000)], BOUNDARIES, DeviceTiming(reaction=seconds)))[0.2] for seconds in (0, 600)
    )

    assert slow.at_once > quick.at_once * 1.1


@pytest.mark.usefixtures("few_courses")
def test_pulses_that_follow_before_the_reports_give_no_protection() -> None:
    starts = [(at * 1.0, 50) for at in range(20)]

    assert by_share(forecast_risks(starts, BOUNDARIES, FIXED))[0.2].paced == 1000


@pytest.mark.usefixtures("few_courses")
def test_a_firmware_that_is_not_halted_in_time_reaches_everybody() -> None:
    generous = boundaries_for(Fraction(1, 2), Fraction(1, 20), Fraction(1, 20))

    found = by_share(forecast_risks(doubling(20_000), generous, FIXED))

    assert {risk.paced for risk in found.values()} == {20_000}
    assert {risk.until_hold for risk in found.values()} == {20_000}


def test_the_figures_are_means_of_200_courses() -> None:
    found = forecast_risks(doubling(12_000), BOUNDARIES, DeviceTiming())

    assert [(risk.at_once, risk.paced, risk.until_hold) for risk in found] == [
        (11950, 11482, 11306),
        (9593, 295, 241),
        (8516, 60, 54),
    ]


def test_the_first_5000_devices_are_evidence() -> None:
    assert [devices for _, devices in devices_at_risk._until_evidence_ends(doubling(20_000))] == [
        *(50, 100, 200, 400, 800, 1600, 3200),
    ]
    assert devices_at_risk._until_evidence_ends([(0.0, 5000), (1.0, 1)]) == [(0.0, 5000)]
    assert len(devices_at_risk._until_evidence_ends([(0.0, 4999), (1.0, 1), (2.0, 1)])) == 2


def test_evidence_ends_inside_the_pulse_in_which_the_limit_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices_at_risk, "MOST_EVIDENCE", 150)
    starts = doubling(1550)

    assert devices_at_risk._until_evidence_ends(starts) == starts[:2]
    monkeypatch.setattr(devices_at_risk, "MOST_EVIDENCE", 151)
    assert devices_at_risk._until_evidence_ends(starts) == starts[:3]
    failures = devices_at_risk._draw_failures("seed", starts[:3], 0.5, FIXED)
    assert max(place for _, place in failures) <= 151


def test_failures_are_drawn_with_their_share_in_every_pulse() -> None:
    starts = [(0.0, 1000), (HOUR, 1000), (2 * HOUR, 1000)]

    places = [
        place for number in range(20) for _, place in devices_at_risk._draw_failures(str(number), starts, 0.1, FIXED)
    ]

    for pulse in range(3):
        inside = sum(pulse * 1000 < place <= (pulse + 1) * 1000 for place in places)
        assert inside == pytest.approx(2000, rel=0.1)
    assert all(1 <= place <= 3000 for place in places)


def test_draws_lie_between_0_and_1_and_are_spread_evenly() -> None:
    draws = list(islice(devices_at_risk._draws("seed"), 4000))

    assert 0 < min(draws) < 0.01
    assert 0.99 < max(draws) < 1
    assert sum(draws) / len(draws) == pytest.approx(0.5, abs=0.02)
    assert len(set(draws)) > 3990


def test_draws_can_be_recomputed_by_anybody() -> None:
    blocks = b"".join(hashlib.sha256(f"seed:{block}".encode()).digest() for block in range(2))
    expected = [(int.from_bytes(blocks[at : at + 4]) + 0.5) / 2**32 for at in range(0, 64, 4)]

    assert list(islice(devices_at_risk._draws("seed"), 16)) == expected


def test_a_device_begins_at_its_quantile_of_the_pulse() -> None:
    timing = DeviceTiming(takes=600, spread=0)

    found = devices_at_risk._draw_failures("seed", [(HOUR, 4), (2 * HOUR, 1)], 0.999999, timing)

    begins = [HOUR + timing.begins_at(share) for share in (0.125, 0.375, 0.625, 0.875)]
    begins.append(2 * HOUR + timing.begins_at(0.5))
    assert [place for _, place in found] == [1, 2, 3, 4, 5]
    assert [reported - 600 for reported, _ in found] == pytest.approx(begins)


def test_the_gate_judges_in_start_order() -> None:
    # The boundary is 3 failures among the first 5, and 2 among the first 2.
    assert BOUNDARIES.row(5).halt == 3
    assert devices_at_risk._halt_time([(10.0, 400), (20.0, 4), (30.0, 2), (40.0, 5)], BOUNDARIES) == 40.0
    assert devices_at_risk._halt_time([(10.0, 2), (20.0, 1)], BOUNDARIES) == 20.0
    assert devices_at_risk._halt_time([(10.0, 400), (20.0, 401)], BOUNDARIES) is None


def test_an_early_failure_raises_the_count_of_those_behind_it() -> None:
    # 4 among the first 20 halt, 3 do not; the last report is of the first device.
    assert BOUNDARIES.row(20).halt == 5
    late_first = [(1.0, 18), (2.0, 19), (3.0, 20), (4.0, 17), (5.0, 16)]
    assert devices_at_risk._halt_time(late_first, BOUNDARIES) == 5.0


def test_the_first_pulse_that_is_due_while_the_gate_is_amber_is_held() -> None:
    most = BOUNDARIES.amber_within(7)
    assert BOUNDARIES.row(most).amber == 7
    seven = [60.0 * at for at in range(1, 8)]

    def held(*resolved: float, failures: list[float] = seven) -> float | None:
        return devices_at_risk._hold_time(failures, [(HOUR * at, n) for at, n in enumerate(resolved)], BOUNDARIES)

    assert held(0, most) == HOUR
    assert held(0, most + 1) is None
    assert held(0, most + 1, most) == 2 * HOUR
    assert held(0, 50, failures=seven[:6]) is None
    assert held(0, 50, failures=[]) is None
    assert held(0, 0, failures=[HOUR + 1.0] * 9) is None
    assert held(50, failures=[0.0] * 9) is None
    # Fewer devices than failures have reported on average: each failure has.
    assert held(0, 1.0) == HOUR


def test_a_halt_reaches_what_has_begun_in_the_pulses_before_it() -> None:
    timing = DeviceTiming(begins_after=100, takes=600, reaction=50)
    starts = [(0.0, 1000), (HOUR, 2000), (HOUR + 210, 4000), (HOUR + 220, 8000)]

    # The last two pulses are due when the halt is decided, or while its cancels are sent.
    expected = 1000 * timing.begun(HOUR + 260) + 2000 * timing.begun(260)
    assert devices_at_risk._begun_by(starts, HOUR + 210, timing) == pytest.approx(expected)


def test_resolved_devices_are_those_of_pulses_that_are_long_over_and_a_part_of_the_others() -> None:
    starts = [(0.0, 50), (HOUR, 100), (2 * HOUR, 200)]

    assert devices_at_risk._resolved_by(2 * HOUR, starts, FIXED) == 150
    assert devices_at_risk._resolved_by(HOUR + 300, starts, FIXED) == 50
    assert devices_at_risk._resolved_by(FIXED.settled_after, starts, FIXED) == 50
    part = DeviceTiming(begins_after=0, takes=HOUR, spread=0.5)
    assert devices_at_risk._resolved_by(2 * HOUR, starts[1:], part) == pytest.approx(50, abs=1)
