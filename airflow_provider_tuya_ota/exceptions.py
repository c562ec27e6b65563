"""Every error that this package raises; `docs/client.md` says what to do about each.

``TuyaOTAError`` is the base of all of them. ``core/errors.py`` shows the tree, which is sorted by who has to act.
"""

from __future__ import annotations

from airflow_provider_tuya_ota.core.errors import (
    AlreadyUnderWayError,
    AmbiguousOutcomeError,
    ApiError,
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    Delivery,
    FirmwareStatusError,
    FirmwareVersionTakenError,
    IncompleteListError,
    InvalidParameterError,
    InvalidRequestError,
    JobMissingError,
    JobSetChangedError,
    JobSetTooLargeError,
    LandedVersionError,
    NotFoundError,
    OutcomeError,
    PermissionDeniedError,
    PollingFailedError,
    ProtocolError,
    SourceUnavailableError,
    StateUnavailableError,
    ThrottledError,
    TransportError,
    TriggerEventError,
    TuyaOTAError,
    UnavailableError,
    UnreadableReplyError,
)
from airflow_provider_tuya_ota.core.model.outcome_errors import JobFailedError, WaitEndedError, WaitTimeoutError
from airflow_provider_tuya_ota.rollout.control.refused import ControlRefusedError
from airflow_provider_tuya_ota.rollout.control.unreadable import ControlNoteUnreadableError
from airflow_provider_tuya_ota.rollout.record.unreadable import RecordUnreadableError

__all__ = [
    "AlreadyUnderWayError",
    "AmbiguousOutcomeError",
    "ApiError",
    "AuthenticationError",
    "ConfigurationError",
    "ConflictError",
    "ControlNoteUnreadableError",
    "ControlRefusedError",
    "Delivery",
    "FirmwareStatusError",
    "FirmwareVersionTakenError",
    "IncompleteListError",
    "InvalidParameterError",
    "InvalidRequestError",
    "JobFailedError",
    "JobMissingError",
    "JobSetChangedError",
    "JobSetTooLargeError",
    "LandedVersionError",
    "NotFoundError",
    "OutcomeError",
    "PermissionDeniedError",
    "PollingFailedError",
    "ProtocolError",
    "RecordUnreadableError",
    "SourceUnavailableError",
    "StateUnavailableError",
    "ThrottledError",
    "TransportError",
    "TriggerEventError",
    "TuyaOTAError",
    "UnavailableError",
    "UnreadableReplyError",
    "WaitEndedError",
    "WaitTimeoutError",
]
