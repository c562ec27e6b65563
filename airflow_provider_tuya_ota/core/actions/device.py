"""Operations on devices and products that a release needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from airflow_provider_tuya_ota.core.actions.base import Action
from airflow_provider_tuya_ota.core.actions.reading import (
    about,
    read_items,
    read_page,
    required_device,
    required_id,
    required_name,
)
from airflow_provider_tuya_ota.core.actions.rules import optional, required, up_to_items, whole_from
from airflow_provider_tuya_ota.core.actions.texts import ID, IDS, NAME, NAMES
from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.model.entities import Device, DevicePresence, ModuleVersion, Page, Product
from airflow_provider_tuya_ota.core.model.states import DeviceStatus
from airflow_provider_tuya_ota.core.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.wire.record import Record
    from airflow_provider_tuya_ota.core.wire.reply import Reply

MOST_NUMBERED = 10_000
"""Devices that page numbers reach; NextToken is needed for further ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryDevice(Action[Page[Device]]):
    """Read one page of a product's devices. The answer contains device secrets, which are not shown.

    Source: https://developer.tuya.com/cn/docs/tuya-iot/QueryDevice?id=Kdxqbm7133qj3 .

    :param product_key: product.
    :param page_size: 1 to 50; the platform takes 10 when it is left out.
    :param current_page: from 1; the platform takes 1 when it is left out.
    :param next_token: of the last answer; needed beyond the first 10,000 devices.
    """

    name: ClassVar[str] = "QueryDevice"
    largest_page: ClassVar[int] = 50

    product_key: str = required("ProductKey", str, ID)
    page_size: int | None = optional("PageSize", int, whole_from(1, 50))
    current_page: int | None = optional("CurrentPage", int, whole_from(1, 2**31 - 1))
    next_token: str | None = optional("NextToken", str)

    def __post_init__(self) -> None:
        Action.__post_init__(self)
        reach = (self.page_size or 10) * (self.current_page or 1)
        if reach > MOST_NUMBERED and self.next_token is None:
            raise InvalidParameterError(
                field="next_token (NextToken)",
                problem=f"is missing for page {self.current_page} of {self.page_size or 10} devices",
                allowed=f"the token of the page before, beyond the first {MOST_NUMBERED:,} devices",
            )

    def parse(self, reply: Reply) -> Page[Device]:
        """Read the page."""
        page = read_page(
            reply, "Data", "DeviceName", lambda item: _device(about(item, self.name, ProductKey=self.product_key))
        )
        return Page(items=page.items, total=page.total, next_token=reply.fields.exact("NextToken"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchGetDeviceState(Action[list[DevicePresence]]):
    """Read whether up to 50 devices are online.

    Source: https://developer.tuya.com/cn/docs/tuya-iot/BatchGetDeviceState?id=Kdxqcv3n9dr8s .

    :param product_key: with ``device_name``.
    :param device_name: names; either these or ``iot_id``.
    :param iot_id: ids that are unique in the account.
    """

    name: ClassVar[str] = "BatchGetDeviceState"

    product_key: str | None = optional("ProductKey", str, ID)
    device_name: Sequence[str] | None = optional("DeviceName", list, NAMES, up_to_items(50))
    iot_id: Sequence[str] | None = optional("IotId", list, IDS, up_to_items(50))

    def __post_init__(self) -> None:
        Action.__post_init__(self)
        by_name = self.product_key is not None and self.device_name is not None
        if by_name == (self.iot_id is not None):
            raise InvalidParameterError(
                field="device_name (DeviceName)",
                problem="and iot_id are both given, or neither with what it needs",
                allowed="product_key with device_name, or iot_id",
            )

    def parse(self, reply: Reply) -> list[DevicePresence]:
        """Read the list, which is not under ``Data``."""
        key = "DeviceStatusList" if "DeviceStatusList" in reply.fields else "Data"
        return [
            _presence(about(item, self.name, ProductKey=self.product_key))
            for item in reply.fields.items_of(key, item_key="Status")
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryProduct(Action[Product]):
    """Read one product.

    Source: https://developer.tuya.com/en/docs/tuya-iot/product-management?id=Keyc3u4njzww8 .

    :param product_key: product.
    """

    name: ClassVar[str] = "QueryProduct"

    product_key: str = required("ProductKey", str, ID)

    def parse(self, reply: Reply) -> Product:
        """Read the product."""
        return _product(about(reply.fields.record("Data"), self.name, ProductKey=self.product_key))


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryProductList(Action[Page[Product]]):
    """Read one page of the account's products.

    Source: https://help.aliyun.com/zh/marketplace/queryproductlist .

    :param current_page: from 1.
    :param page_size: 1 to 200.
    """

    name: ClassVar[str] = "QueryProductList"
    largest_page: ClassVar[int] = 200

    current_page: int = required("CurrentPage", int, whole_from(1, 2**31 - 1))
    page_size: int = required("PageSize", int, whole_from(1, 200))

    def parse(self, reply: Reply) -> Page[Product]:
        """Read the page; the list is under ``Data.List``, and the totals are beside it."""
        data = reply.fields.record("Data")
        return Page(items=read_items(self.name, data, "List", "ProductKey", _product), total=data.whole("Total"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOTAModuleVersionsByDevice(Action[Page[ModuleVersion]]):
    """Read one page of the versions that a device has reported for its modules.

    Source: https://developer.tuya.com/en/docs/tuya-iot/ListOTAModuleVersionsByDevice?id=Kf0lri835b57s .

    :param current_page: from 1.
    :param page_size: 1 to 200.
    :param product_key: with ``device_name``; optional at the vendor, needed at Alibaba Cloud IoT unless ``iot_id`` is
        given.
    :param device_name: name of the device.
    :param iot_id: id of the device that is unique in the account.
    """

    name: ClassVar[str] = "ListOTAModuleVersionsByDevice"
    largest_page: ClassVar[int] = 200

    current_page: int = required("CurrentPage", int, whole_from(1, 2**31 - 1))
    page_size: int = required("PageSize", int, whole_from(1, 200))
    product_key: str | None = optional("ProductKey", str, ID)
    device_name: str | None = optional("DeviceName", str, NAME)
    iot_id: str | None = optional("IotId", str, ID)

    def advisories(self) -> list[str]:
        """Warn of a call that does not identify the device."""
        return Action.advisories(self) + which_device(self.name, self.product_key, self.device_name, self.iot_id)

    def parse(self, reply: Reply) -> Page[ModuleVersion]:
        """Read the page."""
        asked = {"ProductKey": self.product_key, "DeviceName": self.device_name, "IotId": self.iot_id}
        return read_page(reply, "Data", "ModuleName", lambda item: _module_version(about(item, self.name, **asked)))


def which_device(action: str, product_key: str | None, device_name: str | None, iot_id: str | None) -> list[str]:
    """Warn where neither product key and name nor the id identify the device."""
    if iot_id or (product_key and device_name):
        return []
    needed = "needs product_key with device_name, or iot_id; it is sent nevertheless"
    return [f"{action}: Alibaba Cloud IoT, the upstream API, {needed}"]


def _device(item: Record) -> Device:
    return Device(
        device_name=required_device(item, "DeviceName", QueryDevice.name),
        product_key=item.id("ProductKey"),
        status=DeviceStatus(item.name("DeviceStatus")),
        iot_id=item.id("IotId"),
        device_secret=Secret(item.exact("DeviceSecret")),
    )


def _presence(item: Record) -> DevicePresence:
    return DevicePresence(
        device_name=item.device("DeviceName"),
        iot_id=item.id("IotId"),
        status=DeviceStatus(item.name("Status")),
        last_online_at=item.name("LastOnlineTime"),
    )


def _product(item: Record) -> Product:
    return Product(
        product_key=required_id(item, "ProductKey", QueryProduct.name),
        name=item.name("ProductName"),
        device_count=item.whole("DeviceCount"),
    )


def _module_version(item: Record) -> ModuleVersion:
    return ModuleVersion(
        device_name=item.device("DeviceName"),
        iot_id=item.id("IotId"),
        module_name=required_name(item, "ModuleName", ListOTAModuleVersionsByDevice.name),
        version=item.name("ModuleVersion"),
        product_key=item.id("ProductKey"),
    )
