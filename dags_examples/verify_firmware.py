"""Verify a package that exists: the operator alone.

What: offers the package to a few devices and waits for the verdict without holding a worker. Why: nothing may go to
the field before it has run on real devices. When: after somebody uploaded the package, by this package or in the
vendor's console. Needs the connection `tuya_ota_default`.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator

with DAG(
    dag_id="verify_firmware",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    tags=["ota"],
    doc_md=__doc__,
    params={
        "product_key": Param(
            "k1demoproduct", type="string", minLength=1, title="Product key", description="Product of the devices."
        ),
        "firmware_id": Param(
            None, type="string", minLength=1, title="Package", description="Id of the package to verify, e.g. 178."
        ),
        "device_names": Param(
            ["device-001", "device-002"],
            type="array",
            items={"type": "string"},
            minItems=1,
            title="Devices",
            description="Devices to try the package on, one per line; ten at the most.",
        ),
    },
):
    TuyaOTACreateVerifyJobOperator(
        task_id="verify",
        firmware_id="{{ params.firmware_id }}",
        product_key="{{ params.product_key }}",
        device_names="{{ params.device_names }}",
        deferrable=True,
    )
