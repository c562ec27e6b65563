"""Read when the first poke of a sensor in mode ``reschedule`` began; a busy Airflow must not fail the sensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.errors import StateUnavailableError
from airflow_provider_tuya_ota.hooks.airflow_api import repeat

if TYPE_CHECKING:
    from datetime import datetime

    from airflow.sdk import Context


@dataclass(frozen=True, slots=True)
class _KnownStart:
    """A task instance with a known first poke, so that Airflow's own sensor does not ask Airflow's API again."""

    ti: Any
    began: datetime | None

    def get_first_reschedule_date(self, context: Context) -> datetime | None:  # noqa: ARG002 - Airflow's signature
        return self.began

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ti, name)


def with_known_start(context: Context, log: Any) -> Context:
    """Give the context of a sensor, with a task instance that knows when the first poke began.

    If Airflow's API does not answer, this poke counts as the first one, and the next poke asks again.
    """
    ti: Any = context["ti"]
    began: datetime | None = None
    try:
        began = repeat(lambda: ti.get_first_reschedule_date(context), "say when the first poke began")
    except StateUnavailableError as error:
        log.warning("Whether the timeout has passed is decided at the next poke: %s", error)
    changed: Any = {**context, "ti": _KnownStart(ti, began)}
    return changed  # type: ignore[no-any-return] # a context with another task instance
