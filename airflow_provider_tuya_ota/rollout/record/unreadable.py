"""The error for a file that is no release record, or one that this version cannot read."""

from __future__ import annotations

from airflow_provider_tuya_ota.core.errors import ConfigurationError


class RecordUnreadableError(ConfigurationError):
    """A release record, or a key for it, cannot be read; nothing is concluded from a part of it.

    :param problem: what is wrong, without anything that is secret.
    :param line: number of the line of the file, from 1; None where the whole is meant.
    """

    def __init__(self, problem: str, *, line: int | None = None) -> None:
        super().__init__(f"release record{'' if line is None else f', line {line}'}: {problem}.")
        self.problem = problem
        self.line = line
