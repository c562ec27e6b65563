"""Upload a firmware file: reuse the firmware that exists, or upload the file and create it.

Source: https://www.alibabacloud.com/help/en/marketplace/generate-ota-upload-url and the PostObject pages of Alibaba
OSS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from airflow_provider_tuya_ota.core.actions import CreateOTAFirmware, GenerateOTAUploadURL
from airflow_provider_tuya_ota.core.actions.firmware import DIGEST_LENGTHS
from airflow_provider_tuya_ota.core.errors import (
    ConfigurationError,
    ConflictError,
    FirmwareVersionTakenError,
    IncompleteListError,
    ProtocolError,
    SourceUnavailableError,
    TransportError,
    TuyaOTAError,
    UnavailableError,
    UnreadableReplyError,
)
from airflow_provider_tuya_ota.core.flows.calls import call
from airflow_provider_tuya_ota.core.flows.effects import Digest, Flow, FlowContext, ReadContext, Send, Sleep
from airflow_provider_tuya_ota.core.flows.eventually import wait_to_appear
from airflow_provider_tuya_ota.core.flows.lists import firmwares_of
from airflow_provider_tuya_ota.core.flows.pages import whole_list
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.policy.retry import Repeat, RetryPolicy
from airflow_provider_tuya_ota.core.settings import require_safe_scheme
from airflow_provider_tuya_ota.core.upload_errors import creation_unknown, is_comparable, version_taken
from airflow_provider_tuya_ota.core.upload_events import (
    FileReadStarted,
    FileTransferRetried,
    FileUploadStarted,
    FirmwareAdopted,
    FirmwareOutcomeUnknown,
)
from airflow_provider_tuya_ota.core.wire.body import safely
from airflow_provider_tuya_ota.core.wire.exact_reader import ExactReader
from airflow_provider_tuya_ota.core.wire.http import Request, Response
from airflow_provider_tuya_ota.core.wire.multipart import MultipartBody
from airflow_provider_tuya_ota.core.wire.storage_reply import read_storage_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_provider_tuya_ota.core.model.entities import Firmware, UploadTicket
    from airflow_provider_tuya_ota.core.secret import Secret
    from airflow_provider_tuya_ota.core.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareFile:
    """A file whose size is known and which has not been read yet.

    :param name: file name without folders.
    :param suffix: kind of file as the platform names it.
    :param size: bytes.
    :param open_file: opens the file at its beginning; called for each reading.
    """

    name: str
    suffix: str
    size: int
    open_file: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsuredFirmware:
    """The firmware that was adopted or created.

    :param is_new: whether this call created it.
    :param digests: of the file, lower-case hex by SignMethod; SHA256 always, others if they were needed.
    """

    firmware_id: str
    is_new: bool
    digests: Mapping[str, str]
    utc_create: str = ""
    request_id: str = ""


def ensure_firmware(settings: Settings, action: CreateOTAFirmware, file: FirmwareFile) -> Flow[EnsuredFirmware]:
    """Adopt the firmware of this product, module, version and content, or upload the file and create it.

    The file is read once: for its digests if the version exists, while it is sent otherwise.

    :param action: everything except ``firmware_url``, ``firmware_sign`` and ``firmware_size``, which come from the file
        and its upload. Without a ``sign_method`` it is ``SHA256``.
    :raises FirmwareVersionTakenError: the version exists with other bytes or a digest that is not shown; nothing was
        created.
    :raises IncompleteListError: whether the version exists is not known; nothing was created.
    """
    method = action.sign_method or "SHA256"
    existing = yield from _find(settings, action, file, {})
    if existing:
        yield FirmwareAdopted(existing.firmware_id)
        return existing
    url, digests = yield from _upload(settings, file, sorted({"SHA256", method}))
    signed = replace(action, sign_method=method, firmware_sign=digests[method], firmware_size=file.size)
    try:
        create = safely(action.name, lambda: replace(signed, firmware_url=url.reveal()))
        created = yield from call(settings, create)
    except TuyaOTAError as error:
        if not (error.in_doubt or (isinstance(error, ConflictError) and "AlreadyExisted" in error.code)):
            raise
        yield FirmwareOutcomeUnknown(error.sentence)
        return (yield from _appeared(settings, action, file, digests, doubt=error))
    if created.entity_id is None:
        doubt = ProtocolError(
            f"CreateOTAFirmware succeeded (request id {created.request_id}) but its firmware is in no list."
            " Look at the product's firmwares in the vendor's console before running this again"
        )
        firmware = yield from _appeared(settings, action, file, digests, doubt=doubt)
        return replace(firmware, is_new=True, request_id=created.request_id)
    return EnsuredFirmware(
        firmware_id=created.entity_id,
        is_new=True,
        digests=digests,
        utc_create=created.utc_create,
        request_id=created.request_id,
    )


def _find(
    settings: Settings, action: CreateOTAFirmware, file: FirmwareFile, known: Mapping[str, str]
) -> Flow[EnsuredFirmware | None]:
    """Find the firmware of this version that holds the file.

    :raises FirmwareVersionTakenError: the version exists, and does not show that it holds the file.
    """
    digests = dict(known)
    found, same = yield from _search(settings, action, file, digests)
    if found is None and same:
        raise version_taken(same[0], action, name=file.name, size=file.size, digests=digests)
    return found


def _search(
    settings: Settings, action: CreateOTAFirmware, file: FirmwareFile, digests: dict[str, str]
) -> Flow[tuple[EnsuredFirmware | None, list[Firmware]]]:
    """Compare the firmwares of this version with the file, which is read for digests that are missing.

    A firmware on the first page that holds the file is it; only another conclusion needs the whole list.

    :param digests: of the file; those that are missing are added.
    :returns: the firmware that holds the file, and all firmwares that it was compared with.
    """
    first = firmwares_of(action.product_key, action.dest_version)
    page = yield from call(settings, first)
    same = _of_version(page.items, action)
    found = yield from _compare(same, file, digests)
    if found is not None:
        return found, same
    listing = yield from whole_list(settings, first, first_page=page)
    same = _of_version(listing.items, action)
    found = yield from _compare(same, file, digests)
    if not same:
        listing.require_complete()
    return found, same


def _of_version(firmwares: Sequence[Firmware], action: CreateOTAFirmware) -> list[Firmware]:
    return [
        firmware
        for firmware in firmwares
        if firmware.version == action.dest_version
        and firmware.module_name == (action.module_name or "default")
        and firmware.product_key in {action.product_key, ""}
    ]


def _compare(same: Sequence[Firmware], file: FirmwareFile, digests: dict[str, str]) -> Flow[EnsuredFirmware | None]:
    """Give the firmware that holds the file.

    :param digests: of the file; those that are missing are added.
    """
    methods = {"SHA256", *(firmware.sign_method for firmware in same)} & DIGEST_LENGTHS.keys()
    if same and (unknown := methods - digests.keys()):
        yield FileReadStarted(file.name, file.size)
        digests |= yield from _digest(file, sorted(unknown))
    for firmware in same:
        if digests.get(firmware.sign_method) == firmware.firmware_sign:
            return EnsuredFirmware(
                firmware_id=firmware.firmware_id, is_new=False, digests=digests, utc_create=firmware.utc_create
            )
    return None


def _appeared(
    settings: Settings, action: CreateOTAFirmware, file: FirmwareFile, known: Mapping[str, str], *, doubt: TuyaOTAError
) -> Flow[EnsuredFirmware]:
    """Wait for a firmware that may have been created.

    :param doubt: the error to raise if it does not appear or the file cannot be read for a comparison.
    :raises FirmwareVersionTakenError: a firmware with other bytes appears; or one that cannot be compared, and this
        task created none.
    :raises ProtocolError: a firmware appears that cannot be compared, and this task may have created it.
    :raises TuyaOTAError: the doubt.
    """
    not_comparable: Firmware | None = None
    digests = dict(known)

    def find() -> Flow[EnsuredFirmware | None]:
        nonlocal not_comparable
        try:
            found, same = yield from _search(settings, action, file, digests)
        except IncompleteListError:
            return None
        not_comparable = next((firmware for firmware in same if not is_comparable(firmware, digests)), None)
        if found is None and same and not (doubt.in_doubt and not_comparable):
            raise version_taken(same[0], action, name=file.name, size=file.size, digests=digests)
        # A list may show a firmware before its digest.
        return found

    try:
        firmware = yield from wait_to_appear(find)
    except FirmwareVersionTakenError:
        raise
    except (SourceUnavailableError, ConfigurationError):
        # The text of a read error says that no firmware was created, which is not known here.
        firmware = None
    if firmware is None and not_comparable is not None:
        raise creation_unknown(
            not_comparable, action, name=file.name, size=file.size, digests=digests, doubt=doubt
        ) from doubt
    if firmware is None:
        raise doubt
    return firmware


def _digest(file: FirmwareFile, methods: Sequence[str]) -> Flow[dict[str, str]]:
    attempt = 0
    while True:
        attempt += 1
        try:
            digests: dict[str, str] = yield Digest(lambda: ExactReader(file.open_file, file.name, file.size, methods))
        except SourceUnavailableError as error:
            yield from _pause(error, attempt, "Reading")
        else:
            return digests


def _upload(settings: Settings, file: FirmwareFile, methods: Sequence[str]) -> Flow[tuple[Secret, Mapping[str, str]]]:
    """Upload with a new ticket for each attempt; the platform deletes objects that become no firmware.

    :returns: address of the file, and the digests of exactly the bytes that storage has accepted.
    """
    attempt = 0
    while True:
        attempt += 1
        ticket = yield from call(settings, GenerateOTAUploadURL(file_suffix=file.suffix))
        context = yield ReadContext()
        yield FileUploadStarted(file.name, file.size)
        request = _form(settings, ticket, file, context.nonce, methods)
        try:
            response: Response = yield Send(request, RateLimitGroup.CALLS)
            return ticket.firmware_url, _accepted(response, ticket)
        except (TransportError, UnavailableError, UnreadableReplyError) as error:
            yield from _pause(error, attempt, "Uploading")


def _accepted(response: Response, ticket: UploadTicket) -> Mapping[str, str]:
    read_storage_reply(response, key=ticket.key, secrets=(ticket.policy, ticket.signature, ticket.access_key_id))
    if not response.sent:
        raise UnreadableReplyError(
            "PostObject: the answer says that the file is stored, and came before all of it was sent; a proxy may have"
            " answered instead of object storage. No firmware was created"
        )
    return response.sent


def _pause(error: TuyaOTAError, attempt: int, step: str) -> Flow[None]:
    """Wait before the second and the third attempt.

    :raises TuyaOTAError: the error, if there is no further attempt.
    """
    context: FlowContext = yield ReadContext()
    policy = RetryPolicy(attempts=3)
    delay = policy.delay(error, Repeat.HARMLESS, attempt=attempt, jitter=context.jitter)
    if delay is None:
        raise error
    yield FileTransferRetried(step, error.sentence, delay)
    yield Sleep(delay)


def _form(
    settings: Settings, ticket: UploadTicket, file: FirmwareFile, boundary: str, methods: Sequence[str]
) -> Request:
    def build() -> Request:
        return upload_request(settings, ticket, file, boundary=boundary, methods=methods)

    return safely(GenerateOTAUploadURL.name, build)


def upload_request(
    settings: Settings, ticket: UploadTicket, file: FirmwareFile, *, boundary: str, methods: Sequence[str] = ()
) -> Request:
    """Build the form POST: fixed fields in the documented spelling, the file last.

    :param methods: digests to compute while the file is sent.
    :raises ConfigurationError: the platform names a plain-http bucket and the connection does not permit that.
    :raises ProtocolError: what it names is no address of a bucket.
    """
    scheme, host, netloc = _bucket(ticket.host)
    require_safe_scheme(scheme, host, allow_http=settings.allow_http, what=f"Object storage at {scheme}://{netloc}")
    body = MultipartBody(
        fields=[
            ("key", ticket.key),
            ("policy", ticket.policy),
            ("OSSAccessKeyId", ticket.access_key_id),
            ("Signature", ticket.signature),
            ("success_action_status", "200"),
        ],
        file_name=file.name,
        size=file.size,
        open_file=file.open_file,
        boundary=boundary,
        methods=methods,
    )
    return Request("POST", f"{scheme}://{netloc}/", {"Content-Type": body.content_type}, body)


_BUCKET = re.compile(r"(?:https?://)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?/?", re.IGNORECASE)
"""A host and nothing that could redirect a request: no user, path, query or control character."""


def _bucket(named: str) -> tuple[str, str, str]:
    """Split the bucket's address into scheme, host, and host with port."""
    try:
        parts = urlsplit(named if "://" in named else f"https://{named}")
        if _BUCKET.fullmatch(named) and parts.hostname and parts.port != 0:
            return parts.scheme, parts.hostname, parts.netloc
    except ValueError:
        pass
    # The address is left out of the error, because it may be presigned.
    raise ProtocolError(
        "GenerateOTAUploadURL: the Host in the answer is no address of a bucket; nothing was uploaded. A proxy may have"
        " changed the answer; if there is none, report it to the vendor."
    )
