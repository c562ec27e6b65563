"""Each job of a set exactly once, whatever crashes: ``python -m tests.campaigns.job_sets [STORIES]``.

A task creates a set of jobs. It is killed after each of its effects in turn, and in other stories several times at
effects drawn from a seed. Answers are lost before and after the request arrives, arrive late or name no job, lists lag,
tasks are cleared, and other programs and another task of the same Airflow create jobs for the same or other devices.
Further tries follow until one is left in peace.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.errors import AlreadyUnderWayError, AmbiguousOutcomeError, TuyaOTAError
from airflow_provider_tuya_ota.core.jobs.create_set import create_job_set
from airflow_provider_tuya_ota.core.jobs.intent import Attempt
from airflow_provider_tuya_ota.core.jobs.job_set_request import JobSetRequest
from tests.campaigns.set_field import LOSSES, SETTINGS, Killed, Platform, Task
from tests.campaigns.table import Row
from tests.contract.release import PRODUCT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_TRIES = 12
SPARE = 4
"""Devices that no list names."""


@dataclass
class Story:
    """One set, and what happens to it.

    :param sizes: devices of each of its jobs.
    :param quirks: of the platform; drawn from the seed by default.
    """

    seed: int
    sizes: tuple[int, ...] = (2, 1, 3, 2)
    quirks: dict[str, Any] | None = None
    errors: list[str] = field(default_factory=list)
    kills: int = 0
    tries: int = 0
    clears: int = 0
    cleared_after: int = 0

    def __post_init__(self) -> None:
        random = Random(self.seed)  # noqa: S311 - a campaign, repeatable by its seed
        drawn = {
            "job_id": random.choice(["jobId", "jobId", "firmwareId", "absent"]),
            "list_delay": random.choice([0.0, random.random() * 60]),
            "list_order": random.choice(["in_order", "any_order"]),
            "task_delay": random.choice([0.0, random.random() * 20]),
            "task_list_delay": random.choice([0.0, random.random() * 30]),
            "query_delay": random.choice([0.0, random.random() * 20]),
            "totals": random.choice(["present", "absent", "of_page", "zero"]),
            "page_cap": random.choice([0, 0, 0, 2]),
        }
        self.platform = Platform(sum(self.sizes) + SPARE, self.seed, drawn if self.quirks is None else self.quirks)
        left = iter(self.platform.names)
        self.lists = tuple(tuple(islice(left, size)) for size in self.sizes)
        self.spare = tuple(left)
        self.task = Task("a", self.platform)
        self.run_started_at = self.platform.now

    def request(self, lists: tuple[tuple[str, ...], ...] | None = None) -> JobSetRequest:
        return JobSetRequest(
            firmware_id=self.platform.firmware_id, product_key=PRODUCT, device_lists=lists or self.lists
        )

    def one_try(self, kill_after: int = -1) -> tuple[str, ...] | None:
        """Run one try.

        :returns: the jobs, when it has ended well.
        """
        self.tries += 1
        self.task.kill_after = kill_after
        attempt = Attempt(
            is_retry=self.tries > self.cleared_after + 1,
            clear_number=self.clears,
            cleared_after=self.cleared_after,
            run_started_at=self.run_started_at,
        )
        try:
            return tuple(job.job_id for job in self.task.run(create_job_set(SETTINGS, self.request(), attempt)))
        except Killed:
            self.kills += 1
        except TuyaOTAError as error:
            self.errors.append(type(error).__name__)
        return None

    def until_done(self) -> tuple[str, ...] | None:
        """Run further tries, a minute apart."""
        done = None
        while done is None and self.tries < MOST_TRIES:
            self.platform.pass_time(60)
            done = self.one_try()
        return done

    def judge(self, done: tuple[str, ...] | None, *others: str) -> str:
        """Say what was wrong; empty where nothing was.

        :param others: jobs of another program or task.
        """
        self.platform.pass_time(120)
        jobs = self.platform.jobs()
        found = Counter(name for job_id, names in jobs.items() if job_id not in others for name in names)
        wrong = [f"{name} is in {number} jobs" for name, number in found.items() if number > 1]
        if not others:
            wrong += [f"the platform refused {name}" for name in self.platform.refused_devices()]
        if done is None:
            wrong.append(f"not done: {self.errors[-1:] or 'killed'}")
        elif [jobs[job_id] for job_id in done] != [frozenset(names) for names in self.lists]:
            wrong.append("the jobs are not those of the lists")
        return "; ".join(wrong)


def killed_everywhere(
    losses: dict[int, str], *, step: int = 1, seed: int = 0, **story: Any
) -> Iterator[tuple[Story, str]]:
    """Play a story without a kill, and again with a kill right after each of its acts.

    :param losses: what becomes of the n-th create.
    :param step: kill after every act, or after every second, third …
    :returns: each story, and what was wrong.
    """
    calm = Story(seed, **story)
    calm.task.fates = dict(losses)
    acts = 0

    def number_acts(_: int) -> None:
        nonlocal acts
        acts += 1

    calm.task.between = number_acts
    done = calm.one_try() or calm.until_done()
    yield calm, calm.judge(done)
    for number in range(0, acts, step):
        again = Story(seed, **story)
        again.task.fates = dict(losses)
        done = again.one_try(number) or again.until_done()
        wrong = again.judge(done)
        yield again, f"killed after act {number}: {wrong}" if wrong else ""


def drawn(seed: int) -> tuple[Story, str]:
    """Play a story with several kills, losses and clears, all drawn from its seed, beside another program's job."""
    random = Random(f"{seed} story")  # noqa: S311 - a campaign, repeatable by its seed
    story = Story(seed)
    story.task.fates = {random.randint(1, 8): random.choice(LOSSES) for _ in range(random.randint(0, 4))}
    elsewhere = random.randint(1, 60)

    def another_program(act: int) -> None:
        if act == elsewhere and story.tries == 1:
            story.platform.create_elsewhere(story.spare)

    story.task.between = another_program
    done = None
    for _ in range(random.randint(1, 4)):
        done = story.one_try(random.randint(0, 60))
        if done:
            break
        story.platform.pass_time(random.choice([0, 1, 5, 60, 400]))
        if random.random() < 0.2:
            story.clears += 1
            story.cleared_after = story.tries
    done = done or story.until_done()
    return story, story.judge(done)


