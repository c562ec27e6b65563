"""Halts of releases in flight: ``python -m tests.campaigns halts``.

Each run is a release in the emulator with slow flashers, silent, failing, lying and offline devices, and lists that
lag. It is halted by processes that are killed at any request, note or pause. The receipt must be what the emulator
knows of each device, and fit the evidence as in a record. Afterwards the devices that have fallen back must be found by
name.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.rollout.halt.settlement import HaltOptions
from airflow_provider_tuya_ota.rollout.landed.check import check_landed, list_successes
from airflow_provider_tuya_ota.rollout.landed.request import LandedRequest
from tests.campaigns.table import Row
from tests.contract.release import PRODUCT, VERSION
from tests.rollout.halt.field import SETTINGS, Fate, Field

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW: Final[dict[str, Any]] = {
    "devices": 10,
    "device": {
        "device-001": {"flash_seconds": 400},
        "device-002": {"outcome": "lies"},
        "device-003": {"online": False},
        "device-004": {"outcome": "silent"},
        "device-005": {"outcome": "fails", "flash_seconds": 200},
        "device-006": {"flash_seconds": 1},
    },
}
QUICK: Final = HaltOptions(silent_after=300.0, longest=5000.0, poll_interval=150.0)
REQUEST: Final = LandedRequest(product_key=PRODUCT, version=VERSION, requests_per_second=100.0)


def rows(releases: int, *, step: int = 1) -> Iterator[Row]:
    """Halt releases that are drawn at random, and one release with a kill at each of its effects.

    :param step: of the effects at which the one release is killed; 1: every one, before and after it.
    """
    yield _drawn_releases(releases)
    yield _every_effect(step)


def few() -> Field:
    """Bring one small release in flight."""
    field = Field(FEW, (4, 3), {"task_list_delay": 20.0, "list_order": "any_order", "planning": "in_parts"})
    field.sleep(4)
    field.poll()
    return field


def _drawn_releases(releases: int) -> Row:
    counts, kills, liars, wrong = Counter[str](), 0, 0, list[str]()
    for seed in range(releases):
        field = drawn(seed)
        settled = field.halt(*kills_of(seed))
        wrong += [f"release {seed}: {problem}" for problem in field.problems(settled)]
        counts.update(settled.counts)
        kills += field.kills
        fallen, listed = _fallen_and_listed(field)
        liars += len(fallen)
        if fallen != listed:
            wrong.append(f"release {seed}: {len(fallen)} fell back, {len(listed)} are listed")
    figures = ", ".join(f"{number} {name}" for name, number in counts.items())
    return Row(
        "halt", "releases in flight", releases, wrong, f"{kills} kills; {figures}; {liars} fell back, listed by name"
    )


def _fallen_and_listed(field: Field) -> tuple[set[str], set[str]]:
    field.sleep(3600)
    successes = field.run(list_successes(SETTINGS, field.jobs))
    found = field.run(check_landed(SETTINGS, REQUEST, successes))
    devices = field.emulator.world.products[PRODUCT].devices
    fallen = {name for name in successes if devices[name].versions["default"] != VERSION}
    return fallen, {one.device for one in found.elsewhere}


def _every_effect(step: int) -> Row:
    whole, wrong = Fate(), list[str]()
    few().run(few().flow(QUICK), whole)
    places = [(effect, after) for effect in range(1, whole.seen + 1) for after in (False, True)][::step]
    for effect, is_after in places:
        field = few()
        settled = field.halt(Fate(effect, is_after), options=QUICK)
        wrong += [f"effect {effect}, after {is_after}: {problem}" for problem in field.problems(settled)]
    return Row("halt", "a kill at every effect", len(places), wrong, f"{whole.seen} requests, notes and pauses")


def drawn(seed: int, devices: int = 60) -> Field:
    """Draw a release in flight: slow flashers, silent, failing and lying devices, offline ones, and lists that lag."""
    random = Random(seed)  # noqa: S311 - a campaign, repeatable by its seed
    product = {
        "devices": devices,
        "offline": random.choice([0.0, 0.2]),
        "silent": random.choice([0.0, 0.1]),
        "lies": random.choice([0.0, 0.05]),
        "falls_back": 0.1,
        "fails": [{"share": random.choice([0.1, 0.4]), "step": -4}],
        "flash": {"distribution": "lognormal", "seconds": random.choice([30, 300, 1200]), "spread": 0.8},
        "reports": {"fails": {"seconds": random.choice([0, 900])}},
    }
    quirks = {
        "list_order": random.choice(["in_order", "any_order"]),
        "task_list_delay": random.choice([0.0, 0.0, 20.0, 50.0]),
        "query_delay": random.choice([0.0, 0.0, 30.0]),
        "task_delay": random.choice([0.0, 0.0, 15.0]),
        "planning": random.choice(["at_once", "at_once", "in_parts"]),
        "planned_cancel": random.choice(["whole_job", "nothing"]),
        "repeated_cancel": random.choice(["refused", "accepted"]),
        "page_cap": random.choice([0, 0, 7]),
    }
    if not quirks["page_cap"]:
        quirks["totals"] = random.choice(["present", "absent", "of_page", "zero"])
    sizes = tuple(random.choice([5, 10, 20]) for _ in range(random.choice([1, 2, 3])))
    made = Field(product, sizes, quirks, seed)
    for _ in range(random.choice([0, 1, 3])):
        made.sleep(random.choice([1, 5, 60, 400]))
        made.poll()
    made.sleep(random.choice([0, 1, 30]))
    for _ in range(random.choice([0, 0, 2])):
        kind = random.choice(["drop_before", "drop_after", "garbage"])
        action = random.choice(["CancelOTATaskByJob", "ListOTATaskByJob"])
        made.emulator.faults.add({"kind": kind, "action": action, "nth": random.choice([1, 4])})
    return made


def kills_of(seed: int) -> list[Fate]:
    """Draw the kills of a halt."""
    random = Random(f"{seed} kills")  # noqa: S311 - as above
    return [
        Fate(random.choice([random.randint(1, 12), random.randint(1, 80)]), random.random() < 0.5)
        for _ in range(random.choice([0, 1, 2, 5]))
    ]
