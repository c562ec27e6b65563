"""A platform whose answers get lost, and tasks of one Airflow that create sets of jobs on it, effect by effect."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core import actions
from airflow_provider_tuya_ota.core.errors import Delivery, TransportError
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import (
    FlowContext,
    LoadState,
    OtherIntents,
    ReadContext,
    ReadOtherIntents,
    SavedState,
    SaveState,
    Send,
    Sleep,
    StoredIntent,
)
from airflow_provider_tuya_ota.core.jobs.target import Target, may_overlap
from airflow_provider_tuya_ota.core.upload import ensure_firmware
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from tests.campaigns.create_answers import unexplained, without_an_id
from tests.contract.release import FILE, FIRMWARE, PRODUCT
from tests.contract.worlds import MemoryTransport, Quiet, VirtualWorld, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.wire.http import Request, Response

SETTINGS = settings("http://127.0.0.1:1")
CREATE = "CreateOTAStaticUpgradeJob"
ACTS = (Send, SaveState, LoadState, ReadOtherIntents, Sleep)
"""Effects after which a process may die; nothing happens at the others."""
LOSSES = ("before", "after", "late", "no id", "unexplained")
"""What may become of a create and its answer."""


class Killed(BaseException):
    """The process is gone; nothing in it runs any more."""


@dataclass
class Platform:
    """A platform, its time, and the notes of all tasks of an Airflow.

    :param devices: number of devices, which never report anything.
    :param late: requests that arrive later, with the time.
    """

    devices: int
    seed: int = 0
    quirks: dict[str, Any] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)
    late: list[tuple[float, Request]] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world = VirtualWorld()
        product = {"devices": self.devices, "silent": 1.0}
        scenario = read({"seed": self.seed, "products": [product], "quotas": {"enabled": False}})
        self.emulator = Emulator(scenario=scenario, clock=Clock(self.world))
        self.transport = MemoryTransport(self.emulator)
        self.names = tuple(self.emulator.world.products[PRODUCT].devices)
        values = {name: getattr(FIRMWARE, name) for name in FIRMWARE.__slots__} | {"need_to_verify": False}
        self.firmware_id: str = self._run(
            ensure_firmware(SETTINGS, actions.CreateOTAFirmware(**values), FILE)
        ).firmware_id
        self.emulator.world.quirks = self.emulator.world.quirks.changed(self.quirks)
        self.world.now += 10

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.world.now, UTC)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, in which late requests arrive."""
        end = self.world.now + seconds
        for at, request in sorted(self.late, key=lambda one: one[0]):
            if at <= end:
                self.world.now = max(self.world.now, at)
                self.transport.send(request)
        self.late = [(at, request) for at, request in self.late if at > end]
        self.world.now = end

    def jobs(self) -> dict[str, frozenset[str]]:
        """Give the devices of each upgrade job by its id, the oldest job first."""
        return {
            job.job_id: frozenset(device.name for device in (*job.planned, *(task.device for task in job.tasks)))
            for job in self.emulator.world.engine.jobs.values()
        }

    def refused_devices(self) -> list[str]:
        """Name the devices that the platform failed at once, because they were in another unfinished task."""
        return [
            task.device.name
            for job in self.emulator.world.engine.jobs.values()
            for task in job.tasks
            if "another unfinished" in task.desc
        ]

    def create_elsewhere(self, devices: tuple[str, ...]) -> str:
        """Let another program create a job."""
        before = set(self.jobs())
        action = actions.CreateOTAStaticUpgradeJob(
            firmware_id=self.firmware_id,
            product_key=PRODUCT,
            target_selection="SPECIFIC",
            target_device_name=list(devices),
        )
        self._run(call(SETTINGS, action))
        (job_id,) = set(self.jobs()) - before
        return job_id

    def _run(self, flow: Flow[Any]) -> Any:
        with TuyaOTAClient(SETTINGS, transport=self.transport, listener=Quiet(), runtime=self.world) as client:
            return client.run(flow)


@dataclass
class Task:
    """A task of the Airflow, over all of its tries.

    :param fates: what becomes of the n-th create; the others are answered.
    :param between: called before each act, with its number.
    :param kill_after: number of the act of this try after which it dies; negative for never.
    """

    name: str
    platform: Platform
    fates: dict[int, str] = field(default_factory=dict)
    between: Callable[[int], None] | None = None
    kill_after: int = -1
    acts: int = 0
    creates: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    largest_note: int = 0

    def run(self, flow: Flow[Any]) -> Any:
        """Carry out one try."""
        self.acts = 0
        answer: Any = None
        if self.kill_after == 0:
            raise Killed
        while True:
            try:
                effect = flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
            except StopIteration as end:
                return end.value
            answer = None
            if isinstance(effect, ReadContext):
                answer = self._context()
            if not isinstance(effect, ACTS):
                continue
            self.acts += 1
            if self.between is not None:
                self.between(self.acts)
            answer = self._act(effect)
            if self.acts == self.kill_after:
                raise Killed

    def _context(self) -> FlowContext:
        now = self.platform.now
        return FlowContext(now=now, steady=now, nonce=f"nonce-{next(self.platform.numbers)}", jitter=0.5)

    def _act(self, effect: Any) -> Any:
        match effect:
            case Send():
                if effect.is_late(self._context(), 0.0):
                    # As the driver does, last of all.
                    return TransportError("stood still", endpoint="ota", delivery=Delivery.NEVER_SENT)
                try:
                    return self._send(effect.request)
                except TransportError as error:
                    return error
            case Sleep():
                self.platform.pass_time(effect.seconds)
            case LoadState():
                return SavedState(self.platform.notes.get(self.name), is_durable=True)
            case SaveState():
                text = json.dumps(effect.value)
                self.largest_note = max(self.largest_note, len(text))
                self.platform.notes[self.name] = json.loads(text)
            case ReadOtherIntents():
                return self._others(effect.mask)
        return None

    def _others(self, mask: str | None) -> OtherIntents:
        found = [
            StoredIntent(f"task {name}", name, note)
            for name, note in self.platform.notes.items()
            if name != self.name and (mask is None or may_overlap(mask, Target.from_dict(note["target"]).mask))
        ]
        return OtherIntents(self.name, tuple(found))

    def _send(self, request: Request) -> Response:
        self.platform.pass_time(0.1)
        action = parse_qs(urlsplit(request.url).query)["Action"][0]
        self.requests[action] += 1
        fate = ""
        if action == CREATE:
            self.creates += 1
            fate = self.fates.get(self.creates, "")
        if fate == "late":
            self.platform.late.append((self.platform.world.now + 20, request))
        if fate in {"before", "late"}:
            raise TransportError("no answer in time", endpoint="ota", delivery=Delivery.UNKNOWN)
        response = self.platform.transport.send(request)
        self.platform.pass_time(0.1)
        if fate == "after":
            raise TransportError("no answer in time", endpoint="ota", delivery=Delivery.UNKNOWN)
        if fate == "unexplained":
            return unexplained(response)
        return without_an_id(response) if fate == "no id" else response
