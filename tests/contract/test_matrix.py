"""Releases under contradictory readings of the documents; ``make matrix`` prints the whole table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.actions import CreateOTAVerifyJob
from airflow_provider_tuya_ota.core.errors import NotFoundError
from airflow_provider_tuya_ota.emulator.quirks import Quirks
from tests.contract.matrix import (
    APART,
    CLIENT,
    IMPOSSIBLE,
    READINGS,
    covering,
    is_hidden,
    outcome,
    singles,
    together,
)
from tests.contract.release import Platform, a_release
from tests.contract.worlds import Meeting

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.model.entities import Created


def test_every_contradiction_is_in_the_matrix() -> None:
    assert set(READINGS) - set(CLIENT) == set(Quirks().as_dict()) - APART


@pytest.mark.parametrize("case", singles(), ids=str)
def test_a_release_is_right_under_every_single_reading(case: dict[str, Any]) -> None:
    assert outcome(case) == "right"


@pytest.mark.parametrize("contradiction", list(READINGS)[:-1])
def test_a_release_is_right_under_every_two_readings(contradiction: str) -> None:
    cases = [case for case in together(2) if next(iter(case)) == contradiction]

    outcomes = {str(case): outcome(case) for case in cases if case not in IMPOSSIBLE}

    assert outcomes
    assert {case: result for case, result in outcomes.items() if result != "right"} == {}


@pytest.mark.parametrize("order", ["in_order", "any_order"])
def test_what_its_own_id_does_not_find_yet_is_not_made_again(order: str) -> None:
    platform = Platform()
    quirks = {"query_delay": 4.0, "list_order": order}
    platform.emulator.world.quirks = platform.emulator.world.quirks.changed(quirks)

    with pytest.raises(NotFoundError, match="QueryOTAFirmware was refused"):
        Meeting(platform.emulator, platform.world).in_memory(lambda settings: a_release(settings, platform))
    assert (platform.firmwares, dict(platform.jobs)) == (1, {})


@pytest.mark.parametrize("pair", IMPOSSIBLE, ids=str)
def test_where_nothing_can_work_it_is_said_and_nothing_is_done_twice(pair: dict[str, Any]) -> None:
    assert outcome(pair) == "refused"


def test_no_case_that_is_played_hides_what_no_answer_shows() -> None:
    assert not any(map(is_hidden, [*singles(), *together(2), *covering()]))


@pytest.mark.parametrize("case", covering(), ids=lambda case: ",".join(map(str, case.values())))
@pytest.mark.parametrize("way", ["through_requests", "through_aiohttp"])
def test_a_release_is_right_over_sockets_where_every_two_readings_meet(way: str, case: dict[str, Any]) -> None:
    assert outcome(case, way) == "right"


def test_few_cases_cover_every_two_readings() -> None:
    met = {
        frozenset([(first, case[first]), (second, case[second])])
        for case in covering()
        for first in case
        for second in case
        if first != second
    }

    assert all(frozenset(case.items()) in met for case in together(2) if case not in IMPOSSIBLE)


def test_a_client_that_takes_the_firmware_s_id_for_the_job_s_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    read = CreateOTAVerifyJob.parse

    def naive(self: CreateOTAVerifyJob, reply: Any) -> Created:
        created = read(self, reply)
        return replace(created, entity_id=reply.fields.record("Data").text("JobId") or self.firmware_id)

    monkeypatch.setattr(CreateOTAVerifyJob, "parse", naive)

    assert outcome({}) == "right"
    assert outcome({"job_id": "firmwareId"}).startswith("wrong")
