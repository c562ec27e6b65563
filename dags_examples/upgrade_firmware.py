"""Upgrade the devices of a product with a firmware: first a share, then, if a person approves, all others.

What: hands a verified firmware to a share of the devices; once every device of the share runs it, asks a person; hands
it to all others if that person approves, and reports the result. Why: a fault that the test devices did not show stops
at the share. When: a firmware is verified. The question waits under "Required Actions" without a time limit; rejecting
it leaves the other devices as they are. A retry resumes the job of its task. Clearing a task cancels the device tasks
that have not begun and creates a new job. Killing a task cancels the device tasks that have not begun. Needs the
connection `tuya_ota_default`; a webhook connection is optional.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, Param, get_current_context, task

from airflow_provider_tuya_ota import forms
from airflow_provider_tuya_ota.notifications import last_report, reported
from airflow_provider_tuya_ota.notifications.webhook import TuyaOTAWebhookNotifier
from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator
from airflow_provider_tuya_ota.retry_policy import tuya_ota_retry_policy

if TYPE_CHECKING:
    from airflow.sdk import Context

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
            description="Id of the verified firmware to hand out, e.g. 178.",
        ),
        "percent": Param(
            10,
            type="integer",
            minimum=1,
            maximum=100,
            title="Share",
            description="Percent of the devices that get it first.",
        ),
        "webhook_conn_id": Param(
            None,
            type=["null", "string"],
            title="Webhook connection",
            description="Id of an HTTP connection that receives the result; empty for the task log alone.",
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
    approve = ApprovalOperator(
        task_id="approve",
        subject="Upgrade all other devices with firmware {{ params.firmware_id }}?",
        body="{{ ti.xcom_pull(task_ids='share', key='ota_release')['text'] }}"
        " Approve: every other device of product {{ params.product_key }} that can take the firmware gets it."
        " Reject: no further device gets it.",
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

    @task
    def check() -> None:
        """Refuse what a later step would refuse, before anything is created."""
        context: Context = get_current_context()
        with reported(context):
            forms.require_form(context["params"])

    # What was sent once is not sent again.
    @task(retries=0)
    def notify() -> str:
        """Tell the last step that began."""
        context: Context = get_current_context()
        release = last_report(context, ["check", "share", "approve", "everybody"])
        context["task"].log.info("%s", release["text"])
        # Before the webhook, which may fail this step.
        context["ti"].xcom_push(key="return_value", value=release["text"])
        if conn_id := context["params"]["webhook_conn_id"]:
            TuyaOTAWebhookNotifier(webhook_conn_id=conn_id)({**context, "ota_release": release})
        return str(release["text"])

    # A teardown runs however the tasks before it ended, and does not turn a failed run into a successful one.
    check() >> share >> approve >> everybody >> notify().as_teardown()
