"""Errors about a firmware that has the version of an uploaded file, and does not show that it holds the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.core.errors import FirmwareVersionTakenError, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_tuya_ota.core.actions import CreateOTAFirmware
    from airflow_provider_tuya_ota.core.errors import TuyaOTAError
    from airflow_provider_tuya_ota.core.model.entities import Firmware


def is_comparable(firmware: Firmware, digests: Mapping[str, str]) -> bool:
    """Whether the platform shows a digest of the firmware by a method of which the file's is known."""
    return bool(firmware.firmware_sign) and firmware.sign_method in digests


def version_taken(
    firmware: Firmware, action: CreateOTAFirmware, *, name: str, size: int, digests: Mapping[str, str]
) -> FirmwareVersionTakenError:
    """Build the error for a version that exists, where nothing was created.

    :param name: of the file.
    :param size: of the file, in bytes.
    :param digests: of the file, by method.
    """
    exists = f"{_version(firmware, action)} exists as firmware {firmware.firmware_id} ({firmware.name})"
    if not is_comparable(firmware, digests):
        return FirmwareVersionTakenError(
            f"{exists}, and the platform shows no digest of it to compare {name} with. Nothing was created."
            f" {_compare_by_hand(name, size, digests)}"
        )
    method = firmware.sign_method
    return FirmwareVersionTakenError(
        f"{exists} with other bytes: {method} {firmware.firmware_sign}, while {name} has {method} {digests[method]}."
        " Nothing was created. Give the new file a version of its own"
    )


def creation_unknown(
    firmware: Firmware,
    action: CreateOTAFirmware,
    *,
    name: str,
    size: int,
    digests: Mapping[str, str],
    doubt: TuyaOTAError,
) -> ProtocolError:
    """Build the error for a firmware that this task may have created, and whose digest the platform does not show.

    :param name: of the file.
    :param size: of the file, in bytes.
    :param digests: of the file, by method.
    :param doubt: why it is not known whether the firmware was created.
    """
    return ProtocolError(
        f"whether this task created firmware {firmware.firmware_id} ({firmware.name}) is not known: it is"
        f" {_version(firmware, action)}, and the platform shows no digest of it. {doubt.sentence}"
        f" {_compare_by_hand(name, size, digests)}"
    )


def _version(firmware: Firmware, action: CreateOTAFirmware) -> str:
    return f"version {action.dest_version} of module {firmware.module_name} of product {action.product_key}"


def _compare_by_hand(name: str, size: int, digests: Mapping[str, str]) -> str:
    return (
        f"Compare it in the vendor's console with {name}, {size:,} bytes, SHA256 {digests['SHA256']}. If they are the"
        " same, go on with its firmware id; if not, give the file a version of its own"
    )
