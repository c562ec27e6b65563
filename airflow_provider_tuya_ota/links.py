"""The link from a task to the job's page in the vendor's console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

    from airflow_provider_tuya_ota.core.settings import Settings

XCOM_KEY = "tuya_ota_console_url"


class TuyaOTAJobLink(BaseOperatorLink):
    """Open the job in the vendor's console; the address follows ``console_url`` of the connection."""

    name = "Tuya console"
    xcom_key = XCOM_KEY

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """Give back what the operator pushed: Airflow asks after every leg and stores the answer over it."""
        from airflow.sdk.execution_time.xcom import XCom  # noqa: PLC0415 - exists in a running task only

        link: str | None = XCom.get_value(ti_key=ti_key, key=XCOM_KEY)
        return link or ""


def console_url(settings: Settings, *, job_id: str, firmware_id: str, product_key: str) -> str:
    """Fill in the connection's pattern."""
    return settings.console_url.format(
        host=settings.host, job_id=job_id, firmware_id=firmware_id, product_key=product_key
    )
