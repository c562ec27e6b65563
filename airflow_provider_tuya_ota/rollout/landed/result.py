"""Which versions devices run that reported success."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_tuya_ota.core.errors import LandedVersionError
from airflow_provider_tuya_ota.core.wire.redaction import safe_name
from airflow_provider_tuya_ota.rollout.record.finish import LandedCheck

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.record.finish import VersionFound

SAMPLE: Final = 50
"""Devices of each class that a summary names; the log and the record name all."""
VERSIONS: Final = 20
"""Versions that a summary counts by name."""
NAMED: Final = 5
"""Devices of each class that an error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LandedVersions:
    """The versions of devices that reported success. Each device that was asked is in one class.

    :param version: the version that they are to run.
    :param module_name: of this module.
    :param reported: devices that reported success.
    :param on_target: devices that run the version: these have landed.
    :param elsewhere: devices that reported success and run another version.
    :param not_known: devices of which the platform knows no version.
    """

    version: str
    module_name: str
    reported: int
    on_target: int
    elsewhere: tuple[VersionFound, ...]
    not_known: tuple[str, ...]

    @property
    def checked(self) -> int:
        """How many devices were asked."""
        return self.on_target + len(self.elsewhere) + len(self.not_known)

    @property
    def is_sample(self) -> bool:
        """Whether only some of those that reported success were asked."""
        return self.checked < self.reported

    @property
    def has_landed(self) -> bool:
        """Whether each device that was asked runs the version. Where nobody was asked, nothing has landed."""
        return self.on_target > 0 and not (self.elsewhere or self.not_known)

    def entry(self, *, delay: float) -> LandedCheck:
        """Give the entry of a release record.

        The evidence of the release has to be corrected with the devices of ``elsewhere`` before; else it contradicts
        the entry.

        :param delay: seconds between the end of the last update and this check.
        """
        return LandedCheck(
            checked=self.checked,
            is_sample=self.is_sample,
            delay=delay,
            on_target=self.on_target,
            elsewhere=self.elsewhere,
            not_known=self.not_known,
        )

    def summary(self) -> dict[str, Any]:
        """Give plain JSON values of bounded size: all numbers, and the first fifty devices of each class."""
        versions = Counter(one.version for one in self.elsewhere).most_common()
        return {
            "version": self.version,
            "module_name": self.module_name,
            "reported": self.reported,
            "checked": self.checked,
            "is_sample": self.is_sample,
            "on_target": self.on_target,
            "elsewhere": len(self.elsewhere),
            "not_known": len(self.not_known),
            "elsewhere_by_version": dict(versions[:VERSIONS]),
            "elsewhere_on_further_versions": sum(number for _, number in versions[VERSIONS:]),
            "elsewhere_devices": [
                {"device": safe_name(one.device), "version": one.version} for one in self.elsewhere[:SAMPLE]
            ],
            "not_known_devices": [safe_name(name) for name in self.not_known[:SAMPLE]],
        }

    def __str__(self) -> str:
        sample = f" (a sample of {self.reported:,})" if self.is_sample else ""
        text = f"{self.on_target:,} of {self.checked:,} checked devices{sample} run version {self.version}"
        if self.elsewhere:
            named = [f"{safe_name(one.device)} ({one.version})" for one in self.elsewhere[:NAMED]]
            text += f"; {len(self.elsewhere):,} run another one: {_some(named, len(self.elsewhere))}"
        if self.not_known:
            named = [safe_name(name) for name in self.not_known[:NAMED]]
            text += f"; of {len(self.not_known):,} no version is known: {_some(named, len(self.not_known))}"
        return text

    def require_landed(self) -> None:
        """Refuse a result in which a device does not run the version.

        :raises LandedVersionError: naming some of the devices; also where no device has reported success.
        """
        if not self.checked:
            raise LandedVersionError("no device has reported success, so none was asked for its version")
        if not self.has_landed:
            lost = len(self.elsewhere) + len(self.not_known)
            raise LandedVersionError(f"{lost:,} devices reported success and do not run the version: {self}")


def _some(named: list[str], number: int) -> str:
    return f"{', '.join(named)}{f' and {number - len(named):,} more' if number > len(named) else ''}"
