from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.missing import NOTHING
from airflow_provider_tuya_ota.rollout.gate.evidence import MOST_STRATA
from airflow_provider_tuya_ota.rollout.plan.candidate import Candidate
from airflow_provider_tuya_ota.rollout.plan.cohort import (
    Exclusion,
    exclusion_of,
    freeze_cohort,
    stratum_label,
)
from tests.rollout.plan.small import candidate, fleet, rule


def test_a_device_on_an_older_version_of_the_module_is_in_the_cohort() -> None:
    frozen = freeze_cohort([candidate("lamp")], rule())

    assert frozen.strata == {("1.0.0",): ("lamp",)}
    assert frozen.size == frozen.candidates == 1
    assert frozen.excluded_counts == {}
    assert frozen.source_versions == {"1.0.0": 1}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"product_key": "other"}, "wrong product or module"),
        ({"module_name": "radio"}, "wrong product or module"),
        ({"version": "0.9.0"}, "source version not allowed"),
        ({"version": "2.0.0"}, "already on the version"),
        ({"version": None}, "no version known"),
        ({"version": " "}, "no version known"),
        ({"busy_job": "4711"}, "busy in another job"),
        ({"busy_job": ""}, "busy in another job"),
        ({"name": "bench"}, "verification device"),
        ({"name": "keep"}, "excluded by name"),
    ],
)
def test_a_device_is_excluded_for_one_reason(changes: dict[str, Any], reason: str) -> None:
    one = candidate(**({"name": "lamp"} | changes))
    others = [candidate("keep")] if one.name != "keep" else []

    frozen = freeze_cohort(
        [one, *others], rule(source_versions=["1.0.0", "1.1.0"], exclude=["keep"], verify_on=["bench"])
    )

    assert frozen.size == 0
    assert frozen.reason_of(one.name) == reason
    assert frozen.excluded_counts[reason] == 1


@pytest.mark.parametrize("version", NOTHING)
def test_a_version_that_stands_for_a_missing_one_is_not_known(version: str) -> None:
    assert exclusion_of(candidate("lamp", version=version), rule()) is Exclusion.NO_VERSION_KNOWN


def test_the_reasons_have_an_order_so_that_each_device_has_one() -> None:
    everything = candidate("keep", product_key="other", version="2.0.0", busy_job="1")

    assert exclusion_of(everything, rule(exclude=["keep"])) is Exclusion.WRONG_PRODUCT_OR_MODULE
    ours = candidate("keep", version="2.0.0", busy_job="1")
    assert exclusion_of(ours, rule(exclude=["keep"])) is Exclusion.EXCLUDED_BY_NAME
    assert exclusion_of(ours, rule(verify_on=["keep"])) is Exclusion.VERIFICATION_DEVICE
    assert exclusion_of(ours, rule()) is Exclusion.ALREADY_ON_VERSION
    unknown = candidate("keep", version="", busy_job="1")
    assert exclusion_of(unknown, rule(source_versions=["1.0.0"])) is Exclusion.NO_VERSION_KNOWN
    busy = candidate("keep", version="0.1", busy_job="1")
    assert exclusion_of(busy, rule(source_versions=["1.0.0"])) is Exclusion.SOURCE_VERSION_NOT_ALLOWED


candidates = st.builds(
    Candidate,
    name=st.text("abcdef", min_size=1, max_size=4),
    product_key=st.sampled_from(["k1demoproduct", "other"]),
    module_name=st.sampled_from(["default", "radio"]),
    version=st.sampled_from([None, "", "None", "1.0.0", "2.0.0", "0.9"]),
    busy_job=st.sampled_from([None, "", "7"]),
    attributes=st.dictionaries(st.just("region"), st.sampled_from(["eu", "us", ""])),
)


