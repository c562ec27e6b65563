"""What a broken platform might answer, through the whole read path: ``python -m tests.fuzz.replies [REPLIES] [SEED]``.

Real answers of the emulator to every operation are bent, cut, respelled, nested and mixed with rubbish; each must come
to a typed error or a valid value, soon and in little memory.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import time
from collections import Counter
from dataclasses import MISSING, dataclass, fields
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn

from rich.console import Console
from rich.table import Table

from airflow_provider_tuya_ota.core.actions import ALL_ACTIONS, Action
from airflow_provider_tuya_ota.core.envelope import read_reply
from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.http import Response
from airflow_provider_tuya_ota.core.storage import read_storage_reply
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.quotas import UNLIMITED
from airflow_provider_tuya_ota.emulator.scenario import Scenario
from tests.contract.test_every_operation import a_day
from tests.contract.worlds import Meeting, VirtualWorld

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 2.0
"""Seconds after which one reply counts as endless."""
STATUSES = (*(200,) * 12, 201, 204, 301, 400, 403, 404, 405, 429, 500, 503)
RUBBISH: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    "",
    " ",
    "null",
    "true",
    "\x00",
    "\ud800",
    "\uff19",
    "\u00b2",
    "1e5",
    "0x10",
    "-0",
    "a" * 10_000,
    "2024-13-45T99:99:99Z",
    [],
    {},
    [[]],
    [None],
    [{}],
    {"": ""},
    {"data": {"data": {}}},
)
HEADS = (
    b"",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\x00",
    b"<html>",
    b"<?xml version='1.0'?>",
    b")]}',\n",
    b"HTTP/1.1 200 OK\r\n",
)
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(8))
    + b"]><l>&i;</l>"
)


NEEDED: dict[str, dict[str, Any]] = {
    "CreateOTAStaticUpgradeJob": {"target_selection": "ALL"},
    "CancelOTATaskByJob": {"cancel_queued_task": True},
    "ListOTAUnfinishedTaskByDevice": {"iot_id": "1"},
    "ListOTAModuleVersionsByDevice": {"iot_id": "1"},
    "BatchGetDeviceState": {"iot_id": ["1"]},
}
"""What an operation insists on beside its required parameters."""


@dataclass(frozen=True)
class Sample:
    """A real answer to an operation."""

    action: Action[Any]
    body: bytes


def samples() -> list[Sample]:
    """Ask an emulator for everything, as JSON and as XML."""
    found: list[Sample] = []
    for default_format in ("JSON", "XML"):
        world = VirtualWorld()
        emulator = Emulator(scenario=Scenario(quotas=UNLIMITED), clock=Clock(world))
        emulator.world.quirks = emulator.world.quirks.changed({"default_format": default_format})
        handle = emulator.handle

        def listen(request: Any, handle: Callable[[Any], Any] = handle, emulator: Emulator = emulator) -> Any:
            response = handle(request)
            name = emulator.log[-1]["action"]
            if name in ALL_ACTIONS:
                found.append(Sample(an(ALL_ACTIONS[name]), response.body))
            return response

        emulator.handle = listen  # type: ignore[method-assign] # the sample taker sits in the line
        meeting = Meeting(emulator, world, {"send_common_parameters": False})
        meeting.in_memory(lambda settings, emulator=emulator: a_day(settings, emulator))  # type: ignore[misc] # mypy sees a default as an argument
    return found


def an(kind: type[Action[Any]]) -> Action[Any]:
    """Make any request for an operation; its answer is read without looking at it."""
    plain: dict[Any, Any] = {str: "1", int: 1, list: ["d1"], bool: True}
    values = {item.name: plain[item.metadata["parameter"].kind] for item in fields(kind) if item.default is MISSING}
    return kind(**values | NEEDED.get(kind.__name__, {}))


class Mutator:
    """Bends answers."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - a campaign, repeatable by its seed

    def reply(self, body: bytes) -> Response:
        """Give something that resembles an answer."""
        random = self._random
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            bend = random.choice((self._structure, self._structure, self._structure, self._bytes, self._replace))
            body = bend(body)
        status = random.choice(STATUSES)
        return Response(status, {"date": random.choice(("", "yesterday", "Mon, 01 Jan 2026 00:00:00 GMT"))}, body)

    def _structure(self, body: bytes) -> bytes:
        try:
            parsed = json.loads(body)
        except (ValueError, RecursionError):
            return self._bytes(body)
        for _ in range(self._random.randint(1, 4)):
            parsed = self._bent(parsed)
        return json.dumps(parsed).encode("utf-8", "surrogatepass")

    def _bent(self, value: Any) -> Any:
        random = self._random
        if isinstance(value, dict) and value and random.random() < 0.8:
            name = random.choice(list(value))
            return self._bent_object(dict(value), name)
        if isinstance(value, list) and value and random.random() < 0.8:
            place = random.randrange(len(value))
            return [*value[:place], self._bent(value[place]), *value[place + random.choice((0, 1)) :]]
        return random.choice((*RUBBISH, [value], {"wrapped": value}, str(value), [value] * 3))

    def _bent_object(self, value: dict[str, Any], name: str) -> dict[str, Any]:
        match self._random.randrange(7):
            case 0:
                del value[name]
            case 1:
                value[name.upper()] = value.pop(name)
            case 2:
                value[name.swapcase()] = self._random.choice(RUBBISH)
            case 3:
                value[name] = self._random.choice(RUBBISH)
            case 4:
                value["extra"] = value[name]
            case _:
                value[name] = self._bent(value[name])
        return value

    def _bytes(self, body: bytes) -> bytes:
        random = self._random
        match random.randrange(6):
            case 0:
                return body[: random.randrange(len(body) + 1)]
            case 1:
                return random.choice(HEADS) + body
            case 2:
                return body.decode("utf-8", "replace").encode(random.choice(("utf-16", "utf-32", "utf-7")), "replace")
            case 3:
                return body + body
            case 4:
                place = random.randrange(len(body) + 1)
                return body[:place] + random.randbytes(random.randint(1, 8)) + body[place:]
            case _:
                return body.replace(b'"', b"'") if random.random() < 0.5 else body.replace(b"<", b"<x:")

    def _replace(self, _: bytes) -> bytes:
        random = self._random
        return random.choice(
            (
                random.randbytes(random.randint(0, 200)),
                b"[" * 100_000,
                b'{"a":' * 50_000,
                b"<a>" * 20_000,
                BOMB,
                b'{"success":true,"data":' + b"9" * 100_000 + b"}",
                b'{"success":true,"code":"","requestId":"x","data":'
                + json.dumps(random.choice(RUBBISH)).encode()
                + b"}",
                b"<html><body>502 Bad Gateway</body></html>",
                json.dumps(random.choice(RUBBISH)).encode("utf-8", "surrogatepass"),
            )
        )