def on_our_devices(seed: int) -> tuple[Story, str]:
    """Play a story in which another program creates a job on devices of one list, at an act drawn from the seed."""
    random = Random(f"{seed} outsider")  # noqa: S311 - a campaign, repeatable by its seed
    story = Story(seed)
    target = random.randrange(len(story.lists))
    moment = random.randint(1, 80)
    others: list[str] = []
    ours_before: list[frozenset[str]] = []

    def another_program(act: int) -> None:
        if act == moment and not others:
            ours_before.extend(story.platform.jobs().values())
            others.append(story.platform.create_elsewhere(story.lists[target][:1]))

    story.task.between = another_program
    done = story.one_try(random.choice([-1, random.randint(1, 60)])) or story.until_done()
    is_later = frozenset(story.lists[target]) in ours_before
    wrong = story.judge(done or (), *others)
    wrong = wrong.replace("the jobs are not those of the lists", "") if done is None else wrong
    # A job on some of the devices may be the task's own where an answer was lost or names none.
    is_unclear = story.errors[-1:] == [AmbiguousOutcomeError.__name__]
    is_refused = story.errors[-1:] == [AlreadyUnderWayError.__name__] and not is_later
    if done is None and not (others and (is_refused or is_unclear)):
        wrong += f"; not done: {story.errors[-1:]}"
    if done and others and not is_later and not story.platform.quirks["list_delay"] and not _lags(story):
        wrong += "; went on beside another program's earlier job"
    return story, wrong


