"""Notifiers that report a release to people and systems."""

from __future__ import annotations

from airflow_provider_tuya_ota.runtime.last_report import last_report
from airflow_provider_tuya_ota.runtime.task_report import reported

__all__ = ["last_report", "reported"]
