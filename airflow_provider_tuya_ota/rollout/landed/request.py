"""What a check of landed versions asks for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.actions import (
    CancelOTATaskByDevice,
    CreateOTAFirmware,
    CreateOTAModule,
    ListOTATaskByJob,
    QueryDevice,
)
from airflow_provider_tuya_ota.core.durations import parse_seconds
from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.plan.rank import rank_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FASTEST: Final = 1000.0
"""Requests per second that a connection may allow at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandedRequest:
    """A check of the versions that devices of a product report.

    :param product_key: product of the devices.
    :param version: version that they are to run.
    :param module_name: OTA module that was upgraded; ``default`` is the whole device.
    :param sample: how many devices are asked at most; None: all. The same devices are chosen each time.
    :param requests_per_second: limit for this check; that of the connection holds too.
    """

    product_key: str
    version: str
    module_name: str = "default"
    sample: int | None = None
    requests_per_second: float = 5.0

    def __post_init__(self) -> None:
        QueryDevice.require("product_key", self.product_key)
        CreateOTAFirmware.require("dest_version", self.version, called="version")
        CreateOTAModule.require("module_name", self.module_name)
        for name in ("product_key", "version", "module_name"):
            # A text of another type, such as an enum's member, may be written otherwise than it compares.
            object.__setattr__(self, name, str.__str__(getattr(self, name)))
        if self.sample is not None and not (_is_number(self.sample, int) and self.sample >= 1):
            raise InvalidParameterError(
                field="sample", problem=f"{short_repr(self.sample)} is not possible", allowed="1 or more devices"
            )
        rate = self.requests_per_second
        if not (_is_number(rate, int | float) and 0 < rate <= FASTEST):
            raise InvalidParameterError(
                field="requests_per_second",
                problem=f"{short_repr(rate)} is not allowed",
                allowed=f"a number above 0, at most {FASTEST:g}",
            )

    def chosen(self, devices: Sequence[str]) -> tuple[str, ...]:
        """Give the devices that are asked: all of them, or the sample, in the order in which they are named."""
        if self.sample is None or self.sample >= len(devices):
            return tuple(devices)
        key = f"{self.product_key} {self.module_name} {self.version}"
        lowest = set(sorted(devices, key=lambda name: rank_of(key, name))[: self.sample])
        return tuple(name for name in devices if name in lowest)


def parse_rechecks(given: Any) -> tuple[float, ...]:
    """Read when to check again.

    :param given: durations from the first check, as :func:`parse_seconds` reads them.
    :returns: seconds.
    :raises InvalidParameterError: it is no list of durations, or they do not rise.
    """
    if not isinstance(given, list | tuple):
        raise _no_rechecks(f"{short_repr(given)} is no list")
    delays = tuple(parse_seconds("recheck_after", one) for one in given)
    if any(later <= earlier for earlier, later in pairwise(delays)):
        raise _no_rechecks(f"{short_repr(given)} does not rise")
    return delays


def _no_rechecks(problem: str) -> InvalidParameterError:
    return InvalidParameterError(
        field="recheck_after", problem=problem, allowed="a list of rising durations such as ['1h', '24h'], or seconds"
    )


def require_devices(names: Any) -> tuple[str, ...]:
    """Check the names of devices that reported success.

    :raises InvalidParameterError: they are no list of names, the list is empty, or has a name twice.
    """
    CancelOTATaskByDevice.require("device_name", names, called="device_names")
    return tuple(map(str.__str__, names))


def require_jobs(job_ids: Iterable[Any]) -> tuple[str, ...]:
    """Check the ids of jobs whose successes are asked.

    :raises InvalidParameterError: one is no id, there is none, or one is there twice.
    """
    given = list(job_ids)
    for job_id in given:
        ListOTATaskByJob.require("job_id", job_id, called="job_ids")
    if not given or len(set(given)) != len(given):
        problem = "has a job twice" if given else "is an empty list"
        raise InvalidParameterError(field="job_ids", problem=problem, allowed="at least one job, each once")
    return tuple(map(str.__str__, given))


def _is_number(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
