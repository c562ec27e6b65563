"""The output of the demo: a line for each change, and a table at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console


class Progress:
    """Print a line for each task whose state has changed.

    :param console: where to print.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: dict[str, str] = {}

    def show(self, seconds: float, states: Mapping[str, str]) -> None:
        """Print the tasks whose state has changed."""
        for task, state in states.items():
            if state != self._last.get(task) and state != "waiting":
                note = " (the worker is free, the triggerer waits)" if state == "deferred" else ""
                self._console.print(f"{seconds:6.1f} s  {task:<8} {state}{note}", highlight=False, markup=False)
        self._last = dict(states)


def print_summary(
    console: Console, release: Mapping[str, Any], *, version: str, sha256: str | None, duration: float
) -> None:
    """Print every device with its state, then job, firmware and duration."""
    table = Table(title=f"Release of {version}")
    for heading in ("device", "state", "progress", "reason"):
        table.add_column(heading)
    styles = {"SUCCEEDED": "green", "FAILED": "red", "CANCELED": "red"}
    for device in sorted(release["devices"], key=lambda item: str(item["name"])):
        progress = f"{device['progress']} %" if device["progress"] else ""
        style = styles.get(device["status"], "yellow")
        # Names and reasons come from devices; as Text, markup in them is not interpreted.
        table.add_row(Text(device["name"]), Text(device["status"], style), progress, Text(device["reason"]))
    console.print(table)
    console.print(f"job       {release['job_id']}", highlight=False)
    digest = f", SHA256 {sha256[:16]}…" if sha256 else ""
    console.print(f"firmware  {release['firmware_id']}, version {version}{digest}", highlight=False)
    console.print(f"duration  {duration:.1f} s from trigger to end of the run", highlight=False)
