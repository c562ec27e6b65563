"""A device that a release may take, as the platform describes it before the release."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.missing import NOTHING
from airflow_provider_tuya_ota.core.short_repr import short_repr

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One device of the product.

    :param name: the device's name, unique in its product.
    :param product_key: the product that it belongs to.
    :param module_name: OTA module that ``version`` belongs to.
    :param version: version that the device has reported for the module; None where it has reported none.
    :param busy_job: id of an unfinished job that has a device task of it; None where there is none. An empty text means
        that the job is not known, so the device is busy.
    :param attributes: what strata are built from, for example ``region`` or ``model``.
    :raises InvalidParameterError: the name is no name.
    """

    name: str
    product_key: str
    module_name: str
    version: str | None
    busy_job: str | None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name: Any = self.name
        if not isinstance(name, str) or not name.strip() or name in NOTHING or not name.isprintable():
            raise InvalidParameterError(
                field="candidates", problem=f"{short_repr(name)} is not the name of a device", allowed="printable names"
            )

    @property
    def known_version(self) -> str:
        """The reported version; empty where none is known or where the text means a missing value."""
        version = (self.version or "").strip()
        return "" if version in NOTHING else version

    def attribute(self, name: str) -> str:
        """Give the value of an attribute, or of ``version``; empty where the device has none."""
        return self.known_version if name == "version" else self.attributes.get(name, "").strip()
