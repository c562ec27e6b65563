"""Which code is mutated, and whose tests have to notice."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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
    :param about: by source file, patterns of the test files that have to notice a change in it, below the only folder
        of tests; where it is empty, each test that runs a line has to.
    :param is_certain: False where tests run on a real clock: then only a test that fails twice has noticed something.
    """

    name: str
    sources: tuple[str, ...]
    tests: tuple[str, ...]
    imports: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    about: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_certain: bool = True

    def files(self, root: Path) -> Iterable[Path]:
        """List the source files."""
        for source in self.sources:
            path = root / PACKAGE / source
            yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]

    def test_files(self, root: Path, source: str) -> list[str]:
        """List the test files of a source file.

        :param source: below the package.
        """
        if not self.about:
            return self._importing(root)
        (folder,) = self.tests
        patterns = self.about.get(source, ())
        return sorted({str(path.relative_to(root)) for one in patterns for path in (root / folder).glob(f"{one}.py")})

    def _importing(self, root: Path) -> list[str]:
        """List the test files that import one of the modules, also by way of another test file."""
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


_REPORTS: Final = ("runtime/test_reports*", "runtime/test_resume", "operators/test_verify_operator")
_KILLED_TRIGGERS: Final = ("triggers/test_trigger_kill", "triggers/test_job_set_stop", "triggers/test_many_killed")
_WAITS: Final = ("operators/test_create_once", "operators/test_drain", "operators/test_refused_key")

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
            "core/status/queried_job.py",
            "core/status/end_rule.py",
            "core/model/job_results.py",
            "core/model/result_event.py",
        ),
        ("tests/core/status", "tests/core/model"),
        (
            "core.status.wait",
            "core.status.poll_scheduler",
            "core.status.job_set_wait",
            "core.status.queried_job",
            "core.model.job_results",
        ),
    ),
    Room(
        "steps",
        (
            "core/status/step.py",
            "core/status/step_end.py",
            "core/status/old_reports.py",
            "core/status/last_step.py",
        ),
        ("tests/core/status",),
        ("core.status.step", "core.status.step_end", "core.status.old_reports", "core.status.last_step"),
    ),
    Room("percent", ("rollout/percent.py",), ("tests/rollout",), ("rollout.percent",)),
    Room("gate", ("rollout/gate",), ("tests/rollout/gate",), ("rollout.gate",)),
    Room("plan", ("rollout/plan",), ("tests/rollout/plan", "tests/docs"), ("rollout.plan",)),
    Room("record", ("rollout/record",), ("tests/rollout/record", "tests/docs"), ("rollout.record",)),
    Room("halt", ("rollout/halt",), ("tests/rollout/halt",), ("rollout.halt",)),
    Room("landed", ("rollout/landed",), ("tests/rollout/landed",), ("rollout.landed",)),
    Room(
        "stopper",
        ("polling/stopper.py",),
        ("tests/polling",),
        about={"polling/stopper.py": ("test_stopper*",)},
        is_certain=False,
    ),
    Room(
        "triggers",
        ("triggers",),
        ("tests/provider",),
        about={
            "triggers/condition.py": (
                "sensors/test_condition_sensors",
                "hooks/test_connection_not_given",
                "hooks/test_changed_connection",
            ),
            "triggers/first_event.py": ("triggers/test_first_event",),
            "triggers/job.py": ("triggers/test_trigger*", "operators/test_drain", "operators/test_refused_key"),
            "triggers/job_set.py": (
                *("triggers/test_trigger*", "triggers/test_job_set_*", "triggers/test_stop_over_changed_connection"),
                *("operators/test_drain", "operators/test_refused_key", "hooks/test_connection_not_given"),
            ),
            "triggers/kill_answer.py": (
                *(*_KILLED_TRIGGERS, "triggers/test_kill_in_background", "triggers/test_stop_over_changed_connection"),
                "runtime/test_kill_in_time",
            ),
        },
        is_certain=False,
    ),
    Room(
        "runtime",
        ("runtime",),
        ("tests/provider",),
        about={
            "runtime/airflow_watch.py": ("runtime/test_airflow_watch", "runtime/test_kill*"),
            "runtime/alarm.py": (
                *("runtime/test_alarm_at_start", "runtime/test_execution_timeout", "runtime/test_notifier_bound"),
                "operators/test_create_once",
            ),
            "runtime/arguments.py": ("runtime/test_arguments", "operators/test_verify_input"),
            "runtime/attempt.py": ("runtime/test_attempt", "operators/test_create_once", "operators/test_drain"),
            "runtime/condition.py": (
                *("sensors/test_condition_sensors", "sensors/test_sensor_flags", "sensors/test_poke_state"),
                *("hooks/test_connection_not_given", "runtime/test_reads_not_given"),
            ),
            "runtime/connection_watch.py": ("runtime/test_connection_watch", "operators/test_refused_key"),
            "runtime/control_note.py": ("operators/test_control_operator",),
            "runtime/drain.py": (
                *("operators/test_drain", "runtime/test_last_report", "runtime/test_reads_not_given"),
                *("operators/test_create_once", "operators/test_verify_operator"),
            ),
            "runtime/firmware_name.py": ("runtime/test_firmware_name", "operators/test_upload_operator"),
            "runtime/first_poke.py": ("runtime/test_reads_not_given", "sensors/test_poke_state"),
            "runtime/job_wait.py": (
                *_WAITS,
                *_REPORTS,
                "runtime/test_alarm_at_start",
                "runtime/test_execution_timeout",
                "operators/test_upgrade_operator",
            ),
            "runtime/kill.py": ("runtime/test_kill*", "runtime/test_airflow_watch", "triggers/test_job_set_stop"),
            "runtime/last_report.py": (
                *("runtime/test_last_report*", "runtime/test_lost_end_report", "runtime/test_reads_not_given"),
                "runtime/test_killed_reports",
            ),
            "runtime/late_stop.py": (
                *("triggers/test_job_set_stop", "runtime/test_execution_timeout", "operators/test_drain"),
                *_REPORTS,
            ),
            "runtime/ledger.py": ("runtime/test_ledger", "runtime/test_notes_not_given"),
            "runtime/log_thread.py": ("runtime/test_kill_log", "runtime/test_kill_in_time", "runtime/test_kill"),
            "runtime/notify.py": (
                *("runtime/test_notify_once", "runtime/test_notifier_bound", "runtime/test_reports_in_doubt"),
                *("operators/test_verify_operator", "operators/test_upload_operator"),
            ),
            "runtime/poke_state.py": ("sensors/test_poke_state", "hooks/test_connection_not_given"),
            "runtime/resume.py": (*_REPORTS, *_WAITS, "runtime/test_last_report", "runtime/test_reads_not_given"),
            "runtime/retry_forecast.py": ("runtime/test_notify_once",),
            "runtime/source.py": ("operators/test_upload_*", "operators/test_source_once"),
            "runtime/source_reader.py": ("operators/test_upload_*", "operators/test_source_once"),
            "runtime/start.py": (
                *(*_WAITS, *_REPORTS, "runtime/test_alarm_at_start", "runtime/test_kill"),
                *("operators/test_verify_input", "runtime/test_last_report"),
            ),
            "runtime/state_store.py": (
                *("runtime/test_ledger", "runtime/test_notes_not_given", "runtime/test_reports_in_doubt"),
                *("operators/test_create_once", "runtime/test_reads_not_given"),
            ),
            "runtime/task_report.py": (
                *(
                    *_REPORTS,
                    "runtime/test_last_report*",
                    "runtime/test_reads_not_given",
                    "runtime/test_notes_not_given",
                ),
                *("runtime/test_killed_reports", "runtime/test_execution_timeout", "operators/test_unrendered"),
                *("sensors/*", "operators/test_verify_input", "hooks/test_connection_not_given"),
            ),
            "runtime/timestamps.py": ("runtime/test_timestamps",),
            "runtime/wait.py": (
                *(*_WAITS, "triggers/test_job_set_trigger", "hooks/test_connection_not_given"),
                *(
                    "operators/test_verify_operator",
                    "operators/test_verify_input",
                    "sensors/test_condition_sensors",
                ),
            ),
            "runtime/xcom.py": (
                *("runtime/test_xcom", "operators/test_upload_operator", "operators/test_verify_operator"),
                *("runtime/test_reports", "runtime/test_last_report", "runtime/test_reads_not_given"),
            ),
        },
        is_certain=False,
    ),
)
