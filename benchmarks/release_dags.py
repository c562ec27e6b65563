"""The Dags of the benchmark of a whole release: with the operators, by hand, one that only sleeps, one to warm up.

They are text, because Airflow's processes read them from its folder of Dags; ``CONSTANTS`` stands above them there.
"""

from __future__ import annotations

TRIGGER = """
import asyncio, time
from airflow.sdk import BaseHook
from airflow.triggers.base import BaseTrigger, TriggerEvent


class SleepTrigger(BaseTrigger):
    def __init__(self, until, conn_id=""):
        super().__init__()
        self.until = until
        self.conn_id = conn_id

    def serialize(self):
        return "sleep_trigger.SleepTrigger", {"until": self.until, "conn_id": self.conn_id}

    async def run(self):
        if self.conn_id:
            await BaseHook.aget_connection(self.conn_id)
        await asyncio.sleep(max(0.0, self.until - time.time()))
        yield TriggerEvent(True)
"""
"""A trigger does not live in a file of Dags; the triggerer finds it in Airflow's folder for configuration."""

DAGS = """
import json, time
from pathlib import Path
from airflow.sdk import DAG, BaseOperator, task
from sleep_trigger import SleepTrigger
from airflow_provider_tuya_ota.operators.firmware import TuyaOTAUploadFirmwareOperator
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator
from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator

PRODUCT, VERIFIED, WAVES, URL, KEY, SECRET, SOURCE, DEVICE_SECONDS = CONSTANTS
NAMES = [f"device-{number:03d}" for number in range(1, VERIFIED + sum(WAVES) + 1)]
PARTS, start = [], VERIFIED
for size in WAVES:
    PARTS.append(NAMES[start : start + size])
    start += size
VERSION = "{{ params.version }}"

with DAG("ours", schedule=None, params={"version": "2.0.0"}):
    here = {"product_key": PRODUCT, "poll_interval": 5, "deferrable": True}
    upload = TuyaOTAUploadFirmwareOperator(task_id="upload", source=SOURCE, version=VERSION, product_key=PRODUCT)
    step = TuyaOTACreateVerifyJobOperator(
        task_id="verify", firmware_id=upload.output, device_names=NAMES[:VERIFIED], **here
    )
    upload >> step
    for number, names in enumerate(PARTS, 1):
        following = TuyaOTACreateUpgradeJobOperator(
            task_id=f"wave_{number}", firmware_id=upload.output, target_selection="SPECIFIC", device_names=names,
            **here,
        )
        step >> following
        step = following


def client():
    from alibabacloud_iot20180120.client import Client
    from alibabacloud_tea_openapi.models import Config

    class Keeping(Client):
        # The SDK's models look for keys in another case than the platform's, and stay empty.
        def call_api(self, *arguments):
            self.came = super().call_api(*arguments)
            return self.came

    return Keeping(
        Config(
            access_key_id=KEY, access_key_secret=SECRET, endpoint=URL.removeprefix("http://"), protocol="http",
            signature_algorithm="v2",
        )
    )


def ask(sdk, method, request, **parameters):
    from alibabacloud_iot20180120 import models

    getattr(sdk, method)(getattr(models, request)().from_map(parameters))
    answer = sdk.came["body"]
    if not answer["success"]:
        raise RuntimeError(answer)
    return answer


def wait(sdk, job_id):
    while True:
        status = ask(sdk, "query_otajob", "QueryOTAJobRequest", JobId=job_id)["data"]["jobStatus"]
        if status in {"COMPLETED", "CANCELED"}:
            break
        time.sleep(5)
    page = {"CurrentPage": 1, "PageSize": 100}
    tasks = ask(sdk, "list_otatask_by_job", "ListOTATaskByJobRequest", JobId=job_id, **page)["data"]
    if failed := [one["deviceName"] for one in tasks if one["taskStatus"] != "SUCCEEDED"]:
        raise RuntimeError(f"failed: {failed}")


with DAG("by_hand", schedule=None, params={"version": "2.0.0"}):

    @task
    def upload_by_hand(version):
        import hashlib, requests

        sdk = client()
        ticket = ask(sdk, "generate_otaupload_url", "GenerateOTAUploadURLRequest", FileSuffix="bin")["data"]
        form = {
            "key": ticket["key"], "policy": ticket["policy"], "OSSAccessKeyId": ticket["ossAccessKeyId"],
            "Signature": ticket["signature"], "success_action_status": "200",
        }
        content = Path(SOURCE).read_bytes()
        requests.post(ticket["host"], data=form, files={"file": content}, timeout=30).raise_for_status()
        answer = ask(
            sdk, "create_otafirmware", "CreateOTAFirmwareRequest", DestVersion=version,
            FirmwareName="hand_" + version.replace(".", "_"),
            FirmwareUrl=ticket["firmwareUrl"], FirmwareSign=hashlib.md5(content).hexdigest(), SignMethod="MD5",
            FirmwareSize=len(content), ProductKey=PRODUCT, NeedToVerify=True,
        )
        return answer["data"]["firmwareId"]

    @task
    def verify_by_hand(firmware_id):
        sdk = client()
        answer = ask(
            sdk, "create_otaverify_job", "CreateOTAVerifyJobRequest", FirmwareId=firmware_id, ProductKey=PRODUCT,
            TargetDeviceName=NAMES[:VERIFIED],
        )
        wait(sdk, answer["data"]["jobId"])
        return firmware_id

    @task
    def upgrade_by_hand(firmware_id, names):
        sdk = client()
        answer = ask(
            sdk, "create_otastatic_upgrade_job", "CreateOTAStaticUpgradeJobRequest", FirmwareId=firmware_id,
            ProductKey=PRODUCT, TargetSelection="SPECIFIC", TargetDeviceName=names,
        )
        wait(sdk, answer["data"]["jobId"])
        return firmware_id

    firmware_id = verify_by_hand(upload_by_hand(VERSION))
    for number, names in enumerate(PARTS, 1):
        firmware_id = upgrade_by_hand.override(task_id=f"wave_{number}")(firmware_id, names)


class SleepOperator(BaseOperator):
    def __init__(self, *, seconds, conn_id="", **kwargs):
        super().__init__(**kwargs)
        self.seconds = seconds
        self.conn_id = conn_id

    def execute(self, context):
        self.defer(trigger=SleepTrigger(time.time() + self.seconds, self.conn_id), method_name="execute_complete")

    def execute_complete(self, context, event):
        pass


with DAG("sleeps", schedule=None, params={"version": "2.0.0"}):

    @task
    def nothing():
        pass

    step = nothing()
    for number, seconds in enumerate(DEVICE_SECONDS):
        following = SleepOperator(task_id=f"sleep_{number}", seconds=seconds)
        step >> following
        step = following


with DAG("warm_up", schedule=None, params={"version": "2.0.0"}):
    SleepOperator(task_id="warm_up", seconds=0, conn_id="tuya_ota_default")
"""