@given(st.lists(candidates, unique_by=lambda one: one.name))
def test_totals_agree_before_and_after_and_the_order_of_the_list_does_not_matter(listed: list[Candidate]) -> None:
    by = rule(strata=["region", "version"], source_versions=["1.0.0"])
    frozen = freeze_cohort(listed, by)

    names = [name for group in (*frozen.strata.values(), *frozen.excluded.values()) for name in group]
    assert sorted(names) == sorted(one.name for one in listed)
    assert frozen.size + sum(frozen.excluded_counts.values()) == frozen.candidates == len(listed)
    assert sum(frozen.source_versions.values()) == frozen.size
    assert sum(frozen.busy_jobs.values()) == frozen.excluded_counts.get("busy in another job", 0)
    for name in (name for group in frozen.strata.values() for name in group):
        one = next(one for one in listed if one.name == name)
        assert (one.product_key, one.module_name, one.version, one.busy_job) == (
            "k1demoproduct",
            "default",
            "1.0.0",
            None,
        )
    assert freeze_cohort(reversed(listed), by) == frozen


def test_a_device_that_is_listed_twice_stops_the_plan() -> None:
    with pytest.raises(InvalidParameterError, match=r"^candidates: 'lamp-0000' is there twice"):
        freeze_cohort([*fleet(2), candidate("lamp-0000", version="2.0.0")], rule())


def test_an_excluded_name_that_no_device_has_stops_the_plan() -> None:
    with pytest.raises(InvalidParameterError, match=r"^exclude: 'lamb-0001' is no device of the product"):
        freeze_cohort(fleet(2), rule(exclude=["lamb-0001"]))


@pytest.mark.parametrize("name", ["", " ", "None", "a\nb", "\ud800", None, 7])
def test_a_device_without_a_name_stops_the_plan(name: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^candidates: "):
        candidate(name)


def test_a_device_without_the_attribute_is_a_stratum_of_its_own() -> None:
    listed = [candidate("a", attributes={"region": "eu"}), candidate("b", attributes={"region": " "}), candidate("c")]

    frozen = freeze_cohort(listed, rule(strata=["region", "version"]))

    assert frozen.strata == {("", "1.0.0"): ("b", "c"), ("eu", "1.0.0"): ("a",)}
    assert [stratum_label(one) for one in frozen.strata] == ["not given / 1.0.0", "eu / 1.0.0"]


def test_an_attribute_with_too_many_values_is_refused() -> None:
    listed = [candidate(f"d{at}", version=f"1.{at}") for at in range(MOST_STRATA + 1)]

    assert len(freeze_cohort(listed[1:], rule()).strata) == MOST_STRATA
    with pytest.raises(InvalidParameterError, match=r"^strata: .*more than 64 values"):
        freeze_cohort(listed, rule())


def test_busy_devices_are_counted_by_their_job() -> None:
    listed = [candidate("a", busy_job="2"), candidate("b", busy_job=""), candidate("c", busy_job="2"), candidate("d")]

    assert freeze_cohort(listed, rule()).busy_jobs == {"2": 2, "unknown": 1}


def test_the_digest_changes_with_rule_devices_strata_and_exclusions() -> None:
    digests = {
        freeze_cohort(fleet(3), rule()).digest,
        freeze_cohort(fleet(4), rule()).digest,
        freeze_cohort(fleet(3), rule(version="2.0.1")).digest,
        freeze_cohort(fleet(3, version="1.1.0"), rule()).digest,
        freeze_cohort([*fleet(3), candidate("x", busy_job="1")], rule()).digest,
        freeze_cohort([*fleet(3), candidate("x", version="2.0.0")], rule()).digest,
        freeze_cohort([candidate("lamb"), *fleet(2)], rule()).digest,
    }

    assert len(digests) == 7
    assert freeze_cohort(fleet(3), rule()).digest == freeze_cohort(iter(fleet(3)), rule()).digest


def test_the_digest_can_be_recomputed_by_anybody() -> None:
    frozen = freeze_cohort([candidate("b"), candidate("a"), candidate("x", busy_job="1")], rule(exclude=["b"]))

    written = (
        '{"excluded":{"busy in another job":1,"excluded by name":1},"rule":{"exclude":["b"],"module_name":"default",'
        '"product_key":"k1demoproduct","source_versions":null,"strata":["version"],"verify_on":[],"version":"2.0.0"},'
        '"strata":[[["1.0.0"],["a"]]]}'
    )
    assert frozen.digest == hashlib.sha256(written.encode()).hexdigest()


def test_a_device_that_is_no_candidate_has_no_reason() -> None:
    assert freeze_cohort(fleet(1), rule()).reason_of("unknown") is None
