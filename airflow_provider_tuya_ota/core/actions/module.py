"""OTA modules: the parts of a device that are upgraded separately."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from airflow_provider_tuya_ota.core.actions.base import Action
from airflow_provider_tuya_ota.core.actions.firmware import MODULE_NAME
from airflow_provider_tuya_ota.core.actions.reading import about, nothing, required_name
from airflow_provider_tuya_ota.core.actions.rules import matches, optional, required, up_to_characters
from airflow_provider_tuya_ota.core.actions.texts import ID
from airflow_provider_tuya_ota.core.model.entities import OtaModule
from airflow_provider_tuya_ota.core.policy.retry import Repeat

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.wire.reply import Reply

ALIAS = matches(r"[A-Za-z0-9\u3400-\u4dbf\u4e00-\u9fff._-]{1,64}", "1 to 64 Chinese or English letters, digits, . - _")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOTAModule(Action[None]):
    """Create a module of a product; its name cannot be changed later. A product has at most 10 besides ``default``.

    Source: https://developer.tuya.com/en/docs/tuya-iot/CreateOTAModule?id=Kf0lb84ypbo80 .

    :param module_name: unique in the product.
    :param product_key: product.
    :param alias_name: shown in the console, 1 to 64 characters.
    :param desc: at most 100 characters.
    """

    name: ClassVar[str] = "CreateOTAModule"
    repeat: ClassVar[Repeat] = Repeat.DUPLICATES

    module_name: str = required("ModuleName", str, MODULE_NAME)
    product_key: str = required("ProductKey", str, ID)
    alias_name: str | None = optional("AliasName", str, ALIAS)
    desc: str | None = optional("Desc", str, up_to_characters(100))

    def parse(self, reply: Reply) -> None:
        """Read nothing."""
        return nothing(reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateOTAModule(Action[None]):
    """Change a module's alias and description.

    Source: https://developer.tuya.com/en/docs/tuya-iot/UpdateOTAModule?id=Kf0lbgfv4fprt .

    :param module_name: which module.
    :param product_key: of which product.
    :param alias_name: shown in the console, 1 to 64 characters.
    :param desc: at most 100 characters.
    """

    name: ClassVar[str] = "UpdateOTAModule"

    module_name: str = required("ModuleName", str, MODULE_NAME)
    product_key: str = required("ProductKey", str, ID)
    alias_name: str | None = optional("AliasName", str, ALIAS)
    desc: str | None = optional("Desc", str, up_to_characters(100))

    def parse(self, reply: Reply) -> None:
        """Read nothing."""
        return nothing(reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOTAModule(Action[None]):
    """Delete a module of a product. Alibaba Cloud IoT, the upstream API, refuses ``default`` and modules with firmware.

    Source: https://developer.tuya.com/en/docs/tuya-iot/DeleteOTAModule?id=Kf0loepsc9usp .

    :param module_name: which module.
    :param product_key: of which product.
    """

    name: ClassVar[str] = "DeleteOTAModule"

    module_name: str = required("ModuleName", str, MODULE_NAME)
    product_key: str = required("ProductKey", str, ID)

    def parse(self, reply: Reply) -> None:
        """Read nothing."""
        return nothing(reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOTAModuleByProduct(Action[list[OtaModule]]):
    """List the modules of a product; there are no pages.

    Source: https://developer.tuya.com/en/docs/tuya-iot/ListOTAModuleByProduct?id=Kf0lomxh72ecw .

    :param product_key: product.
    """

    name: ClassVar[str] = "ListOTAModuleByProduct"

    product_key: str = required("ProductKey", str, ID)

    def parse(self, reply: Reply) -> list[OtaModule]:
        """Read the list, which the vendor's example shows as a single object."""
        return [
            OtaModule(
                module_name=required_name(item, "ModuleName", self.name),
                product_key=about(item, self.name, ProductKey=self.product_key).id("ProductKey"),
                alias_name=item.name("AliasName"),
                desc=item.text("Desc"),
                created_at=item.name("GmtCreate"),
                modified_at=item.name("GmtModified"),
            )
            for item in reply.fields.items_of("Data", item_key="ModuleName")
        ]
