"""Which code is mutated, and whose tests have to notice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PACKAGE: Final = "airflow_provider_tuya_ota"
_IMPORT: Final = re.compile(r"^\s*(?:from|import) ((?:airflow_provider_tuya_ota|tests)[\w.]*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Room:
    """Code with the tests that have to notice a change in it.

    :param sources: files and folders of the package.
    :param tests: folders of tests.
    :param imports: modules of the package; only test files that import one of them are run.
    :param left_out: test files that take long and are about something else.
    :param is_certain: False where tests run on a real clock: then only a test that fails twice has noticed something.
    """

    name: str
    sources: tuple[str, ...]
    tests: tuple[str, ...]
    imports: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    is_certain: bool = True

    def files(self, root: Path) -> Iterable[Path]:
        """List the source files."""
        for source in self.sources:
            path = root / PACKAGE / source
            yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]

    def test_files(self, root: Path) -> list[str]:
        """List the test files, also those that import one of the modules by way of another test file."""
        imported = {
            ".".join(path.relative_to(root).with_suffix("").parts): set(_IMPORT.findall(path.read_text("utf-8")))
            for folder in self.tests
            for path in (root / folder).rglob("*.py")
        }
        wanted = tuple(f"{PACKAGE}.{module}" for module in self.imports)
        chosen = {name for name, modules in imported.items() if any(one.startswith(wanted) for one in modules)}
        while more := {name for name, modules in imported.items() if modules & chosen} - chosen:
            chosen |= more
        files = {f"{name.replace('.', '/')}.py" for name in chosen if ".test_" in name}
        return sorted(files - set(self.left_out))


ROOMS: Final = (
    Room(
        "jobs",
        ("core/jobs",),
        ("tests/core",),
        ("core.jobs",),
        ("tests/core/actions/test_every_parameter.py",),
    ),
    Room(
        "waits",
        (
            "core/status/wait.py",
            "core/status/wait_state.py",
            "core/status/poll_scheduler.py",
            "core/status/job_set_wait.py",
            "core/status/end_rule.py",
            "core/model/job_results.py",
            "core/model/result_event.py",
        ),
        ("tests/core/status", "tests/core/model"),
        (
            "core.status.wait",
            "core.status.poll_scheduler",
            "core.status.job_set_wait",
            "core.model.job_results",
        ),
    ),
    Room("gate", ("rollout/gate", "rollout/percent.py"), ("tests/rollout",), ("rollout.gate", "rollout.percent")),
    Room(
        "worker",
        ("triggers", "runtime"),
        ("tests/provider",),
        ("runtime", "triggers", "operators", "sensors"),
        ("tests/provider/test_cli.py",),
        is_certain=False,
    ),
)
