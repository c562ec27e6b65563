from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_tuya_ota.rollout.record.course import JobCreated, JobPurpose
from airflow_provider_tuya_ota.rollout.record.evidence_part import EvidencePart
from airflow_provider_tuya_ota.rollout.record.finding import FindingKind
from airflow_provider_tuya_ota.rollout.record.finish import LandedCheck, ReleaseEnded, VersionFound
from tests.rollout.record.forgery import changed, first, found, rewritten, texts
from tests.rollout.record.lies import a_job, put
from tests.rollout.record.story import good, story

GOOD, CLEAN = good(200), story(200).tell()


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"checked": 200}, "194 on the version and 4 others are not 200 checked devices"),
        ({"checked": 190, "on_target": 186}, "190 devices were checked, and 198 have reported success"),
        ({"checked": 199, "on_target": 195}, "199 devices were checked, and 198 have reported success"),
        ({"not_known": ("lamp-0001", "lamp-0001"), "on_target": 192}, "a device is there twice"),
    ],
)
def test_a_landed_check_adds_up(fields: dict[str, Any], problem: str) -> None:
    assert problem in texts(changed(GOOD, LandedCheck, **fields), FindingKind.WRONG_LANDED_CHECK)


def test_a_sample_may_be_smaller_than_what_reported_success() -> None:
    assert found(changed(GOOD, LandedCheck, checked=190, on_target=186, is_sample=True)) == []


def test_a_device_that_lies_is_listed_by_name_and_no_success() -> None:
    check: LandedCheck = first(GOOD, LandedCheck)
    names = [one.device for one in check.elsewhere]
    assert len(names) == 4
    honest = next(name for name in first(GOOD, EvidencePart).devices if name not in names)
    more = (*check.elsewhere, VersionFound(device=honest, version="1.0.0"))
    on_target = (*check.elsewhere[1:], VersionFound(device=names[0], version="2.0.0"))

    (said,) = texts(changed(GOOD, LandedCheck, elsewhere=more, on_target=193), FindingKind.WRONG_LANDED_CHECK)
    assert said == f"on another version, and succeeded in the evidence: '{honest}' (1 in all)"
    (said,) = texts(changed(GOOD, LandedCheck, elsewhere=on_target), FindingKind.WRONG_LANDED_CHECK)
    assert said == "a device with version 2.0.0 is among those that run another version"


def checked_after_the_first_wave(number: int) -> bytes:
    """Give a record of 200 devices, 40 of them in its first wave, with one more check behind that wave."""
    check = LandedCheck(checked=number, is_sample=False, delay=60.0, on_target=number, elsewhere=())

    def change(contents: list[Any]) -> None:
        place = next(at for at, one in enumerate(contents) if isinstance(one, JobCreated) and one.wave == 2)
        contents.insert(place, check)

    return rewritten(CLEAN, change)


def test_a_check_is_of_the_devices_that_had_reported_success_by_then() -> None:
    assert texts(checked_after_the_first_wave(40), FindingKind.WRONG_LANDED_CHECK) == []
    for number in (39, 41):
        assert texts(checked_after_the_first_wave(number), FindingKind.WRONG_LANDED_CHECK) == [
            f"{number} devices were checked, and 40 have reported success"
        ]


def test_a_device_that_succeeded_in_a_retry_may_be_checked_behind_it() -> None:
    told = story(200, lambda rank: "bad" if rank == 7 else "good")
    record = told.tell()
    (name,) = (name for name in told.places if told.fate_of(name) == "bad")
    again = LandedCheck(
        checked=200, is_sample=False, delay=60.0, on_target=199, elsewhere=(VersionFound(device=name, version="1.0.0"),)
    )

    def change(contents: list[Any], *new: Any) -> None:
        contents[:] = put([*contents[:-1], replace(contents[-1], succeeded_on_retry=1)], len(contents) - 1, *new)

    retry = a_job(JobPurpose.RETRY, 1, 1)
    assert first(record, ReleaseEnded).counts == {"succeeded": 199, "flash": 1}
    assert found(rewritten(record, lambda contents: change(contents, retry, again))) == []
    assert f"checked, and had not reported success: '{name}' (1 in all)" in texts(
        rewritten(record, lambda contents: change(contents, again, retry)), FindingKind.WRONG_LANDED_CHECK
    )
