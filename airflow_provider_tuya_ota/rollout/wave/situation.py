"""What a decision about a wave depends on besides its state and its plan."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.rollout.gate.outcomes import CODES, UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from airflow_provider_tuya_ota.rollout.control.release_control import ReleaseControl
    from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence
    from airflow_provider_tuya_ota.rollout.gate.verdict import GateVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveProgress:
    """How far the devices of the jobs of a wave are.

    :param waiting: how many have not started; None where that is not known, as in a wave of the platform.
    :param unfinished: how many have started and not ended.
    :param ended: how many have an outcome; those that say nothing about the firmware are among them.
    """

    waiting: int | None
    unfinished: int
    ended: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A person has answered a request for an approval.

    :param wave: number of the wave that was asked about; an answer about another wave does not count.
    :param request: number of the request that was answered.
    :param digest: digest of what was shown.
    :param approves: whether the wave may start; a rejection halts the release.
    :param who: id of the person.
    :param why: the reason that was given.
    :param at: when.
    """

    wave: int
    request: int
    digest: str
    approves: bool
    who: str
    why: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What is known now. What is not known holds the wave.

    :param now: the time.
    :param verdict: of the gate about the wave that the state names as the one to judge; None where it was not asked.
    :param control: what people ask; None where nobody has read the note.
    :param progress: of the devices in jobs of this wave.
    :param answer: the latest answer to a request for an approval of this wave.
    :param watched_until: until when polls have followed the last change of the state without a gap; None where that is
        not known.
    """

    now: datetime
    verdict: GateVerdict | None
    control: ReleaseControl | None
    progress: WaveProgress = WaveProgress(waiting=0, unfinished=0)
    answer: Answer | None = None
    watched_until: datetime | None = None


def progress_of(evidence: Evidence, devices: Iterable[str] | None) -> WaveProgress:
    """Count the devices of the jobs of a wave that are still to be waited for.

    :param devices: all devices of these jobs; None for a wave of the platform, where all devices of the evidence count.
    """
    latest = dict(zip(evidence.devices, evidence.outcomes, strict=True))
    codes: Counter[int | None] = Counter(latest.values() if devices is None else map(latest.get, devices))
    unfinished = sum(codes[CODES[outcome]] for outcome in UNFINISHED)
    waiting = codes.pop(None, 0)
    ended = codes.total() - unfinished
    return WaveProgress(waiting=None if devices is None else waiting, unfinished=unfinished, ended=ended)
