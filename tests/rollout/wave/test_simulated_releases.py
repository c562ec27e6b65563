"""Whole releases in memory, drawn from seeds: what may never happen, happens in none of them."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.rollout.control.release_control import ControlState
from airflow_provider_tuya_ota.rollout.record.finding import FindingKind
from airflow_provider_tuya_ota.rollout.record.verify import verify_record
from airflow_provider_tuya_ota.rollout.wave.events import KINDS, PulseStarted, WaveAdvanced, dump_event, load_event
from airflow_provider_tuya_ota.rollout.wave.marks import HaltCause
from airflow_provider_tuya_ota.rollout.wave.phase import ReleasePhase, WaveOutcome
from tests.rollout.wave.driver import Driver
from tests.rollout.wave.recorder import Recorder
from tests.rollout.wave.world import START, Person, Script, World, note, script_of

if TYPE_CHECKING:
    from datetime import datetime


SEEDS = range(300)
PLAIN = Script(
    devices=4000,
    has_strata=False,
    has_window=False,
    failing=0.005,
    bad_stratum="",
    slow_failures=False,
    offline=0.0,
    silent=0.0,
    notes=((START, note()),),
    person=Person(),
    outages=(),
)


@lru_cache(maxsize=1)
def with_kills() -> tuple[Driver, ...]:
    """Play all releases, with a restart at each step and kills around each job."""
    return tuple(play(World(seed, script_of(seed)), kills=True) for seed in SEEDS)


def play(world: World, *, kills: bool) -> Driver:
    driver = Driver(world, Random(world.seed) if kills else None)  # noqa: S311 - a simulation
    driver.run()
    return driver


def test_no_release_starts_what_it_may_not() -> None:
    drivers = with_kills()  # the driver checks each start

    ends = Counter(
        (driver.state.phase.value, driver.state.halt.cause.value if driver.state.halt else "") for driver in drivers
    )
    started, killed = sum(len(one.world.created) for one in drivers), sum(one.killed for one in drivers)
    sys.stdout.write(f"{len(drivers)} releases, {started:,} devices started, {killed} kills: {dict(ends)}\n")
    seen = Counter(type(event).__name__ for one in drivers for event in one.events)
    cut = sum(isinstance(event, PulseStarted) and event.jobs == 0 for one in drivers for event in one.events)
    sys.stdout.write(f"events: {dict(seen)}; {cut} pulses were stopped before their first job\n")
    assert seen.keys() == KINDS.keys(), "each kind of event happens"
    assert killed > 300
    assert {phase for phase, _ in ends} == {"recorded", "halted", "waves"}
    assert {cause for _, cause in ends} >= {*HaltCause, ""}


def test_cumulative_shares_are_those_of_the_plan() -> None:
    for driver in with_kills():
        world, stood_out = driver.world, set[str]()
        for wave in world.plan.waves:
            planned = {name: pulse.number for pulse in wave.pulses for name in pulse.devices}
            started = {name: pulse for name, (_, number, pulse) in world.created.items() if number == wave.number}
            assert started.items() <= planned.items(), f"seed {world.seed}: a device started in another pulse"
            if wave.number not in driver.ended:
                break
            left_out = planned.keys() - started.keys()
            excluded = {name for _, said in world.script.notes if said for name in said.excluded}
            bad = {name for name in left_out if name not in excluded}
            assert not bad or world.script.has_strata, f"seed {world.seed}: devices were forgotten"
            stood_out |= left_out
            upto = sum(number <= wave.number for _, number, _ in world.created.values())
            assert upto == wave.total - len(stood_out), f"seed {world.seed}, wave {wave.number}"


def test_nothing_starts_after_a_halt() -> None:
    halted = [driver for driver in with_kills() if driver.state.halt]

    assert len(halted) > 100
    for driver in halted:
        halt = driver.state.halt
        assert halt is not None
        assert all(at <= halt.at for at, _, _ in driver.world.created.values())
        asked = [at for at, said in driver.world.script.notes if said and said.state is ControlState.HALT]
        assert all(at <= max(asked) for at, _, _ in driver.world.created.values()) if asked else True


def test_pulses_and_soaks_keep_their_time() -> None:
    waited = 0
    for driver in with_kills():
        if any(isinstance(event, WaveAdvanced) for event in driver.events):
            continue
        times: dict[tuple[int, int], list[datetime]] = defaultdict(list)
        for at, wave, pulse in driver.world.created.values():
            times[wave, pulse].append(at)
        order = sorted(times)
        for before, after in pairwise(order):
            gap = min(times[after]) - max(times[before])
            assert gap >= timedelta(hours=1 if before[0] == after[0] else 4), f"seed {driver.world.seed}: {after}"
            waited += 1
    assert waited > 500


@pytest.mark.parametrize("seed", range(60))
def test_restarts_and_kills_change_nothing(seed: int) -> None:
    killed, untouched = with_kills()[seed], play(World(seed, script_of(seed)), kills=False)

    assert killed.world.created == untouched.world.created
    assert (killed.ended, killed.approved) == (untouched.ended, untouched.approved)
    one, other = killed.state, untouched.state
    assert (one.phase, one.halt) == (other.phase, other.halt)
    assert (one.current and one.current.soak_until) == (other.current and other.current.soak_until)


@pytest.mark.parametrize(("failing", "most"), [(0.1, 800), (0.2, 250), (0.5, 60)])
def test_bad_firmware_is_halted_early(failing: float, most: int) -> None:
    driver = play(World(1, replace(PLAIN, failing=failing)), kills=True)

    assert driver.state.phase is ReleasePhase.HALTED
    assert driver.state.halt is not None
    assert driver.state.halt.cause is HaltCause.GATE
    sys.stdout.write(f"{failing:.0%} fail: {driver.state.halt.why}; {len(driver.world.created)} of 4000 had started\n")
    assert 0 < len(driver.world.created) <= most


def test_bad_firmware_whose_failures_come_late_is_not_promoted() -> None:
    driver = play(World(2, replace(PLAIN, failing=0.1, slow_failures=True)), kills=True)

    assert driver.state.phase is ReleasePhase.HALTED
    assert WaveOutcome.PROMOTED not in driver.ended.values()


def test_good_firmware_reaches_everybody() -> None:
    driver = play(World(3, PLAIN), kills=True)

    assert driver.state.phase is ReleasePhase.RECORDED
    assert len(driver.world.created) == 4000
    assert set(driver.ended.values()) == {WaveOutcome.PROMOTED}


def test_one_bad_stratum_is_held_and_the_rest_goes_on() -> None:
    driver = play(World(4, replace(PLAIN, has_strata=True, bad_stratum="north")), kills=True)

    assert driver.state.phase is ReleasePhase.RECORDED
    started = Counter(driver.world.stratum_of[name] for name in driver.world.created)
    assert {started[name] for name in ("asia", "east", "west")} == {1000}
    assert started["north"] < 100


def test_without_outcomes_nothing_is_promoted() -> None:
    driver = play(World(5, replace(PLAIN, devices=400, offline=1.0, person=None)), kills=True)

    assert driver.state.phase is ReleasePhase.WAVES
    assert driver.ended == {1: WaveOutcome.UNDECIDED}
    assert {wave for _, wave, _ in driver.world.created.values()} == {1}


@pytest.mark.parametrize("seed", range(60, 90))
def test_a_record_that_is_written_from_the_events_is_verified(seed: int) -> None:
    world = World(seed, script_of(seed))
    driver = Driver(world, Random(seed), Recorder(world))  # noqa: S311 - a simulation
    driver.run()
    assert driver.recorder is not None

    verified = verify_record(driver.recorder.record.to_bytes())

    # The landed check, the receipt of a halt and the end are written by others.
    assert [str(one) for one in verified.findings if one.kind is not FindingKind.NOT_CLOSED] == []
    assert verified.verdicts > 0
    for event in driver.events:
        assert load_event(dump_event(event)) == event
        assert str(event)
