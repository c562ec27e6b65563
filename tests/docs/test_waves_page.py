"""The page of waves has the phases, causes and events that the code has."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from airflow_provider_tuya_ota.rollout.wave.decision import WaveDecision

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/waves.md").read_text("utf-8")


def test_pictures_and_tables_are_those_of_today_s_code() -> None:
    script = runpy.run_path(str(ROOT / "docs/generate_waves.py"))

    assert script["page"]() == PAGE, "run make docs"
    assert all("| |" not in part.replace("  ", " ") for part in script["parts"]().values()), "each has a meaning"


def test_every_decision_is_explained() -> None:
    assert set(re.findall(r"^\| `([A-Za-z]+)` \| ", PAGE.partition("## Phases")[0], re.MULTILINE)) == {
        kind.__name__ for kind in WaveDecision.__args__
    }
