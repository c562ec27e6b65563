"""Which devices of a cohort each wave adds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.plan.wave import WaveKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.rollout.plan.cohort import Cohort
    from airflow_provider_tuya_ota.rollout.plan.wave import Wave


def assign_devices(waves: Sequence[Wave], cohort: Cohort, order: Sequence[str]) -> list[tuple[str, ...]]:
    """Give the devices that each wave adds, in the order in which they start; none for a wave of the platform.

    A device that a later wave names is kept for that wave.

    :param order: all devices of the cohort in start order.
    :raises InvalidParameterError: a wave adds nobody, or asks for devices that the cohort does not have.
    """
    _require_platform_fits(waves[-1], cohort)
    named = {name for wave in waves for name in wave.names}
    _require_in_cohort(named, cohort, order)
    unnamed = [name for name in order if name not in named]
    taken, started = 0, 0
    found: list[tuple[str, ...]] = []
    for wave in waves:
        devices = wave.names
        if wave.kind in {WaveKind.SHARE, WaveKind.COUNT}:
            number = _number_to_add(wave, len(order), started, len(unnamed) - taken)
            devices = tuple(unnamed[taken : taken + number])
            taken += number
        found.append(devices)
        started += len(devices)
    return found


def _number_to_add(wave: Wave, size: int, started: int, left: int) -> int:
    target = wave.target(size)
    if target <= started:
        raise _refused(
            f"wave {wave.number} ({wave.text}) adds nobody: {started:,} of {size:,} devices have started before it, and"
            f" {wave.text} is {target:,} in total",
            "waves that rise; each counts the waves before",
        )
    if target - started > left:
        raise _refused(
            f"wave {wave.number} ({wave.text}) needs {target - started:,} more devices and {left:,} are left: the"
            f" cohort has {size:,}, those that other waves name included",
            "waves that the cohort can fill",
        )
    return target - started


def _require_in_cohort(named: set[str], cohort: Cohort, order: Sequence[str]) -> None:
    missing = sorted(named.difference(order))
    if missing:
        reason = cohort.reason_of(missing[0])
        why = f"is excluded: {reason.value}" if reason else "is no device of the product"
        more = f"; {len(missing) - 1} more named devices are not in the cohort" if missing[1:] else ""
        raise _refused(f"{short_repr(missing[0])} {why}{more}", "names of devices in the cohort")


def _require_platform_fits(last: Wave, cohort: Cohort) -> None:
    # The platform does not know the cohort's rule: it would flash the devices that the author keeps out.
    if last.kind is not WaveKind.PLATFORM:
        return
    if cohort.rule.exclude:
        problem = f"{last.text} may take the devices that exclude names: the platform chooses the devices"
        raise _refused(problem, "no wave of the platform beside exclude")
    if cohort.rule.source_versions is not None and last.selection == "GROUP":
        problem = f"{last.text} may take devices of any source version: the platform limits them only with ALL and GRAY"
        raise _refused(problem, "no platform GROUP beside source_versions")


def _refused(problem: str, allowed: str) -> InvalidParameterError:
    return InvalidParameterError(field="waves", problem=problem, allowed=allowed)
