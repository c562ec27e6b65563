"""A driver that answers flows from a script: no socket, no clock, no chance."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from urllib.parse import parse_qsl, urlsplit

from airflow_provider_tuya_ota.core.errors import Delivery, TransportError, TuyaOTAError
from airflow_provider_tuya_ota.core.flows.effects import (
    Digest,
    Flow,
    FlowContext,
    LoadState,
    OtherIntents,
    ReadContext,
    ReadOtherIntents,
    Report,
    SavedState,
    SaveState,
    Send,
    Sleep,
    SlowDown,
    StoredIntent,
)
from airflow_provider_tuya_ota.core.flows.events import FlowEvent, Level
from airflow_provider_tuya_ota.core.settings import Credentials, Settings
from airflow_provider_tuya_ota.core.wire.http import Request, Response

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.model.verdict import Verdict
    from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup

T = TypeVar("T")

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
ENDLESS = 1000
"""Requests after which a flow is taken for a loop without end, so that a test fails instead of hanging."""
REQUEST_ID = "3f2b8c1e-5a77-4a6e-9d0f-0c1d2e3f4a5b"
SECRET = "canary-secret-4711"
SETTINGS = Settings(
    credentials=Credentials(access_key_id="canary-key-id-0815", access_key_secret=SECRET), host="ota.example.com"
)


@dataclass(frozen=True)
class Sent:
    """One request that a flow wanted sent, with its query decoded."""

    request: Request
    rate_limit_group: RateLimitGroup

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.request.url).query, keep_blank_values=True, strict_parsing=False))

    @property
    def action(self) -> str:
        return self.parameters.get("Action", self.request.method)


Answer: TypeAlias = Response | Exception
Answers: TypeAlias = Sequence[Answer] | Callable[[Sent], Answer]


@dataclass
class Script:
    """Answer each Send in turn; an exception is thrown into the flow. Sleeping moves the clock."""

    answers: Answers = ()
    now: datetime = NOW
    set_by: timedelta = timedelta(0)
    jitter: float = 0.0
    sent: list[Sent] = field(default_factory=list)
    sleeps: list[float] = field(default_factory=list)
    events: list[FlowEvent] = field(default_factory=list)
    reports: list[Verdict] = field(default_factory=list)
    nonces: list[str] = field(default_factory=list)
    saved: Any = None
    is_durable: bool = True
    other_intents: Callable[[], Sequence[StoredIntent]] = tuple
    asked_for: list[str | None] = field(default_factory=list)
    slowed: list[RateLimitGroup] = field(default_factory=list)
    takes_files: bool = True
    digested: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, flow: Flow[T]) -> T:
        answer: Any = None
        while True:
            try:
                effect = flow.throw(answer) if isinstance(answer, Exception) else flow.send(answer)
            except StopIteration as end:
                value: T = end.value
                return value
            answer = self._answer(effect)

    def _answer(self, effect: object) -> object:
        match effect:
            case ReadContext():
                self.nonces.append(f"nonce-{len(self.nonces) + 1}")
                return FlowContext(
                    now=self.now + self.set_by, steady=self.now, nonce=self.nonces[-1], jitter=self.jitter
                )
            case Send():
                self.sent.append(Sent(effect.request, effect.rate_limit_group))
                assert len(self.sent) < ENDLESS, "the flow does not end"
                return self._answer_of_server(self.sent[-1])
            case Digest():
                return self._digest(effect)
            case Sleep():
                self.sleeps.append(effect.seconds)
                self.now += timedelta(seconds=effect.seconds)
            case FlowEvent():
                self.events.append(effect)
            case Report():
                self.reports.append(effect.verdict)
            case SlowDown():
                self.slowed.append(effect.rate_limit_group)
            case _:
                return self._answer_of_memory(effect)
        return None

    def _answer_of_server(self, sent: Sent) -> Answer:
        if callable(self.answers):
            answer = self.answers(sent)
        else:
            assert len(self.sent) <= len(self.answers), f"an unexpected request: {sent.action}"
            answer = self.answers[len(self.sent) - 1]
        if sent.request.body is None or isinstance(answer, Exception) or not self.takes_files:
            return answer
        with closing(sent.request.body.open()) as reader:
            reader.read()
            return replace(answer, sent=reader.digests())

    def _digest(self, effect: Digest) -> dict[str, str] | Exception:
        try:
            with closing(effect.open_file()) as reader:
                while reader.read(3):
                    pass
                digests = reader.digests()
        except TuyaOTAError as error:
            return error
        self.digested.append(tuple(digests))
        return digests

    def _answer_of_memory(self, effect: object) -> object:
        match effect:
            case LoadState():
                return SavedState(self.saved, is_durable=self.is_durable)
            case SaveState():
                self.saved = effect.value
            case ReadOtherIntents():
                self.asked_for.append(effect.mask)
                return OtherIntents("k5", tuple(self.other_intents()))
            case _:
                raise AssertionError(effect)
        return None

    @property
    def actions(self) -> list[str]:
        return [sent.action for sent in self.sent]

    @property
    def warnings(self) -> list[str]:
        return [event.line() for event in self.events if event.level is Level.WARNING]

    @property
    def lines(self) -> list[str]:
        return [event.line() for event in self.events]


def by_action(
    answers: Mapping[str, Answer | Sequence[Answer] | Callable[[Sent], Answer]],
) -> Callable[[Sent], Answer]:
    """Answer by operation: one answer for ever, a list of them in turn, or what a function makes of the request.

    A list that is answered with one page has that page alone: the next one is empty, and the first is shown again where
    a reading goes back to it.
    """
    turns = {
        name: _one_page_each(lasting(answer) if isinstance(answer, Response | Exception) else _in_turn(answer))
        for name, answer in answers.items()
        if isinstance(answer, Response | Exception | Sequence)
    }

    def answer(sent: Sent) -> Answer:
        if sent.action in turns:
            return turns[sent.action](sent)
        made = answers[sent.action]
        assert callable(made)
        return made(sent)

    return answer


def _in_turn(answers: Sequence[Answer]) -> Callable[[Sent], Answer]:
    left = iter(answers)
    return lambda _: next(left)


def _one_page_each(answers: Callable[[Sent], Answer]) -> Callable[[Sent], Answer]:
    first: Answer | None = None
    goes_back = False

    def answer(sent: Sent) -> Answer:
        nonlocal first, goes_back
        if int(sent.parameters.get("CurrentPage", 1)) > 1 and isinstance(first, Response):
            page = json.loads(first.body)
            goes_back = "total" not in page
            return replace(first, body=json.dumps(page | {"data": [], "firmwareInfo": []}).encode())
        if not goes_back or first is None:
            first = answers(sent)
        goes_back = False
        return first

    return answer


def lasting(*answers: Answer) -> Callable[[Sent], Answer]:
    """Answer in turn, and with the last one from then on."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def answered(body: object, status: int = 200, **headers: str) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, headers, raw)


