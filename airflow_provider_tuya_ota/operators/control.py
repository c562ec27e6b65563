"""Hold, resume, halt or advance a release from a task, or exclude devices from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, BaseOperator

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.operators.base import TuyaOTATask
from airflow_provider_tuya_ota.rollout.control.release_id import ASSET_NAME, ReleaseId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context


class TuyaOTAControlReleaseOperator(TuyaOTATask, BaseOperator):
    """Change the control note of a release: hold, resume, halt or advance it, or exclude devices.

    Nothing is sent to the platform. No operator of this version reads the note yet: it is for releases in waves.

    ``hold`` starts nothing new, and jobs that run go on; ``resume`` ends it. ``halt`` never starts anything again and
    cancels what can be cancelled; it is for good, and outranks whatever is stored later. ``advance`` lets one wave go
    on once without waiting for its pace or its soak, while gate, windows and approvals count all the same; a release
    that is held refuses it. ``exclude`` lets no later job take these devices.

    The note says who: the user who triggered the run of this task, or the run itself. The task names the asset
    ``ota-control`` in its inlets, which keeps the notes in Airflow; whoever may trigger this Dag may use it for every
    release.

    Returns ``state`` (run, hold or halt), ``who``, ``why`` and ``seq``, the number of the last change, as they are
    after the change. A retry makes the change again, except an ``advance`` that an earlier try has stored: a wave goes
    on once. Of a halt, the first one stays.

    :param action: ``hold``, ``resume``, ``halt``, ``advance`` or ``exclude``.
    :param why: the reason, at most 500 characters.
    :param release_dag_id: Dag of the release; this Dag by default.
    :param release_run_id: run of the release; this run by default, and needed with another Dag.
    :param release_group: task group of the release, where its run has several releases.
    :param wave: with ``advance``: number of the wave, from 1.
    :param devices: with ``exclude``: names of devices, at most 1,500 over the whole release.
    :raises InvalidParameterError: an argument is missing or wrong, or ``advance`` while the release is held; nothing
        was stored.
    :raises ControlRefusedError: the release is halted, its note is missing or cannot be read, or somebody else changed
        it at the same time.
    :raises StateUnavailableError: Airflow's API did not answer.
    """

    template_fields: Sequence[str] = (
        "action",
        "why",
        "release_dag_id",
        "release_run_id",
        "release_group",
        "wave",
        "devices",
    )
    ui_color = "#fff3e0"

    def __init__(
        self,
        *,
        action: str,
        why: str,
        release_dag_id: str | None = None,
        release_run_id: str | None = None,
        release_group: str | None = None,
        wave: int | str | None = None,
        devices: str | Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs["inlets"] = [*(kwargs.get("inlets") or []), Asset(ASSET_NAME)]
        super().__init__(**kwargs)
        self.action = action
        self.why = why
        self.release_dag_id = release_dag_id
        self.release_run_id = release_run_id
        self.release_group = release_group
        self.wave = wave
        self.devices = devices

    def execute(self, context: Context) -> dict[str, Any]:
        """Change the note, and say what holds now."""
        from airflow_provider_tuya_ota.runtime import control_note as notes  # noqa: PLC0415 - a parsed Dag needs no worker code
        from airflow_provider_tuya_ota.runtime.arguments import parse_choice, parse_int, parse_names, parse_text  # noqa: PLC0415 - a parsed Dag needs no worker code

        action = parse_choice("action", self.action, notes.ACTIONS)
        why = parse_text("why", self.why)
        wave, devices = parse_int("wave", self.wave), parse_names("devices", self.devices)
        for field, value, owner in (("wave", wave, notes.ADVANCE), ("devices", devices, notes.EXCLUDE)):
            if (value is None) is (action == owner):
                problem = f"is {'missing' if value is None else 'given'}, and the action is {action}"
                allowed = f"a value with {owner}, and with no other action"
                raise InvalidParameterError(field=field, problem=problem, allowed=allowed)
        release = self._release(context)
        steered = notes.change_note(
            context, release, action=action, why=why, wave=wave or 0, devices=tuple(devices or ())
        )
        control = steered.control
        self.log.info(
            "%s: %s by %s (%s)%s",
            release,
            control.state,
            control.who or "nobody",
            control.why,
            "" if steered.is_changed else "; it was so already",
        )
        return {"state": control.state.value, "who": control.who, "why": control.why, "seq": control.seq}

    def _release(self, context: Context) -> ReleaseId:
        from airflow_provider_tuya_ota.runtime.arguments import given  # noqa: PLC0415 - a parsed Dag needs no worker code

        dag_id = self.release_dag_id if given("release_dag_id", self.release_dag_id) else None
        run_id = self.release_run_id if given("release_run_id", self.release_run_id) else None
        group = self.release_group if given("release_group", self.release_group) else None
        if dag_id and not run_id:
            raise InvalidParameterError(field="release_run_id", problem="is missing", allowed="a run of release_dag_id")
        ti = context["ti"]
        return ReleaseId(dag_id=dag_id or ti.dag_id, run_id=run_id or ti.run_id, group=group or "")
