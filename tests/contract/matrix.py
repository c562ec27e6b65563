"""A whole release under every reading of the documents, and under every two: ``python -m tests.contract.matrix``."""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table

from airflow_provider_tuya_ota.core.errors import InvalidRequestError, TuyaOTAError
from airflow_provider_tuya_ota.emulator.quirks import CHOICES
from tests.contract import bad_days
from tests.contract.release import ONCE, RIGHT, VERSION, Platform, a_release
from tests.contract.worlds import Meeting

READINGS: dict[str, tuple[Any, ...]] = CHOICES | {
    "list_delay": (0.0, 4.0, 60.0),
    "task_delay": (0.0, 30.0),
    "task_list_delay": (0.0, 4.0),
    "retry_after": (0.0, 2.0),
    "page_cap": (0, 2),
    # The connection's side of two contradictions.
    "client sends common parameters": (True, False),
    "client's method": ("GET", "POST"),
}
"""By contradiction: its readings, the default first."""
APART = {"query_delay"}
"""A firmware that its own id does not find stops a release, by a typed error."""
Case = dict[str, Any]
CLIENT = {"client sends common parameters": "send_common_parameters", "client's method": "http_method"}


def singles() -> list[Case]:
    """Every reading alone, the defaults included."""
    return [{}, *({name: value} for name, values in READINGS.items() for value in values[1:])]


def together(number: int) -> list[Case]:
    """Every so many readings together."""
    return [
        dict(zip(names, values, strict=True))
        for names in itertools.combinations(READINGS, number)
        for values in itertools.product(*(READINGS[name][1:] for name in names))
    ]


def covering() -> list[Case]:
    """Few cases in which every two readings, defaults among them, meet somewhere."""
    missing = {
        ((first, one), (second, other))
        for first, second in itertools.combinations(READINGS, 2)
        for one in READINGS[first]
        for other in READINGS[second]
        if {first: one, second: other} not in IMPOSSIBLE
    }
    cases: list[Case] = []
    while missing:
        case: Case = dict(min(missing, key=str))
        for name, values in READINGS.items():
            if name not in case:
                case[name] = max(values, key=lambda value, name=name: _gain(case | {name: value}, missing, name))  # type: ignore[misc] # mypy sees a default as an argument
        covered = set(itertools.combinations([(name, case[name]) for name in READINGS], 2))
        missing -= covered
        cases.append(case)
    return cases


REFUSED: Case = {"common_parameters": "required", "client sends common parameters": False}
"""The pair under which every request is refused; the error must name the switch."""
INCOMPLETE: list[Case] = [{"later_pages": way, "page_cap": 2} for way in ("empty", "repeated")]
"""Under these pairs a device task is counted and never listed; the release must stop by an error of this package."""
IMPOSSIBLE: list[Case] = [REFUSED, *INCOMPLETE]
"""The pairs under which no release can end well, and must say so."""


def is_impossible(case: Case) -> bool:
    """Whether a case has one of the pairs."""
    return any(case.items() >= pair.items() for pair in IMPOSSIBLE)


def is_hidden(case: Case) -> bool:
    """Whether no answer shows that a device task is missing from a list, so that no client can know."""
    is_short = any(case.items() >= pair.items() for pair in INCOMPLETE)
    return is_short and case.get("totals", "present") != "present"


def _gain(case: Case, missing: set[tuple[tuple[str, Any], tuple[str, Any]]], name: str) -> int:
    if is_impossible(case):
        return -1
    places = list(READINGS)
    found = 0
    for other in case:
        if other != name:
            pair = sorted(((name, case[name]), (other, case[other])), key=lambda item: places.index(item[0]))
            found += (pair[0], pair[1]) in missing
    return found


def outcome(case: Case, way: str = "in_memory") -> str:
    """Release under a case.

    :returns: ``right``, ``refused`` (in an impossible case), or what was wrong.
    """
    platform = Platform()
    quirks = {name: value for name, value in case.items() if name not in CLIENT}
    platform.emulator.world.quirks = platform.emulator.world.quirks.changed(quirks)
    extra = {CLIENT[name]: value for name, value in case.items() if name in CLIENT}
    meeting = Meeting(platform.emulator, platform.world, extra)
    try:
        seen = getattr(meeting, way)(lambda settings: a_release(settings, platform))
    except InvalidRequestError as error:
        impossible = case.items() >= REFUSED.items() and "send_common_parameters" in str(error)
        return "refused" if impossible and not platform.jobs and not platform.firmwares else f"wrong: {error}"
    except TuyaOTAError as error:
        text = f"{type(error).__name__}: {error}"
        is_right = any(case.items() >= pair.items() for pair in INCOMPLETE) and "than it lists" in text
        return "refused" if is_right and platform.jobs <= Counter(ONCE) else f"wrong: {text}"
    except Exception as error:  # noqa: BLE001 - the table shows whatever it is
        return f"wrong: {type(error).__name__}: {error}"
    if seen != RIGHT:
        return f"wrong: the client saw {seen}"
    if platform.jobs != ONCE or platform.firmwares != 1 or set(platform.versions) != {VERSION}:
        return f"wrong: {platform.firmwares} firmwares, jobs {dict(platform.jobs)}, versions {platform.versions}"
    return "right"


def main() -> int:
    """Print the table; the exit status says whether everything was right."""
    console = Console()
    wrong = _readings(console) + _faults(console)
    for line in wrong:
        console.print(line, style="red", soft_wrap=True)
    return 1 if wrong else 0


def _readings(console: Console) -> list[str]:
    table = Table("readings", "releases", "right", "refused", "wrong", title="Contradictory readings")
    wrong: list[str] = []
    for title, cases, way in [
        ("each alone, in memory", singles(), "in_memory"),
        ("every two, in memory", together(2), "in_memory"),
        ("every three, in memory", together(3), "in_memory"),
        ("every two, many at once, through requests", covering(), "through_requests"),
        ("every two, many at once, through aiohttp", covering(), "through_aiohttp"),
    ]:
        results = {str(case): outcome(case, way) for case in cases if not is_hidden(case)}
        counts = Counter(result.partition(":")[0] for result in results.values())
        table.add_row(title, str(len(results)), *(str(counts[kind]) for kind in ("right", "refused", "wrong")))
        wrong += [f"{way} {case}: {result}" for case, result in results.items() if result.startswith("wrong")]
    console.print(table)
    console.print("refused: Format is required and the connection does not send it; the error names the switch. Or a")
    console.print("list ends before its Total; the error says so, and nothing was created twice")
    return wrong


def _faults(console: Console) -> list[str]:
    calls = bad_days.calls_of_a_release()
    table = Table("fault", "releases", "right", "stopped by a typed error", "wrong", title="One fault, at every call")
    wrong: list[str] = []
    for fault in bad_days.FAULTS:
        results = {f"{number} {call}": bad_days.outcome(fault, number) for number, call in enumerate(calls, 1)}
        counts = Counter(result.partition(":")[0] for result in results.values())
        name = " ".join(map(str, fault.values()))
        table.add_row(name, str(len(calls)), *(str(counts[kind]) for kind in ("right", "stopped", "wrong")))
        wrong += [f"{name} at {call}: {result}" for call, result in results.items() if result.startswith("wrong")]
    console.print(table)
    return wrong


if __name__ == "__main__":
    sys.exit(main())
