"""The phases of a wave and of a release, and which may follow which."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from airflow_provider_tuya_ota.core.errors import ConfigurationError


class WavePhase(StrEnum):
    """Where a wave is."""

    PLANNED = "planned"
    """Nothing of it has happened."""
    AWAITING_APPROVAL = "awaiting approval"
    """A person decides whether its first pulse may start."""
    RAMPING = "ramping"
    """Its pulses start one after the other."""
    SOAKING = "soaking"
    """All pulses have started, and the wave is watched."""
    JUDGING = "judging"
    """The soak is over, and the gate needs more evidence."""
    OVER = "over"
    """Nothing more of it will start; the next wave may begin, or has to be approved first."""
    HALTED = "halted"
    """The release was halted while it was the last wave that had begun."""


class WaveOutcome(StrEnum):
    """How a wave ended that was not halted."""

    PROMOTED = "promoted"
    """The gate has promoted it."""
    OBSERVED = "observed"
    """Its soak is over, and the gate only observes."""
    UNDECIDED = "undecided"
    """No more evidence will come, and it is too little for the gate. The next wave needs a person's approval."""


class ReleasePhase(StrEnum):
    """Where a release is."""

    PLANNED = "planned"
    UPLOADING = "uploading"
    VERIFYING = "verifying"
    WAVES = "waves"
    LANDED_CHECK = "landed check"
    RECORDED = "recorded"
    """It has ended: every wave is over, and its record is written."""
    HALTING = "halting"
    """Everything that can be cancelled is being cancelled."""
    SETTLING = "settling"
    """What could not be cancelled is watched until it ends or is silent."""
    HALTED = "halted"
    """It has ended."""


WAVE_STEPS: Final = {
    WavePhase.PLANNED: (WavePhase.AWAITING_APPROVAL, WavePhase.RAMPING, WavePhase.HALTED),
    WavePhase.AWAITING_APPROVAL: (WavePhase.RAMPING, WavePhase.HALTED),
    WavePhase.RAMPING: (WavePhase.SOAKING, WavePhase.AWAITING_APPROVAL, WavePhase.HALTED),
    WavePhase.SOAKING: (WavePhase.JUDGING, WavePhase.HALTED),
    WavePhase.JUDGING: (WavePhase.OVER, WavePhase.HALTED),
    WavePhase.OVER: (WavePhase.HALTED,),
    WavePhase.HALTED: (),
}
"""The phases that may follow each phase of a wave."""
RELEASE_STEPS: Final = {
    ReleasePhase.PLANNED: (ReleasePhase.UPLOADING, ReleasePhase.HALTING),
    ReleasePhase.UPLOADING: (ReleasePhase.VERIFYING, ReleasePhase.HALTING),
    ReleasePhase.VERIFYING: (ReleasePhase.WAVES, ReleasePhase.HALTING),
    ReleasePhase.WAVES: (ReleasePhase.LANDED_CHECK, ReleasePhase.HALTING),
    ReleasePhase.LANDED_CHECK: (ReleasePhase.RECORDED, ReleasePhase.HALTING),
    ReleasePhase.RECORDED: (),
    ReleasePhase.HALTING: (ReleasePhase.SETTLING,),
    ReleasePhase.SETTLING: (ReleasePhase.HALTED,),
    ReleasePhase.HALTED: (),
}
"""The phases that may follow each phase of a release."""


def require_wave_step(before: WavePhase, after: WavePhase) -> None:
    """Refuse a change of phase that the table does not have.

    :raises ConfigurationError: ``after`` may not follow ``before``.
    """
    if after not in WAVE_STEPS[before]:
        raise ConfigurationError(f"wave: the phase {after} may not follow {before}.")


def require_release_step(before: ReleasePhase, after: ReleasePhase) -> None:
    """Refuse a change of phase that the table does not have.

    :raises ConfigurationError: ``after`` may not follow ``before``.
    """
    if after not in RELEASE_STEPS[before]:
        raise ConfigurationError(f"release: the phase {after} may not follow {before}.")
