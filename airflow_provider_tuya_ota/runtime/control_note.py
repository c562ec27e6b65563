"""The control note of a release, as its own worker tasks read, begin and change it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from airflow_provider_tuya_ota.core.errors import StateUnavailableError
from airflow_provider_tuya_ota.hooks.control_store import ControlStore
from airflow_provider_tuya_ota.rollout.control import steer
from airflow_provider_tuya_ota.rollout.control.change import ChangeVerb, Reason
from airflow_provider_tuya_ota.rollout.control.release_control import ReleaseControl
from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId

if TYPE_CHECKING:
    from airflow.sdk import Context

HALT: Final = "halt"
ADVANCE: Final = ChangeVerb.ADVANCE.value
EXCLUDE: Final = ChangeVerb.EXCLUDE.value
ACTIONS: Final = (ChangeVerb.HOLD.value, ChangeVerb.RESUME.value, HALT, ADVANCE, EXCLUDE)
_BEGINS: Final = "the release begins"


def release_of(context: Context, group: str = "") -> ReleaseId:
    """Name the release that a task belongs to.

    :param group: id of the task group of the release; empty where the run has one release.
    """
    ti = context["ti"]
    return ReleaseId(dag_id=ti.dag_id, run_id=ti.run_id, group=group)


def who_triggered(context: Context) -> str:
    """Name who triggered the run of a task: a user, or the run itself where no user did."""
    ti, dag_run = context["ti"], context.get("dag_run")
    user = getattr(dag_run, "triggering_user_name", None)
    return str(user) if user else f"Dag {ti.dag_id}, run {ti.run_id}"


def begin_control(context: Context, release: ReleaseId) -> ReleaseControl:
    """Store the first note of a release, which runs; a note that is there stays.

    :returns: what holds for the release now.
    :raises StateUnavailableError: Airflow's API did not answer, or no Dag names the asset ``ota-control``.
    """
    return steer.begin_release(ControlStore(), release, _reason_now(who_triggered(context), _BEGINS))


def read_control(release: ReleaseId) -> ReleaseControl:
    """Read what people ask of a release now, without any cache: for the moment before a job is created.

    Where Airflow's API does not answer, the release holds with that reason.
    """
    try:
        return steer.read_control(ControlStore(), release)
    except StateUnavailableError as error:
        return ReleaseControl.unreadable(f"cannot be read: {error}")


def change_note(
    context: Context, release: ReleaseId, *, action: str, why: str, wave: int = 0, devices: tuple[str, ...] = ()
) -> steer.Steered:
    """Hold, resume, halt or advance a release, or exclude devices, in the name of who triggered the run.

    :param action: one of :data:`ACTIONS`.
    :param wave: with advance: number of the wave.
    :param devices: with exclude: the devices.
    :raises InvalidParameterError: an argument is wrong, or it is a wave of a held release.
    :raises ControlRefusedError: the release is halted, its note cannot be read, or others changed it at the same time.
    :raises StateUnavailableError: Airflow's API did not answer.
    """
    reason = _reason_now(who_triggered(context), why)
    if action == HALT:
        return steer.halt_release(ControlStore(), release, reason)
    steering = steer.Steering(
        verb=ChangeVerb(action),
        reason=reason,
        wave=wave,
        devices=devices,
        since=getattr(context.get("dag_run"), "start_date", None),
    )
    return steer.steer_release(ControlStore(), release, steering, pause=time.sleep)


def _reason_now(who: str, why: str) -> Reason:
    return Reason(who=who, why=why, at=datetime.now(UTC))
