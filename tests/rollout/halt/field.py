"""A release in flight at the emulator, and a halt of it whose process is killed."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core.actions import CreateOTAFirmware, CreateOTAStaticUpgradeJob
from airflow_provider_tuya_ota.core.errors import NotFoundError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import (
    End,
    OtherIntents,
    SavedState,
    SaveState,
    Send,
    Sleep,
    advance,
)
from airflow_provider_tuya_ota.core.flows.lists import list_tasks
from airflow_provider_tuya_ota.core.upload import ensure_firmware
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.rollout.gate.evidence import Evidence, Place
from airflow_provider_tuya_ota.rollout.halt.halt import halt_jobs
from airflow_provider_tuya_ota.rollout.halt.scope import HaltScope
from airflow_provider_tuya_ota.rollout.halt.settlement import HaltOptions
from airflow_provider_tuya_ota.rollout.record.begin import ReleaseBegun
from airflow_provider_tuya_ota.rollout.record.check_receipt import check_receipt
from airflow_provider_tuya_ota.rollout.record.finish import Receipt, ReleaseEnded, ReleaseOutcome
from airflow_provider_tuya_ota.rollout.record.record_file import read_record
from airflow_provider_tuya_ota.rollout.record.recorded_devices import RecordedDevices
from airflow_provider_tuya_ota.rollout.record.release_record import ReleaseRecord
from tests.contract.release import FILE, PRODUCT, VERSION
from tests.contract.worlds import MemoryTransport, VirtualWorld, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.flows.events import FlowEvent
    from airflow_provider_tuya_ota.core.model.entities import DeviceTask
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.rollout.halt.settled import SettledHalt

T = TypeVar("T")
SETTINGS = settings("http://127.0.0.1:1")
SILENT_AFTER: Final = 1800.0
OPTIONS: Final = HaltOptions(silent_after=SILENT_AFTER, longest=20_000.0, poll_interval=300.0)
REASON: Final = "halt at 13 of the first 100 started; ceiling 5 %"
BEGUN: Final = ReleaseBegun(
    release_id="r1", triggered_by="ada", product_key=PRODUCT, module_name="default", version=VERSION
)
TRUTH: Final = {
    "CANCELED": Receipt.CANCELLED,
    "SUCCEEDED": Receipt.LANDED,
    "FAILED": Receipt.FAILED,
}


class KilledError(BaseException):
    """The process is gone; nothing in it runs any more."""


@dataclass
class Log:
    """Keeps the events."""

    events: list[FlowEvent] = field(default_factory=list)

    def event(self, event: FlowEvent) -> None:
        self.events.append(event)

    def report(self, verdict: Verdict) -> None:
        pass


@dataclass
class Store:
    """Keeps the state of a halt."""

    value: Any = None
    saved: list[Any] = field(default_factory=list)

    def load_state(self) -> SavedState:
        return SavedState(self.value, is_durable=True)

    def save_state(self, value: Any) -> None:
        self.value = value
        self.saved.append(value)

    def other_intents(self, mask: str | None) -> OtherIntents:
        return OtherIntents()


@dataclass
class Fate:
    """Kills a flow at one of its effects, before or after it was carried out; 0: never."""

    effect: int = 0
    is_after: bool = False
    seen: int = 0

    def over(self, flow: Flow[T]) -> Flow[T]:
        answer: Any = None
        failure: Exception | None = None
        while not isinstance(effect := advance(flow, answer, failure), End):
            # Nothing outside of the process changes at any other effect.
            self.seen += isinstance(effect, Send | SaveState | Sleep)
            is_fatal = self.seen == self.effect and isinstance(effect, Send | SaveState | Sleep)
            if is_fatal and not self.is_after:
                raise KilledError
            answer = failure = None
            try:
                answer = yield effect
            except TuyaOTAError as error:
                failure = error
            if is_fatal and self.is_after:
                raise KilledError
        return effect.value


class Field:
    """A release in flight.

    :param product: of the emulator's scenario.
    :param sizes: devices of each job; the remaining devices are planned and in no job.
    :param quirks: of the emulator, from the halt on.
    """

    def __init__(
        self, product: dict[str, Any], sizes: tuple[int, ...], quirks: dict[str, Any] | None = None, seed: int = 0
    ) -> None:
        self.world = VirtualWorld()
        document = {"seed": seed, "products": [product], "quotas": {"enabled": False}}
        self.emulator = Emulator(scenario=read(document), clock=Clock(self.world))
        self.devices = list(self.emulator.world.products[PRODUCT].devices)
        self.log, self.store, self.kills = Log(), Store(), 0
        self.jobs: dict[str, tuple[str, ...]] = {}
        self.evidence = Evidence()
        self.places = {name: Place(rank, 1) for rank, name in enumerate(self.devices)}
        self._create(sizes, quirks or {})

    def run(self, flow: Flow[T], fate: Fate | None = None) -> T:
        client = TuyaOTAClient(
            SETTINGS, transport=MemoryTransport(self.emulator), listener=self.log, runtime=self.world
        )
        return client.run(flow if fate is None else fate.over(flow), state_store=self.store)

    def sleep(self, seconds: float) -> None:
        self.world.sleep(seconds)
        self.emulator.world.engine.run()

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.world.now, UTC)

    def poll(self) -> None:
        """Record what the platform lists, as a wave does before it is halted."""
        tasks: list[DeviceTask] = []
        for job_id in self.jobs:
            # A young job may not be shown yet.
            with suppress(NotFoundError):
                tasks += self.run(list_tasks(SETTINGS, job_id)).items
        self.evidence.record(tasks, self.places, now=self.now, silent_after=SILENT_AFTER)

    def scope(self) -> HaltScope:
        return HaltScope.at_halt(self.devices, self.jobs, self.evidence)

    def flow(self, options: HaltOptions = OPTIONS) -> Flow[SettledHalt]:
        return halt_jobs(SETTINGS, self.scope(), options, reason=REASON)

    def halt(self, *fates: Fate, options: HaltOptions = OPTIONS) -> SettledHalt:
        """Halt, with a process that is killed by each fate in turn, and then with one that lives."""
        for fate in fates:
            try:
                return self.run(self.flow(options), fate)
            except KilledError:
                self.kills += 1
                self.world.sleep(20)
        return self.run(self.flow(options))

    def truth(self) -> dict[Receipt, tuple[str, ...]]:
        """What the emulator knows of each device that had no outcome at the halt."""
        self.emulator.world.engine.run()
        scope, found = self.scope(), dict[str, Receipt]()
        for job_id, names in self.jobs.items():
            job = self.emulator.world.engine.jobs[job_id]
            statuses = {task.device.name: task.status for task in job.tasks}
            for name in names:
                never = Receipt.CANCELLED if job.status in {"CANCELED", "COMPLETED"} else Receipt.NOT_CANCELLED
                found[name] = TRUTH.get(statuses[name], Receipt.NOT_CANCELLED) if name in statuses else never
        by: dict[Receipt, tuple[str, ...]] = {}
        for receipt in Receipt:
            by[receipt] = tuple(
                name for name in self.devices if name not in scope.before and found.get(name, Receipt.SPARED) is receipt
            )
        return by

    def statuses(self) -> Counter[str]:
        self.emulator.world.engine.run()
        return Counter(task.status for job in self.emulator.world.engine.jobs.values() for task in job.tasks)

    def problems(self, settled: SettledHalt) -> Iterator[str]:
        """Hold a receipt against the emulator's truth, and against the evidence as a record does."""
        truth = self.truth()
        for receipt, names in settled.receipt.by_receipt.items():
            if names != truth[receipt]:
                yield f"{receipt}: {len(names)}, and in truth {len(truth[receipt])}"
        if not sum(settled.counts.values()) == settled.cohort == len(self.devices):
            yield f"{settled} of {len(self.devices)}"
        self.evidence.record(settled.tasks, self.places, now=self.now, silent_after=SILENT_AFTER)
        record = ReleaseRecord().append(BEGUN, at=self.now).append(settled.receipt, at=self.now)
        end = ReleaseEnded(outcome=ReleaseOutcome.HALTED, reason=REASON, planned=0, in_no_job=0, counts={})
        file = read_record(record.append(end, at=self.now).seal(None))
        yield from (finding.text for finding in check_receipt(file, RecordedDevices.of(file, self.evidence)))

    def require_truth(self, settled: SettledHalt) -> None:
        assert list(self.problems(settled)) == []

    def _create(self, sizes: tuple[int, ...], quirks: dict[str, Any]) -> None:
        action = CreateOTAFirmware(
            dest_version=VERSION,
            firmware_name="release",
            product_key=PRODUCT,
            sign_method="SHA256",
            need_to_verify=False,
        )
        firmware_id = self.run(ensure_firmware(SETTINGS, action, FILE)).firmware_id
        self.emulator.world.quirks = self.emulator.world.quirks.changed(quirks)
        self.store.value, begin = None, 0
        for size in sizes:
            names = tuple(self.devices[begin : begin + size])
            request = CreateOTAStaticUpgradeJob(
                firmware_id=firmware_id, product_key=PRODUCT, target_selection="SPECIFIC", target_device_name=names
            )
            created = self.run(call(SETTINGS, request))
            self.jobs[str(created.entity_id)] = names
            begin += size
