from __future__ import annotations

from tests.report_schema import every_report_conforms

__all__ = ["every_report_conforms"]
