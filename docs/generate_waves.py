"""Write the picture and the tables of the page of waves from the code: ``python docs/generate_waves.py``."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from airflow_provider_tuya_ota.rollout.wave import marks, phase
from airflow_provider_tuya_ota.rollout.wave.events import KINDS
from airflow_provider_tuya_ota.rollout.wave.marks import HoldCause
from airflow_provider_tuya_ota.rollout.wave.phase import RELEASE_STEPS, WAVE_STEPS, ReleasePhase, WaveOutcome, WavePhase

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from enum import StrEnum
    from types import ModuleType

    Phase = TypeVar("Phase", bound=StrEnum)

PAGE: Final = Path(__file__).parents[1] / "docs/waves.md"


def parts() -> dict[str, str]:
    """Give the generated parts of the page by name."""
    events = [(name, inspect.cleandoc(kind.__doc__ or "")) for name, kind in KINDS.items()]
    return {
        "phases of a release": _diagram(RELEASE_STEPS, ReleasePhase.HALTING),
        "phases of a wave": _diagram(WAVE_STEPS, WavePhase.HALTED),
        "phases": _table(("Phase of a wave", "Meaning"), _meanings(WavePhase, phase)),
        "outcomes": _table(("Outcome", "Meaning"), _meanings(WaveOutcome, phase)),
        "holds": _table(("Held by", "Meaning"), _meanings(HoldCause, marks)),
        "events": _table(("Event", "Meaning"), [(f"`{name}`", meaning) for name, meaning in events]),
    }


def _diagram(steps: Mapping[Phase, Sequence[Phase]], merged: Phase) -> str:
    """Draw the phases; one arrow stands for all that lead from a phase under way to the merged one."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {_id(next(iter(steps)))}"]
    lines += [f"    {_id(one)}: {one}" for one in steps if " " in one]
    lines += [f"    {_id(before)} --> {_id(after)}" for before in steps for after in steps[before] if after != merged]
    lines += ["    any: any phase that may be halted", f"    any --> {_id(merged)}"]
    lines += [f"    {_id(one)} --> [*]" for one, following in steps.items() if not set(following) - {merged}]
    return "\n".join([*lines, "```"])


def _id(one: StrEnum) -> str:
    return one.name.lower()


def _meanings(kind: type[StrEnum], module: ModuleType) -> list[tuple[str, str]]:
    """Give the values with the texts below them in the source; without one, the name is enough."""
    source = inspect.getsource(getattr(module, kind.__name__))
    found = dict(re.findall(r'^    ([A-Z_]+) = .*\n    """(.*)"""$', source, re.MULTILINE))
    return [(one.value, found.get(one.name, "")) for one in kind]


def _table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"| {left} | {right} |" for left, right in [head, ("---", "---"), *rows])


def page() -> str:
    """Give the page with today's parts, each between its two marks."""
    text = PAGE.read_text("utf-8")
    for name, part in parts().items():
        head, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, tail = rest.partition(f"<!-- end of {name} -->")
        text = f"{head}{begin}\n{part}\n\n{end}{tail}"
    return text


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
