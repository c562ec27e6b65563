"""Release firmware to test devices: upload, verify, notify.

What: puts a file into a firmware, verifies the firmware on the named devices and reports the result in any
case. Why: one form in the Airflow UI instead of a console session. When: a build is ready. Running it again
with the same file and version makes no second firmware and no second verification. Needs the connection
`tuya_ota_default`; a webhook connection is optional.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import DAG, Param, get_current_context, task

from airflow_provider_tuya_ota import forms
from airflow_provider_tuya_ota.notifications import last_report, reported
from airflow_provider_tuya_ota.notifications.webhook import TuyaOTAWebhookNotifier
from airflow_provider_tuya_ota.operators.firmware import TuyaOTAUploadFirmwareOperator
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

with DAG(
    dag_id="release_firmware",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    tags=["ota"],
    doc_md=__doc__,
    params={
        "product_key": Param(
            "k1demoproduct",
            type="string",
            pattern=forms.ID,
            title="Product key",
            description="Product of the devices.",
        ),
        "version": Param(
            None,
            type="string",
            pattern=forms.VERSION,
            title="Version",
            description="Version that the devices have afterwards: 1 to 64 of A-Z a-z 0-9 . _ -",
        ),
        "source": Param(
            None,
            type="string",
            pattern=forms.SOURCE,
            title="Firmware file",
            description="Path on the worker, or a URL such as s3://bucket/firmware.bin; up to 1,048,576,000 bytes.",
        ),
        "device_names": Param(
            ["device-001", "device-002", "device-003"],
            type="array",
            items={"type": "string", "pattern": forms.DEVICE},
            minItems=1,
            maxItems=10,
            uniqueItems=True,
            title="Devices",
            description="Devices to try the firmware on, one per line; ten at the most.",
        ),
        "webhook_conn_id": Param(
            None,
            type=["null", "string"],
            title="Webhook connection",
            description="Id of an HTTP connection that receives the result; empty for the task log alone.",
        ),
    },
):
    upload = TuyaOTAUploadFirmwareOperator(
        task_id="upload",
        source="{{ params.source }}",
        version="{{ params.version }}",
        product_key="{{ params.product_key }}",
    )
    verify = TuyaOTACreateVerifyJobOperator(
        task_id="verify",
        firmware_id="{{ ti.xcom_pull(task_ids='upload') }}",
        product_key="{{ params.product_key }}",
        device_names="{{ params.device_names }}",
        poll_interval=5,
        deferrable=True,
    )

    @task
    def check() -> None:
        """Refuse wrong input, and a product or devices that the platform does not know, before anything is uploaded."""
        context: Context = get_current_context()
        params = context["params"]
        with reported(context):
            forms.require_form(params)
            forms.require_devices(params["product_key"], params["device_names"], log=context["task"].log)

    # What was sent once is not sent again.
    @task(retries=0)
    def notify() -> str:
        """Tell the last step that began."""
        context: Context = get_current_context()
        release = last_report(context, ["check", "upload", "verify"])
        context["task"].log.info("%s", release["text"])
        # Before the webhook, which may fail this step.
        context["ti"].xcom_push(key="return_value", value=release["text"])
        if conn_id := context["params"]["webhook_conn_id"]:
            TuyaOTAWebhookNotifier(webhook_conn_id=conn_id)({**context, "ota_release": release})
        return str(release["text"])

    # A teardown runs however the tasks before it ended, and does not turn a failed run into a successful one.
    check() >> upload >> verify >> notify().as_teardown()
