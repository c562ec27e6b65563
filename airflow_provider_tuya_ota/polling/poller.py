"""The poller: it looks for everybody, and tells each wait what concerns it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from contextvars import Context
from copy import copy
from typing import TYPE_CHECKING, Final, Self, TypeVar

from airflow_provider_tuya_ota.core.errors import ApiError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.bounded_poll import endless, longest_poll, odd_answer
from airflow_provider_tuya_ota.core.flows.effects import Note
from airflow_provider_tuya_ota.core.model.verdict import Verdict
from airflow_provider_tuya_ota.core.policy.rate import Lane
from airflow_provider_tuya_ota.core.status.job_snapshot import OF_ALL, glance_at_jobs, see_job
from airflow_provider_tuya_ota.core.status.poll_scheduler import Agenda, GlanceAt, Look
from airflow_provider_tuya_ota.core.status.wait import LAST_LOOK, Watch
from airflow_provider_tuya_ota.core.status.wait_state import KeyRefusedError
from airflow_provider_tuya_ota.transports.budget import Prepaid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.status.job_snapshot import Sight
    from airflow_provider_tuya_ota.core.status.wait import Patience
    from airflow_provider_tuya_ota.core.status.wait_state import WaitState
    from airflow_provider_tuya_ota.transports.driver import Listener, World

T = TypeVar("T")

BRIEF: Final = 0.001
NEVER: Final = float("inf")
GLANCES_AT_ONCE: Final = 4
"""Glances under way at the same time, so that long lists leave requests for looks. Looks are not counted: what is
scarce is the request, and a look whose answer hangs, or whose list does not end, holds no place that another needs."""


class PollerBrokenError(Exception):
    """The poller has ended by an error of its own, which says nothing about any job.

    :param reason: what the error was.
    :param waits: how many waits poll by themselves from now on, within the same budget.
    """

    def __init__(self, reason: str, waits: int) -> None:
        super().__init__(reason)
        self.waits = waits


class _View:
    """What one wait has not taken yet.

    :param expected: how many devices it asked for by name.
    """

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.news = asyncio.Event()
        self._sight: Sight | None = None
        self._error: TuyaOTAError | None = None
        self._was_polled = False
        self._was_listed = False
        self._is_of_listing = False
        self.was_looked_at = asyncio.Event()
        self.asked_at = float("-inf")

    def show(self, sight: Sight) -> None:
        """Take a poll that succeeded."""
        self._sight, self._error = sight, None
        self._was_polled = True
        self.news.set()

    def show_listed(self) -> None:
        """Take a listing that showed that the job goes on; it tells nothing of a poll that failed."""
        self._was_listed = True
        if self._is_of_listing:
            self._error = None

    def fail(self, error: TuyaOTAError, *, is_listing: bool) -> None:
        """Take a poll or a listing that failed; of its error each wait raises an instance of its own."""
        if is_listing and self._error is not None and not self._is_of_listing:
            return
        self._error, self._is_of_listing = copy(error), is_listing
        self.news.set()

    def end_look(self, begun: float) -> None:
        """Note that a whole look has ended; one that began before it was asked for says nothing of the time since."""
        if begun >= self.asked_at:
            self.was_looked_at.set()

    def take(self, watch: Watch, now: datetime) -> Verdict | Note | None:
        """Let the wait take what is new.

        :returns: its verdict, or what it makes of a failure, or None where there is nothing to tell.
        """
        self.news.clear()
        error, sight = self._error, self._sight
        # Also where a poll has failed since: what was well before that is not forgotten.
        if self._was_polled:
            watch.state.record()
        elif self._was_listed:
            watch.state.record_listing()
        self._error = self._sight = None
        self._was_polled = self._was_listed = False
        if error is not None:
            return watch.missed(error, now, is_listing=self._is_of_listing)
        return None if sight is None else watch.judge(sight, now)


class Poller:
    """Look at jobs for all who wait for them.

    :param client: how to ask; the poller closes it.
    """

    def __init__(self, client: AsyncTuyaOTAClient) -> None:
        self._client = client
        self._agenda = Agenda(client.settings.requests_per_second)
        self._views: dict[str, set[_View]] = {}
        self._bell = asyncio.Event()
        self._glancing = 0
        self._clock = asyncio.get_running_loop().time
        self._broken: BaseException | None = None
        self._stranded = 0
        # A context of its own: that of whoever waits first carries the log and the variables of that one wait.
        self._runner = asyncio.get_running_loop().create_task(self._run(), context=Context())

    @property
    def is_broken(self) -> bool:
        """Whether it looks no more."""
        return self._broken is not None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Stop looking and release the connections."""
        self._runner.cancel()
        try:
            await asyncio.gather(self._runner, return_exceptions=True)
        finally:
            await self._client.close()

    async def run(self, flow: Flow[T], *, listener: Listener, world: World) -> T:
        """Carry out a wait of another kind over the same connections and within the same budget."""
        return await self._client.run(flow, listener=listener, world=world)

    async def watch(
        self,
        job_id: str,
        patience: Patience,
        *,
        firmware_id: str = "",
        listener: Listener,
        world: World,
        state: WaitState | None = None,
    ) -> Verdict:
        """Wait for a job as :func:`~airflow_provider_tuya_ota.core.status.wait.watch_job` does.

        :param firmware_id: its package, where it is known: then the first look is not needed to find it out.
        :param state: what was seen before, and from now on; nothing by default.
        :raises KeyRefusedError: the wait goes on, once the connection was read again.
        :raises PollerBrokenError: nobody looks any more; look yourself.
        """
        watch = Watch(job_id, patience, state)
        with self._view(watch, firmware_id) as view:
            while True:
                now = world.look().steady
                if is_last := watch.is_last(now):
                    await self._look_now(job_id, view)
                self._require_whole()
                match news := view.take(watch, now):
                    case Note() as note:
                        listener.note(note)
                    case Verdict() as verdict:
                        listener.report(verdict)
                        if watch.saw(verdict, now):
                            return verdict
                if is_last:
                    raise watch.timeout()
                if news is not None and watch.state.is_key_refused:
                    raise KeyRefusedError(watch.pause(now))
                await world.asleep(watch.pause(now), unless=view.news)

    @contextmanager
    def _view(self, watch: Watch, firmware_id: str) -> Iterator[_View]:
        job_id, poll_interval = watch.job_id, watch.patience.poll_interval
        view = _View(len(watch.patience.expected))
        views = self._views.setdefault(job_id, set())
        views.add(view)
        self._agenda.join(job_id, firmware_id=firmware_id, poll_interval=poll_interval, now=self._clock())
        self._bell.set()
        try:
            yield view
        finally:
            views.discard(view)
            self._agenda.leave(job_id, poll_interval)
            if not views:
                del self._views[job_id]

    async def _look_now(self, job_id: str, view: _View) -> None:
        self._require_whole()
        view.was_looked_at.clear()
        view.asked_at = self._clock()
        self._agenda.urge(job_id, self._clock())
        self._bell.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_LOOK):
                await view.was_looked_at.wait()

    def _require_whole(self) -> None:
        if self._broken is not None:
            raise PollerBrokenError(f"{type(self._broken).__name__}: {self._broken}", self._stranded)

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    group.create_task(self._carry_out(await self._next()))
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait look for themselves then
            self._broken = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            everybody = self._everybody()
            self._stranded = len(everybody)
            for view in everybody:
                view.was_looked_at.set()
                view.news.set()

    async def _carry_out(self, errand: Look | GlanceAt) -> None:
        match errand:
            case Look():
                await self._look(errand)
            case GlanceAt():
                await self._glance(errand)

    async def _next(self) -> Look | GlanceAt:
        is_paid = False
        while True:
            self._bell.clear()
            errand: Look | GlanceAt | float = (due := self._agenda.due())
            if due <= self._clock() and not is_paid:
                # What is urgent by the time a request may leave goes first, so nothing is chosen before.
                with self._client.budget.reserve(Lane.CALLS) as pause:
                    await asyncio.sleep(pause)
                is_paid = True
            if is_paid:
                errand = self._agenda.next(self._clock(), may_glance=self._glancing < GLANCES_AT_ONCE)
            if isinstance(errand, (Look, GlanceAt)):
                self._glancing += isinstance(errand, GlanceAt)
                return errand
            # A clock and a sum of its seconds differ in the last digits: without the least of rests that is a loop.
            await self._rest(max(BRIEF, errand - self._clock()))

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds if seconds != NEVER else None):
                await self._bell.wait()
        except TimeoutError:
            return

    async def _look(self, look: Look) -> None:
        begun = self._clock()
        sight: Sight | None = None
        failure: TuyaOTAError | None = None
        expected = max((view.expected for view in self._views.get(look.job_id, ())), default=0)
        flow = see_job(self._client.settings, look.job_id, is_large=look.is_large, expected=expected)
        try:
            sight = await self._poll(flow, f"job {look.job_id}")
        except TuyaOTAError as error:
            failure = error
        self._agenda.looked(look, sight, self._clock())
        for view in self._views.get(look.job_id, ()):
            if failure is not None:
                view.fail(failure, is_listing=False)
            elif sight is not None:
                view.show(sight)
            view.end_look(begun)
        self._bell.set()

    async def _glance(self, at: GlanceAt) -> None:
        flow = glance_at_jobs(self._client.settings, at.firmware_id, at.job_ids, pages=at.pages)
        try:
            glance = await self._poll(flow, f"the jobs of package {at.firmware_id}")
        except TuyaOTAError as error:
            if at.firmware_id and isinstance(error, ApiError) and not isinstance(error, OF_ALL):
                self._agenda.unlist(at, self._clock())
                return
            self._agenda.glanced(at, None, self._clock())
            self._fail(dict.fromkeys(at.job_ids, error))
        else:
            for job_id in self._agenda.glanced(at, glance, self._clock()):
                for view in self._views[job_id]:
                    view.show_listed()
            self._fail(glance.failed)
        finally:
            self._glancing -= 1
            self._bell.set()

    def _fail(self, errors: Mapping[str, TuyaOTAError]) -> None:
        for job_id, error in errors.items():
            for view in self._views.get(job_id, ()):
                view.fail(error, is_listing=True)

    async def _poll(self, flow: Flow[T], subject: str) -> T:
        """Carry out one poll whose first request is paid for.

        :raises TuyaOTAError: whatever went wrong: it is the end of this poll and of nothing else.
        """
        longest = longest_poll(self._client.settings)
        try:
            async with asyncio.timeout(longest):
                return await self._client.run(flow, budget=Prepaid(self._client.budget))
        except TuyaOTAError:
            raise
        except TimeoutError:
            failure = endless(subject, longest)
        except Exception as error:  # noqa: BLE001 - as it says
            failure = odd_answer(subject, error)
        # Raised outside the handlers: the original's text and locals may hold what must not be shown.
        raise failure

    def _everybody(self) -> list[_View]:
        return [view for views in self._views.values() for view in views]
