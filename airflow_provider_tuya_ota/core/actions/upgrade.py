"""The operation that starts an upgrade of many devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from airflow_provider_tuya_ota.core.actions.base import Action
from airflow_provider_tuya_ota.core.actions.reading import created
from airflow_provider_tuya_ota.core.actions.rules import (
    matches,
    one_of,
    optional,
    required,
    up_to_items,
    whole_from,
)
from airflow_provider_tuya_ota.core.actions.texts import ID, NAMES
from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.policy.retry import Repeat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.model.entities import Created
    from airflow_provider_tuya_ota.core.wire.reply import Reply

SELECTIONS = ("ALL", "SPECIFIC", "GRAY", "GROUP")
_BELONGS = (
    ("target_device_name", "TargetDeviceName", "SPECIFIC"),
    ("gray_percent", "GrayPercent", "GRAY"),
    ("group_id", "GroupId", "GROUP"),
)
"""Parameters that belong to one selection: it needs them, and no other selection may have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOTAStaticUpgradeJob(Action["Created"]):
    """Start a batch upgrade: every selected device that is online is offered the firmware at once.

    Source: https://developer.tuya.com/en/docs/tuya-iot/CreateOTAStaticUpgradeJob?id=Kf0lppuhnbyun .

    :param firmware_id: firmware, verified or created as not needing verification.
    :param product_key: product of the devices.
    :param target_selection: ALL, SPECIFIC, GRAY or GROUP.
    :param src_version: versions to upgrade; Alibaba Cloud IoT accepts at most 10, and only with ALL and GRAY.
    :param retry_interval: minutes until a failed device is tried again: 0, 10, 30, 60 or 1440; needs ``retry_count``.
    :param retry_count: 1, 2 or 5.
    :param timeout_in_minutes: 1 to 1440, per device from its first progress report on; left out, it may take any time.
    :param gray_percent: with GRAY, whole percent as text, 1 to 100.
    :param target_device_name: with SPECIFIC; Alibaba Cloud IoT accepts at most 200.
    :param need_push: True by default at the platform: online devices are offered the firmware; if False, they have to
        ask.
    :param need_confirm: False by default at the platform; with True, each device waits until its task is confirmed.
    :param download_protocol: HTTPS, the only one.
    :param group_id: with GROUP.
    """

    name: ClassVar[str] = "CreateOTAStaticUpgradeJob"
    repeat: ClassVar[Repeat] = Repeat.DUPLICATES

    firmware_id: str = required("FirmwareId", str, ID)
    product_key: str = required("ProductKey", str, ID)
    target_selection: str = required("TargetSelection", str, one_of(*SELECTIONS))
    src_version: Sequence[str] | None = optional("SrcVersion", list, NAMES, advisory=(up_to_items(10),))
    retry_interval: int | None = optional("RetryInterval", int, one_of(0, 10, 30, 60, 1440))
    retry_count: int | None = optional("RetryCount", int, one_of(1, 2, 5))
    timeout_in_minutes: int | None = optional("TimeoutInMinutes", int, whole_from(1, 1440))
    gray_percent: str | None = optional(
        "GrayPercent", str, matches(r"[1-9][0-9]?|100", "a whole percent as text, 1 to 100")
    )
    target_device_name: Sequence[str] | None = optional("TargetDeviceName", list, NAMES, advisory=(up_to_items(200),))
    need_push: bool | None = optional("NeedPush", bool)
    need_confirm: bool | None = optional("NeedConfirm", bool)
    download_protocol: str | None = optional("DownloadProtocol", str, one_of("HTTPS"))
    group_id: str | None = optional("GroupId", str, ID)

    def __post_init__(self) -> None:
        Action.__post_init__(self)
        for python_name, wire, selection in _BELONGS:
            given = getattr(self, python_name) is not None
            if given == (self.target_selection == selection):
                continue
            # Device names beside ALL are no choice of devices: every device of the product would be flashed.
            raise InvalidParameterError(
                field=f"{python_name} ({wire})",
                problem=f"is {'given' if given else 'missing'} with target_selection {self.target_selection}",
                allowed=f"with {selection}, and only with it",
            )
        if self.retry_interval is not None and self.retry_count is None:
            raise InvalidParameterError(
                field="retry_count (RetryCount)", problem="is missing beside retry_interval", allowed="1, 2, 5"
            )

    def advisories(self) -> list[str]:
        """Warn of source versions with a selection for which Alibaba Cloud IoT, the upstream API, refuses them."""
        found = Action.advisories(self)
        if self.src_version is not None and self.target_selection not in {"ALL", "GRAY"}:
            found.append(
                f"{self.name}: src_version (SrcVersion) with {self.target_selection} is outside what Alibaba Cloud IoT,"
                " the upstream API, accepts (only with ALL and GRAY); it is sent nevertheless"
            )
        return found

    def parse(self, reply: Reply) -> Created:
        """Read the job's id, from the same fields as that of a verification."""
        return created(reply, "JobId", "FirmwareId", other_than=self.firmware_id)
