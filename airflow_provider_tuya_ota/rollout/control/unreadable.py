"""The error for a stored control note that this version cannot read."""

from __future__ import annotations

from airflow_provider_tuya_ota.core.errors import ConfigurationError


class ControlNoteUnreadableError(ConfigurationError):
    """The control note of a release is missing or cannot be read; the release holds until it can be read.

    :param problem: what is wrong with it, as the end of "the control note …".
    """

    def __init__(self, problem: str) -> None:
        super().__init__(f"the control note {problem}")
        self.problem = problem
