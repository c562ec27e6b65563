"""Small fleets, cohorts and plans for the tests of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.plan.build import plan_release
from airflow_provider_tuya_ota.rollout.plan.candidate import Candidate
from airflow_provider_tuya_ota.rollout.plan.cohort import freeze_cohort
from airflow_provider_tuya_ota.rollout.plan.cohort_rule import parse_cohort_rule
from airflow_provider_tuya_ota.rollout.plan.pace import Pace
from airflow_provider_tuya_ota.rollout.plan.schedule import parse_schedule

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.plan.cohort import Cohort
    from airflow_provider_tuya_ota.rollout.plan.cohort_rule import CohortRule
    from airflow_provider_tuya_ota.rollout.plan.release_plan import ReleasePlan
    from airflow_provider_tuya_ota.rollout.plan.schedule import Schedule

PRODUCT = "k1demoproduct"
GATE = Gate(ceiling="5%")
HOURLY = Pace(first=50, double_every="1h")


def candidate(name: str, **changes: Any) -> Candidate:
    """Build a device that any rule takes."""
    values: dict[str, Any] = {
        "product_key": PRODUCT,
        "module_name": "default",
        "version": "1.0.0",
        "busy_job": None,
        "attributes": {},
    }
    return Candidate(name=name, **(values | changes))


def fleet(number: int, **changes: Any) -> list[Candidate]:
    """Build so many devices, ``lamp-0000`` and following."""
    return [candidate(f"lamp-{at:04}", **changes) for at in range(number)]


def rule(**changes: Any) -> CohortRule:
    """Build a rule for version 2.0.0."""
    return parse_cohort_rule(**({"product_key": PRODUCT, "version": "2.0.0"} | changes))


def cohort(number: int, **changes: Any) -> Cohort:
    """Build a cohort of so many devices."""
    return freeze_cohort(fleet(number), rule(**changes))


def schedule(**changes: Any) -> Schedule:
    """Build a schedule of three waves."""
    return parse_schedule(**({"waves": ["1%", "10%", "rest"], "pace": HOURLY, "soak": "24h"} | changes))


def plan(number: int = 1000, **changes: Any) -> ReleasePlan:
    """Build the plan of a fleet of so many devices; changes are those of the schedule."""
    return plan_release("release-1", cohort(number), schedule(**changes), GATE)
