"""The earliest dates of a plan: when each wave and pulse can start, through pace, soak and windows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.plan.opening_hours import HORIZON

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.plan.opening_hours import OpeningHours
    from airflow_provider_tuya_ota.rollout.plan.planned_wave import PlannedWave
    from airflow_provider_tuya_ota.rollout.plan.release_plan import ReleasePlan
FIRST_YEAR, LAST_YEAR = 2000, 2999
"""Years of a start; dates that follow it must not leave the calendar, which ends with the year 9999."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseDate:
    """When a pulse starts at the earliest.

    :param devices: number of its devices; 0 for a wave of the platform, which chooses them.
    :param starts_at: in UTC.
    :param closes_at: end of the window in which it starts; None where no window ends.
    """

    number: int
    devices: int
    jobs: int
    starts_at: datetime
    closes_at: datetime | None

    def goes_on_after_closing(self, timeout_in_minutes: int) -> int:
        """Give for how many seconds a device with this timeout, that begins at once, may go on behind the window."""
        if self.closes_at is None:
            return 0
        end = self.starts_at + timedelta(minutes=timeout_in_minutes)
        return max(0, int((end - self.closes_at).total_seconds()))


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveDates:
    """When a wave starts and ends at the earliest; each start waits for gate and approval, which take what they take.

    :param soaks_until: end of the soak, in UTC. It begins when the devices of the last pulse have reported.
    """

    number: int
    pulses: tuple[PulseDate, ...]
    soaks_until: datetime

    @property
    def starts_at(self) -> datetime:
        """Start of the first pulse, in UTC."""
        return self.pulses[0].starts_at


def require_start(start: datetime) -> None:
    """Refuse a start from which no dates can be reckoned.

    :raises InvalidParameterError: it is outside the years 2000 to 2999.
    """
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        raise InvalidParameterError(
            field="start",
            problem=f"{start.isoformat()} is not allowed",
            allowed=f"a moment in the years {FIRST_YEAR} to {LAST_YEAR}",
        )


def plan_dates(plan: ReleasePlan, start: datetime, *, report_seconds: float) -> tuple[WaveDates, ...]:
    """Give the earliest dates of all waves.

    :param start: moment from which the first wave may start, with a zone.
    :param report_seconds: after which the devices of a pulse are taken to have reported.
    :raises InvalidParameterError: no window opens within 366 days, or :func:`require_start` refuses the start.
    """
    require_start(start)
    hours = plan.read_hours()
    found: list[WaveDates] = []
    earliest = start.astimezone(UTC)
    for wave in plan.waves:
        pulses = _pulse_dates(wave, hours, earliest, timedelta(seconds=plan.interval))
        ends = pulses[-1].starts_at + timedelta(seconds=report_seconds + plan.soak)
        found.append(WaveDates(number=wave.number, pulses=pulses, soaks_until=ends))
        earliest = ends
    return tuple(found)


def _pulse_dates(
    wave: PlannedWave, hours: OpeningHours, earliest: datetime, interval: timedelta
) -> tuple[PulseDate, ...]:
    sizes = [(pulse.size, len(pulse.jobs)) for pulse in wave.pulses] or [(0, 1)]
    found: list[PulseDate] = []
    for number, (devices, jobs) in enumerate(sizes, start=1):
        opens = hours.next_opening(earliest)
        if opens is None:
            raise InvalidParameterError(
                field="window",
                problem=f"does not open within {HORIZON.days} days after {earliest:%Y-%m-%d %H:%M} UTC, when pulse"
                f" {number} of wave {wave.number} could start",
                allowed="a window that opens outside the blackouts",
            )
        closes = hours.closes_at(opens)
        found.append(PulseDate(number=number, devices=devices, jobs=jobs, starts_at=opens, closes_at=closes))
        earliest = opens + interval
    return tuple(found)