def _lags(story: Story) -> bool:
    return any(story.platform.quirks[name] for name in ("task_delay", "task_list_delay", "query_delay"))


def beside_another_set(seed: int) -> tuple[Story, str]:
    """Play a story in which another task of the Airflow creates a set of its own, while or after the first one does."""
    random = Random(f"{seed} rival")  # noqa: S311 - a campaign, repeatable by its seed
    story = Story(seed)
    relation = random.choice(["equal", "shifted", "spare"])
    lists = {
        "equal": story.lists,
        "shifted": (*story.lists[2:], story.spare),
        "spare": (story.spare[:2], story.spare[2:]),
    }[relation]
    moment, pause = random.randint(1, 60), random.choice([0, 0, 2400])
    rival = Task("b", story.platform)
    ended: list[str] = []
    jobs: set[str] = set()

    def another_task(act: int) -> None:
        if act != moment or ended:
            return
        story.platform.pass_time(pause)
        before = set(story.platform.jobs())
        try:
            rival.run(create_job_set(SETTINGS, story.request(lists), Attempt()))
            ended.append("done")
        except TuyaOTAError as error:
            ended.append(type(error).__name__)
        jobs.update(set(story.platform.jobs()) - before)

    story.task.between = another_task
    done = story.one_try(random.choice([-1, moment])) or story.until_done()
    wrong = story.judge(done or ())
    if done is None:
        wrong = wrong.replace("the jobs are not those of the lists", "")
        is_refused = story.errors[-1:] == [AlreadyUnderWayError.__name__]
        if not (is_refused and jobs):
            wrong += f"; not done: {story.errors[-1:]}"
    if relation == "spare" and pause and ended == [AlreadyUnderWayError.__name__] and moment < 3:
        wrong += "; refused for other devices"
    return story, wrong


def count_requests(jobs: int, devices: int = 2) -> tuple[Counter[str], int]:
    """Create a set of some jobs in peace.

    :returns: the number of requests by operation, and the size of the largest note.
    """
    story = Story(0, sizes=(devices,) * jobs, quirks={"list_delay": 30.0})
    done = story.one_try()
    if wrong := story.judge(done):
        raise AssertionError(wrong)
    return story.task.requests, story.task.largest_note


def rows(stories: int) -> Iterator[Row]:
    """Give a row for each kind of story."""
    played: dict[str, Iterable[tuple[Story, str]]] = {
        f"killed after each act, {' and '.join(losses.values()) or 'nothing'} lost": killed_everywhere(losses)
        for losses in ({}, *({2: loss} for loss in LOSSES))
    }
    for name, play in (
        ("several kills, losses and clears", drawn),
        ("another program on our devices", on_our_devices),
        ("another set beside it", beside_another_set),
    ):
        played[name] = map(play, range(stories))
    for name, results in played.items():
        runs, kills, wrong, ends = 0, 0, [], Counter[str]()
        for story, problem in results:
            runs += 1
            kills += story.kills
            ends.update(story.errors[-1:])
            wrong += [f"seed {story.seed}: {problem}"] if problem else []
        figures = ", ".join([f"{kills} kills", *(f"{number} {error}" for error, number in sorted(ends.items()))])
        yield Row("job sets", name, runs, wrong=wrong[:20], figures=figures)
    for jobs, devices in ((1, 200), (10, 200), (100, 200), (500, 199)):
        requests, note = count_requests(jobs, devices)
        total = sum(requests.values())
        figures = f"{total} requests, {total / jobs:.2f} a job, {requests['ListOTAJobByFirmware']} of them listings"
        yield Row("job sets", f"{jobs} jobs of {devices}", 1, figures=f"{figures}, note of {note:,} bytes")


if __name__ == "__main__":
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else 100):
        print(row.case, row.runs, row.wrong, row.figures, sep=" | ", flush=True)  # noqa: T201 - a program for people
