from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.landed.request import LandedRequest, require_devices, require_jobs

NAMES = [f"device-{number:03d}" for number in range(200)]


def request(**changes: Any) -> LandedRequest:
    return LandedRequest(**{"product_key": "pk", "version": "2.0.0", **changes})


def test_all_devices_are_asked_where_no_sample_is_wanted() -> None:
    assert request().chosen(NAMES) == tuple(NAMES)
    assert request(sample=200).chosen(NAMES) == tuple(NAMES)


def test_a_sample_is_the_same_each_time_and_another_one_for_another_version() -> None:
    sample = request(sample=20).chosen(NAMES)

    assert len(sample) == 20
    assert request(sample=20).chosen(NAMES) == sample == tuple(sorted(sample))
    assert set(request(sample=20).chosen(NAMES[::-1])) == set(sample)
    assert request(sample=20, version="2.0.1").chosen(NAMES) != sample
    assert request(sample=20, product_key="other").chosen(NAMES) != sample
    assert request(sample=20, module_name="mcu").chosen(NAMES) != sample
    assert set(request(sample=10).chosen(NAMES)) < set(sample)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("product_key", None),
        ("product_key", "a b"),
        ("version", ""),
        ("version", 2.0),
        ("module_name", "m c u"),
        ("sample", 0),
        ("sample", True),
        ("sample", "5"),
        ("requests_per_second", 0),
        ("requests_per_second", -1.0),
        ("requests_per_second", 1000.5),
        ("requests_per_second", float("nan")),
        ("requests_per_second", True),
        ("requests_per_second", "5"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InvalidParameterError, match=rf"^{name}\b"):
        request(**{name: value})


def test_five_devices_a_second_are_asked_where_nothing_else_is_said() -> None:
    assert request().requests_per_second == 5.0


def test_a_text_of_another_type_is_kept_as_a_plain_one() -> None:
    class Version(StrEnum):
        NEXT = "2.0.1"

    assert type(request(version=Version.NEXT).version) is str


@pytest.mark.parametrize("rate", [0.01, 1, 1000])
def test_a_rate_is_any_number_of_the_range(rate: float) -> None:
    assert request(requests_per_second=rate).requests_per_second == rate


@pytest.mark.parametrize("names", [[], ["a", "a"], ["a", " "], "a", None])
def test_devices_are_named_once(names: object) -> None:
    with pytest.raises(InvalidParameterError, match=r"^device_names\b"):
        require_devices(names)


@pytest.mark.parametrize(
    ("job_ids", "said"),
    [
        ([], "job_ids: is an empty list"),
        (["1", "1"], "job_ids: has a job twice"),
        (["1", "a b"], "job_ids "),
        ([7], "job_ids "),
        ([None], "job_ids "),
    ],
)
def test_jobs_are_named_once(job_ids: list[Any], said: str) -> None:
    with pytest.raises(InvalidParameterError, match=f"^{said}"):
        require_jobs(job_ids)


def test_names_and_ids_are_taken_in_their_order() -> None:
    assert require_devices(["b", "a"]) == ("b", "a")
    assert require_jobs(["2", "1"]) == ("2", "1")