def outcome(sample: Sample, response: Response) -> str:
    """Read one answer.

    :returns: ``value``, the name of a typed error, or ``wrong: …``.
    """
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        if response.body.lstrip().startswith(b"<"):
            _read_as_storage(response)
        result = sample.action.parse(read_reply(sample.action.name, response))
        repr(result)
    except TuyaOTAError as error:
        str(error)
        return type(error).__name__
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no typed error
        return f"wrong: {type(error).__name__}: {error!s:.200}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return "value"


def _read_as_storage(response: Response) -> None:
    try:
        read_storage_reply(response)
    except TuyaOTAError as error:
        str(error)


def _too_long(*_: object) -> NoReturn:
    raise TimeoutError


def campaign(replies: int, seed: int = 0) -> tuple[Counter[str], list[str]]:
    """Read many answers.

    :returns: counts by outcome, and what was wrong.
    """
    before = signal.signal(signal.SIGALRM, _too_long)
    corpus, mutator = samples(), Mutator(seed)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    try:
        for number in range(replies):
            sample = corpus[number % len(corpus)]
            response = mutator.reply(sample.body)
            found = outcome(sample, response)
            counts[found.partition(":")[0]] += 1
            if found.startswith("wrong"):
                wrong.append(f"{sample.action.name} {response.status} {response.body[:300]!r}: {found}")
    finally:
        signal.signal(signal.SIGALRM, before)
    return counts, wrong


def main() -> int:
    """Print the tally; the exit status says whether everything was right."""
    replies, seed = _arguments()
    began = time.perf_counter()
    counts, wrong = campaign(replies, seed)
    table = Table("outcome", "replies", title=f"{replies} fuzzed replies, seed {seed}")
    for name, number in counts.most_common():
        table.add_row(name, str(number))
    console = Console()
    console.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    console.print(f"{time.perf_counter() - began:.0f} s, peak of {peak:.0f} MiB, none longer than {LONGEST:g} s")
    for line in wrong[:20]:
        console.print(line, style="red", soft_wrap=True, markup=False)
    return 1 if wrong else 0


def _arguments() -> tuple[int, int]:
    given = [int(text) for text in sys.argv[1:3]]
    return given[0] if given else 200_000, given[1] if len(given) > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
