"""A client that somebody else could have written from the vendor's pages, with the standard library alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import io
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from airflow_provider_tuya_ota.emulator.messages import Request

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from airflow_provider_tuya_ota.emulator.emulator import Emulator

Answer = tuple[int, dict[str, str], bytes]


def in_memory(emulator: Emulator) -> Callable[[str, str, dict[str, str], bytes], Answer]:
    """Hand requests to the emulator itself."""

    def send(method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        path, _, query = target.partition("?")
        lower = {name.lower(): value for name, value in headers.items()} | {"host": "emulator.test"}
        form = parse_form(lower, body) if lower.get("content-type", "").startswith("multipart/") else None
        response = emulator.handle(Request(method, path, query, lower, body, form))
        return response.status, response.headers | {"content-type": response.content_type}, response.body

    return send


def over_socket(url: str, tls: ssl.SSLContext | None = None) -> Callable[[str, str, dict[str, str], bytes], Answer]:
    """Send requests to a server."""

    def send(method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        where = urlsplit(url).netloc
        connection = (
            http.client.HTTPSConnection(where, timeout=10, context=tls)
            if tls
            else http.client.HTTPConnection(where, timeout=10)
        )
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    return send


@dataclass
class PlainClient:
    """Signs by the published rules."""

    send: Callable[[str, str, dict[str, str], bytes], Answer]
    key_id: str = "demo-access-key-id"
    secret: str = "demo-access-key-secret"
    extra: dict[str, str] = field(default_factory=dict)
    now: Callable[[], float] = time.time

    def parameters(self, action: str, **own: str) -> dict[str, str]:
        return {
            "Action": action,
            "AccessKeyId": self.key_id,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureNonce": uuid.uuid4().hex,
            "Timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now())),
            **self.extra,
            **own,
        }

    def sign(self, method: str, parameters: dict[str, str]) -> str:
        query = "&".join(f"{quote(name, safe='~')}={quote(parameters[name], safe='~')}" for name in sorted(parameters))
        text = f"{method}&%2F&{quote(query, safe='~')}"
        digest = hmac.new(f"{self.secret}&".encode(), text.encode(), hashlib.sha1).digest()
        return f"{query}&Signature={quote(base64.b64encode(digest).decode(), safe='')}"

    def ask(self, action: str, **own: str) -> tuple[int, Any]:
        return self.ask_with(self.parameters(action, **own))

    def ask_raw(self, action: str, **own: str) -> bytes:
        return self.send("GET", f"/?{self.sign('GET', self.parameters(action, **own))}", {}, b"")[2]

    def ask_with(self, parameters: dict[str, str], *, method: str = "GET", in_body: bool = False) -> tuple[int, Any]:
        query = self.sign(method, parameters)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if in_body else {}
        target, body = ("/", query.encode()) if in_body else (f"/?{query}", b"")
        status, _, content = self.send(method, target, headers, body)
        return status, json.loads(content)

    def control(self, method: str, path: str, values: Any = None) -> Any:
        body = b"" if values is None else json.dumps(values).encode()
        status, _, content = self.send(method, f"/_emulator/{path}", {"Content-Type": "application/json"}, body)
        assert status == 200, content
        return json.loads(content)

    def script(self, device: str, **values: Any) -> None:
        """Change a device's script."""
        self.control("POST", f"devices/k1demoproduct/{device}", values)

    def advance(self, seconds: float) -> None:
        """Let time pass for the devices."""
        self.control("POST", "clock", {"advance": seconds})

    def upload(self, fields: list[tuple[str, str]], content: bytes | None, *, tail: str = "") -> tuple[int, bytes]:
        boundary = uuid.uuid4().hex
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields
        ]
        if content is not None:
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f.bin"\r\n\r\n'
            parts += [head.encode(), content, b"\r\n"]
        if tail:
            parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{tail}"\r\n\r\nx\r\n'.encode())
        parts.append(f"--{boundary}--\r\n".encode())
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        status, _, body = self.send("POST", "/", headers, b"".join(parts))
        return status, body

    def ticket(self, suffix: str = "bin") -> dict[str, str]:
        _, answer = self.ask("GenerateOTAUploadURL", FileSuffix=suffix)
        data: dict[str, str] = answer["data"]
        return data

    def put(self, content: bytes) -> str:
        """Upload a file and give its address."""
        ticket = self.ticket()
        status, body = self.upload(form_of(ticket), content)
        assert status == 200, body
        return ticket["firmwareUrl"]

    def create_firmware(self, version: str = "1.1.0", content: bytes = b"firmware", **own: str) -> str:
        """Create a firmware and give its id."""
        values = {
            "DestVersion": version,
            "FirmwareName": f"name-{version.replace('.', '_')}",
            "FirmwareUrl": self.put(content),
            "FirmwareSign": hashlib.sha256(content).hexdigest(),
            "SignMethod": "SHA256",
            "ProductKey": "k1demoproduct",
        }
        _, answer = self.ask("CreateOTAFirmware", **values | own)
        assert answer["success"], answer
        firmware_id: str = answer["data"]["firmwareId"]
        return firmware_id

    def verify(self, firmware_id: str, *devices: str, **own: str) -> str:
        """Start a verification and give the job's id."""
        named = {f"TargetDeviceName.{place}": name for place, name in enumerate(devices, 1)}
        _, answer = self.ask("CreateOTAVerifyJob", FirmwareId=firmware_id, ProductKey="k1demoproduct", **named, **own)
        assert answer["success"], answer
        job_id: str = answer["data"]["jobId"]
        return job_id

    def upgrade(self, firmware_id: str, *devices: str, **own: str) -> str:
        """Start an upgrade of named devices and give the job's id."""
        named = {f"TargetDeviceName.{place}": name for place, name in enumerate(devices, 1)}
        values = {"FirmwareId": firmware_id, "ProductKey": "k1demoproduct", "TargetSelection": "SPECIFIC"}
        _, answer = self.ask("CreateOTAStaticUpgradeJob", **values, **named, **own)
        assert answer["success"], answer
        job_id: str = answer["data"]["jobId"]
        return job_id

    def tasks(self, job_id: str) -> dict[str, dict[str, str]]:
        _, answer = self.ask("ListOTATaskByJob", JobId=job_id, PageSize="100", CurrentPage="1")
        return {task["deviceName"]: task for task in answer["data"]}

    def job_status(self, job_id: str) -> str:
        status: str = self.ask("QueryOTAJob", JobId=job_id)[1]["data"]["jobStatus"]
        return status

    def firmware_status(self, firmware_id: str) -> int:
        status: int = self.ask("QueryOTAFirmware", FirmwareId=firmware_id)[1]["firmwareInfo"]["status"]
        return status


def form_of(ticket: dict[str, str], **changes: str) -> list[tuple[str, str]]:
    """List the form's fields in a good order."""
    fields = {
        "key": ticket["key"],
        "policy": ticket["policy"],
        "OSSAccessKeyId": ticket["ossAccessKeyId"],
        "Signature": ticket["signature"],
        "success_action_status": "200",
    }
    return list((fields | changes).items())


def parse_form(headers: dict[str, str], body: bytes) -> list[tuple[str, Any]]:
    boundary = headers["content-type"].partition("boundary=")[2].encode()
    parts: list[tuple[str, Any]] = []
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = head.decode().partition('name="')[2].partition('"')[0]
        content = content.removesuffix(b"\r\n")
        parts.append((name, io.BytesIO(content) if b"filename=" in head else content.decode()))
    return parts
