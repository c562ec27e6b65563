"""What happens while the platform is asked: the events that a listener of a client receives, one frozen dataclass each.

They are loaded when the first one is asked for; importing this module costs a Dag file nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.flows.events import (
        FlowEvent,
        Level,
        ListIncomplete,
        RequestAdvised,
        RequestRetried,
    )
    from airflow_provider_tuya_ota.core.jobs.events import (
        FailedJobReplaced,
        IntentMissing,
        JobAdopted,
        JobCreated,
        JobOutcomeUnknown,
        JobUnnamed,
        MissingJobReplaced,
        OtherTaskCleared,
        RivalCheckFailed,
        VerificationSkipped,
    )
    from airflow_provider_tuya_ota.core.jobs.set_events import JobSetInterrupted, JobSetResumed
    from airflow_provider_tuya_ota.core.jobs.stop_events import (
        CancelNotRepeated,
        CancelRefused,
        CancelRepeated,
        CancelSent,
        JobStopped,
        OldJobUnfinished,
    )
    from airflow_provider_tuya_ota.core.jobs.task_events import (
        BatchConfirmRefused,
        CancelNotCounted,
        ConfirmInterrupted,
        DeviceCancelUnknown,
        DevicesFlashing,
        NothingCancelled,
        TaskNotWaiting,
        TasksConfirmed,
        TasksCounted,
    )
    from airflow_provider_tuya_ota.core.status.poll_events import (
        ConditionChanged,
        JobFailureObserved,
        JobSetEnded,
        JobWaitEnded,
        PollFailed,
    )
    from airflow_provider_tuya_ota.core.upload_events import (
        FileReadStarted,
        FileTransferRetried,
        FileUploadStarted,
        FirmwareAdopted,
        FirmwareOutcomeUnknown,
    )
    from airflow_provider_tuya_ota.rollout.halt.events import (
        HaltBegun,
        HaltCancelFailed,
        HaltJobUnread,
        HaltListed,
        HaltSettled,
        HaltStateLost,
    )
    from airflow_provider_tuya_ota.rollout.landed.events import (
        LandedCheckBegun,
        LandedElsewhere,
        LandedReadFailed,
        LandedUnknown,
    )

__all__ = [
    "BatchConfirmRefused",
    "CancelNotCounted",
    "CancelNotRepeated",
    "CancelRefused",
    "CancelRepeated",
    "CancelSent",
    "ConditionChanged",
    "ConfirmInterrupted",
    "DeviceCancelUnknown",
    "DevicesFlashing",
    "FailedJobReplaced",
    "FileReadStarted",
    "FileTransferRetried",
    "FileUploadStarted",
    "FirmwareAdopted",
    "FirmwareOutcomeUnknown",
    "FlowEvent",
    "HaltBegun",
    "HaltCancelFailed",
    "HaltJobUnread",
    "HaltListed",
    "HaltSettled",
    "HaltStateLost",
    "IntentMissing",
    "JobAdopted",
    "JobCreated",
    "JobFailureObserved",
    "JobOutcomeUnknown",
    "JobSetEnded",
    "JobSetInterrupted",
    "JobSetResumed",
    "JobStopped",
    "JobUnnamed",
    "JobWaitEnded",
    "LandedCheckBegun",
    "LandedElsewhere",
    "LandedReadFailed",
    "LandedUnknown",
    "Level",
    "ListIncomplete",
    "MissingJobReplaced",
    "NothingCancelled",
    "OldJobUnfinished",
    "OtherTaskCleared",
    "PollFailed",
    "RequestAdvised",
    "RequestRetried",
    "RivalCheckFailed",
    "TaskNotWaiting",
    "TasksConfirmed",
    "TasksCounted",
    "VerificationSkipped",
]

_ROOMS: Final = (
    "airflow_provider_tuya_ota.core.flows.events",
    "airflow_provider_tuya_ota.core.jobs.events",
    "airflow_provider_tuya_ota.core.jobs.set_events",
    "airflow_provider_tuya_ota.core.jobs.stop_events",
    "airflow_provider_tuya_ota.core.jobs.task_events",
    "airflow_provider_tuya_ota.core.status.poll_events",
    "airflow_provider_tuya_ota.core.upload_events",
    "airflow_provider_tuya_ota.rollout.halt.events",
    "airflow_provider_tuya_ota.rollout.landed.events",
)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for room in map(import_module, _ROOMS):
            if name in vars(room):
                return vars(room)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
