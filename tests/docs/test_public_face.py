"""What users import: its names are pinned, and users need nothing of the rooms behind it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota import actions, client, events, exceptions
from airflow_provider_tuya_ota.core import actions as operations
from airflow_provider_tuya_ota.core import errors
from airflow_provider_tuya_ota.core.flows.events import FlowEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
EXCEPTIONS = """
    AlreadyUnderWayError AmbiguousOutcomeError ApiError AuthenticationError ConfigurationError ConflictError
    ControlNoteUnreadableError
    ControlRefusedError Delivery FirmwareStatusError FirmwareVersionTakenError IncompleteListError
    InvalidParameterError InvalidRequestError JobFailedError JobMissingError JobSetChangedError JobSetTooLargeError
    LandedVersionError NotFoundError OutcomeError PermissionDeniedError PollingFailedError ProtocolError
    RecordUnreadableError SourceUnavailableError StateUnavailableError ThrottledError TransportError
    TriggerEventError TuyaOTAError UnavailableError UnreadableReplyError WaitEndedError WaitTimeoutError
"""
ACTIONS = """
    ALL_ACTIONS Action BatchGetDeviceState CancelOTATaskByDevice CancelOTATaskByJob ConfirmOTATask
    CreateOTAFirmware CreateOTAModule CreateOTAStaticUpgradeJob CreateOTAVerifyJob DeleteOTAFirmware
    DeleteOTAModule GenerateOTAUploadURL ListOTAFirmware ListOTAJobByDevice ListOTAJobByFirmware
    ListOTAModuleByProduct ListOTAModuleVersionsByDevice ListOTATaskByJob ListOTAUnfinishedTaskByDevice
    ModifyOTAFirmware QueryDevice QueryOTAFirmware QueryOTAJob QueryProduct QueryProductList UpdateOTAModule
"""
EVENTS = """
    BatchConfirmRefused CancelNotCounted CancelNotRepeated CancelRefused CancelRepeated CancelSent ConditionChanged
    ConfirmInterrupted DeviceCancelUnknown DevicesFlashing FailedJobReplaced FileReadStarted FileTransferRetried
    FileUploadStarted FirmwareAdopted FirmwareOutcomeUnknown FlowEvent HaltBegun HaltCancelFailed HaltJobUnread
    HaltListed HaltSettled HaltStateLost IntentMissing JobAdopted JobCreated JobFailureObserved JobOutcomeUnknown
    JobSetEnded JobSetInterrupted JobSetResumed JobStopped JobUnnamed JobWaitEnded LandedCheckBegun LandedElsewhere
    LandedReadFailed LandedUnknown Level ListIncomplete MissingJobReplaced NothingCancelled OldJobUnfinished
    OtherTaskCleared PollFailed RequestAdvised RequestRetried RivalCheckFailed TaskNotWaiting TasksConfirmed
    TasksCounted VerificationSkipped
"""
FOR_READERS = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("dags_examples/*.py"), ROOT / "README.md"]


def test_the_names_that_users_import_are_pinned() -> None:
    assert exceptions.__all__ == EXCEPTIONS.split()
    assert actions.__all__ == dir(actions) == ACTIONS.split()
    assert events.__all__ == dir(events) == EVENTS.split()
    assert client.__all__ == ["AsyncTuyaOTAClient", "Listeners", "LogListener", "Settings", "TuyaOTAClient"]


def test_every_error_and_every_operation_is_offered() -> None:
    raised = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)}

    assert {getattr(exceptions, name) for name in exceptions.__all__} >= raised
    assert {name: getattr(actions, name) for name in actions.__all__} == {
        name: getattr(operations, name) for name in operations.__all__
    }


def test_every_event_is_offered() -> None:
    offered = {getattr(events, name).__name__ for name in events.__all__}

    assert offered - {"Level", "FlowEvent"} == set(names_of_kinds(FlowEvent)) - {"FlowWarning"}


def names_of_kinds(base: type[Any]) -> Iterator[str]:
    # By name: a dataclass with slots is built twice.
    for kind in base.__subclasses__():
        yield kind.__name__
        yield from names_of_kinds(kind)


def test_a_name_that_is_no_event_is_missed_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="no attribute 'JobEaten'"):
        events.JobEaten  # noqa: B018 - it is asked for


def test_a_name_that_is_no_operation_is_missed_as_in_any_module() -> None:
    with pytest.raises(AttributeError, match="no attribute 'CreateOTAEverything'"):
        actions.CreateOTAEverything  # noqa: B018 - it is asked for


@pytest.mark.parametrize("module", ["actions", "events"])
def test_naming_what_is_offered_loads_none_of_it(module: str) -> None:
    code = f"import sys, airflow_provider_tuya_ota.{module}; print([n for n in sys.modules if '_tuya_ota.core' in n])"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == "[]"


@pytest.mark.parametrize("path", FOR_READERS, ids=lambda path: path.name)
def test_what_users_read_imports_nothing_from_the_core(path: Path) -> None:
    assert re.findall(r"^\s*(?:from|import) airflow_provider_tuya_ota\.core.*", path.read_text(), re.MULTILINE) == []
