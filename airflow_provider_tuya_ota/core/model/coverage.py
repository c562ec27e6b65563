"""A job succeeds only with exactly the devices that were asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.model.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_provider_tuya_ota.core.model.verdict import Verdict

NAMED: Final = 10
"""Devices that a line names."""


def require_coverage(verdict: Verdict, names: Collection[str] | None, expected: Collection[str]) -> Verdict:
    """Accept a success only where the job's device tasks are exactly those of the devices asked for.

    Otherwise the verdict becomes ``SETTLING``, because the list of tasks may lag. Where that lasts, the wait fails as
    it does after any other contradiction. A verdict that is no success is returned as it is.

    :param names: devices of all the job's tasks; None where there are too many to read.
    :param expected: devices that were asked for; empty where the platform chose them.
    """
    if not expected or verdict.outcome is not Outcome.SUCCEEDED:
        return verdict
    why = _difference(verdict, names, expected)
    return replace(verdict, outcome=Outcome.SETTLING, why=why) if why else verdict


def _difference(verdict: Verdict, names: Collection[str] | None, expected: Collection[str]) -> str:
    if names is None:
        total = sum(verdict.counts.values())
        return f"it has {total} device tasks, and {len(expected)} devices were asked for"
    found, wanted = set(names), set(expected)
    said = []
    if missing := wanted - found:
        said.append(f"it has no task for {_listed(missing)}")
    if additional := found - wanted:
        said.append(f"it has tasks for devices that nobody asked for: {_listed(additional)}")
    return "; ".join(said)


def _listed(names: Collection[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(sorted(names)[:NAMED]) + more
