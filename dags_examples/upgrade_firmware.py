"""Upgrade the devices of a product with a package: a share first, then everybody.

What: hands a verified package to a share of the devices, and to all others once every device of the share runs it.
Why: a fault that the test devices did not show stops at the share. When: a package is verified. Each task is tried
again where time can help, with the job that it has; clearing a task stops what its job has not begun and begins again.
Killing a task stops what has not begun. Needs the connection `tuya_ota_default`.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param

from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator
from airflow_provider_tuya_ota.retry_policy import tuya_ota_retry_policy

with DAG(
    dag_id="upgrade_firmware",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    tags=["ota"],
    doc_md=__doc__,
    default_args={"retries": 3, "retry_policy": tuya_ota_retry_policy()},
    params={
        "product_key": Param(
            "k1demoproduct", type="string", minLength=1, title="Product key", description="Product of the devices."
        ),
        "firmware_id": Param(
            None, type="string", minLength=1, title="Firmware id", description="Verified package to hand out."
        ),
        "percent": Param(
            10,
            type="integer",
            minimum=1,
            maximum=100,
            title="Share",
            description="Percent of the devices that get it first.",
        ),
    },
):
    share = TuyaOTACreateUpgradeJobOperator(
        task_id="share",
        firmware_id="{{ params.firmware_id }}",
        product_key="{{ params.product_key }}",
        target_selection="GRAY",
        gray_percent="{{ params.percent }}",
        timeout_in_minutes=60,
        poll_interval=5,
        deferrable=True,
    )
    everybody = TuyaOTACreateUpgradeJobOperator(
        task_id="everybody",
        firmware_id="{{ params.firmware_id }}",
        product_key="{{ params.product_key }}",
        target_selection="ALL",
        timeout_in_minutes=60,
        poll_interval=5,
        deferrable=True,
    )
    share >> everybody
