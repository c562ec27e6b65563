"""The rule by which candidates enter the cohort, checked when the Dag is parsed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.plan.intent_text import NOT_GIVEN, NotGiven, require_names, require_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ANY: Final = "any"
"""What stands for all source versions. It has to be written: an empty list is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortRule:
    """Which devices a release takes.

    :param product_key: product of the devices.
    :param module_name: OTA module that is upgraded; ``default`` is the whole device.
    :param version: version that the release installs.
    :param source_versions: versions that may be upgraded, sorted; None for any.
    :param exclude: devices that the release leaves alone, sorted.
    :param verify_on: devices that take the firmware before the first wave, and so belong to none, sorted.
    :param strata: attributes that build strata; ``version`` is the version that a device comes from.
    """

    product_key: str
    module_name: str
    version: str
    source_versions: tuple[str, ...] | None
    exclude: tuple[str, ...]
    verify_on: tuple[str, ...]
    strata: tuple[str, ...]
    excluded_names: frozenset[str] = field(init=False, repr=False, compare=False)
    verification_names: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "excluded_names", frozenset(self.exclude))
        object.__setattr__(self, "verification_names", frozenset(self.verify_on))

    def allows_source(self, version: str) -> bool:
        """Whether a device may come from a version."""
        return self.source_versions is None or version in self.source_versions

    def to_dict(self) -> dict[str, Any]:
        """Give canonical values."""
        sources = None if self.source_versions is None else list(self.source_versions)
        return {
            "product_key": self.product_key,
            "module_name": self.module_name,
            "version": self.version,
            "source_versions": sources,
            "exclude": list(self.exclude),
            "verify_on": list(self.verify_on),
            "strata": list(self.strata),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what :meth:`to_dict` gave.

        :raises KeyError: a name is missing.
        """
        sources = values["source_versions"]
        return cls(
            product_key=values["product_key"],
            module_name=values["module_name"],
            version=values["version"],
            source_versions=None if sources is None else tuple(sources),
            exclude=tuple(values["exclude"]),
            verify_on=tuple(values["verify_on"]),
            strata=tuple(values["strata"]),
        )


def parse_cohort_rule(
    *,
    product_key: Any,
    version: Any,
    module_name: Any = "default",
    source_versions: Sequence[str] | str | NotGiven = NOT_GIVEN,
    exclude: Sequence[str] | NotGiven = NOT_GIVEN,
    verify_on: Sequence[str] | NotGiven = NOT_GIVEN,
    strata: Sequence[str] | NotGiven = NOT_GIVEN,
) -> CohortRule:
    """Read the rule from what the author of a Dag writes.

    :param source_versions: a list, or ``any``; left out, it is ``any``, as at the platform.
    :param exclude: names; none if left out.
    :param verify_on: names; none if left out.
    :param strata: names of attributes; ``["version"]`` if left out.
    :raises InvalidParameterError: a value is missing, empty or no name; a device is both excluded and verified on.
    """
    is_any = source_versions is NOT_GIVEN or source_versions == ANY
    sources = None if is_any else _sorted("source_versions", source_versions)
    rule = CohortRule(
        product_key=require_text("product_key", product_key, "the key of a product"),
        module_name=require_text("module_name", module_name, "the name of an OTA module"),
        version=require_text("version", version, "a version"),
        source_versions=sources,
        exclude=_sorted("exclude", exclude),
        verify_on=_sorted("verify_on", verify_on),
        strata=("version",) if strata is NOT_GIVEN else require_names("strata", strata),
    )
    for name in rule.verify_on:
        if name in rule.excluded_names:
            raise InvalidParameterError(
                field="verify_on",
                problem=f"{short_repr(name)} is in exclude too",
                allowed="devices that are not excluded",
            )
    if rule.source_versions == (rule.version,):
        raise InvalidParameterError(
            field="source_versions", problem="names only the version that is installed", allowed="versions to upgrade"
        )
    return rule


def _sorted(name: str, value: Any) -> tuple[str, ...]:
    return () if value is NOT_GIVEN else tuple(sorted(require_names(name, value)))
