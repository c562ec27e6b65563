"""Errors of a wait that carry the last known state of the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.errors import OutcomeError

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.model.verdict import Verdict


class JobFailedError(OutcomeError):
    """A job ended, and not every device runs the firmware.

    :param verdict: number of device tasks by status, failing devices and reasons at the end.
    """

    def __init__(self, message: str, *, verdict: Verdict) -> None:
        super().__init__(message)
        self.verdict = verdict


class WaitTimeoutError(OutcomeError):
    """The deadline has passed before the job ended; the job goes on at the platform.

    :param verdict: state of the job in the last successful poll; None where no poll succeeded.
    """

    def __init__(self, message: str, *, verdict: Verdict | None = None) -> None:
        super().__init__(message)
        self.verdict = verdict


class WaitEndedError(OutcomeError):
    """The wait for a set of jobs has ended before this job did; the job goes on at the platform.

    :param verdict: state of the job in the last successful poll; None where no poll succeeded.
    """

    def __init__(self, message: str, *, verdict: Verdict | None = None) -> None:
        super().__init__(message)
        self.verdict = verdict
