"""The command ``tuya-ota plan``: what a release in waves would do, before anything is sent."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.cli.connection import add_connection_arguments, read_settings
from airflow_provider_tuya_ota.cli.printed_json import as_json
from airflow_provider_tuya_ota.client import TuyaOTAClient
from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.gate.gate import Gate
from airflow_provider_tuya_ota.rollout.plan.build import plan_release
from airflow_provider_tuya_ota.rollout.plan.cohort import freeze_cohort
from airflow_provider_tuya_ota.rollout.plan.cohort_rule import parse_cohort_rule
from airflow_provider_tuya_ota.rollout.plan.device_timing import DeviceTiming
from airflow_provider_tuya_ota.rollout.plan.dry_run import list_dry_run
from airflow_provider_tuya_ota.rollout.plan.dry_run_text import render_dry_run
from airflow_provider_tuya_ota.rollout.plan.duration import parse_duration
from airflow_provider_tuya_ota.rollout.plan.forecast import forecast_release
from airflow_provider_tuya_ota.rollout.plan.intent_text import NOT_GIVEN
from airflow_provider_tuya_ota.rollout.plan.pace import Pace
from airflow_provider_tuya_ota.rollout.plan.read_candidates import read_candidates
from airflow_provider_tuya_ota.rollout.plan.schedule import parse_schedule
from airflow_provider_tuya_ota.rollout.plan.timetable import require_start

if TYPE_CHECKING:
    import argparse

    from airflow_provider_tuya_ota.rollout.plan.cohort_rule import CohortRule
    from airflow_provider_tuya_ota.rollout.plan.schedule import Schedule

RELEASE: Final = "dry-run"
"""Names the release where nobody names it. The order of the devices depends on the name."""
FIRST: Final = 50
EVERY: Final = "1h"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The arguments, read before anything is sent."""

    rule: CohortRule
    schedule: Schedule
    gate: Gate
    start: datetime
    timing: DeviceTiming
    release_id: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``tuya-ota plan``."""
    devices = parser.add_argument_group("which devices")
    devices.add_argument("--product-key", required=True, help="product of the devices")
    devices.add_argument("--version", required=True, dest="release_version", help="version that the release installs")
    devices.add_argument("--module", default="default", help="OTA module; %(default)s, the whole device, by default")
    devices.add_argument("--source-version", action="append", help="version to upgrade; repeat it; any by default")
    devices.add_argument("--exclude", action="append", metavar="DEVICE", help="device to leave alone; repeat it")
    devices.add_argument("--verify-on", action="append", metavar="DEVICE", help="device of the verification; repeat it")
    course = parser.add_argument_group("in which course")
    course.add_argument(
        "--wave",
        action="append",
        required=True,
        help='"5%%" or "500" in total, or "rest"; last also "platform ALL"; repeat it for each wave',
    )
    course.add_argument("--first", type=int, default=FIRST, help="devices of the first pulse; %(default)s by default")
    growth = course.add_mutually_exclusive_group()
    growth.add_argument("--double-every", help=f"each pulse is twice the one before; {EVERY} by default")
    growth.add_argument("--every", help="each pulse is as large as the first one")
    course.add_argument("--at-most", type=int, help="devices of the largest pulse")
    course.add_argument("--soak", default="24h", help="how long each wave is watched; %(default)s by default")
    course.add_argument("--window", action="append", help='as "Mon-Thu 09:00-16:00 Europe/Berlin"; repeat it')
    course.add_argument("--blackout", action="append", help='as "2026-12-24..2027-01-02"; repeat it')
    course.add_argument("--approve", action="append", metavar="WAVE", help="wave that waits for approval; repeat it")
    course.add_argument("--timeout-in-minutes", type=int, help="timeout of a device")
    course.add_argument("--devices-per-job", type=int, default=200, help="%(default)s by default")
    course.add_argument("--ceiling", default="5%", help="highest acceptable failure rate; %(default)s by default")
    course.add_argument("--confidence", default="95%", help="of the gate; %(default)s by default")
    fleet = parser.add_argument_group("how the forecast takes devices to behave")
    fleet.add_argument("--begins-after", default="9m", help="mean until a device begins; %(default)s by default")
    fleet.add_argument("--takes", default="12m", help="of the device in the middle; %(default)s by default")
    parser.add_argument(
        "--release-id", default=RELEASE, help="decides the order of the devices; %(default)s by default"
    )
    parser.add_argument("--start", help="when the first wave may start, as 2026-12-01T08:00+01:00; now by default")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    add_connection_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read the devices, make the plan and print what it would do. Nothing is created or changed."""
    wanted = _read(arguments)
    settings = read_settings(arguments)
    with TuyaOTAClient(settings) as client:
        listing = client.run(read_candidates(settings, wanted.rule.product_key, wanted.rule.module_name))
    plan = plan_release(wanted.release_id, freeze_cohort(listing.candidates, wanted.rule), wanted.schedule, wanted.gate)
    forecast = forecast_release(
        plan, start=wanted.start, requests_per_second=settings.requests_per_second, timing=wanted.timing
    )
    values = list_dry_run(plan, forecast)
    values["warnings"] += [
        f"Job {job_id} is unfinished and shows no devices yet; some of the cohort may be busy in it."
        for job_id in listing.unclear_jobs
    ]
    if arguments.json:
        print(as_json(values))
    else:
        sys.stdout.write(render_dry_run(values))
    return 0


def _read(arguments: argparse.Namespace) -> _Wanted:
    rule = parse_cohort_rule(
        product_key=arguments.product_key,
        version=arguments.release_version,
        module_name=arguments.module,
        source_versions=_given(arguments.source_version),
        exclude=_given(arguments.exclude),
        verify_on=_given(arguments.verify_on),
    )
    # An empty text was written, and is refused below.
    doubles = EVERY if arguments.every is None and arguments.double_every is None else arguments.double_every
    pace = Pace(
        arguments.first,
        double_every=_given(doubles),
        every=_given(arguments.every),
        at_most=_given(arguments.at_most),
    )
    schedule = parse_schedule(
        waves=arguments.wave,
        pace=pace,
        soak=arguments.soak,
        window=_given(arguments.window),
        blackout=_given(arguments.blackout),
        approve=_given(arguments.approve),
        timeout_in_minutes=_given(arguments.timeout_in_minutes),
        devices_per_job=arguments.devices_per_job,
    )
    gate = Gate(ceiling=arguments.ceiling, confidence=arguments.confidence)
    timing = DeviceTiming(
        begins_after=parse_duration("--begins-after", arguments.begins_after, or_zero=True),
        takes=parse_duration("--takes", arguments.takes),
    )
    return _Wanted(rule, schedule, gate, _parse_start(arguments.start), timing, arguments.release_id)


def _given(value: Any) -> Any:
    # argparse gives None for what was left out.
    return NOT_GIVEN if value is None else value


def _parse_start(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"--start: {short_repr(text)} is no moment, as 2026-12-01T08:00+01:00.") from None
    if start.tzinfo is None:
        raise ConfigurationError(f"--start: {short_repr(text)} has no zone, as 2026-12-01T08:00+01:00.")
    require_start(start)
    return start
