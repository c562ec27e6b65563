"""Waves, as the author of a Dag writes them: ``1%``, ``500 devices``, a list of names, ``rest``, ``platform ALL``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.percent import parse_percent
from airflow_provider_tuya_ota.rollout.plan.intent_text import require_list, require_names, require_text

MOST_WAVES: Final = 100
ALL: Final = Fraction(1)
LEAST: Final = "0.000001%"
ALLOWED: Final = (
    'a share as "5%" of all devices, a number as 500 or "500 devices" (both count the waves before), a list of device'
    ' names, "rest" or "100%"; as the last wave "platform ALL", "platform GRAY 20%" or "platform GROUP <group id>"'
)
_SHARE: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%")
_COUNT: Final = re.compile(r"([1-9][0-9]{0,8})(?: devices?)?")
_PLATFORM: Final = re.compile(r"platform (?:(ALL)|(GRAY) ?([1-9][0-9]?|100) ?%|(GROUP) ([!-~]{1,256}))")


class WaveKind(StrEnum):
    """How a wave says which devices it adds."""

    SHARE = "share"
    COUNT = "count"
    NAMED = "named"
    PLATFORM = "platform"
    """The platform chooses the devices of one job. It can be neither paced nor gated while it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One wave.

    :param number: 1 for the first wave.
    :param text: what the author wrote, in one spelling; ``rest`` is ``100%``.
    :param share: with SHARE, of all devices of the cohort, waves before included.
    :param count: with COUNT, number of devices, waves before included.
    :param names: with NAMED, the devices in the order in which they start.
    :param selection: with PLATFORM, ALL, GRAY or GROUP.
    :param gray_percent: with GRAY, a whole percent.
    :param group_id: with GROUP.
    """

    number: int
    text: str
    kind: WaveKind
    share: Fraction = Fraction(0)
    count: int = 0
    names: tuple[str, ...] = ()
    selection: str = ""
    gray_percent: str = ""
    group_id: str = ""

    @property
    def is_paceable(self) -> bool:
        """Whether the wave can be cut into pulses."""
        return self.kind is not WaveKind.PLATFORM

    @property
    def is_rest(self) -> bool:
        """Whether the wave reaches the last device of the cohort."""
        return self.share == ALL

    def target(self, cohort_size: int) -> int:
        """Give how many devices have started with this wave, for a share or a number.

        A share is rounded up, so that the share of any cohort is at least one device.
        """
        if self.kind is WaveKind.COUNT:
            return self.count
        return -(-cohort_size * self.share.numerator // self.share.denominator)


def parse_waves(value: Any) -> tuple[Wave, ...]:
    """Read the waves of a release.

    :raises InvalidParameterError: a wave is no wave, does not rise, is behind the wave that is the rest, or names a
        device twice; a wave of the platform is not the last one, or the only one.
    """
    entries = require_list("waves", value, ALLOWED)
    if len(entries) > MOST_WAVES:
        raise _refused(f"there are {len(entries)} waves", f"up to {MOST_WAVES} waves")
    waves = tuple(_parse_wave(number, entry) for number, entry in enumerate(entries, start=1))
    _require_rising(waves)
    _require_apart(waves)
    _require_platform_last(waves)
    return waves


def normal_text(value: str) -> str:
    """Write a wave's text in the spelling of :attr:`Wave.text`; another text is given back as it is."""
    if value == "rest":
        return "100%"
    if share := _SHARE.fullmatch(value):
        whole, _, digits = share[1].partition(".")
        digits = digits.rstrip("0")
        return f"{int(whole)}{'.' if digits else ''}{digits}%"
    if count := _COUNT.fullmatch(value):
        return f"{count[1]} device{'' if count[1] == '1' else 's'}"
    return value


def _parse_wave(number: int, entry: Any) -> Wave:
    if isinstance(entry, list | tuple):
        names = require_names("waves", entry)
        more = "" if len(names) == 1 else "s"
        return Wave(number=number, text=f"{len(names)} named device{more}", kind=WaveKind.NAMED, names=names)
    is_number = isinstance(entry, int) and not isinstance(entry, bool)
    text = normal_text(require_text("waves", str(entry) if is_number else entry, ALLOWED))
    if _SHARE.fullmatch(text):
        return Wave(number=number, text=text, kind=WaveKind.SHARE, share=parse_percent("waves", text, least=LEAST))
    if count := _COUNT.fullmatch(text):
        return Wave(number=number, text=text, kind=WaveKind.COUNT, count=int(count[1]))
    if platform := _PLATFORM.fullmatch(text):
        all_, gray, percent, group, group_id = platform.groups()
        return Wave(
            number=number,
            text=text,
            kind=WaveKind.PLATFORM,
            selection=all_ or gray or group,
            gray_percent=percent or "",
            group_id=group_id or "",
        )
    raise _refused(f"{short_repr(text)} is no wave", ALLOWED)


def _require_rising(waves: tuple[Wave, ...]) -> None:
    share, count, rest = Fraction(0), 0, ""
    for wave in waves:
        if rest and wave.kind is not WaveKind.PLATFORM:
            raise _refused(f"wave {wave.number} ({wave.text}) is behind {rest} and adds nobody", ALLOWED)
        if wave.kind is WaveKind.SHARE:
            if wave.share <= share:
                raise _refused(f"wave {wave.number} ({wave.text}) does not rise", "shares that count the waves before")
            share = wave.share
        if wave.kind is WaveKind.COUNT:
            if wave.count <= count:
                raise _refused(f"wave {wave.number} ({wave.text}) does not rise", "numbers that count the waves before")
            count = wave.count
        rest = wave.text if wave.is_rest else rest


def _require_apart(waves: tuple[Wave, ...]) -> None:
    first: dict[str, int] = {}
    for wave in waves:
        for name in wave.names:
            if name in first:
                problem = f"{short_repr(name)} is in wave {first[name]} and in wave {wave.number}"
                raise _refused(problem, "each device in one wave")
            first[name] = wave.number


def _require_platform_last(waves: tuple[Wave, ...]) -> None:
    for wave in waves:
        if wave.kind is WaveKind.PLATFORM and wave is not waves[-1]:
            raise _refused(f"wave {wave.number} ({wave.text}) is not the last one", "a wave of the platform at the end")
        if wave.kind is WaveKind.PLATFORM and len(waves) == 1:
            problem = f"{wave.text} is the only wave, and the platform starts all its devices at once"
            raise _refused(problem, "a wave of the platform behind others, which show first what the firmware does")


def _refused(problem: str, allowed: str) -> InvalidParameterError:
    return InvalidParameterError(field="waves", problem=problem, allowed=allowed)
