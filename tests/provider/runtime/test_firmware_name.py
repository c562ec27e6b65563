"""The name of a firmware to which the author of the Dag gave none."""

from __future__ import annotations

import pytest

from airflow_provider_tuya_ota.runtime.firmware_name import default_name


@pytest.mark.parametrize(
    ("module", "name"), [(None, "k1demo-1_2"), ("default", "k1demo-1_2"), ("wifi", "k1demo-wifi-1_2")]
)
def test_a_name_shows_product_version_and_any_module_but_the_default_one(module: str | None, name: str) -> None:
    assert default_name("k1demo", module, "1.2") == name


def test_a_name_that_just_fits_is_not_cut_off() -> None:
    version = "1" * (40 - len("k1demo-"))

    assert default_name("k1demo", None, version) == f"k1demo-{version}"
    assert len(default_name("k1demo", None, version + "1")) == 40


def test_a_name_begins_with_a_letter_or_a_digit() -> None:
    assert default_name("-demo", None, "1.2").startswith("p-demo-1_2-")
