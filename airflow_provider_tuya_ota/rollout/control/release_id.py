"""Which release a control note belongs to, and the keys under which its two parts are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr

ASSET_NAME: Final = "ota-control"
"""Asset whose state store has the notes. A task of a Dag has to name it in its inlets: Airflow deletes the store of an
asset that no Dag names."""
LONGEST_KEY: Final = 512
"""Characters of a key in Airflow's state stores."""
LONGEST_ID: Final = 250
"""Characters of an id in Airflow."""

_PATHS: Final = {".", ".."}
"""Clients of HTTP shorten an address with these, so that it would name another key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseId:
    """A release: a run of a Dag, and the task group in it where the run has several releases.

    :param dag_id: the Dag.
    :param run_id: its run.
    :param group: the task group of the release; empty where the run has one release.
    :raises InvalidParameterError: an id is missing, too long, or has characters that cannot be shown.
    """

    dag_id: str
    run_id: str
    group: str = ""

    def __post_init__(self) -> None:
        for field in ("dag_id", "run_id", "group"):
            value = getattr(self, field)
            is_name = isinstance(value, str) and value.isprintable() and value == value.strip()
            if not is_name or len(value) > LONGEST_ID or value in _PATHS or not (value or field == "group"):
                raise InvalidParameterError(
                    field=field,
                    problem=f"{short_repr(value)} is not an id",
                    allowed=f"1 to {LONGEST_ID} printable characters",
                )
        if len(self.note_key) > LONGEST_KEY:
            raise InvalidParameterError(
                field="group",
                problem=f"{short_repr(self.group)} makes the key of the control note {len(self.note_key)} long",
                allowed=f"ids of Dag, run and group that are {LONGEST_KEY - 10} characters together",
            )

    @property
    def note_key(self) -> str:
        """Key of the run note."""
        return f"release/{self._path}"

    @property
    def halt_key(self) -> str:
        """Key of the halt note."""
        return f"halt/{self._path}"

    @property
    def _path(self) -> str:
        return "/".join(_escaped(part) for part in (self.dag_id, self.run_id, self.group) if part)

    def __str__(self) -> str:
        return " / ".join(part for part in (self.dag_id, self.run_id, self.group) if part)

    def to_dict(self) -> dict[str, str]:
        """Give plain JSON values."""
        return {"dag_id": self.dag_id, "run_id": self.run_id, "group": self.group}


def _escaped(part: str) -> str:
    """Write a slash otherwise, so that two releases never have one key."""
    return part.replace("%", "%25").replace("/", "%2F")
