"""The page of the gate has the numbers that the code computes."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from airflow_provider_tuya_ota.rollout.gate.gate import COUNTABLE, Gate
from airflow_provider_tuya_ota.rollout.gate.outcomes import EXCLUSIONS, FAILURES, DeviceOutcome

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/gate.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "function"), [("docs/gate.md", "page"), ("docs/images/gate-boundaries.svg", "picture")]
)
def test_tables_and_picture_are_those_of_today_s_code(name: str, function: str) -> None:
    script = runpy.run_path(str(ROOT / "docs/generate_gate.py"))

    assert (ROOT / name).read_text("utf-8") == script[function](), "run make docs"


def test_every_outcome_is_explained_with_whether_it_counts() -> None:
    explained = dict(re.findall(r"^\| `([a-z ]+)` \| .* \| (yes|always|if asked for|no) \|$", PAGE, re.MULTILINE))

    counts = {
        **dict.fromkeys(FAILURES, "yes"),
        **dict.fromkeys(EXCLUSIONS, "no"),
        **dict.fromkeys(set(COUNTABLE) - set(FAILURES), "if asked for"),
        DeviceOutcome.OTHER: "always",
    }
    assert explained == counts


def test_the_numbers_of_held_strata_are_those_of_the_code() -> None:
    first = Gate().rules.rest_boundaries(4, 1).first_clean_promotion

    assert f"with one of four strata held, {first} clean devices instead of 81" in PAGE
