from __future__ import annotations

from dataclasses import replace

from airflow_provider_tuya_ota.rollout.gate.decision import Decision
from airflow_provider_tuya_ota.rollout.wave.decision import Hold, StartPulse, Wait, WaitCause, WaveOver
from airflow_provider_tuya_ota.rollout.wave.marks import HoldCause
from airflow_provider_tuya_ota.rollout.wave.phase import WaveOutcome, WavePhase
from airflow_provider_tuya_ota.rollout.wave.turn import decide
from tests.rollout.wave.small import (
    begun,
    later,
    situation,
    start_pulse,
    stratum,
    terms,
    verdict,
    waiting,
)
from tests.rollout.wave.world import note


def test_a_wave_of_the_platform_has_one_pulse_and_waits_for_devices_that_nobody_can_count() -> None:
    where = terms(3, waves=["10%", "50%", "platform ALL"])
    state = start_pulse(replace(begun(where), phase=WavePhase.RAMPING), where, said=verdict(Decision.PROMOTE, wave=2))

    later_on = decide(state, where, situation(later(hours=5), verdict(wave=3), progress=waiting(None)))
    at_last = decide(state, where, situation(later(hours=6), verdict(wave=3), progress=waiting(None)))

    assert (state.pulse, state.job, where.pulses) == (1, 0, 1)
    assert list(where.devices_in(1, 0)) == []
    assert isinstance(later_on, Wait)
    assert later_on.cause is WaitCause.EVIDENCE
    assert at_last == WaveOver(outcome=WaveOutcome.UNDECIDED)


def test_the_platform_chooses_no_devices_while_some_may_not_start() -> None:
    where = terms(3, waves=["10%", "50%", "platform ALL"])
    state = replace(begun(where), phase=WavePhase.RAMPING)
    good = verdict(Decision.PROMOTE, wave=2)
    amber = verdict(Decision.PROMOTE, wave=2, strata=[stratum("north", Decision.HOLD)])

    held = [
        decide(state, where, situation(said=good, control=note(excluded=("lamp-0001",)))),
        decide(replace(state, held_strata=("north",)), where, situation(said=good)),
        decide(state, where, situation(said=amber)),
    ]

    assert [one.mark.cause for one in held if isinstance(one, Hold)] == [HoldCause.CHOICE] * 3
    assert isinstance(decide(state, where, situation(said=good)), StartPulse)
