"""One task of an Airflow, played effect by effect, so that others can act between any two of them."""

from __future__ import annotations

import copy
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from airflow_provider_tuya_ota.core import actions
from airflow_provider_tuya_ota.core.errors import (
    AlreadyUnderWayError,
    AmbiguousOutcomeError,
    Delivery,
    TransportError,
    TuyaOTAError,
)
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
from airflow_provider_tuya_ota.core.jobs.intent import Attempt
from airflow_provider_tuya_ota.core.jobs.stop import stop_job
from airflow_provider_tuya_ota.core.jobs.target import Target, may_overlap
from airflow_provider_tuya_ota.core.jobs.tracked_job import JobOrigin
from airflow_provider_tuya_ota.core.jobs.upgrade import start_upgrade
from airflow_provider_tuya_ota.core.jobs.verification import IfVerified, start_verification
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from tests.campaigns.create_answers import named_in, unexplained, without_an_id
from tests.contract.release import PRODUCT
from tests.contract.worlds import settings
from tests.core.one_job import wait_for_job

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from random import Random

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.wire.http import Request, Response

SETTINGS = settings("http://127.0.0.1:1")
MOST_TRIES = 12
GIVEN_UP_AFTER = 300.0
"""Seconds without a sign of life after which Airflow begins another try."""
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

    def join(self, seconds: float, turn: Generator[float, None, None]) -> None:
        """Let a process go on beside everybody else, from a later moment on."""

    def jobs(self) -> set[str]:
        """Name every job at the platform."""

    def is_quiet(self) -> bool:
        """Whether no job goes on."""

    def blame(self, text: str) -> None:
        """Note what was wrong."""


class Frozen(float):
    """Seconds for which a process stands still, and does not know it."""


class Killed(BaseException):
    """The process is gone; nothing in it runs any more."""


