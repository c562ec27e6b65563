"""One job per intent, whatever crashes: ``python -m tests.campaigns.crash [RUNS]``.

Each run is a story drawn from a seed: a task that creates a job, killed before or after any request or any write to
its store, once or several times, with lost answers, retries and clears in between, until a try is left in peace.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core import actions
from airflow_provider_tuya_ota.core.errors import IncompleteListError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import OtherIntents, SavedState
from airflow_provider_tuya_ota.core.jobs.intent import Attempt
from airflow_provider_tuya_ota.core.jobs.stop import stop_job
from airflow_provider_tuya_ota.core.jobs.upgrade import start_upgrade
from airflow_provider_tuya_ota.core.jobs.verification import IfVerified, start_verification
from airflow_provider_tuya_ota.core.status.wait import WaitOptions
from airflow_provider_tuya_ota.core.upload import ensure_firmware
from tests.campaigns.table import Row
from tests.contract.release import FILE, FIRMWARE, PILOTS, PRODUCT, REST, Platform
from tests.contract.worlds import MemoryTransport, Quiet, settings
from tests.core.one_job import wait_for_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_tuya_ota.core.flows.effects import Flow
    from airflow_provider_tuya_ota.core.wire.http import Request, Response

SETTINGS = settings("http://127.0.0.1:1")
CREATES = {"verification": "CreateOTAVerifyJob", "upgrade": "CreateOTAStaticUpgradeJob"}
LOST = (
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "status_after", "status": 504},
    {"kind": "replay"},
    {"kind": "refused_after", "status": 200, "text": "iot.firmware.UpgradeJobTimeout"},
    {"kind": "refused_after", "status": 408, "text": "RequestTimeout"},
    {"kind": "garbage"},
    {"kind": "delay", "seconds": 60},
)
MOST_TRIES = 12


class Killed(BaseException):
    """The process is gone; nothing in it runs any more."""


@dataclass
class Fate:
    """Kills at one event: the process does or does not get the event's effect out before it dies.

    :param event: number of the request or write, from 1; 0 for never.
    """

    event: int = 0
    after: bool = False
    seen: int = 0

    def around(self, act: Any) -> Any:
        self.seen += 1
        if self.seen == self.event and not self.after:
            raise Killed
        result = act()
        if self.seen == self.event:
            raise Killed
        return result


@dataclass
class Store:
    """A task state store, or none."""

    fate: Fate
    durable: bool
    value: Any = None

    def load_state(self) -> SavedState:
        return SavedState(self.value, is_durable=True) if self.durable else SavedState()

    def save_state(self, value: Any) -> None:
        def write() -> None:
            self.value = value

        self.fate.around(write)

    def other_intents(self, mask: str | None) -> OtherIntents:
        return OtherIntents()


@dataclass
class Wire:
    """The platform, reached by a process that may die."""

    inner: MemoryTransport
    fate: Fate

    def send(self, request: Request) -> Response:
        response: Response = self.fate.around(lambda: self.inner.send(request))
        return response

    def close(self) -> None:
        pass


@dataclass
class Story:
    """One run of the campaign."""

    seed: int
    random: Random = field(init=False)
    platform: Platform = field(default_factory=Platform)
    clear_number: int = 0
    cleared_after: int = 0
    tries: int = 0
    tries_since_clear: int = 0
    kills: int = 0
    clears: int = 0
    others: int = 0
    stops: list[str] = field(default_factory=list)
    eras: list[set[str]] = field(default_factory=lambda: [set()])
    was_done: bool = False

    def __post_init__(self) -> None:
        self.random = random = Random(self.seed)  # noqa: S311 - a campaign, repeatable by its seed
        self.what = random.choice(["verification", "upgrade"])
        self.selection = random.choice(["SPECIFIC", "ALL", "GRAY"])
        self.deferred = random.random() < 0.5
        self.durable = random.random() < 0.7
        quirks = {
            "job_id": random.choice(["jobId", "firmwareId", "absent"]),
            "list_delay": random.choice([0.0, 4.0]),
            "totals": random.choice(["present", "absent", "of_page", "zero"]),
            "page_cap": random.choice([0, 0, 1, 2]),
        }
        if quirks["totals"] == "present":
            # Without a total nothing shows that later pages are missing.
            quirks["later_pages"] = random.choice(["shown", "shown", "empty", "repeated"])
        self.loses_pages = bool(quirks["page_cap"]) and quirks.get("later_pages", "shown") != "shown"
        self.platform.emulator.world.quirks = self.platform.emulator.world.quirks.changed(quirks)
        self.platform.bring_back()
        self.firmware_id = self._create_firmware()
        self.run_started_at = self._now()
        self.store = Store(Fate(), self.durable)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.platform.world.now, UTC)

    def _create_firmware(self) -> str:
        verified = {"need_to_verify": False} if self.what == "upgrade" else {}
        action = actions.CreateOTAFirmware(**{name: getattr(FIRMWARE, name) for name in FIRMWARE.__slots__} | verified)
        firmware_id: str = self._client(Fate()).run(ensure_firmware(SETTINGS, action, FILE)).firmware_id
        self.platform.world.sleep(10)
        return firmware_id

    def _client(self, fate: Fate) -> TuyaOTAClient:
        wire = Wire(MemoryTransport(self.platform.emulator), fate)
        return TuyaOTAClient(SETTINGS, transport=wire, listener=Quiet(), runtime=self.platform.world)

    def flow(self) -> Flow[Any]:
        attempt = Attempt(
            clear_number=self.clear_number,
            cleared_after=self.cleared_after,
            is_retry=self.tries_since_clear > 0,
            run_started_at=self.run_started_at,
        )
        if self.what == "verification":
            return start_verification(
                SETTINGS,
                actions.CreateOTAVerifyJob(
                    firmware_id=self.firmware_id, product_key=PRODUCT, target_device_name=PILOTS
                ),
                if_verified=IfVerified.SUCCEED,
                attempt=attempt,
            )
        choices: dict[str, dict[str, Any]] = {
            "SPECIFIC": {"target_device_name": REST},
            "GRAY": {"gray_percent": "50"},
            "ALL": {},
        }
        return start_upgrade(
            SETTINGS,
            actions.CreateOTAStaticUpgradeJob(
                firmware_id=self.firmware_id,
                product_key=PRODUCT,
                target_selection=self.selection,
                **choices[self.selection],
            ),
            attempt,
        )

    def one_try(self, fate: Fate) -> str | None:
        """Run one try.

        :returns: the job's id when the task has ended well.
        """
        self.tries += 1
        self.store.fate = fate
        client = self._client(fate)
        try:
            job = client.run(self.flow(), state_store=self.store)
            job_id: str = job.job_id
            if not job.is_started:
                # Released before the clear: there is nothing left to create.
                self.was_done = True
                return job_id
            if self.deferred:
                # The triggerer has the job now; when it dies, another one goes on with the same job.
                client = self._client(Fate())
            client.run(wait_for_job(SETTINGS, job_id, WaitOptions(deadline=datetime(2100, 1, 1, tzinfo=UTC))))
        except Killed:
            self.kills += 1
            return None
        except TuyaOTAError as error:
            self.stops.append(type(error).__name__)
            return None
        finally:
            self.tries_since_clear += 1
            self._note_jobs()
        return job_id

    def _note_jobs(self) -> None:
        known = set().union(*self.eras)
        self.eras[-1] |= set(self.platform.emulator.world.engine.jobs) - known

    def clear(self) -> None:
        """Let a person clear the task; what the old try left to run is stopped before, while or after the new one."""
        # Nobody clears in the very instant in which a job is created.
        self.platform.world.sleep(1)
        self.clears += 1
        self.clear_number += 1
        self.cleared_after = self.tries
        self.tries_since_clear = 0
        self.eras.append(set())
        note = (self.store.value or {}) if self.durable else {}
        noted = note.get("entity_id") if note.get("stage") == "created" else None
        if self.deferred and noted and self.random.random() < 0.5:
            with suppress(IncompleteListError):
                self._client(Fate()).run(stop_job(SETTINGS, noted))
        self.run_started_at = self._now()

    def play(self) -> str:
        """Go through the story.

        :returns: ``right``, or what was wrong.
        """
        ended: str | None = None
        for incident in range(self.random.randint(1, 4)):
            if self.random.random() < 0.4:
                fault = {"action": CREATES[self.what], "nth": 1} | self.random.choice(LOST)
                self.platform.emulator.faults.clear()
                self.platform.emulator.faults.add(fault)
            ended = self.one_try(Fate(self.random.randint(1, 12), after=self.random.random() < 0.5))
            self.platform.world.sleep(self.random.choice([0, 1, 5, 60]))
            if self.random.random() < 0.15:
                # Somebody clears another task of the run, which is no concern of this one.
                self.others += 1
                self.clear_number += 1
            if self.random.random() < 0.25 and incident < 3:
                self.clear()
                ended = None
            elif ended:
                break
        while ended is None and self.tries < MOST_TRIES and not self._is_final():
            ended = self.one_try(Fate())
        if wrong := self._wrong(ended):
            return wrong
        stopped = "incomplete" if self.loses_pages else "stopped"
        return "right" if ended is not None else f"{stopped}: {self.stops[-1]}"

    def _is_final(self) -> bool:
        """Whether the last try was stopped by something that time does not mend."""
        return self.stops[-1:] in (["AmbiguousOutcomeError"], ["ConflictError"])

    def _wrong(self, ended: str | None) -> str:
        jobs = self.platform.emulator.world.engine.jobs
        ours = set().union(*self.eras)
        if many := [number for number, era in enumerate(self.eras) if len(era) > 1]:
            return f"wrong: several jobs for intent {many[0]}"
        if any("another unfinished task" in task.desc for job_id in ours for task in jobs[job_id].tasks):
            return "wrong: two of our own jobs met on a device"
        if ended is None:
            return self._wrongly_stopped()
        if self.was_done:
            return "" if self.clears and not self.eras[-1] else "wrong: verified without a verification"
        return "" if {ended} == self.eras[-1] else f"wrong: the task followed {ended}, of {self.eras}"

    def _wrongly_stopped(self) -> str:
        stop = self.stops[-1]
        if self.loses_pages and stop in {"IncompleteListError", "AmbiguousOutcomeError", "JobFailedError"}:
            return ""
        if stop == "ConflictError" and self.clears and self.what == "upgrade" and "2.0.0" in self.platform.versions:
            # Released before the clear: the platform refuses what needs no upgrade.
            return ""
        if stop == "AmbiguousOutcomeError" and self.clear_number and not self.durable:
            return ""
        return f"wrong: no end after {self.tries} tries: {self.stops}"


def campaign(runs: int, *, first: int = 0) -> tuple[Counter[tuple[str, ...]], list[str]]:
    """Play many stories.

    :returns: counts by the kind of story and its outcome, and what was wrong.
    """
    counts: Counter[tuple[str, ...]] = Counter()
    wrong: list[str] = []
    for seed in range(first, first + runs):
        story = Story(seed)
        outcome = story.play()
        kind = (
            story.what,
            "deferred" if story.deferred else "blocking",
            "state store" if story.durable else "none",
        )
        counts[(*kind, "runs")] += 1
        counts[(*kind, "kills")] += story.kills
        counts[(*kind, "clears")] += story.clears
        counts[(*kind, "others")] += story.others
        counts[(*kind, "jobs")] += len(set().union(*story.eras))
        counts[(*kind, outcome.partition(":")[0])] += 1
        if outcome.startswith("wrong"):
            wrong.append(f"seed {seed}: {outcome}")
    return counts, wrong


def rows(runs: int) -> Iterator[Row]:
    """Give a row for each kind of story."""
    counts, wrong = campaign(runs)
    for kind in sorted({key[:3] for key in counts}):
        found = {column: counts[(*kind, column)] for column in ("runs", "kills", "clears", "others", "jobs", "stopped")}
        yield Row(
            "crash, in memory",
            ", ".join(kind),
            found["runs"],
            wrong=[f"{counts[(*kind, 'wrong')]} stories"] if counts[(*kind, "wrong")] else [],
            figures="{kills} kills, {clears} clears, {others} of other tasks, {jobs} jobs, {stopped} stopped".format(
                **found
            ),
        )
    if wrong:
        yield Row("crash, in memory", "what was wrong", len(wrong), wrong=wrong[:20])
