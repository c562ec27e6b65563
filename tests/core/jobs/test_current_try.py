"""A try that stood still between its note and its request, while another one has begun."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.errors import ConflictError, Delivery, TransportError
from airflow_provider_tuya_ota.core.flows.effects import FlowContext, LoadState, SaveState, Send
from airflow_provider_tuya_ota.core.jobs.intent import Stage
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.wire.http import Request
from tests.core.jobs.upgrades import NOTE, creates, script_for, stage, start
from tests.core.script import NOW, Script, gateway, lasting, lost, ok, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.core.script import Answer, Sent


class Overtaken(Script):
    """Another try writes its note before the task's note is read for the nth time; nothing may be written over it."""

    at = 0
    recalls = 0

    def _answer(self, effect: object) -> object:
        if isinstance(effect, LoadState):
            self.recalls += 1
            if self.recalls == self.at:
                self.saved = NOTE.at(Stage.CREATED, "11").to_dict()
        assert not (isinstance(effect, SaveState) and self.recalls >= self.at)
        return super()._answer(effect)


def overtaken(at: int, create: Answer | Callable[[Sent], Answer]) -> Overtaken:
    script = Overtaken(script_for(CreateOTAStaticUpgradeJob=create).answers)
    script.at = at
    return script


def test_nothing_is_sent_and_nothing_written_once_another_try_has_written() -> None:
    script = overtaken(3, ok(data={"jobId": "10"}))

    with pytest.raises(TransportError, match=r"another try of this task has begun meanwhile.*not delivered") as caught:
        start(script)

    assert caught.value.delivery is Delivery.NEVER_SENT
    assert (creates(script), stage(script)) == (0, ("created", "11"))


def test_the_note_is_read_again_before_a_create_is_repeated() -> None:
    script = overtaken(4, lasting(gateway("Throttling", 429), ok(data={"jobId": "10"})))

    with pytest.raises(TransportError, match="another try"):
        start(script)

    assert (creates(script), stage(script)) == (1, ("created", "11"))


@pytest.mark.parametrize("answer", [refused("iot.firmware.NoDeviceCanUpgrade"), lost(Delivery.NEVER_SENT)])
def test_a_refusal_takes_nothing_back_that_another_try_has_written(answer: Answer) -> None:
    script = overtaken(4, answer)

    with pytest.raises((ConflictError, TransportError)):
        start(script)

    assert stage(script) == ("created", "11")


def test_a_request_that_could_not_leave_in_time_leaves_nothing_to_look_for() -> None:
    script = script_for(CreateOTAStaticUpgradeJob=lost(Delivery.NEVER_SENT))

    with pytest.raises(TransportError):
        start(script)

    assert stage(script) == ("nothing", "")


def test_without_a_memory_nobody_else_can_have_written() -> None:
    class Forgetting(Script):
        def _answer_of_memory(self, effect: object) -> object:
            self.saved = None
            return super()._answer_of_memory(effect)

    script = Forgetting(script_for().answers, is_durable=False)

    assert start(script).job_id == "10"


def test_only_a_create_has_to_leave_soon() -> None:
    sent: list[tuple[bool, bool]] = []

    class Watching(Script):
        def _answer(self, effect: object) -> object:
            if isinstance(effect, Send):
                sent.append(("CreateOTA" in effect.request.url, effect.since is not None))
            return super()._answer(effect)

    start(Watching(script_for().answers))

    assert set(sent) == {(True, True), (False, False)}


@pytest.mark.parametrize(
    ("wall", "steady", "pause", "is_late"),
    [
        (59, 59, 0, False),
        (61, 61, 0, True),
        (61, 0, 0, True),
        (0, 61, 0, True),
        (100, 100, 90, False),
        (-3600, 1, 0, False),
    ],
)
def test_a_request_is_late_by_whichever_clock_has_gone_on(
    wall: float, steady: float, pause: float, is_late: bool
) -> None:
    def at(wall: float, steady: float) -> FlowContext:
        return FlowContext(NOW + timedelta(seconds=wall), NOW + timedelta(seconds=steady), "n", 0.0)

    request = Request("GET", "https://host/")

    assert Send(request, RateLimitGroup.CALLS, at(0, 0)).is_late(at(wall, steady), pause) is is_late
    assert not Send(request, RateLimitGroup.CALLS).is_late(at(wall, steady), pause)
