"""The vendor's own SDKs release firmware: what they send is what the emulator must take."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import urlsplit

import pytest
import requests
from alibabacloud_iot20180120 import models
from alibabacloud_iot20180120.client import Client
from alibabacloud_tea_openapi.models import Config
from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from darabonba.exceptions import DaraException

from airflow_provider_tuya_ota.emulator.clock import Clock
from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.server import EmulatorServer

if TYPE_CHECKING:
    from collections.abc import Iterator

# From Python 3.12 on; the SDK asks for the time in a way that is on its way out.
pytestmark = pytest.mark.filterwarnings(r"ignore:datetime\.datetime\.utcnow\(\) is deprecated:DeprecationWarning")
PRODUCT = "k1demoproduct"
CONTENT = b"firmware of the vendor's own tools"
PAGE = {"CurrentPage": 1, "PageSize": 10}


class Sdk(Protocol):
    """One way to ask the platform."""

    def ask(self, action: str, **parameters: Any) -> dict[str, Any]:
        """Give the answer as it came."""


class CoreSdk:
    """aliyun-python-sdk-core, which knows how to sign and nothing of the operations."""

    refusal = ServerException

    def __init__(self, url: str, key_id: str, secret: str, method: str) -> None:
        where = urlsplit(url)
        self._host, self._method = where.hostname, method
        self._client = AcsClient(key_id, secret, "cn-shanghai", port=where.port, auto_retry=False)

    def ask(self, action: str, **parameters: Any) -> dict[str, Any]:
        request = CommonRequest(domain=self._host, version="2018-01-20", action_name=action)
        request.set_accept_format("json")
        request.set_protocol_type("http")
        request.set_method(self._method)
        for name, value in parameters.items():
            if not isinstance(value, list):
                request.add_query_param(name, value)
                continue
            for place, item in enumerate(value, 1):
                request.add_query_param(f"{name}.{place}", item)
        answer: dict[str, Any] = json.loads(self._client.do_action_with_exception(request))
        return answer


class _Remembering(Client):  # type: ignore[misc] # the SDK ships no types
    """Keeps what came: the models look for keys in another case than the platform's, and stay empty."""

    came: dict[str, Any]

    def call_api(self, *arguments: Any) -> dict[str, Any]:
        self.came = super().call_api(*arguments)
        return self.came


class TypedSdk:
    """alibabacloud-iot20180120: a method and a model for each operation."""

    refusal = DaraException
    methods: ClassVar = {
        "GenerateOTAUploadURL": "generate_otaupload_url",
        "CreateOTAFirmware": "create_otafirmware",
        "QueryOTAFirmware": "query_otafirmware",
        "CreateOTAVerifyJob": "create_otaverify_job",
        "CreateOTAStaticUpgradeJob": "create_otastatic_upgrade_job",
        "QueryOTAJob": "query_otajob",
        "ListOTAJobByFirmware": "list_otajob_by_firmware",
        "ListOTATaskByJob": "list_otatask_by_job",
        "CancelOTATaskByJob": "cancel_otatask_by_job",
    }

    def __init__(self, url: str, key_id: str, secret: str, signature_algorithm: str = "v2") -> None:
        self._client = _Remembering(
            Config(
                access_key_id=key_id,
                access_key_secret=secret,
                endpoint=urlsplit(url).netloc,
                protocol="http",
                signature_algorithm=signature_algorithm,
            )
        )
        self.typed: Any = None

    def ask(self, action: str, **parameters: Any) -> dict[str, Any]:
        request = getattr(models, f"{action}Request")().from_map(parameters)
        assert set(parameters) <= set(request.to_map())
        self.typed = getattr(self._client, self.methods[action])(request)
        body: dict[str, Any] = self._client.came["body"]
        return body


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatorServer]:
    # Both ask the environment for proxies.
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    clock = Clock()
    clock.freeze(frozen=True)
    with EmulatorServer(Emulator(clock=clock)) as server:
        yield server


@pytest.fixture(params=["core, GET", "core, POST", "typed"])
def sdk(request: pytest.FixtureRequest, server: EmulatorServer) -> Sdk:
    key = server.emulator.key
    kind, _, method = request.param.partition(", ")
    if kind == "typed":
        return TypedSdk(server.url, key.access_key_id, key.access_key_secret)
    return CoreSdk(server.url, key.access_key_id, key.access_key_secret, method)


