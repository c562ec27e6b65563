"""Verify a firmware that exists.

What: offers the firmware to a few devices, waits for the verdict without holding a worker and reports the result. Why:
nothing may go to the field before it has run on real devices. When: the firmware is uploaded, by
`release_firmware` or in the vendor's console. Needs the connection `tuya_ota_default`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import DAG, Param, get_current_context, task

from airflow_provider_tuya_ota import forms
from airflow_provider_tuya_ota.notifications import last_report
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

with DAG(
    dag_id="verify_firmware",
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
        "firmware_id": Param(
            None,
            type="string",
            pattern=forms.ID,
            title="Firmware",
            description="Id of the firmware to verify, e.g. 178.",
        ),
        "device_names": Param(
            ["device-001", "device-002"],
            type="array",
            items={"type": "string", "pattern": forms.DEVICE},
            minItems=1,
            maxItems=10,
            uniqueItems=True,
            title="Devices",
            description="Devices to try the firmware on, one per line; ten at the most.",
        ),
    },
):
    verify = TuyaOTACreateVerifyJobOperator(
        task_id="verify",
        firmware_id="{{ params.firmware_id }}",
        product_key="{{ params.product_key }}",
        device_names="{{ params.device_names }}",
        deferrable=True,
    )

    @task(retries=0)
    def notify() -> str:
        """Report the result."""
        context: Context = get_current_context()
        release = last_report(context, ["verify"])
        context["task"].log.info("%s", release["text"])
        return str(release["text"])

    # A teardown runs however the task before it ended, and does not turn a failed run into a successful one.
    verify >> notify().as_teardown()