@dataclass
class Ledger:
    """What Airflow's variables hold.

    :param had: the jobs that each task is done with.
    """

    notes: dict[str, tuple[str, Any]] = field(default_factory=dict)
    had: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def write(self, name: str, note: Any) -> None:
        """Replace a task's note."""
        _, old = self.notes.get(name, ("", note))
        if old["entity_id"] and (note["stage"] == "nothing" or note["started_at"] != old["started_at"]):
            self.had[name].add(old["entity_id"])
        self.notes[name] = (Target.from_dict(note["target"]).mask, note)


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
    freeze_at: int = 0
    clears: int = 0
    cleared_after: int = 0
    steps: int = 0
    errors: list[str] = field(default_factory=list)
    named: set[str] = field(default_factory=set)
    followed: str = ""
    is_own: bool = False
    is_certain: bool = False
    end: str = ""

    def __post_init__(self) -> None:
        # Drawn apart, so that the stories stay those of their seeds.
        self.answers = copy.copy(self.random)

    def play(self) -> Generator[float, None, None]:
        """Try until it ends; each value is how long the others may go on."""
        started_at = self.story.now
        while not self.end and self.tries < MOST_TRIES:
            self.tries += 1
            self.steps = 0
            self.kill_at = self.random.choice([0, 0, 0, self.random.randint(1, 30)])
            self.freeze_at = self.random.choice([0, 0, 0, self.random.randint(1, 25)])
            is_retry = self.tries > self.cleared_after + 1
            attempt = Attempt(
                is_retry=is_retry,
                run_started_at=started_at,
                clear_number=self.clears,
                cleared_after=self.cleared_after,
            )
            try:
                yield from self._until_given_up(self._one_try(attempt, self.tries))
            except Killed:
                self.story.kills += 1
                yield self.random.choice([1.0, 20.0, 300.0])
            except TuyaOTAError as error:
                self.errors.append(type(error).__name__)
                if isinstance(error, AlreadyUnderWayError) and self.random.random() < 0.5:
                    self.end = "refused"
                if isinstance(error, AmbiguousOutcomeError) and is_retry:
                    yield from self._clear()
                yield self.random.choice([1.0, 30.0, 300.0])
        self.end = self.end or f"gave up: {self.errors[-1] if self.errors else 'killed'}"

    def _until_given_up(self, one: Generator[float, None, None]) -> Generator[float, None, None]:
        for pause in one:
            if isinstance(pause, Frozen) and pause > GIVEN_UP_AFTER:
                self.story.join(pause, _thawed(one))
                yield GIVEN_UP_AFTER
                return
            yield pause

    def _clear(self) -> Generator[float, None, None]:
        """Let a person clear the task when everything has ended: then nothing can be ambiguous any more."""
        while not self.story.is_quiet():
            yield 60.0
        yield 60.0
        self.clears += 1
        self.cleared_after = self.tries

    def _one_try(self, attempt: Attempt, number: int) -> Generator[float, None, None]:
        before = self.story.jobs()
        was_quiet = self.story.is_quiet()
        try:
            found = yield from self._drive(self._flow(attempt), number)
        except AmbiguousOutcomeError:
            if self.clears and not attempt.is_retry and was_quiet and before == self.story.jobs():
                self.story.blame(f"{self.name} stays ambiguous after a clear")
            raise
        self._require(number)
        self.followed, self.is_certain = found.job_id, found.is_own
        self.is_own = found.is_own or found.origin is JobOrigin.FOUND
        if not found.is_started:
            self.end = "verified before"
            return
        if self.random.random() < 0.1:
            if found.is_own:
                yield from self._drive(stop_job(SETTINGS, found.job_id), number)
            self.end = "stopped by a person"
            return
        deadline = self.story.now + timedelta(hours=6)
        options = WaitOptions(deadline=deadline, poll_interval=15.0, expected=tuple(self.devices))
        verdict = yield from self._drive(wait_for_job(SETTINGS, found.job_id, options), number)
        self._require(number)
        self.end = str(verdict.outcome)

    def _flow(self, attempt: Attempt) -> Flow[Any]:
        if self.what == "verification":
            verify = actions.CreateOTAVerifyJob(
                firmware_id=self.story.firmware_id, product_key=PRODUCT, target_device_name=self.devices
            )
            return start_verification(SETTINGS, verify, if_verified=IfVerified.SUCCEED, attempt=attempt)
        chosen: dict[str, Any] = (
            {"target_selection": "GRAY", "gray_percent": "25"}
            if self.what == "share"
            else {"target_selection": "SPECIFIC", "target_device_name": self.devices}
        )
        upgrade = actions.CreateOTAStaticUpgradeJob(firmware_id=self.story.firmware_id, product_key=PRODUCT, **chosen)
        return start_upgrade(SETTINGS, upgrade, attempt)

    def _require(self, number: int) -> None:
        """End a try that another one has followed: Airflow takes nothing from it any more."""
        if number != self.tries:
            raise Killed

    def _drive(self, flow: Flow[Any], number: int) -> Generator[float, None, Any]:
        answer: Any = None
        failure: Exception | None = None
        while True:
            try:
                effect = flow.send(answer) if failure is None else flow.throw(failure)
            except StopIteration as stop:
                return stop.value
            answer = failure = None
            self._may_die(number)
            yield from self._may_freeze(number)
            match effect:
                case Send():
                    try:
                        answer = yield from self._send(effect, number)
                    except TransportError as error:
                        failure = error
                case Sleep():
                    yield effect.seconds
                case ReadContext():
                    answer = self._context()
                case LoadState():
                    answer = self._recall(number)
                case SaveState():
                    yield from self._remember(effect.value, number)
                case ReadOtherIntents():
                    yield self.random.random() * 0.2
                    answer = self._other_intents(effect.mask)

    def _recall(self, number: int) -> SavedState:
        # A try that was followed sees nothing of the store any more, and the ledger still.
        noted = self.ledger.notes.get(self.name, ("", None))[1]
        return SavedState(self.store if number == self.tries else noted, is_durable=True)

    def _context(self) -> FlowContext:
        now = self.story.now
        return FlowContext(now=now, steady=now, nonce=f"{self.name}-{next(self.story.numbers)}", jitter=0.5)

    def _may_die(self, number: int) -> None:
        if number != self.tries:
            return
        self.steps += 1
        if self.steps == self.kill_at:
            raise Killed

    def _may_freeze(self, number: int) -> Generator[float, None, None]:
        if number == self.tries and 0 < self.freeze_at <= self.steps:
            self.freeze_at = 0
            yield Frozen(self.random.choice([30, 90, 320, 480, 800]))

    def _remember(self, value: Any, number: int) -> Generator[float, None, None]:
        yield self.random.random() * 0.1
        self._require(number)
        self.store = value
        self._may_die(number)
        yield self.random.random() * 0.1
        self.ledger.write(self.name, value)
        self._may_die(number)

    def _other_intents(self, mask: str | None) -> OtherIntents:
        others = tuple(
            StoredIntent(f"task {name}", name, note, tuple(self.ledger.had[name]))
            for name, (theirs, note) in self.ledger.notes.items()
            if name != self.name and (mask is None or may_overlap(mask, theirs))
        )
        return OtherIntents(self.name, others)

    def _send(self, send: Send, number: int) -> Generator[float, None, Response]:
        if send.is_late(self._context(), 0.0):
            # As the driver does, last of all.
            raise TransportError("stood still", endpoint="ota", delivery=Delivery.NEVER_SENT)
        request = send.request
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
        self._may_die(number)
        yield self.random.random() * 0.5
        if fate == "after":
            return self._unclear(request, response)
        if fate == "no id":
            return without_an_id(response)
        if is_create:
            self.named.add(named_in(response))
        return response

    def _unclear(self, request: Request, response: Response) -> Response:
        """Answer what does not show that the request was carried out."""
        how = self.answers.choice(["lost", "replayed", "refused"])
        if how == "lost":
            raise self._lost()
        self.story.lost += 1
        if how == "replayed":
            # The proxy's first copy was carried out, and the answer is the one to its second copy.
            return self.story.send(self, request)
        return unexplained(response)

    def _lost(self) -> TransportError:
        self.story.lost += 1
        return TransportError("no answer in time", endpoint="ota", delivery=Delivery.UNKNOWN)


def _thawed(one: Generator[float, None, None]) -> Generator[float, None, None]:
    """Go on with a try that another one has followed."""
    try:
        yield from one
    except (Killed, TuyaOTAError):
        return
