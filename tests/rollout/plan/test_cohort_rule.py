from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.plan.cohort_rule import CohortRule
from tests.rollout.plan.small import rule

MISSING: list[Any] = [None, True, "", "  ", "None", "<leave out>", [], (), {}, 5]


def test_what_is_left_out_has_a_default_and_lists_are_sorted() -> None:
    assert rule() == rule(source_versions="any", strata=["version"], module_name="default")
    assert rule().source_versions is None
    assert rule(source_versions=["1.1", "1.0"]).source_versions == ("1.0", "1.1")
    assert rule(exclude=("b", "a"), verify_on=["d", "c"]).exclude == ("a", "b")
    assert rule(strata=["region", "model"]).strata == ("region", "model")


@pytest.mark.parametrize("value", MISSING)
@pytest.mark.parametrize("name", ["source_versions", "exclude", "verify_on", "strata"])
def test_a_list_that_is_missing_or_empty_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=rf"^{name}: "):
        rule(**{name: value})


@pytest.mark.parametrize("value", [*MISSING, "{{ params.version }}", "1.0\u200b", 2.0])
@pytest.mark.parametrize("name", ["product_key", "module_name", "version"])
def test_a_text_that_is_missing_is_refused_by_its_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=rf"^{name}: "):
        rule(**{name: value})


@pytest.mark.parametrize("entry", [None, "", " a", "a ", "null", "a\tb", 7, True, "x" * 257])
def test_an_entry_that_is_no_name_is_refused(entry: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^exclude: "):
        rule(exclude=["good", entry])


def test_a_name_keeps_the_blanks_inside_it_and_may_be_256_long() -> None:
    assert rule(exclude=["a  b", "x" * 256]).exclude == ("a  b", "x" * 256)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"exclude": ["a", "a"]}, "exclude: 'a' is in the list twice"),
        ({"exclude": ["a"], "verify_on": ["b", "a"]}, "verify_on: 'a' is in exclude too"),
        ({"source_versions": ["2.0.0"]}, "source_versions: names only the version that is installed"),
        ({"exclude": "ab"}, "exclude: 'ab' is not a list"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidParameterError, match=rf"^{problem}"):
        rule(**changes)


@pytest.mark.parametrize("one", [rule(), rule(source_versions=["1"], exclude=["a"], verify_on=["b"], strata=["model"])])
def test_a_rule_survives_its_way_through_plain_values(one: CohortRule) -> None:
    again = CohortRule.from_dict(one.to_dict())

    assert again == one
    assert again.excluded_names == frozenset(one.exclude)
    assert again.verification_names == frozenset(one.verify_on)
