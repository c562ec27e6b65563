"""The addresses of pages: of a job in the vendor's console, with a task's link to it, and of a task in Airflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.providers.common.compat.sdk import conf
from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

    from airflow_provider_tuya_ota.core.settings import Settings

LINK_KEY = "tuya_ota_console_url"


class TuyaOTAJobLink(BaseOperatorLink):
    """Open the job in the vendor's console; the address follows ``console_url`` of the connection."""

    name = "Tuya console"
    xcom_key = LINK_KEY

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """Give back what the operator pushed: Airflow asks after every leg and stores the answer over it."""
        from airflow.sdk.execution_time.xcom import XCom  # noqa: PLC0415 - exists in a running task only

        link: str | None = XCom.get_value(ti_key=ti_key, key=LINK_KEY)
        return link or ""


def console_url(settings: Settings, *, job_id: str, firmware_id: str, product_key: str) -> str:
    """Give the address of a job's page in the vendor's console: the connection's pattern, filled in."""
    return settings.console_url.format(
        host=settings.host, job_id=job_id, firmware_id=firmware_id, product_key=product_key
    )


def run_link(ti: Any) -> str:
    """Give the address of a task's page in Airflow; empty unless ``[api] base_url`` is set."""
    base = (conf.get("api", "base_url", fallback="") or "").rstrip("/")
    if not base:
        return ""
    dag_id, run_id, task_id = (quote(str(getattr(ti, name, "")), safe="") for name in ("dag_id", "run_id", "task_id"))
    map_index = getattr(ti, "map_index", -1)
    return f"{base}/dags/{dag_id}/runs/{run_id}/tasks/{task_id}" + (f"/mapped/{map_index}" if map_index >= 0 else "")
