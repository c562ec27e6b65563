"""The error for a change of a control note that is not made."""

from __future__ import annotations

from airflow_provider_tuya_ota.core.errors import OutcomeError


class ControlRefusedError(OutcomeError):
    """The release does not take this change: it is halted, its note cannot be read, or somebody else changed it."""
