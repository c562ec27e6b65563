from __future__ import annotations

import hashlib
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.plan.canonical import canonical_json, digest_of


def test_equal_values_have_one_text() -> None:
    value = {"b": [1, None, True, ("x",)], "a": 'é"\\\n\x1f\u2028'}

    assert canonical_json(value) == '{"a":"é\\"\\\\\\n\\u001f\u2028","b":[1,null,true,["x"]]}'.encode()
    assert digest_of(value) == hashlib.sha256(canonical_json(dict(reversed(value.items())))).hexdigest()


@pytest.mark.parametrize(
    "value",
    [1e-5, [1e300], float("nan"), float("inf"), {"a": {1, 2}}, {1: 2}, 2**53, -(2**53), {"a": [b"x"]}],
)
def test_what_two_programs_may_write_differently_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"has no canonical form"):
        canonical_json(value)


def test_the_largest_whole_numbers_are_kept() -> None:
    assert canonical_json([2**53 - 1, 1 - 2**53]) == b"[9007199254740991,-9007199254740991]"


def test_a_number_has_one_text_whatever_its_type() -> None:
    assert canonical_json([60.0, 60, -0.0, 0.5, 1e15]) == b"[60,60,0,0.5,1000000000000000]"
    assert canonical_json([1e-4, -1e-4]) == b"[0.0001,-0.0001]"


def test_keys_are_sorted_as_other_programs_sort_them() -> None:
    assert canonical_json({"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3, "a": 4}) == (
        '{"a":4,"\u20ac":3,"\U0001f600":2,"\ufb33":1}'.encode()
    )


def test_half_a_character_cannot_be_stored() -> None:
    with pytest.raises(ConfigurationError, match=r"half of a surrogate pair"):
        canonical_json("\ud800")
    with pytest.raises(ConfigurationError, match=r"half of a surrogate pair"):
        canonical_json({"\ud800": 1})
