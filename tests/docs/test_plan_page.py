"""The page about the plan shows what the code prints and refuses."""

from __future__ import annotations

import ast
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.plan.build import plan_release
from airflow_provider_tuya_ota.rollout.plan.candidate import Candidate
from airflow_provider_tuya_ota.rollout.plan.cohort import Exclusion, freeze_cohort
from airflow_provider_tuya_ota.rollout.plan.cohort_rule import parse_cohort_rule
from airflow_provider_tuya_ota.rollout.plan.dry_run import list_dry_run
from airflow_provider_tuya_ota.rollout.plan.dry_run_text import render_dry_run
from airflow_provider_tuya_ota.rollout.plan.forecast import forecast_release
from airflow_provider_tuya_ota.rollout.plan.pace import Pace
from airflow_provider_tuya_ota.rollout.plan.schedule import parse_schedule
from airflow_provider_tuya_ota.rollout.plan.wave import parse_waves

PAGE = Path(__file__).parents[2] / "docs/plan.md"
TEXT = PAGE.read_text(encoding="utf-8")


def rows(after: str) -> list[list[str]]:
    """Give the cells of the first table behind a text."""
    table = TEXT.partition(after)[2].partition("\n|---")[2].partition("\n")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]


def example() -> str:
    """Print the plan of the page's command for 10,000 devices."""
    listed = (
        Candidate(
            name=f"lamp-{at:05}",
            product_key="k1demoproduct",
            module_name="default",
            version="2.0.0" if at % 10 == 0 else f"1.{at % 3 // 2}.0",
            busy_job="1836" if at == 1 else None,
        )
        for at in range(10_000)
    )
    schedule = parse_schedule(
        waves=["1%", "10%", "50%", "rest"],
        pace=Pace(first=50, double_every="1h"),
        soak="24h",
        window=["Mon-Thu 09:00-16:00 Europe/Berlin"],
        timeout_in_minutes=60,
    )
    rule = parse_cohort_rule(product_key="k1demoproduct", version="2.0.0")
    plan = plan_release("dry-run", freeze_cohort(listed, rule), schedule, Gate())
    forecast = forecast_release(plan, start=datetime(2026, 12, 1, 9, tzinfo=UTC), requests_per_second=10)
    return render_dry_run(list_dry_run(plan, forecast))


def test_the_example_is_what_the_command_prints() -> None:
    assert re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL) == [example()]


def test_every_reason_for_an_exclusion_is_listed_in_its_order() -> None:
    assert [row[0] for row in rows("## Which devices")] == [reason.value for reason in Exclusion]


@pytest.mark.parametrize(("argument", "value", "why"), rows("<!-- refusals"))
def test_what_the_page_calls_refused_is_refused_for_that_reason(argument: str, value: str, why: str) -> None:
    arguments: dict[str, Any] = {
        "waves": ["10%", "rest"],
        "pace": Pace(first=50, every="1h"),
        "soak": "24h",
        "timeout_in_minutes": 60,
    }
    with pytest.raises(InvalidParameterError) as caught:
        parse_schedule(**arguments | {argument.strip("`"): ast.literal_eval(value.strip("`"))})

    assert caught.value.field == argument.strip("`")
    assert caught.value.problem.startswith(why)


def test_the_waves_of_the_page_are_waves() -> None:
    texts = [text for cell, _ in rows("## Waves") for text in re.findall(r"`([^`]+)`", cell)]

    assert len(texts) == 11
    for text in texts:
        entry = ast.literal_eval(text) if text.startswith("[") else text.replace("<group id>", "g-1")
        assert parse_waves(["1 device", entry] if text.startswith("platform") else [entry])[-1].text


if __name__ == "__main__":
    PAGE.write_text(re.sub(r"```text\n.*?```", lambda _: f"```text\n{example()}```", TEXT, flags=re.DOTALL), "utf-8")
