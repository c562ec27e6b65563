"""Effects as data: what a flow asks its driver to do.

A flow is a generator that yields effects and returns a value. One driver carries them out with requests, another with
aiohttp, and a test answers from a list. So the protocol is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

from airflow_provider_tuya_ota.core.flows.events import FlowEvent

if TYPE_CHECKING:
    from datetime import datetime

    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
    from airflow_provider_tuya_ota.core.wire.exact_reader import ExactReader
    from airflow_provider_tuya_ota.core.wire.http import Request


SOON: Final = 60.0
"""Seconds within which a request must be sent that must be sent soon. Airflow gives up a frozen process after some
minutes, and the next try searches for its job for a minute and a half before it creates one."""


@dataclass(frozen=True, slots=True)
class FlowContext:
    """What pure code cannot know by itself.

    :param now: aware UTC time of the wall clock, which may be adjusted: for timestamps that the platform compares.
    :param steady: aware UTC time that is never adjusted: for deadlines and all other waiting.
    :param nonce: a text that is different in each context.
    :param jitter: a random number from 0 to 1.
    """

    now: datetime
    steady: datetime
    nonce: str
    jitter: float


@dataclass(frozen=True, slots=True)
class ReadContext:
    """Ask for a fresh :class:`FlowContext`."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request within its rate limit; answered with a Response, or the transport's error is thrown in.

    :param since: the clocks when it was decided to send. If much more time than the wait for the limiter has passed by
        any of them, this process was frozen, and the request must not be sent. None: it may be sent at any time.
    """

    request: Request
    rate_limit_group: RateLimitGroup
    since: FlowContext | None = None

    def is_late(self, now: FlowContext, pause: float) -> bool:
        """Whether too much time has passed since the decision to send.

        :param pause: seconds that the limiter has asked to wait; they do not count.
        """
        if self.since is None:
            return False
        passed = max(now.steady - self.since.steady, now.now - self.since.now)
        return passed.total_seconds() - pause > SOON


@dataclass(frozen=True, slots=True)
class Digest:
    """Read a file to its end; answered with its hex digests by method, or what reading it raises is thrown in.

    :param open_file: opens it at its beginning.
    """

    open_file: Callable[[], ExactReader]


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """Hand the state of a job to the listener; yielded each time it was read."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class LoadState:
    """Ask for the state that this task, or an earlier try of it, has saved; answered with a :class:`SavedState`."""


@dataclass(frozen=True, slots=True)
class SaveState:
    """Save the task's state before the flow goes on; it replaces what was saved before.

    :param value: plain JSON values, or None for nothing.
    """

    value: Any


@dataclass(frozen=True, slots=True)
class SavedState:
    """The state that was saved last.

    :param value: None if nothing was saved.
    :param is_durable: whether the state survives the process. If not, its absence proves nothing.
    """

    value: Any = None
    is_durable: bool = False


@dataclass(frozen=True, slots=True)
class ReadOtherIntents:
    """Ask for the intents that other tasks of this Airflow have stored for the same firmware.

    It is answered with :class:`OtherIntents`.

    :param mask: only of those that may share a device with it; None: of all.
    """

    mask: str | None = None


@dataclass(frozen=True, slots=True)
class StoredIntent:
    """What another task has stored, as it was read.

    :param task: the task, as messages name it.
    :param key: differs for each task.
    :param value: plain JSON values.
    :param past_jobs: jobs that the task created and is done with. They block no task, and no other task adopts them.
    """

    task: str
    key: str
    value: Any
    past_jobs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OtherIntents:
    """What other tasks have stored.

    :param key: of this task's own intent; empty where no other task can read it.
    """

    key: str = ""
    intents: tuple[StoredIntent, ...] = ()


@dataclass(frozen=True, slots=True)
class SlowDown:
    """Send fewer requests of a rate limit group for a while: the platform has throttled one."""

    rate_limit_group: RateLimitGroup


Effect: TypeAlias = (
    ReadContext | Send | Digest | Sleep | FlowEvent | Report | LoadState | SaveState | ReadOtherIntents | SlowDown
)

E = TypeVar("E")
T = TypeVar("T")
Flow: TypeAlias = Generator[Effect, Any, T]


@dataclass(frozen=True, slots=True)
class End(Generic[T]):
    """What a flow returned."""

    value: T


def advance(flow: Generator[E, Any, T], answer: Any, failure: Exception | None) -> E | End[T]:
    """Run a flow until it yields an effect or ends.

    :param answer: to the effect that it yielded last.
    :param failure: thrown into the flow in place of an answer.
    """
    try:
        return flow.send(answer) if failure is None else flow.throw(failure)
    except StopIteration as end:
        return End(end.value)
