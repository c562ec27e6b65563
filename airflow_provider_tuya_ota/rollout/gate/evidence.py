"""The evidence of a release: its devices in the order of their start, each with its first outcome."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import compress
from operator import and_
from typing import TYPE_CHECKING, Final, NamedTuple

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.gate.outcomes import (
    CODES,
    EXCLUSIONS,
    FAILURES,
    NEWS,
    NOT_TRIED,
    OUTCOMES,
    UNFINISHED,
    DeviceOutcome,
    contradicts,
    parse_outcome,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from airflow_provider_tuya_ota.core.model.entities import DeviceTask

MOST_STRATA: Final = 64
"""Strata that are judged one by one; each costs certainty, and small ones decide nothing."""
NO_STRATUM: Final = 255
UNENDED: Final = -1
_PENDING: Final = CODES[DeviceOutcome.PENDING]
_HAS_NEWS: Final = bytes(OUTCOMES.get(code) in NEWS for code in range(256))
_HAS_STARTED: Final = bytes(code in OUTCOMES and OUTCOMES[code] not in EXCLUSIONS for code in range(256))


class Place(NamedTuple):
    """Where the plan has put a device.

    :param rank: its place among the devices that start at the same time.
    :param wave: number of its wave.
    :param stratum: name of its stratum; empty where it has none.
    """

    rank: int
    wave: int
    stratum: str = ""


UNPLANNED: Final = Place(rank=1 << 62, wave=0)
"""A device that the plan does not name: it counts, behind all others that start at the same time."""


@dataclass(slots=True, kw_only=True)
class Evidence:
    """The devices of one release, one column for each property; carried from wave to wave.

    Devices that one call of :meth:`record` finds started have started at the same time, and the plan's rank orders
    them. So one call has to get everything that one round of polls has read: the order must not depend on which devices
    failed. Times are rounds, so that the evidence of any earlier moment can be restored.

    :param strata: names of all strata of the plan, also of those without a device so far.
    :param rounds: the time of each round that changed something.
    :param jobs: the jobs that started a device.
    :param devices: names in the order of their start. A device that was listed without having started, and started
        later, is there twice.
    :param outcomes: one code for each device.
    :param stratum_of: number of the stratum of each device, or ``NO_STRATUM``.
    :param wave_of: number of the wave of each device.
    :param job_of: place in ``jobs`` of the job of each device.
    :param started: round in which each device was first seen started.
    :param ended: round of each outcome, or ``UNENDED``.
    :param corrected: round in which a success turned out to be another version, by place in ``devices``.
    :param contradictions: what the platform said of a device after its first outcome, by device.
    """

    strata: tuple[str, ...] = ()
    rounds: list[datetime] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)
    devices: list[str] = field(default_factory=list)
    outcomes: bytearray = field(default_factory=bytearray)
    stratum_of: bytearray = field(default_factory=bytearray)
    wave_of: list[int] = field(default_factory=list)
    job_of: list[int] = field(default_factory=list)
    started: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    corrected: dict[int, int] = field(default_factory=dict)
    contradictions: dict[str, str] = field(default_factory=dict)
    _latest: dict[str, int] = field(init=False, repr=False, compare=False)
    _earlier: set[tuple[str, int]] = field(init=False, repr=False, compare=False)
    _job_numbers: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.strata) > MOST_STRATA or len(set(self.strata)) < len(self.strata):
            raise ConfigurationError(f"strata: give at most {MOST_STRATA} different names, not {len(self.strata)}.")
        self._latest = {device: index for index, device in enumerate(self.devices)}
        self._job_numbers = {job: number for number, job in enumerate(self.jobs)}
        self._earlier = {
            (device, self.job_of[index]) for index, device in enumerate(self.devices) if self._latest[device] != index
        }

    def record(
        self,
        tasks: Iterable[DeviceTask],
        places: Mapping[str, Place],
        *,
        now: datetime,
        silent_after: float,
        texts: Mapping[str, DeviceOutcome] | None = None,
    ) -> None:
        """Take in what one round of polls has read.

        A device is silent only where a poll shows it unfinished: while the platform cannot be asked, nobody becomes
        silent. A device that failed stays failed, whatever a retry or a later status says.

        :param tasks: device tasks of this release's jobs, in any order; tasks that were not read are left out.
        :param places: the plan's place of each device; a device without one counts behind all others.
        :param now: the time of the round.
        :param silent_after: seconds after a device's start.
        :param texts: further texts of reasons, for :func:`parse_failure`.
        """
        now = self._not_before(now)
        silent = bisect_right(self.rounds, now - timedelta(seconds=silent_after))
        changed = False
        new: dict[str, tuple[DeviceTask, DeviceOutcome]] = {}
        for task in tasks:
            index = self._latest.get(task.device_name)
            if index is not None and not self._may_try_again(index, task.job_id):
                changed |= self._update(index, task, silent, texts)
            elif (outcome := parse_outcome(task.status, task.reason, None, texts)) is not None:
                known = new.get(task.device_name)
                if known is None or self._precedence(task, outcome) < self._precedence(*known):
                    new[task.device_name] = task, outcome
        self._require_strata(places.get(name, UNPLANNED) for name in new)
        for name in sorted(new, key=lambda name: (places.get(name, UNPLANNED).rank, name)):
            task, outcome = new[name]
            self._append(name, task.job_id, places.get(name, UNPLANNED), outcome)
        if changed or new:
            self.rounds.append(now)

    def exclude(
        self, devices: Iterable[str], outcome: DeviceOutcome, places: Mapping[str, Place], *, now: datetime
    ) -> list[str]:
        """List devices that do not count.

        A device that has started stays as it is, except where a person removes it before its outcome.

        :param outcome: the reason, one of ``EXCLUSIONS``.
        :returns: devices that stay as they are.
        :raises ConfigurationError: the outcome says that the devices were started.
        """
        if outcome not in EXCLUSIONS:
            raise ConfigurationError(f"evidence: {outcome!r} excludes no device; {', '.join(EXCLUSIONS)} do.")
        now, devices = self._not_before(now), list(devices)
        kept, changed = [], False
        self._require_strata(places.get(device, UNPLANNED) for device in devices)
        for device in devices:
            index = self._latest.get(device)
            if index is None:
                self._append(device, "", places.get(device, UNPLANNED), outcome)
                changed = True
            elif outcome is DeviceOutcome.REMOVED and OUTCOMES[self.outcomes[index]] in UNFINISHED:
                self._end(index, outcome)
                changed = True
            else:
                kept.append(device)
        if changed:
            self.rounds.append(now)
        return kept

    def correct(self, devices: Iterable[str], *, now: datetime) -> None:
        """Turn successes into failures, because the devices report another version than the target.

        Outcomes other than a success stay.
        """
        indices = (self._latest.get(device) for device in devices)
        wrong = [one for one in indices if one is not None and self.outcomes[one] == CODES[DeviceOutcome.SUCCEEDED]]
        for index in wrong:
            self.outcomes[index] = CODES[DeviceOutcome.WRONG_VERSION]
            self.corrected[index] = len(self.rounds)
        if wrong:
            self.rounds.append(self._not_before(now))

    def as_of(self, number: int) -> Evidence:
        """Restore the evidence as it was after a round, without contradictions.

        :param number: how many rounds there were.
        """
        size = bisect_right(self.started, number - 1)
        ended = [one if one < number else UNENDED for one in self.ended[:size]]
        outcomes = bytearray(
            code if end != UNENDED else _PENDING for code, end in zip(self.outcomes[:size], ended, strict=True)
        )
        corrected = {index: one for index, one in self.corrected.items() if one < number}
        for index in self.corrected.keys() - corrected.keys():
            if index < size and ended[index] != UNENDED:
                outcomes[index] = CODES[DeviceOutcome.SUCCEEDED]
        return Evidence(
            strata=self.strata,
            rounds=self.rounds[:number],
            jobs=self.jobs.copy(),
            devices=self.devices[:size],
            outcomes=outcomes,
            stratum_of=self.stratum_of[:size],
            wave_of=self.wave_of[:size],
            job_of=self.job_of[:size],
            started=self.started[:size],
            ended=ended,
            corrected=corrected,
        )

    def last_news(self, selected: bytes) -> datetime | None:
        """Give the time of the latest start or reported outcome; silence and exclusions are no news.

        :param selected: 1 for each device that is asked for, 0 for each other one.
        :returns: None before any start.
        """
        outcomes = bytes(map(and_, self.outcomes.translate(_HAS_NEWS), selected))
        starts = bytes(map(and_, self.outcomes.translate(_HAS_STARTED), selected))
        started = max(compress(self.started, starts), default=UNENDED)
        ended = max(compress(self.ended, outcomes), default=UNENDED)
        return self.rounds[max(ended, started)] if started != UNENDED else None

    def _not_before(self, now: datetime) -> datetime:
        # Clocks are adjusted, and rounds have to stay in order.
        return max(now, self.rounds[-1]) if self.rounds else now

    def _require_strata(self, places: Iterable[Place]) -> None:
        if unknown := {place.stratum for place in places} - {*self.strata, ""}:
            raise ConfigurationError(f"strata: {', '.join(sorted(unknown))} is not among {', '.join(self.strata)}.")

    def _may_try_again(self, index: int, job_id: str) -> bool:
        if OUTCOMES[self.outcomes[index]] not in NOT_TRIED:
            return False
        number = self._job_numbers.get(job_id)
        return number is None or (number != self.job_of[index] and (self.devices[index], number) not in self._earlier)

    def _precedence(self, task: DeviceTask, outcome: DeviceOutcome) -> tuple[int, int, str]:
        """Order tasks of one device that one round shows for the first time; the lowest counts.

        A device is tried again because it failed, so a failure came before a success. The order of the tasks says
        nothing.
        """
        groups = (FAILURES, UNFINISHED, (DeviceOutcome.SUCCEEDED, DeviceOutcome.REMOVED), NOT_TRIED)
        rank = next(number for number, group in enumerate(groups) if outcome in group)
        return rank, self._job_numbers.get(task.job_id, len(self.jobs)), task.job_id

    def _update(self, index: int, task: DeviceTask, silent: int, texts: Mapping[str, DeviceOutcome] | None) -> bool:
        """Take in another poll of a device; tell whether it now has an outcome."""
        if self.jobs[self.job_of[index]] != task.job_id:
            # The first attempt counts. This is a retry, or a job in which the device did not start.
            return False
        before = OUTCOMES[self.outcomes[index]]
        if before not in UNFINISHED:
            if contradicts(before, task.status):
                self.contradictions.setdefault(task.device_name, task.status.value)
            return False
        outcome = parse_outcome(task.status, task.reason, before, texts) or before
        if outcome in UNFINISHED and self.started[index] < silent:
            outcome = DeviceOutcome.SILENT
        if outcome in UNFINISHED:
            if outcome is DeviceOutcome.FLASHING:
                self.outcomes[index] = CODES[outcome]
            return False
        self._end(index, outcome)
        return True

    def _end(self, index: int, outcome: DeviceOutcome) -> None:
        self.outcomes[index] = CODES[outcome]
        self.ended[index] = len(self.rounds)

    def _append(self, device: str, job_id: str, place: Place, outcome: DeviceOutcome) -> None:
        if job_id not in self._job_numbers:
            self._job_numbers[job_id] = len(self.jobs)
            self.jobs.append(job_id)
        if (index := self._latest.get(device)) is not None:
            self._earlier.add((device, self.job_of[index]))
        self._latest[device] = len(self.devices)
        self.devices.append(device)
        self.outcomes.append(CODES[outcome])
        self.stratum_of.append(self.strata.index(place.stratum) if place.stratum else NO_STRATUM)
        self.wave_of.append(place.wave)
        self.job_of.append(self._job_numbers[job_id])
        self.started.append(len(self.rounds))
        self.ended.append(UNENDED if outcome in UNFINISHED else len(self.rounds))
