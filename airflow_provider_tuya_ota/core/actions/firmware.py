"""Operations on firmware: upload ticket, create, query, list, modify, delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from airflow_provider_tuya_ota.core.actions.base import Action
from airflow_provider_tuya_ota.core.actions.reading import (
    about,
    created,
    nothing,
    read_page,
    required_exact,
    required_id,
)
from airflow_provider_tuya_ota.core.actions.rules import (
    matches,
    one_of,
    optional,
    required,
    up_to_characters,
    whole_from,
)
from airflow_provider_tuya_ota.core.actions.texts import ID
from airflow_provider_tuya_ota.core.errors import InvalidParameterError, ProtocolError
from airflow_provider_tuya_ota.core.model.entities import Created, Firmware, Page, UploadTicket
from airflow_provider_tuya_ota.core.model.states import FirmwareStatus
from airflow_provider_tuya_ota.core.policy.retry import Repeat
from airflow_provider_tuya_ota.core.secret import Secret

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.wire.record import Record
    from airflow_provider_tuya_ota.core.wire.reply import Reply

FILE_SUFFIXES = ("bin", "dav", "apk", "tar", "gz", "tar.gz", "zip", "gzip")
LARGEST_FILE = 1_048_576_000
"""Bytes; the content-length-range of the documented upload policy."""
DIGEST_LENGTHS = {"MD5": 32, "SHA256": 64}

VERSION = matches(r"[A-Za-z0-9._-]{1,64}", "1 to 64 of the characters A-Z a-z 0-9 . _ -")
MODULE_NAME = VERSION
_LETTER = r"A-Za-z0-9\u3005\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
FIRMWARE_NAME = matches(
    rf"[{_LETTER}][{_LETTER}_()-]{{0,39}}",
    "1 to 40 Chinese, Japanese or English letters, digits, - _ ( ), beginning with a letter or digit",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateOTAUploadURL(Action[UploadTicket]):
    """Ask for the form data that lets one file be put into object storage.

    Nothing happens to devices. The data is valid for about one minute, and the object is deleted unless a firmware is
    created from it within an hour (both documented by Alibaba Cloud IoT, the upstream API).
    Source: https://www.alibabacloud.com/help/en/marketplace/generate-ota-upload-url .

    :param file_suffix: kind of file, lower case; the platform takes ``bin`` when it is left out.
    """

    name: ClassVar[str] = "GenerateOTAUploadURL"

    file_suffix: str | None = optional("FileSuffix", str, one_of(*FILE_SUFFIXES))

    def parse(self, reply: Reply) -> UploadTicket:
        """Read the ticket."""
        data = reply.fields.record("Data")
        return UploadTicket(
            host=required_exact(data, "Host", self.name),
            key=required_exact(data, "Key", self.name),
            access_key_id=Secret(required_exact(data, "OSSAccessKeyId", self.name)),
            policy=Secret(required_exact(data, "Policy", self.name)),
            signature=Secret(required_exact(data, "Signature", self.name)),
            firmware_url=Secret(required_exact(data, "FirmwareUrl", self.name)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOTAFirmware(Action[Created]):
    """Create a firmware from an uploaded file. No device is touched.

    Source: https://www.alibabacloud.com/help/en/marketplace/untitled-document-1740987566871 .

    :param dest_version: version that devices have afterwards.
    :param firmware_name: cannot be changed later.
    :param firmware_url: from GenerateOTAUploadURL.
    :param firmware_sign: hex digest of the file; the Chinese page requires it, the English one does not, so send it
        always.
    :param sign_method: digest; the platform assumes MD5.
    :param firmware_size: bytes, 1 to 1,048,576,000.
    :param product_key: product that owns the firmware.
    :param firmware_desc: at most 100 characters.
    :param type: 0, a full firmware; nothing else exists.
    :param src_version: version to be upgraded.
    :param module_name: OTA module; the platform assumes ``default``, the whole device.
    :param need_to_verify: True by default at the platform: a verification must succeed before a batch job.
    :param udi: free text for the device, at most 4096 characters.
    """

    name: ClassVar[str] = "CreateOTAFirmware"
    repeat: ClassVar[Repeat] = Repeat.DUPLICATES

    dest_version: str = required("DestVersion", str, VERSION)
    firmware_name: str = required("FirmwareName", str, FIRMWARE_NAME)
    firmware_url: str | None = optional("FirmwareUrl", str, is_secret=True)
    firmware_sign: str | None = optional("FirmwareSign", str, matches(r"[0-9A-Fa-f]+", "a digest in hex"))
    sign_method: str | None = optional("SignMethod", str, one_of(*DIGEST_LENGTHS))
    firmware_size: int | None = optional("FirmwareSize", int, whole_from(1, LARGEST_FILE))
    product_key: str | None = optional("ProductKey", str, ID)
    firmware_desc: str | None = optional("FirmwareDesc", str, up_to_characters(100))
    type: int | None = optional("Type", int, one_of(0))
    src_version: str | None = optional("SrcVersion", str, VERSION)
    module_name: str | None = optional("ModuleName", str, MODULE_NAME)
    need_to_verify: bool | None = optional("NeedToVerify", bool)
    udi: str | None = optional("Udi", str, up_to_characters(4096))

    def __post_init__(self) -> None:
        Action.__post_init__(self)
        digits = DIGEST_LENGTHS[self.sign_method or "MD5"]
        if self.firmware_sign is not None and len(self.firmware_sign) != digits:
            raise InvalidParameterError(
                field="firmware_sign (FirmwareSign)",
                problem=f"has {len(self.firmware_sign)} hex digits",
                allowed=f"{digits} for {self.sign_method or 'MD5'}",
            )
        if self.src_version is not None and self.src_version == self.dest_version:
            raise InvalidParameterError(
                field="src_version (SrcVersion)",
                problem=f"{self.src_version!r} is also dest_version",
                allowed="a version other than the one the firmware brings",
            )

    def parse(self, reply: Reply) -> Created:
        """Read the firmware's id."""
        return created(reply, "FirmwareId")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryOTAFirmware(Action[Firmware]):
    """Read one firmware; its status says how its verification ended.

    Source: https://developer.tuya.com/en/docs/tuya-iot/QueryOTAFirmware?id=Kf0la6l0l8hmm .

    :param firmware_id: id of the firmware.
    """

    name: ClassVar[str] = "QueryOTAFirmware"

    firmware_id: str = required("FirmwareId", str, ID)

    def parse(self, reply: Reply) -> Firmware:
        """Read the firmware."""
        info = reply.fields.record("FirmwareInfo" if "FirmwareInfo" in reply.fields else "Data")
        if "FirmwareId" not in info and len(info) == 1:
            info = info.record(next(iter(info)))
        return read_firmware(about(info, self.name, FirmwareId=self.firmware_id), self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOTAFirmware(Action[Page[Firmware]]):
    """Read one page of a list of firmware.

    Source: https://developer.tuya.com/en/docs/tuya-iot/ListOTAFirmware?id=Kf0l9z8umt2j4 .

    :param current_page: from 1.
    :param page_size: 1 to 100.
    :param product_key: firmwares of one product only.
    :param dest_version: firmwares of one version only.
    """

    name: ClassVar[str] = "ListOTAFirmware"
    largest_page: ClassVar[int] = 100

    current_page: int = required("CurrentPage", int, whole_from(1, 2**31 - 1))
    page_size: int = required("PageSize", int, whole_from(1, 100))
    product_key: str | None = optional("ProductKey", str, ID)
    dest_version: str | None = optional("DestVersion", str, VERSION)

    def parse(self, reply: Reply) -> Page[Firmware]:
        """Read the page; the list is under ``FirmwareInfo``, not under ``Data``."""
        key = "FirmwareInfo" if "FirmwareInfo" in reply.fields else "Data"
        return read_page(reply, key, "FirmwareId", lambda item: read_firmware(item, self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifyOTAFirmware(Action[None]):
    """Change a firmware's description or the text handed to devices.

    The page says that the name is updated and, further down, that it cannot be: send the present name.
    Source: https://developer.tuya.com/en/docs/tuya-iot/ModifyOTAFirmware?id=Kf0l9ceeodirz .

    :param firmware_id: which firmware.
    :param firmware_name: its present name.
    :param product_key: product that owns it.
    :param firmware_desc: at most 100 characters.
    :param udi: free text for the device, at most 4096 characters.
    """

    name: ClassVar[str] = "ModifyOTAFirmware"

    firmware_id: str = required("FirmwareId", str, ID)
    firmware_name: str = required("FirmwareName", str, FIRMWARE_NAME)
    product_key: str | None = optional("ProductKey", str, ID)
    firmware_desc: str | None = optional("FirmwareDesc", str, up_to_characters(100))
    udi: str | None = optional("Udi", str, up_to_characters(4096))

    def parse(self, reply: Reply) -> None:
        """Read nothing."""
        return nothing(reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOTAFirmware(Action[None]):
    """Delete a firmware.

    The vendor's example request names ModifyOTAFirmware by mistake.
    Source: https://help.aliyun.com/zh/marketplace/deleteotafirmware .

    :param firmware_id: which firmware.
    """

    name: ClassVar[str] = "DeleteOTAFirmware"

    firmware_id: str = required("FirmwareId", str, ID)

    def parse(self, reply: Reply) -> None:
        """Read nothing."""
        return nothing(reply)


def read_firmware(info: Record, action: str) -> Firmware:
    """Read a firmware from a list or a query."""
    status = info.whole("Status")
    if status is None:
        raise ProtocolError(f"{action}: the answer has a firmware without Status")
    return Firmware(
        firmware_id=required_id(info, "FirmwareId", action),
        name=info.name("FirmwareName"),
        version=info.name("DestVersion"),
        product_key=info.id("ProductKey"),
        status=FirmwareStatus(status),
        module_name=info.name("ModuleName") or "default",
        src_version=info.shown("SrcVersion"),
        firmware_sign=info.name("FirmwareSign").lower(),
        sign_method=info.name("SignMethod").upper(),
        firmware_size=info.whole("FirmwareSize"),
        utc_create=info.name("UtcCreate"),
    )
