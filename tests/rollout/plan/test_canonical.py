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


@pytest.mark.parametrize("value", [0.5, [1.0], {"a": {1, 2}}, {"é": 1}, {1: 2}, 2**53, -(2**53), {"a": [b"x"]}])
def test_what_two_programs_may_write_differently_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"has no canonical form"):
        canonical_json(value)


def test_the_largest_whole_numbers_are_kept() -> None:
    assert canonical_json([2**53 - 1, 1 - 2**53]) == b"[9007199254740991,-9007199254740991]"


def test_half_a_character_cannot_be_stored() -> None:
    with pytest.raises(ConfigurationError, match=r"half of a surrogate pair"):
        canonical_json("\ud800")
