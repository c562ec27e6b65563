"""The report of one step of a release: what notifications, XCom ``ota_release`` and the release page contain."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal, Self, TypeAlias

from airflow_provider_tuya_ota.core.model.failure_reasons import FailureReasons
from airflow_provider_tuya_ota.core.model.task_counts import render_counts
from airflow_provider_tuya_ota.core.model.verdict import SAMPLE, DeviceState
from airflow_provider_tuya_ota.core.status.event import LONGEST_ERROR, Event
from airflow_provider_tuya_ota.core.status.report_values import READERS
from airflow_provider_tuya_ota.core.texts import bounded_line

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.model.verdict import Verdict

SCHEMA_VERSION: Final = 1
"""Raised only by a change that breaks readers: a field that is removed, renamed or changes its meaning."""
OnCancel: TypeAlias = Literal["", "stop", "keep"]
LONGEST_TEXT: Final = 1000
"""Characters of a report's text."""
_SUMMARIES: Final = {
    Event.SUCCEEDED: "succeeded",
    Event.UPLOADED: "is uploaded",
    Event.STARTED: "was started, and the step does not wait for it",
    Event.WAITING: "is under way",
    Event.FAILED: "failed",
    Event.REFUSED: "was refused, nothing was started",
    Event.UNCLEAR: "has an unclear outcome",
    Event.TIMEOUT: "ran out of time",
    Event.UNREACHABLE: "could not be polled for too long",
    Event.STOPPED: "was stopped",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReport:
    """The end of one step of a release, in plain values.

    ``to_dict`` adds two fields that follow from the others: ``text`` and ``failing``.

    :param schema_version: 1. Fields may be added without a new version; readers ignore names that they do not know.
    :param event: how the step ended.
    :param step: id of the task, with the number of the instance where the task is mapped: ``upgrade[1]``.
    :param summary: what became of the job, firmware or step, as the end of a sentence ("was stopped by a person");
        empty where the event says it.
    :param product_key: product of the devices; empty where the step does not know it.
    :param version: version that the devices run afterwards; empty where the platform has not given it.
    :param firmware_id: firmware that was uploaded or released; empty where there is none yet.
    :param job_id: verification or upgrade job; empty where there is none.
    :param tuya_ota_conn_id: Airflow connection that the step used; empty where the step did not know it.
    :param counts: number of device tasks by status, over all device tasks of the job, each counted once. Empty where
        the job was not polled.
    :param failure_reasons: number of failed device tasks by reason, over every device task that was read.
    :param devices: up to 50 devices of the job: failed ones first, then cancelled, running, waiting and succeeded ones.
    :param error: first line of the error without secrets, at most 500 characters; empty where there is none.
    :param on_cancel: what ending the step from outside does to its job: ``stop`` cancels what has not begun, ``keep``
        lets the job go on. Empty unless the step waits for its job, or was ended while it did.
    :param started_at: when the step began, UTC in ISO 8601; empty where the step left no report of its own.
    :param duration: seconds from ``started_at`` to the end of the step, to a tenth.
    :param link: page of the job in the vendor's console; empty where there is no job.
    :param run_link: page of the task in Airflow; empty unless ``[api] base_url`` is set.
    """

    schema_version: int = field(default=SCHEMA_VERSION, metadata={"const": SCHEMA_VERSION})
    event: Event
    step: str = ""
    summary: str = ""
    product_key: str = ""
    version: str = ""
    firmware_id: str = ""
    job_id: str = ""
    tuya_ota_conn_id: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    failure_reasons: FailureReasons = field(default_factory=FailureReasons)
    devices: tuple[DeviceState, ...] = field(default=(), metadata={"maxItems": SAMPLE})
    error: str = field(default="", metadata={"maxLength": LONGEST_ERROR})
    on_cancel: OnCancel = ""
    started_at: str = ""
    duration: float = 0.0
    link: str = ""
    run_link: str = ""

    @property
    def failing(self) -> tuple[DeviceState, ...]:
        """Those of ``devices`` whose task failed or was cancelled."""
        return tuple(device for device in self.devices if device.is_lost)

    @property
    def predicate(self) -> str:
        """What became of the subject of :attr:`text`: the summary, or what the event says where that is empty."""
        return self.summary or _SUMMARIES[self.event]

    @property
    def text(self) -> str:
        """The whole report in one line of at most 1,000 characters."""
        counts = render_counts(self.counts)
        said = f"{self._subject} {self.predicate}"
        return bounded_line(
            f"{said}{f': {counts}' if counts else ''}, {self._seconds:.0f} s. {self.error}", LONGEST_TEXT
        )

    @property
    def _seconds(self) -> float:
        # Rounded as it is stored, so that a report that is read back has the same text.
        return round(self.duration, 1)

    @property
    def _subject(self) -> str:
        # Where only the step has failed, nothing is known about the end of its job.
        is_known = bool(self.counts) or self.event not in {Event.FAILED, Event.REFUSED, Event.UNCLEAR}
        if is_known and self._entity:
            return self._entity
        return f"Step {self.step} ({self._entity})" if self._entity else f"Step {self.step}"

    @property
    def _entity(self) -> str:
        if self.job_id:
            return f"OTA job {self.job_id}" + (f" for firmware {self.firmware_id}" if self.firmware_id else "")
        if not self.firmware_id:
            return ""
        version = f" for version {self.version}" if self.version else ""
        product = f" of product {self.product_key}" if self.product_key and version else ""
        return f"OTA firmware {self.firmware_id}{version}{product}"

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values, as docs/reference/release-report.schema.json describes them."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return values | {
            "event": self.event.value,
            "text": self.text,
            "counts": dict(self.counts),
            "failure_reasons": self.failure_reasons.to_dict(),
            "failing": [device.to_dict() for device in self.failing],
            "devices": [device.to_dict() for device in self.devices],
            "duration": self._seconds,
        }

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Rebuild what :meth:`to_dict` gave.

        Names that a newer version added are ignored, and a field that an older version did not have keeps its default.

        :raises ValueError: it is no report of this schema version, or a field has a value of another type.
        """
        if not isinstance(values, dict) or values.get("schema_version") != SCHEMA_VERSION or "event" not in values:
            raise ValueError(f"this is no release report of schema version {SCHEMA_VERSION}")
        known = {one.name: (READERS[str(one.type)], values[one.name]) for one in fields(cls) if one.name in values}
        try:
            return cls(**{name: read(value) for name, (read, value) in known.items()})
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"a field of the release report has no valid value: {error}") from None


def verdict_fields(verdict: Verdict) -> dict[str, Any]:
    """Give the fields of a report that a poll of its job fills in."""
    return {
        "job_id": verdict.job_id,
        "firmware_id": verdict.firmware_id,
        "version": verdict.version,
        "counts": dict(verdict.counts),
        "failure_reasons": verdict.failure_reasons,
        "devices": verdict.devices,
    }
