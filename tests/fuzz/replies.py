"""What a broken platform might answer, through the whole read path: ``python -m tests.fuzz.replies [REPLIES] [SEED]``.

Real answers of the emulator to every operation are bent, cut, respelled, nested and mixed with rubbish; each must come
to a typed error or a valid value, soon and in little memory. A value can be encoded and shown, is small, and is about
what was asked for; an answer that says success lets nothing be created again.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import time
from collections import Counter
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl

import msgspec
from rich.console import Console
from rich.table import Table

from airflow_provider_tuya_ota.core.actions import ALL_ACTIONS, Action
from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import FlowContext, ReadContext, Send
from airflow_provider_tuya_ota.core.model.error_event import describe_error
from airflow_provider_tuya_ota.core.policy.retry import DEFAULT_RETRY, LONGEST_PAUSE, Repeat, RetryPolicy
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.wire.storage_reply import read_storage_reply
from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.gateway.quotas import UNLIMITED
from airflow_provider_tuya_ota.emulator.scenario import Scenario
from tests.contract.test_every_operation import a_day
from tests.contract.worlds import Meeting, VirtualWorld
from tests.core.script import NOW, SETTINGS
from tests.fuzz.mutations import Mutator

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.wire.http import Response

LONGEST = 2.0
"""Seconds of computing after which one reply counts as endless, whatever else the machine does meanwhile."""
LONGEST_LINE, LONGEST_ERROR = 8192, 4000
"""Characters of a text of a value, and of an error with all its fields."""
SENT_BACK = {"next_token", "host", "key"}
"""Texts that must stay as they are; nothing shows them."""
_DEVICE = ("product_key", "device_name", "iot_id")
ABOUT: dict[str, tuple[str, ...]] = {
    "QueryOTAJob": ("job_id",),
    "QueryOTAFirmware": ("firmware_id",),
    "QueryProduct": ("product_key",),
    "QueryDevice": ("product_key",),
    "ListOTAJobByFirmware": ("firmware_id",),
    "ListOTAJobByDevice": ("firmware_id", *_DEVICE[:2]),
    "ListOTATaskByJob": ("job_id",),
    "ListOTAUnfinishedTaskByDevice": _DEVICE,
    "ListOTAModuleVersionsByDevice": _DEVICE,
    "ListOTAModuleByProduct": ("product_key",),
}
"""What the answer to an operation must be about."""
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
                found.append(Sample(asked(ALL_ACTIONS[name], request.query), response.body))
            return response

        emulator.handle = listen  # type: ignore[method-assign] # the sample taker sits in the line
        meeting = Meeting(emulator, world, {"send_common_parameters": False})
        meeting.in_memory(lambda settings, emulator=emulator: a_day(settings, emulator))  # type: ignore[misc] # mypy sees a default as an argument
    return found


def asked(kind: type[Action[Any]], query: str) -> Action[Any]:
    """Rebuild a request from its query."""
    wire = dict(parse_qsl(query, keep_blank_values=True))
    values: dict[str, Any] = {}
    for item in fields(kind):
        parameter = item.metadata["parameter"]
        entries = [value for name, value in wire.items() if name.startswith(f"{parameter.wire}.")]
        if entries:
            values[item.name] = entries
        elif parameter.wire in wire:
            text = wire[parameter.wire]
            plain: dict[Any, Any] = {int: int, bool: "true".__eq__}
            values[item.name] = plain.get(parameter.kind, str)(text)
    return kind(**values)


def an(kind: type[Action[Any]]) -> Action[Any]:
    """Make any request for an operation; its answer is read without looking at it."""
    plain: dict[Any, Any] = {str: "1", int: 1, list: ["d1"], bool: True}
    values = {item.name: plain[item.metadata["parameter"].kind] for item in fields(kind) if item.default is MISSING}
    return kind(**values | NEEDED.get(kind.__name__, {}))


def outcome(sample: Sample, response: Response) -> str:
    """Read one answer.

    :returns: ``value``, the name of a typed error, or ``wrong: …``.
    """
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        if response.body.lstrip().startswith(b"<"):
            _read_as_storage(response)
        result = ask(sample.action, response)
        return what_is_wrong(sample.action, result, response.body) or "value"
    except TuyaOTAError as error:
        return _wrong_with_error(error, response) or type(error).__name__
    except Exception as error:  # noqa: BLE001 - whatever it is, it is no typed error
        return f"wrong: {type(error).__name__}: {error!s:.200}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def ask(action: Action[Any], response: Response) -> Any:
    """Carry out one operation that is answered like this."""
    flow = call(SETTINGS, action, RetryPolicy(attempts=1))
    answer: Any = None
    while True:
        try:
            effect = flow.send(answer)
        except StopIteration as end:
            return end.value
        answer = {ReadContext: FlowContext(now=NOW, nonce="n", jitter=0.5, steady=NOW), Send: response}.get(
            type(effect)
        )


def what_is_wrong(action: Action[Any], result: Any, body: bytes = b"") -> str:
    """Hold a value against what everybody may expect of it."""
    plain = _plain(result)
    msgspec.msgpack.encode(plain)
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False)
    text.encode()
    if not text.isprintable() or _leaks(text, body):
        return f"wrong: the value cannot be shown: {text[:200]!r}"
    if any(len(line) > LONGEST_LINE for line in _texts(plain)):
        return "wrong: a text is long"
    items = getattr(result, "items", result)
    for item in items if isinstance(items, list) else [items]:
        for name in ABOUT.get(action.name, ()):
            answered, wanted = getattr(item, name, ""), getattr(action, name)
            if answered and wanted and answered != wanted:
                return f"wrong: asked about {wanted}, answered about {answered}"
    return ""


def _leaks(text: str, body: bytes) -> bool:
    """Tell whether a secret is shown that stands behind its name, in one piece, in the answer."""
    whole = body.replace(b"OSSAccessKeyId=canary&Signature=canary", b"").replace(b"policy=canary", b"")
    return "canary" in text and b"canary" not in whole


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return "***"
    if is_dataclass(value):
        shown = [item.name for item in fields(value) if item.name not in SENT_BACK]
        return {name: _plain(getattr(value, name)) for name in shown}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        return [text for item in (value.values() if isinstance(value, dict) else value) for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def _wrong_with_error(error: TuyaOTAError, response: Response) -> str:
    text = json.dumps(describe_error(error), ensure_ascii=False, allow_nan=False)
    msgspec.msgpack.encode(describe_error(error))
    if not text.isprintable() or _leaks(text, response.body) or len(text) > LONGEST_ERROR:
        return f"wrong: the error cannot be shown: {text[:300]!r}"
    pause = DEFAULT_RETRY.delay(error, Repeat.DUPLICATES, attempt=1, jitter=1.0)
    if pause is not None and not 0 < pause <= LONGEST_PAUSE:
        return f"wrong: a pause of {pause} s"
    if pause is not None and b'"success": true' in response.body:
        return "wrong: what the platform said yes to would be created again"
    return ""


def _read_as_storage(response: Response) -> None:
    try:
        read_storage_reply(response, key="ota/firmware/1.bin")
    except TuyaOTAError as error:
        str(error)


def _too_long(*_: object) -> NoReturn:
    raise TimeoutError


def campaign(replies: int, seed: int = 0) -> tuple[Counter[str], list[str]]:
    """Read many answers.

    :returns: counts by outcome, and what was wrong.
    """
    before = signal.signal(signal.SIGPROF, _too_long)
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
        signal.signal(signal.SIGPROF, before)
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