def ok(**fields: Any) -> Response:
    return answered({"code": "", "requestId": REQUEST_ID, "success": True, **fields})


def refused(code: str, status: int = 200, message: str = "no") -> Response:
    return answered({"code": code, "errorMessage": message, "requestId": REQUEST_ID, "success": False}, status)


def gateway(code: str, status: int = 400, message: str = "no", **headers: str) -> Response:
    return answered({"RequestId": REQUEST_ID, "Code": code, "Message": message}, status, **headers)


def lost(delivery: Delivery = Delivery.UNKNOWN) -> TransportError:
    return TransportError("no answer in time", endpoint="ota.example.com:8686", delivery=delivery)


def firmware(firmware_id: str = "178", status: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "firmwareId": firmware_id,
        "firmwareName": "lamp",
        "destVersion": "1.1",
        "productKey": "pk",
        "status": status,
        **fields,
    }


def job(
    job_id: str = "9001", status: str = "IN_PROGRESS", kind: str = "VERIFY_FIRMWARE", **fields: Any
) -> dict[str, Any]:
    return {"jobId": job_id, "jobStatus": status, "jobType": kind, "firmwareId": "178", "productKey": "pk", **fields}


def task(name: str, status: str, **fields: Any) -> dict[str, Any]:
    return {"taskId": f"t-{name}", "deviceName": name, "taskStatus": status, **fields}
