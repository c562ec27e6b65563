"""Two runs, and sometimes an outsider, at one platform whose lists lag: ``python -m tests.campaigns.two_runs [N]``.

Each story is drawn from a seed. Two tasks of one Airflow create jobs for equal, overlapping or disjoint devices at
about the same time; requests are lost before and after they arrive, arrive late, are sent twice by a proxy, or are
refused although they were carried out; processes die between any two effects, or stand still there and go on beside the
try that follows them; people clear what stays ambiguous; lists lag
by up to a minute in any order, and device tasks are listed later than their job. The platform's own books say
afterwards whose job is whose.
"""

from __future__ import annotations

import heapq
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core import actions
from airflow_provider_tuya_ota.core.errors import AmbiguousOutcomeError, TransportError
from airflow_provider_tuya_ota.core.upload import ensure_firmware
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.scenario import read
from tests.campaigns.actor import SETTINGS, Actor, Ledger
from tests.campaigns.table import Row
from tests.contract.release import FILE, FIRMWARE
from tests.contract.worlds import MemoryTransport, Quiet, VirtualWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_tuya_ota.core.wire.http import Request, Response

DEVICES = [f"device-00{number}" for number in range(1, 9)]
RELATIONS = {
    "equal": (DEVICES[:3], DEVICES[:3]),
    "subset": (DEVICES[:3], DEVICES[:2]),
    "overlap": (DEVICES[:3], DEVICES[2:5]),
    "disjoint": (DEVICES[:3], DEVICES[3:6]),
}


