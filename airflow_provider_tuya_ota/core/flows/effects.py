"""Effects as data: what a flow asks its driver to do.

A flow is a generator that yields effects and returns a value. One driver answers with requests, one with aiohttp, a
test with a list; the protocol is written once.
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
"""Seconds in which a request leaves that must leave soon. What stands still is given up after some minutes, and whoever
follows looks for its job for a minute and a half before creating one."""


@dataclass(frozen=True, slots=True)
class FlowContext:
    """What pure code cannot know by itself.

    :param now: aware UTC time of the wall clock, which may be set meanwhile: for what the platform is told.
    :param steady: aware UTC time that nobody sets: for deadlines and all other waiting.
    :param nonce: a text never given before.
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
    """Send a request within its lane's budget; answered with a Response, or the transport's error is thrown in.

    :param since: the clocks when it was decided that it may be sent: when much more than its turn has passed by any of
        them, this process stood still meanwhile, and the request must not leave. None: it may leave at any time.
    """

    request: Request
    rate_limit_group: RateLimitGroup
    since: FlowContext | None = None

    def is_late(self, now: FlowContext, pause: float) -> bool:
        """Whether too much time has passed, the seconds until its turn left out."""
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
    """Let time pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """Hand over the state of a job, each time it was read."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class LoadState:
    """Ask for what this task, or an earlier try of it, has written down; answered with a :class:`SavedState`."""


@dataclass(frozen=True, slots=True)
class SaveState:
    """Write down, durably, before going on; what was written before is replaced.

    :param value: plain JSON values, or None for nothing.
    """

    value: Any


@dataclass(frozen=True, slots=True)
class SavedState:
    """What was written down.

    :param value: None where nothing was.
    :param is_durable: whether what is written survives the process; where not, an absent note proves nothing.
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
    :param past_jobs: jobs that the task created and is done with. They block nobody, and no other task adopts them.
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
    """Send fewer requests of a lane for a while: the platform has asked for it."""

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
    """Let a flow go on until it asks for something or ends.

    :param answer: to what it asked for last.
    :param failure: thrown into the flow in place of an answer.
    """
    try:
        return flow.send(answer) if failure is None else flow.throw(failure)
    except StopIteration as end:
        return End(end.value)
