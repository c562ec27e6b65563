"""How a release can end otherwise than well, with what was last known of the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.errors import OutcomeError

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.model.verdict import Verdict


class JobFailedError(OutcomeError):
    """A job ended without reaching every device.

    :param verdict: counts and failing devices at the end.
    """

    def __init__(self, message: str, *, verdict: Verdict) -> None:
        super().__init__(message)
        self.verdict = verdict


class WaitTimeoutError(OutcomeError):
    """The deadline passed before the job ended; the job itself goes on.

    :param verdict: the last state that was seen, if any was.
    """

    def __init__(self, message: str, *, verdict: Verdict | None = None) -> None:
        super().__init__(message)
        self.verdict = verdict
