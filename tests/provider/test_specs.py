from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from airflow.sdk import Context

from tests.provider.specs import stands_in_for


class Real:
    state: str

    def push(self, key: str, value: Any, *, note: str = "") -> None: ...

    async def wait(self, seconds: float) -> None: ...


class Renamed:
    def put(self, key: str, value: Any) -> None: ...


class Turned:
    def push(self, value: Any, key: str) -> None: ...


class Shorter:
    def push(self, key: str) -> None: ...


class Longer:
    def push(self, key: str, value: Any, *, again: bool) -> None: ...


class Awaited:
    async def push(self, key: str, value: Any) -> None: ...


class Blocking:
    def wait(self, seconds: float) -> None: ...


@dataclass
class Unknown:
    mood: str = ""


@pytest.mark.parametrize("fake", [Renamed, Turned, Shorter, Longer, Awaited, Blocking, Unknown])
def test_a_fake_that_differs_from_the_real_class_is_found_out(fake: type) -> None:
    with pytest.raises((AssertionError, AttributeError)):
        stands_in_for(Real)(fake)


def test_a_fake_may_do_without_and_have_what_is_its_own() -> None:
    @stands_in_for(Real, own=("seen", "heard"))
    @dataclass
    class Fake:
        seen: int = 0

        def push(self, key: str, value: Any) -> None: ...

        def heard(self) -> None: ...

    assert Fake().seen == 0


@pytest.mark.parametrize("key", ["ti", "dag", "dag_run", "run_id", "task_state_store"])
def test_contexts_of_tests_have_the_keys_of_airflow_s(key: str) -> None:
    assert key in Context.__annotations__
