"""The firmware of the account, created from uploaded objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.emulator.clock import Clock, iso_ms
from airflow_provider_tuya_ota.emulator.fleet import DEFAULT_MODULE
from airflow_provider_tuya_ota.emulator.messages import BusinessError

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.fleet import Product
    from airflow_provider_tuya_ota.emulator.simulation.storage import Storage, StoredObject

NOT_NEEDED, UNVERIFIED, VERIFIED, VERIFYING, FAILED = -1, 0, 1, 2, 3
MOST_FIRMWARES = 500


@dataclass(slots=True)
class Firmware:
    """One firmware; ``status`` is the number that the platform uses."""

    firmware_id: str
    name: str
    version: str
    product: Product
    object_key: str
    sign: str
    sign_method: str
    size: int
    module: str
    src_version: str | None
    desc: str | None
    udi: str | None
    status: int
    created: float
    modified: float

    @property
    def key(self) -> str:
        """Unique key among all entities."""
        return f"firmware {self.firmware_id}"

    def describe(self) -> dict[str, Any]:
        """Give the fields that a list shows."""
        return {
            "DestVersion": self.version,
            "FirmwareDesc": self.desc,
            "FirmwareId": self.firmware_id,
            "FirmwareName": self.name,
            "FirmwareSign": self.sign,
            "FirmwareSize": self.size,
            "ModuleName": self.module,
            "ProductKey": self.product.product_key,
            "ProductName": self.product.name,
            "SignMethod": self.sign_method,
            "SrcVersion": self.src_version,
            "Status": self.status,
            "Type": 0,
            "UtcCreate": iso_ms(self.created),
            "UtcModified": iso_ms(self.modified),
        }


class Firmwares:
    """All firmware of the account.

    :param clock: device time dates firmware.
    :param products: by product key.
    :param storage: the uploaded objects.
    """

    def __init__(self, clock: Clock, products: dict[str, Product], storage: Storage) -> None:
        self._clock = clock
        self._products = products
        self._storage = storage
        self._next = 178
        self.by_id: dict[str, Firmware] = {}

    def create(self, values: dict[str, Any], origin: str) -> Firmware:
        """Create a firmware from an uploaded object.

        :raises BusinessError: with the documented code of the first mistake.
        """
        product = self._products.get(values["ProductKey"])
        if product is None:
            raise BusinessError("iot.prod.NotExistedProduct", "The product does not exist.")
        module = values.get("ModuleName", DEFAULT_MODULE)
        if module not in product.modules:
            raise BusinessError("iot.ota.OTAModuleNotExist", "The module does not exist in this product.")
        self._require_new(values, module)
        method = values.get("SignMethod", "MD5")
        stored = self._storage.for_firmware(values["FirmwareUrl"], origin)
        _require_same(values, stored, method)
        if values.get("SrcVersion") == values["DestVersion"]:
            raise BusinessError("iot.firmware.SrcDestVersionMatched", "SrcVersion and DestVersion are the same.")
        now = self._clock.world()
        firmware = Firmware(
            firmware_id=str(self._next),
            name=values["FirmwareName"],
            version=values["DestVersion"],
            product=product,
            object_key=stored.key,
            sign=values["FirmwareSign"].lower(),
            sign_method=method,
            size=stored.size,
            module=module,
            src_version=values.get("SrcVersion"),
            desc=values.get("FirmwareDesc"),
            udi=values.get("Udi"),
            status=UNVERIFIED if values.get("NeedToVerify", True) else NOT_NEEDED,
            created=now,
            modified=now,
        )
        self._next += 1
        stored.used = True
        self.by_id[firmware.firmware_id] = firmware
        return firmware

    def get(self, firmware_id: str) -> Firmware:
        """Find a firmware.

        :raises BusinessError: it does not exist.
        """
        if firmware_id not in self.by_id:
            raise BusinessError("iot.firmware.FirmwareNotFound", "The firmware does not exist.")
        return self.by_id[firmware_id]

    def modify(self, values: dict[str, Any]) -> None:
        """Change a firmware's description and its text for devices.

        :raises BusinessError: there is no such firmware, or it has another name or product.
        """
        firmware = self.get(values["FirmwareId"])
        if values["FirmwareName"] != firmware.name:
            raise BusinessError("iot.firmware.InvalidFirmware", "The name of a firmware cannot be changed.")
        if values.get("ProductKey", firmware.product.product_key) != firmware.product.product_key:
            raise BusinessError("iot.firmware.FirmwareAndProductKeyMismatch", "The firmware is not of this product.")
        firmware.desc = values.get("FirmwareDesc", firmware.desc)
        firmware.udi = values.get("Udi", firmware.udi)
        firmware.modified = self._clock.world()

    def delete(self, firmware: Firmware, *, in_use: bool) -> None:
        """Delete a firmware.

        :raises BusinessError: an unfinished job needs it.
        """
        if in_use:
            raise BusinessError("iot.firmware.DeleteFirmwareFailure", "An unfinished job needs the firmware.")
        del self.by_id[firmware.firmware_id]

    def _require_new(self, values: dict[str, Any], module: str) -> None:
        if len(self.by_id) >= MOST_FIRMWARES:
            raise BusinessError(
                "iot.firmware.FirmwareCountExceedMax", f"There are {MOST_FIRMWARES} firmware entries already."
            )
        for firmware in self.by_id.values():
            if firmware.name == values["FirmwareName"]:
                raise BusinessError("iot.firmware.AlreadyExistedFirmwareName", "A firmware of this name exists.")
            if (firmware.product.product_key, firmware.module, firmware.version) == (
                values["ProductKey"],
                module,
                values["DestVersion"],
            ):
                raise BusinessError("iot.firmware.AlreadyExistedFirmwareVersion", "The version exists in this product.")


def _require_same(values: dict[str, Any], stored: StoredObject, method: str) -> None:
    if values.get("FirmwareSize", stored.size) != stored.size:
        raise BusinessError("iot.firmware.InvalidFirmwareSize", "FirmwareSize is not the size of the uploaded file.")
    if values["FirmwareSign"].lower() != stored.digests[method]:
        raise BusinessError("iot.firmware.InvalidFirmwareSign", f"FirmwareSign is not the file's {method} digest.")
