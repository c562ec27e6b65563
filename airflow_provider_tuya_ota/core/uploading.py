"""From a file to a package: adopt the one that exists, or upload and create it.

Source: https://www.alibabacloud.com/help/en/marketplace/generate-ota-upload-url and the PostObject pages of Alibaba
OSS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from airflow_provider_tuya_ota.core.actions import CreateOTAFirmware, GenerateOTAUploadURL
from airflow_provider_tuya_ota.core.appearing import wait_to_appear
from airflow_provider_tuya_ota.core.bodies import safely
from airflow_provider_tuya_ota.core.calls import call
from airflow_provider_tuya_ota.core.errors import (
    ConflictError,
    FirmwareVersionTakenError,
    ProtocolError,
    TransportError,
    TuyaOTAError,
    UnavailableError,
    UnreadableReplyError,
)
from airflow_provider_tuya_ota.core.flow import Flow, Look, Note, Send, Sleep
from airflow_provider_tuya_ota.core.http import Request, Response
from airflow_provider_tuya_ota.core.lists import list_packages
from airflow_provider_tuya_ota.core.multipart import MultipartBody
from airflow_provider_tuya_ota.core.rate import Lane
from airflow_provider_tuya_ota.core.retry import Repeat, RetryPolicy
from airflow_provider_tuya_ota.core.settings import require_safe_scheme
from airflow_provider_tuya_ota.core.storage import read_storage_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.models import Firmware, UploadTicket
    from airflow_provider_tuya_ota.core.secret import Secret
    from airflow_provider_tuya_ota.core.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareFile:
    """A file whose size and digests are known.

    :param name: file name without folders.
    :param suffix: kind of file as the platform names it.
    :param size: bytes.
    :param digests: hex digest by SignMethod, lower case; both, because an existing package may carry either.
    :param open_file: opens the file at its beginning; called once for each try to upload.
    """

    name: str
    suffix: str
    size: int
    digests: dict[str, str]
    open_file: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """The package that is in force.

    :param is_new: True when this call created it.
    """

    firmware_id: str
    is_new: bool
    utc_create: str = ""
    request_id: str = ""


def ensure_package(settings: Settings, action: CreateOTAFirmware, file: FirmwareFile) -> Flow[Package]:
    """Adopt the package of this product, module, version and content, or upload the file and create it.

    :param action: everything but ``firmware_url``, which the upload gives.
    :raises FirmwareVersionTakenError: the version exists with other bytes; nothing was created.
    """
    existing = yield from _find(settings, action, file)
    if existing:
        yield Note(f"package {existing.firmware_id} holds this very file already; nothing is uploaded")
        return _adopted(existing)
    url = yield from _upload(settings, file)
    try:
        create = safely(action.name, lambda: replace(action, firmware_url=url.reveal()))
        created = yield from call(settings, create)
    except TuyaOTAError as error:
        if not (error.in_doubt or (isinstance(error, ConflictError) and "AlreadyExisted" in error.code)):
            raise
        yield Note(f"{error.sentence} Looking whether the package exists.", warning=True)
        existing = yield from _find_patiently(settings, action, file)
        if existing is None:
            raise
        return _adopted(existing)
    if created.entity_id is None:
        existing = yield from _find_patiently(settings, action, file)
        if existing is None:
            raise ProtocolError(
                f"CreateOTAFirmware succeeded (request id {created.request_id}) but its package is in no list."
                " Look at the product's packages in the vendor's console before running this again"
            )
        return replace(_adopted(existing), is_new=True, request_id=created.request_id)
    return Package(
        firmware_id=created.entity_id, is_new=True, utc_create=created.utc_create, request_id=created.request_id
    )


def _adopted(firmware: Firmware) -> Package:
    return Package(firmware_id=firmware.firmware_id, is_new=False, utc_create=firmware.utc_create)


def _find(settings: Settings, action: CreateOTAFirmware, file: FirmwareFile) -> Flow[Firmware | None]:
    packages = yield from list_packages(settings, product_key=action.product_key, version=action.dest_version)
    same = [
        package
        for package in packages
        if package.version == action.dest_version
        and package.module_name == (action.module_name or "default")
        and package.product_key in {action.product_key, ""}
    ]
    for package in same:
        if file.digests.get(package.sign_method) == package.firmware_sign:
            return package
    if same:
        raise FirmwareVersionTakenError(_taken(same[0], action, file))
    return None


def _taken(package: Firmware, action: CreateOTAFirmware, file: FirmwareFile) -> str:
    method = package.sign_method if package.sign_method in file.digests else "SHA256"
    theirs = package.firmware_sign or "not told"
    return (
        f"version {action.dest_version} of module {package.module_name} of product {action.product_key} exists as"
        f" package {package.firmware_id} ({package.name}) with other bytes:"
        f" {package.sign_method or 'digest'} {theirs}, while {file.name} has {method} {file.digests[method]}."
        " Nothing was created. Give the new file a version of its own"
    )


def _find_patiently(settings: Settings, action: CreateOTAFirmware, file: FirmwareFile) -> Flow[Firmware | None]:
    return wait_to_appear(lambda: _find(settings, action, file))


def _upload(settings: Settings, file: FirmwareFile) -> Flow[Secret]:
    """Upload with a fresh ticket for each try; an object that nobody makes a package of is deleted by the platform."""
    policy = RetryPolicy(attempts=3)
    attempt = 0
    while True:
        attempt += 1
        ticket = yield from call(settings, GenerateOTAUploadURL(file_suffix=file.suffix))
        ambient = yield Look()
        yield Note(f"uploading {file.name}, {file.size:,} bytes")
        request = _form(settings, ticket, file, ambient.nonce)
        try:
            response: Response = yield Send(request, Lane.CALLS)
            read_storage_reply(response, secrets=(ticket.policy, ticket.signature, ticket.access_key_id))
        except (TransportError, UnavailableError, UnreadableReplyError) as error:
            delay = policy.delay(error, Repeat.HARMLESS, attempt=attempt, jitter=ambient.jitter)
            if delay is None:
                raise
            yield Note(f"{error.sentence} Uploading again in {delay:.1f} s.", warning=True)
            yield Sleep(delay)
        else:
            return ticket.firmware_url


def _form(settings: Settings, ticket: UploadTicket, file: FirmwareFile, boundary: str) -> Request:
    return safely(GenerateOTAUploadURL.name, lambda: upload_request(settings, ticket, file, boundary=boundary))


def upload_request(settings: Settings, ticket: UploadTicket, file: FirmwareFile, *, boundary: str) -> Request:
    """Build the form POST: fixed fields in the documented spelling, the file last.

    :raises ConfigurationError: the platform names a plain-http bucket and the connection does not permit that.
    :raises ProtocolError: what it names is no address of a bucket.
    """
    scheme, host, netloc = _bucket(ticket.host)
    require_safe_scheme(scheme, host, allow_http=settings.allow_http, what=f"Object storage at {scheme}://{netloc}")
    body = MultipartBody(
        fields=[
            ("key", ticket.key),
            ("policy", ticket.policy.reveal()),
            ("OSSAccessKeyId", ticket.access_key_id.reveal()),
            ("Signature", ticket.signature.reveal()),
            ("success_action_status", "200"),
        ],
        file_name=file.name,
        size=file.size,
        open_file=file.open_file,
        boundary=boundary,
    )
    return Request("POST", f"{scheme}://{netloc}/", {"Content-Type": body.content_type}, body)


_BUCKET = re.compile(r"(?:https?://)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?", re.IGNORECASE)
"""A host and nothing that a request could be bent with: no user, path, query or control character."""


def _bucket(named: str) -> tuple[str, str, str]:
    """Split the bucket's address into scheme, host, and host with port."""
    try:
        parts = urlsplit(named if "://" in named else f"https://{named}")
        if _BUCKET.fullmatch(named) and parts.hostname and parts.port != 0:
            return parts.scheme, parts.hostname, parts.netloc
    except ValueError:
        pass
    # The address is not repeated: whatever it is, it may be presigned.
    raise ProtocolError(
        "GenerateOTAUploadURL: the Host in the answer is no address of a bucket; nothing was uploaded. A proxy may have"
        " changed the answer; if there is none, report it to the vendor."
    )
