"""Object storage: form uploads with a policy, and downloads from addresses that expire.

Source: Alibaba OSS, PostObject and its troubleshooting page.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.sax.saxutils import escape

from airflow_provider_tuya_ota.emulator.clock import Clock, iso_ms
from airflow_provider_tuya_ota.emulator.gateway.signing import same, storage_signature
from airflow_provider_tuya_ota.emulator.messages import BusinessError, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 1_048_576_000
POLICY_SECONDS = 60
ORPHAN_SECONDS = 3600
PREFIX = "ota/firmware/"
KEPT = 16 * 1024 * 1024
"""Largest object, in bytes, whose content is kept; of larger ones only size and digests are."""
_FIELDS = ("key", "policy", "OSSAccessKeyId", "Signature", "success_action_status")


@dataclass(slots=True)
class StoredObject:
    """One uploaded file."""

    key: str
    size: int
    digests: dict[str, str]
    content: bytes | None = field(repr=False)
    uploaded: float
    used: bool = False


class StorageError(Exception):
    """Object storage refuses a request; the answer is XML."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Storage:
    """All objects of the account.

    :param clock: expiry is in its gateway time.
    :param new_uuid: gives the name of a new object.
    """

    access_key_id = "emulator-storage-key"
    _secret = "emulator-storage-secret"  # noqa: S105 - valid in the emulator only

    def __init__(self, clock: Clock, new_uuid: Callable[[], str]) -> None:
        self._clock = clock
        self._new_uuid = new_uuid
        self.objects: dict[str, StoredObject] = {}

    def ticket(self, suffix: str, origin: str) -> dict[str, Any]:
        """Give the form fields that permit one upload within a minute."""
        key = f"{PREFIX}{self._new_uuid()}.{suffix}"
        policy = {
            "expiration": iso_ms(self._clock.gateway() + POLICY_SECONDS),
            "conditions": [["content-length-range", 0, LARGEST], ["starts-with", "$key", PREFIX]],
        }
        encoded = base64.b64encode(json.dumps(policy).encode()).decode()
        return {
            "FirmwareUrl": f"{origin}/{key}",
            "Host": origin,
            "Key": key,
            "OSSAccessKeyId": self.access_key_id,
            "ObjectStorage": "OSS",
            "Policy": encoded,
            "Signature": storage_signature(self._secret, encoded),
            "UtcCreate": iso_ms(self._clock.gateway()),
        }

    def post(self, request: Request) -> Response:
        """Store a form upload.

        :raises StorageError: with the documented code for the mistake.
        """
        fields, file = _split(request.form or ())
        conditions = self._check_policy(fields)
        size = file.seek(0, os.SEEK_END)
        low, high = conditions["content-length-range"]
        if size > high:
            raise StorageError(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size.")
        if size < low:
            raise StorageError(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size.")
        key = fields["key"]
        digests, content = _digest(file, keep=size <= KEPT)
        self._forget_orphans()
        # A policy allows an overwrite. An object that a firmware was created from must not be used for another one.
        used = key in self.objects and self.objects[key].used
        self.objects[key] = StoredObject(key, size, digests, content, self._clock.gateway(), used)
        match fields.get("success_action_status"):
            case "200":
                return Response(200)
            case "201":
                body = f'<?xml version="1.0" encoding="UTF-8"?><PostResponse><Key>{escape(key)}</Key></PostResponse>'
                return Response(201, body.encode(), "application/xml")
            case _:
                return Response(204)

    def for_firmware(self, url: str, origin: str) -> StoredObject:
        """Find the object to create a firmware from.

        :raises BusinessError: the address is not the emulator's, or the object is missing, empty, expired or in use.
        """
        parts = urlsplit(url)
        key = parts.path.lstrip("/")
        if f"{parts.scheme}://{parts.netloc}" != origin or not key.startswith(PREFIX):
            raise BusinessError("iot.firmware.InvalidFirmwareUrl", "FirmwareUrl is not an address of this platform.")
        stored = self.objects.get(key)
        if stored is not None and stored.used:
            raise BusinessError("iot.firmware.InvalidFirmwareUrl", "A firmware was created from this file already.")
        if stored is None or self._is_orphan(stored):
            raise BusinessError("iot.firmware.InvalidFirmwareUrl", "Nothing was uploaded there within the last hour.")
        if stored.size == 0:
            raise BusinessError("iot.firmware.EmptyFirmwareFile", "The file is empty.")
        return stored

    def presigned(self, key: str, origin: str) -> str:
        """Give an address of the object that is valid for a day."""
        expires = str(int(self._clock.gateway()) + 86400)
        proof = storage_signature(self._secret, f"GET\n\n\n{expires}\n/{key}")
        query = urlencode({"Expires": expires, "OSSAccessKeyId": self.access_key_id, "Signature": proof})
        return f"{origin}/{key}?{query}"

    def get(self, request: Request) -> Response:
        """Answer with the object of a presigned address.

        :raises StorageError: the address is unsigned or expired, or the object does not exist.
        """
        key = request.path.lstrip("/")
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        expires = query.get("Expires", "")
        proof = storage_signature(self._secret, f"GET\n\n\n{expires}\n/{key}")
        if not expires.isdigit() or not same(query.get("Signature", ""), proof):
            raise StorageError(403, "SignatureDoesNotMatch", "The request signature does not match.")
        if int(expires) < self._clock.gateway():
            raise StorageError(403, "AccessDenied", "Request has expired.")
        stored = self.objects.get(key)
        if stored is None:
            raise StorageError(404, "NoSuchKey", "The specified key does not exist.")
        if stored.content is None:
            raise StorageError(501, "NotImplemented", f"The emulator keeps content up to {KEPT} bytes only.")
        return Response(200, stored.content, "application/octet-stream")

    def _is_orphan(self, stored: StoredObject) -> bool:
        return not stored.used and self._clock.gateway() - stored.uploaded > ORPHAN_SECONDS

    def _forget_orphans(self) -> None:
        self.objects = {key: stored for key, stored in self.objects.items() if not self._is_orphan(stored)}

    def _check_policy(self, fields: dict[str, str]) -> dict[str, Any]:
        for name in ("key", "policy", "OSSAccessKeyId", "Signature"):
            if name not in fields:
                raise StorageError(400, "InvalidArgument", f"The form has no field {name}.")
        if fields["OSSAccessKeyId"] != self.access_key_id:
            raise StorageError(403, "InvalidAccessKeyId", "The OSS access key ID does not exist.")
        if not same(fields["Signature"], storage_signature(self._secret, fields["policy"])):
            raise StorageError(403, "SignatureDoesNotMatch", "The policy signature does not match.")
        try:
            policy = json.loads(base64.b64decode(fields["policy"], validate=True))
        except (ValueError, binascii.Error):
            raise StorageError(400, "InvalidPolicyDocument", "The policy is not valid.") from None
        if datetime.fromisoformat(policy["expiration"]).timestamp() < self._clock.gateway():
            raise StorageError(403, "AccessDenied", "Invalid according to Policy: Policy expired.")
        if not fields["key"].startswith(PREFIX):
            condition = f'["starts-with", "$key", "{PREFIX}"]'
            raise StorageError(
                403, "AccessDenied", f"Invalid according to Policy: Policy Condition failed: {condition}"
            )
        return {"content-length-range": policy["conditions"][0][1:]}


def error_response(error: StorageError, request_id: str) -> Response:
    """Encode a refusal."""
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{error.code}</Code>'
        f"<Message>{escape(error.message)}</Message><RequestId>{request_id}</RequestId></Error>"
    )
    return Response(error.status, body.encode(), "application/xml")


def _split(form: Any) -> tuple[dict[str, str], BinaryIO]:
    fields: dict[str, str] = {}
    file: BinaryIO | None = None
    for name, value in form:
        if file is not None:
            raise StorageError(400, "InvalidArgument", f"The field {name} is after the file; file must be last.")
        if name == "file":
            if isinstance(value, str):
                raise StorageError(400, "InvalidArgument", "The field file has no file.")
            file = value
        elif name not in _FIELDS or name in fields or not isinstance(value, str):
            raise StorageError(403, "AccessDenied", f"Invalid according to Policy: Extra input fields: {name}")
        else:
            fields[name] = value
    if file is None:
        raise StorageError(400, "MalformedPOSTRequest", "The body of your POST request is not well-formed.")
    return fields, file


def _digest(file: BinaryIO, *, keep: bool) -> tuple[dict[str, str], bytes | None]:
    hashes = {"MD5": hashlib.md5(usedforsecurity=False), "SHA256": hashlib.sha256()}
    kept = bytearray()
    file.seek(0)
    while piece := file.read(1024 * 1024):
        for digest in hashes.values():
            digest.update(piece)
        if keep:
            kept += piece
    return {method: digest.hexdigest() for method, digest in hashes.items()}, bytes(kept) if keep else None