def upload(sdk: Sdk) -> str:
    """Upload the file, and give its address."""
    ticket = sdk.ask("GenerateOTAUploadURL", FileSuffix="bin")["data"]
    form = {
        "key": ticket["key"],
        "policy": ticket["policy"],
        "OSSAccessKeyId": ticket["ossAccessKeyId"],
        "Signature": ticket["signature"],
        "success_action_status": "200",
    }
    stored = requests.post(ticket["host"], data=form, files={"file": CONTENT}, timeout=10)
    assert stored.status_code == 200
    address: str = ticket["firmwareUrl"]
    return address


def firmware(sdk: Sdk) -> str:
    """Upload the file, and make a firmware of it."""
    answer = sdk.ask(
        "CreateOTAFirmware",
        DestVersion="1.1.0",
        FirmwareName="vendor_1_1_0",
        FirmwareUrl=upload(sdk),
        FirmwareSign=hashlib.md5(CONTENT).hexdigest(),  # noqa: S324 - the platform's default
        SignMethod="MD5",
        FirmwareSize=len(CONTENT),
        ProductKey=PRODUCT,
        NeedToVerify=True,
    )
    assert answer["success"], answer
    firmware_id: str = answer["data"]["firmwareId"]
    return firmware_id


def statuses(sdk: Sdk, job_id: str) -> dict[str, str]:
    tasks = sdk.ask("ListOTATaskByJob", JobId=job_id, **PAGE)["data"]
    return {task["deviceName"]: task["taskStatus"] for task in tasks}


def pass_time(server: EmulatorServer) -> None:
    server.emulator.clock.advance(60)


def test_a_whole_release(server: EmulatorServer, sdk: Sdk) -> None:
    firmware_id = firmware(sdk)
    here = {"FirmwareId": firmware_id, "ProductKey": PRODUCT}

    verification = sdk.ask("CreateOTAVerifyJob", TargetDeviceName=["device-001", "device-002"], **here)["data"]["jobId"]
    assert set(statuses(sdk, verification).values()) == {"QUEUED"}
    pass_time(server)
    assert statuses(sdk, verification) == {"device-001": "SUCCEEDED", "device-002": "SUCCEEDED"}
    assert sdk.ask("QueryOTAJob", JobId=verification)["data"]["jobStatus"] == "COMPLETED"
    assert sdk.ask("QueryOTAFirmware", FirmwareId=firmware_id)["firmwareInfo"]["status"] == 1

    upgrade = sdk.ask(
        "CreateOTAStaticUpgradeJob", TargetSelection="ALL", SrcVersion=["1.0.0"], RetryCount=1, RetryInterval=10, **here
    )["data"]["jobId"]
    jobs = sdk.ask("ListOTAJobByFirmware", FirmwareId=firmware_id, **PAGE)
    assert [job["jobId"] for job in jobs["data"]] == [upgrade, verification]
    sdk.ask("CancelOTATaskByJob", JobId=upgrade, CancelQueuedTask=True, CancelNotifiedTask=True)
    assert sdk.ask("QueryOTAJob", JobId=upgrade)["data"]["jobStatus"] == "CANCELED"
    assert set(statuses(sdk, upgrade).values()) == {"CANCELED"}


def test_a_wrong_secret_is_reported_as_the_sdk_reports_it(server: EmulatorServer) -> None:
    key_id = server.emulator.key.access_key_id
    for sdk in (CoreSdk(server.url, key_id, "wrong", "GET"), TypedSdk(server.url, key_id, "wrong")):
        with pytest.raises(sdk.refusal, match="SignatureDoesNotMatch"):
            sdk.ask("QueryOTAJob", JobId="17")


def test_the_models_of_the_typed_sdk_fill_where_keys_are_as_the_tables_have_them(server: EmulatorServer) -> None:
    sdk = TypedSdk(server.url, server.emulator.key.access_key_id, server.emulator.key.access_key_secret)
    firmware_id = firmware(sdk)
    sdk.ask("QueryOTAFirmware", FirmwareId=firmware_id)
    without = sdk.typed.body.firmware_info

    server.emulator.world.quirks = server.emulator.world.quirks.changed({"key_case": "pascal"})
    sdk.ask("QueryOTAFirmware", FirmwareId=firmware_id)

    assert (without, sdk.typed.body.firmware_info.dest_version) == (None, "1.1.0")


def test_the_typed_sdk_s_present_signature_is_not_the_platform_s(server: EmulatorServer) -> None:
    key = server.emulator.key
    sdk = TypedSdk(server.url, key.access_key_id, key.access_key_secret, signature_algorithm="ACS3-HMAC-SHA256")

    with pytest.raises(DaraException):
        sdk.ask("QueryOTAJob", JobId="17")
