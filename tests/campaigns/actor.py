"""One task of an Airflow, played effect by effect, so that others can act between any two of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_tuya_ota.core import actions
from airflow_provider_tuya_ota.core.errors import AlreadyUnderWayError, Delivery, TransportError, TuyaOTAError
from airflow_provider_tuya_ota.core.flow import (
    Ambient,
    Look,
    Memo,
    Neighbour,
    Neighbours,
    ReadNeighbours,
    Recall,
    Remember,
    Send,
    Sleep,
)
from airflow_provider_tuya_ota.core.intents import Attempt
from airflow_provider_tuya_ota.core.stopping import stop_job
from airflow_provider_tuya_ota.core.targets import Target, may_overlap
from airflow_provider_tuya_ota.core.upgrading import start_upgrade
from airflow_provider_tuya_ota.core.verification import IfVerified, start_verification
from airflow_provider_tuya_ota.core.watching import Patience, watch_job
from tests.contract.release import PRODUCT
from tests.contract.worlds import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from random import Random

    from airflow_provider_tuya_ota.core.flow import Flow
    from airflow_provider_tuya_ota.core.http import Request, Response

SETTINGS = settings("http://127.0.0.1:1")
MOST_TRIES = 12
CREATES = ("Action=CreateOTAVerifyJob", "Action=CreateOTAStaticUpgradeJob")


class Story(Protocol):
    """What an actor needs of the story that it is in."""

    firmware_id: str
    kills: int
    lost: int
    numbers: Iterator[int]

    @property
    def now(self) -> datetime:
        """The time of everybody."""

    def send(self, actor: Actor, request: Request) -> Response:
        """Carry a request out."""

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Let something happen later."""


class Killed(BaseException):
    """The process is gone; nothing in it runs any more."""


@dataclass
class Ledger:
    """What Airflow's variables hold."""

    notes: dict[str, tuple[str, Any]] = field(default_factory=dict)


@dataclass
class Actor:
    """One task that creates a job, over all of its tries."""

    name: str
    story: Story
    what: str
    devices: list[str]
    ledger: Ledger
    random: Random
    store: Any = None
    tries: int = 0
    kill_at: int = 0
    steps: int = 0
    errors: list[str] = field(default_factory=list)
    followed: str = ""
    is_own: bool = False
    is_certain: bool = False
    end: str = ""

    def play(self) -> Generator[float, None, None]:
        """Try until it ends; each value is how long the others may go on."""
        started_at = self.story.now
        while not self.end and self.tries < MOST_TRIES:
            self.tries += 1
            self.steps = 0
            self.kill_at = self.random.choice([0, 0, 0, self.random.randint(1, 30)])
            attempt = Attempt(is_retry=self.tries > 1, run_started_at=started_at)
            try:
                yield from self._one_try(attempt)
            except Killed:
                self.story.kills += 1
                yield self.random.choice([1.0, 20.0, 300.0])
            except TuyaOTAError as error:
                self.errors.append(type(error).__name__)
                if isinstance(error, AlreadyUnderWayError) and self.random.random() < 0.5:
                    self.end = "refused"
                yield self.random.choice([1.0, 30.0, 300.0])
        self.end = self.end or f"gave up: {self.errors[-1] if self.errors else 'killed'}"

    def _one_try(self, attempt: Attempt) -> Generator[float, None, None]:
        found = yield from self._drive(self._flow(attempt))
        self.followed, self.is_certain = found.job_id, found.is_certain
        self.is_own = getattr(found, "is_own", True)
        if getattr(found, "is_verified", False):
            self.end = "verified before"
            return
        if self.random.random() < 0.1:
            if found.is_certain:
                yield from self._drive(stop_job(SETTINGS, found.job_id))
            self.end = "stopped by a person"
            return
        deadline = self.story.now + timedelta(hours=6)
        patience = Patience(deadline=deadline, poll_interval=15.0, expected=tuple(self.devices))
        verdict = yield from self._drive(watch_job(SETTINGS, found.job_id, patience))
        self.end = str(verdict.outcome)

    def _flow(self, attempt: Attempt) -> Flow[Any]:
        if self.what == "verification":
            verify = actions.CreateOTAVerifyJob(
                firmware_id=self.story.firmware_id, product_key=PRODUCT, target_device_name=self.devices
            )
            return start_verification(SETTINGS, verify, if_verified=IfVerified.SUCCEED, attempt=attempt)
        upgrade = actions.CreateOTAStaticUpgradeJob(
            firmware_id=self.story.firmware_id,
            product_key=PRODUCT,
            target_selection="SPECIFIC",
            target_device_name=self.devices,
        )
        return start_upgrade(SETTINGS, upgrade, attempt)

    def _drive(self, flow: Flow[Any]) -> Generator[float, None, Any]:
        answer: Any = None
        failure: Exception | None = None
        while True:
            try:
                effect = flow.send(answer) if failure is None else flow.throw(failure)
            except StopIteration as stop:
                return stop.value
            answer = failure = None
            self._may_die()
            match effect:
                case Send():
                    try:
                        answer = yield from self._send(effect.request)
                    except TransportError as error:
                        failure = error
                case Sleep():
                    yield effect.seconds
                case Look():
                    now = self.story.now
                    answer = Ambient(now=now, steady=now, nonce=f"{self.name}-{next(self.story.numbers)}", jitter=0.5)
                case Recall():
                    answer = Memo(self.store, is_durable=True)
                case Remember():
                    yield from self._remember(effect.value)
                case ReadNeighbours():
                    yield self.random.random() * 0.2
                    answer = self._neighbours(effect.mask)

    def _may_die(self) -> None:
        self.steps += 1
        if self.steps == self.kill_at:
            raise Killed

    def _remember(self, value: Any) -> Generator[float, None, None]:
        yield self.random.random() * 0.1
        self.store = value
        self._may_die()
        yield self.random.random() * 0.1
        if value["stage"] == "nothing":
            self.ledger.notes.pop(self.name, None)
        else:
            self.ledger.notes[self.name] = (Target.from_dict(value["target"]).mask, value)
        self._may_die()

    def _neighbours(self, mask: str | None) -> Neighbours:
        others = tuple(
            Neighbour(f"task {name}", name, note)
            for name, (theirs, note) in self.ledger.notes.items()
            if name != self.name and (mask is None or may_overlap(mask, theirs))
        )
        return Neighbours(self.name, others)

    def _send(self, request: Request) -> Generator[float, None, Response]:
        yield self.random.random() * 0.5
        is_create = any(name in request.url for name in CREATES)
        fate = self.random.choice(["", "", "before", "after", "late", "no id"]) if is_create else ""
        if fate == "before":
            raise self._lost()
        if fate == "late":
            self.story.later(self.random.random() * 25, lambda: self.story.send(self, request))
            yield self.random.random()
            raise self._lost()
        response = self.story.send(self, request)
        self._may_die()
        yield self.random.random() * 0.5
        if fate == "after":
            raise self._lost()
        return _without_an_id(response) if fate == "no id" else response

    def _lost(self) -> TransportError:
        self.story.lost += 1
        return TransportError("no answer in time", endpoint="ota", delivery=Delivery.UNKNOWN)


def _without_an_id(response: Response) -> Response:
    body = json.loads(response.body)
    for key in ("jobId", "firmwareId"):
        (body.get("data") or {}).pop(key, None)
    return replace(response, body=json.dumps(body).encode())