@dataclass
class Story:
    """One story."""

    seed: int
    kills: int = 0
    lost: int = 0
    owners: dict[str, str] = field(default_factory=dict)
    eras: dict[str, int] = field(default_factory=dict)
    taken_back: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)
    queue: list[tuple[float, int, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random = Random(self.seed)  # noqa: S311 - a campaign, repeatable by its seed
        self.world = VirtualWorld()
        scenario = read({"seed": self.seed, "products": [{"devices": len(DEVICES)}], "quotas": {"enabled": False}})
        self.emulator = Emulator(scenario=scenario, clock=Clock(self.world))
        self.transport = MemoryTransport(self.emulator)
        self.what = random.choice(["verification", "upgrade", "upgrade", "share"])
        self.relation = "equal" if self.what == "share" else random.choice(list(RELATIONS))
        self.outsider = {
            "verification": "",
            "upgrade": random.choice(["", "", "", "subset", "disjoint", "equal"]),
            "share": random.choice(["", "equal"]),
        }[self.what]
        self.firmware_id = self._create_firmware()
        lag = random.choice([0.0, random.random() * 60])
        # Drawn apart, so that the stories stay those of their seeds.
        lists = Random(f"{self.seed} lists")  # noqa: S311 - a campaign, repeatable by its seed
        quirks = {
            "page_cap": lists.choice([0, 1, 2]),
            "totals": lists.choice(["present", "absent", "of_page", "zero"]),
            "list_delay": lag,
            "list_order": random.choice(["in_order", "any_order"]),
            "task_delay": random.choice([0.0, random.random() * 30]),
            "task_list_delay": random.choice([0.0, random.random() * 30]),
            "equal_upgrade": lists.choice(["second_job", "running_job"]) if self.what == "upgrade" else "second_job",
        }
        self.emulator.world.quirks = self.emulator.world.quirks.changed(quirks)
        ledger = Ledger()
        self.actors = [
            Actor(name, self, self.what, self._named(devices), ledger, Random(f"{self.seed} {name}"))  # noqa: S311 - a campaign, repeatable by its seed
            for name, devices in zip("ab", RELATIONS[self.relation], strict=True)
        ]
        if self.outsider:
            devices = {"equal": DEVICES[:3], "subset": DEVICES[:2], "disjoint": DEVICES[6:]}[self.outsider]
            # Another Airflow, or somebody at the console: nobody reads its notes.
            self.actors.append(Actor("z", self, self.what, self._named(devices), Ledger(), Random(f"{self.seed} z")))  # noqa: S311 - a campaign, repeatable by its seed

    def _named(self, devices: list[str]) -> list[str]:
        """Name devices where they are named: of a share the platform chooses them."""
        return [] if self.what == "share" else list(devices)

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.world.now, UTC)

    def _create_firmware(self) -> str:
        values = {name: getattr(FIRMWARE, name) for name in FIRMWARE.__slots__}
        action = actions.CreateOTAFirmware(**values | {"need_to_verify": self.what == "verification"})
        with TuyaOTAClient(SETTINGS, transport=self.transport, listener=Quiet(), runtime=self.world) as client:
            firmware_id: str = client.run(ensure_firmware(SETTINGS, action, FILE)).firmware_id
        self.world.now += 10
        return firmware_id

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        heapq.heappush(self.queue, (self.world.now + seconds, next(self.numbers), act))

    def join(self, seconds: float, turn: Any) -> None:
        heapq.heappush(self.queue, (self.world.now + seconds, next(self.numbers), turn))

    def jobs(self) -> set[str]:
        return set(self.emulator.world.engine.jobs)

    def is_quiet(self) -> bool:
        return all(job.status in {"COMPLETED", "CANCELED"} for job in self.emulator.world.engine.jobs.values())

    def blame(self, text: str) -> None:
        self.wrong.append(text)

    def send(self, actor: Actor, request: Request) -> Response:
        """Carry a request out, and note whose job comes of it and whose is cancelled."""
        before = set(self.emulator.world.engine.jobs)
        if "Action=CancelOTATaskByJob" in request.url:
            hit = [job for job in before if f"JobId={job}" in request.url]
            self.taken_back.update(job for job in hit if self.owners[job] == actor.name)
            self.wrong += [
                f"{actor.name} stopped {self.owners[job]}'s"
                for job in hit
                if self.owners[job] != actor.name and job not in actor.named
            ]
        response: Response = self.transport.send(request)
        for job in set(self.emulator.world.engine.jobs) - before:
            self.owners[job] = actor.name
            self.eras[job] = actor.clears
        return response

    def play(self) -> str:
        """Go through the story.

        :returns: ``right``, or what was wrong.
        """
        for actor in self.actors:
            heapq.heappush(self.queue, (self.world.now + self.random.random() * 20, next(self.numbers), actor.play()))
        while self.queue:
            at, _, turn = heapq.heappop(self.queue)
            self.world.now = max(self.world.now, at)
            if callable(turn):
                self._arrive(turn)
                continue
            pause = next(turn, None)
            if pause is not None:
                heapq.heappush(self.queue, (self.world.now + pause, next(self.numbers), turn))
        for actor in self.actors:
            self._judge(actor)
        return "; ".join(sorted(set(self.wrong))) or "right"

    def _arrive(self, request: Any) -> None:
        try:
            request()
        except TransportError:
            return

    def _judge(self, actor: Actor) -> None:
        jobs = self.emulator.world.engine.jobs
        own = [job for job, owner in self.owners.items() if owner == actor.name and not self._never_began(job)]
        if (most := max(Counter(self.eras[job] for job in own).values(), default=0)) > 1:
            self.wrong.append(f"{actor.name} has {most} jobs")
        now = [job for job in own if self.eras[job] == actor.clears]
        owner = self.owners.get(actor.followed, actor.name)
        # Nobody can know whose an equal job is that an outsider created at the same moment, nor one of two
        # equal intents of which neither got an answer: then at most one follows it, and nobody ever stops it.
        other = next(one for one in self.actors if one.name == owner)
        is_equal = set(other.devices) == set(actor.devices)
        is_shared = other is not actor and other.is_own and other.followed == actor.followed
        # A platform that answers with a running job gives it to both.
        is_named = actor.followed in actor.named
        is_beyond_telling = is_named or (is_equal and ("z" in {owner, actor.name} or not is_shared))
        if actor.is_own and other is not actor and not is_beyond_telling:
            self.wrong.append(f"{actor.name} took {owner}'s job for its own")
        if actor.is_own and other is not actor and any(self._is_listed_soon(job, actor.followed) for job in now):
            self.wrong.append(f"{actor.name} took {owner}'s job though its own was listed within a minute of it")
        if actor.is_certain and not is_named:
            self.wrong.append(f"{actor.name} is certain of {owner}'s job")
        if actor.end == "succeeded":
            done = {task.device.name for task in jobs[actor.followed].tasks if task.status == "SUCCEEDED"}
            if actor.devices and done != set(actor.devices):
                self.wrong.append(f"{actor.name} succeeded with {sorted(done)}")
        alone = self.relation == "disjoint" and self.outsider in {"", "disjoint"} and self.what == "upgrade"
        if alone and "AlreadyUnderWayError" in actor.errors:
            self.wrong.append(f"{actor.name} was refused for others' devices")

    def _never_began(self, job_id: str) -> bool:
        """Whether a task cancelled its own job, for an equal one that was first, before it had reached any device."""
        tasks = self.emulator.world.engine.jobs[job_id].tasks
        return job_id in self.taken_back and all(task.status == "CANCELED" for task in tasks)

    def _is_listed_soon(self, own: str, other: str) -> bool:
        return self._listed_at(own) < self._listed_at(other) + 60

    def _listed_at(self, job_id: str) -> float:
        world = self.emulator.world
        job = world.engine.jobs[job_id]
        share = world._lag._share(job.key, 0) if world.quirks.list_order == "any_order" else 1.0
        return job.created + world.quirks.list_delay * share


def campaign(stories: int, *, first: int = 0) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Play many stories.

    :returns: counts by the kind of story, and what was wrong.
    """
    counts: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    for seed in range(first, first + stories):
        story = Story(seed)
        outcome = story.play()
        kind = f"{story.what}, {story.relation}"
        counts[kind, "stories"] += 1
        counts[kind, "kills"] += story.kills
        counts[kind, "lost"] += story.lost
        for actor in story.actors:
            counts[kind, actor.end.partition(":")[0]] += 1
            counts[kind, "ambiguous"] += actor.errors.count(AmbiguousOutcomeError.__name__)
            owner = story.owners.get(actor.followed, actor.name)
            counts[kind, "followed an equal one"] += actor.is_own and owner != actor.name
        if outcome != "right":
            wrong.append(f"seed {seed} ({kind}, outsider {story.outsider or 'none'}): {outcome}")
    return counts, wrong


def rows(stories: int) -> Iterator[Row]:
    """Give a row for each kind of story."""
    counts, wrong = campaign(stories)
    for kind in sorted({key[0] for key in counts}):
        figures = {column: number for (one, column), number in sorted(counts.items()) if one == kind and number}
        yield Row(
            "two runs, in memory",
            kind,
            figures.pop("stories"),
            wrong=[line for line in wrong if f"({kind}," in line][:20],
            figures=", ".join(f"{number} {column}" for column, number in figures.items()),
        )


if __name__ == "__main__":
    found, bad = campaign(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    for key, number in sorted(found.items()):
        print(*key, number)  # noqa: T201 - a program for people
    print(*bad[:40], f"{len(bad)} wrong", sep="\n")  # noqa: T201 - a program for people
