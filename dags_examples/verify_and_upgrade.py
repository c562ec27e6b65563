"""Verify a firmware on pilots, upgrade the chosen devices, report the result.

What: verifies a firmware on a few named devices; once all of them run it, hands it to a share of the product's devices
or to named ones; reports the result in any case. Why: one form for what takes two visits to the vendor's console, and
firmware that failed on a pilot, or that no pilot has tried, reaches no other device. When: the firmware is uploaded.
Running it again does not verify a verified firmware once more. Needs the connection `tuya_ota_default`; a webhook
connection is optional.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import DAG, Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from airflow_provider_tuya_ota import forms
from airflow_provider_tuya_ota.notifications import last_report, reported
from airflow_provider_tuya_ota.notifications.webhook import TuyaOTAWebhookNotifier
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator
from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator
from airflow_provider_tuya_ota.retry_policy import tuya_ota_retry_policy

if TYPE_CHECKING:
    from airflow.sdk import Context

with DAG(
    dag_id="verify_and_upgrade",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    tags=["ota"],
    doc_md=__doc__,
    default_args={"retries": 3, "retry_policy": tuya_ota_retry_policy()},
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
            description="Id of the firmware, e.g. 178.",
        ),
        "pilots": Param(
            ["device-001", "device-002"],
            type="array",
            items={"type": "string", "pattern": forms.DEVICE},
            minItems=1,
            maxItems=10,
            uniqueItems=True,
            title="Pilots",
            description="Devices to verify the firmware on, one per line; ten at the most.",
        ),
        "target": Param(
            "GRAY",
            enum=["GRAY", "SPECIFIC"],
            title="Who gets it then",
            description="GRAY: a share of the product's devices. SPECIFIC: the devices named below.",
        ),
        "percent": Param(
            10, type="integer", minimum=1, maximum=100, title="Share", description="Percent of the devices, with GRAY."
        ),
        "device_names": Param(
            [],
            type="array",
            items={"type": "string", "pattern": forms.DEVICE},
            maxItems=200,
            uniqueItems=True,
            title="Devices",
            description="Devices to upgrade, one per line, 200 at the most; with SPECIFIC, and empty with GRAY.",
        ),
        "webhook_conn_id": Param(
            None,
            type=["null", "string"],
            title="Webhook connection",
            description="Id of an HTTP connection that receives the result; empty for the task log alone.",
        ),
    },
):
    verify = TuyaOTACreateVerifyJobOperator(
        task_id="verify",
        firmware_id="{{ params.firmware_id }}",
        product_key="{{ params.product_key }}",
        device_names="{{ params.pilots }}",
        poll_interval=5,
        deferrable=True,
    )
    upgrade = TuyaOTACreateUpgradeJobOperator(
        task_id="upgrade",
        firmware_id="{{ params.firmware_id }}",
        product_key="{{ params.product_key }}",
        target_selection="{{ params.target }}",
        # '<leave out>' leaves the argument out; a value that is missing is an error.
        gray_percent="{{ params.percent if params.target == 'GRAY' else '<leave out>' }}",
        device_names="{{ params.device_names if params.target == 'SPECIFIC' else '<leave out>' }}",
        timeout_in_minutes=60,
        poll_interval=5,
        deferrable=True,
    )

    @task
    def check() -> None:
        """Refuse what the form cannot check, before anything is sent."""
        context: Context = get_current_context()
        params = context["params"]
        with reported(context):
            forms.require_form(params)
            if (params["target"] == "SPECIFIC") != bool(params["device_names"]):
                raise AirflowFailException("Devices: name them with SPECIFIC, and leave them empty with GRAY.")

    @task
    def tried() -> None:
        """Refuse a firmware that no pilot has tried: the platform verifies none that needs no verification."""
        from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook  # noqa: PLC0415 - parsing a Dag needs no hook

        context: Context = get_current_context()
        verification = context["ti"].xcom_pull(task_ids="verify", key="ota_release") or {}
        # A person may have marked a verification success that failed, or did not end.
        if verification.get("event") == "succeeded" and verification.get("counts"):
            return
        firmware = TuyaOTAHook().query_firmware(firmware_id=context["params"]["firmware_id"])
        if firmware.status.name == "VERIFIED":
            return
        with reported(context):
            if firmware.status.name == "NOT_NEEDED" and not verification.get("counts"):
                raise AirflowFailException(
                    "No pilot has tried the firmware, because it needs no verification. Upload it as one that does, or"
                    " begin with a share of the devices: sample Dag upgrade_firmware."
                )
            raise AirflowFailException(
                f"The firmware has not succeeded on its pilots: its status is {firmware.status.name}. Step verify has"
                f" reported: {verification.get('text', 'nothing')}"
            )

    # What was sent once is not sent again.
    @task(retries=0)
    def notify() -> str:
        """Tell the last step that began."""
        context: Context = get_current_context()
        release = last_report(context, ["check", "verify", "tried", "upgrade"])
        context["task"].log.info("%s", release["text"])
        # Before the webhook, which may fail this step.
        context["ti"].xcom_push(key="return_value", value=release["text"])
        if conn_id := context["params"]["webhook_conn_id"]:
            TuyaOTAWebhookNotifier(webhook_conn_id=conn_id)({**context, "ota_release": release})
        return str(release["text"])

    # A teardown runs however the tasks before it ended, and does not turn a failed run into a successful one.
    check() >> verify >> tried() >> upgrade >> notify().as_teardown()
