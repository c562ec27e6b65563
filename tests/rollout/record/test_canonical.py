from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.rollout.plan.canonical import canonical_json
from airflow_provider_tuya_ota.rollout.record.canonical import canonical_bytes, digest_of_devices
from airflow_provider_tuya_ota.rollout.record.unreadable import RecordUnreadableError

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(max_codepoint=127), max_size=5), inner)
    ),
    max_leaves=12,
)


def test_the_example_of_rfc_8785_has_the_bytes_of_rfc_8785() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '\u20ac$\u000f\nA\'B"\\\\"/',
        "literals": [None, True, False],
    }

    assert (
        canonical_bytes(value)
        == (
            '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
            '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
        ).encode()
    )


def test_names_are_sorted_by_their_utf_16_units() -> None:
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    written = canonical_bytes(dict.fromkeys(names, 0)).decode()

    assert list(json.loads(written)) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize("value", [2**53, -(2**53), math.nan, math.inf, "\ud800", {"\udfff": 1}, ["\ud800"]])
def test_a_value_without_a_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(RecordUnreadableError, match="without a form in RFC 8785"):
        canonical_bytes(value)


@given(PLAIN)
def test_plan_and_record_write_the_same_value_alike(value: Any) -> None:
    assert canonical_bytes(value) == canonical_json(value)


@given(st.floats(-(2**53) + 1, 2**53 - 1))
def test_a_number_is_read_back_as_it_was(number: float) -> None:
    written = canonical_bytes(number)

    assert json.loads(written) == number
    assert canonical_bytes(json.loads(written)) == written


def test_the_digest_of_devices_does_not_depend_on_their_order() -> None:
    assert digest_of_devices(["b", "a"]) == digest_of_devices(iter(["a", "b"]))
    assert digest_of_devices(["a", "b"]) == hashlib.sha256(b'["a","b"]').hexdigest()
    assert len({digest_of_devices(["a"]), digest_of_devices(["a", "b"]), digest_of_devices([])}) == 3
