"""Let a flow for a single job run as a part of a set: its note is stored with that of the set around it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_tuya_ota.core.flows.effects import End, Flow, SavedState, SaveState, advance
from airflow_provider_tuya_ota.core.jobs.set_note import without_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_tuya_ota.core.jobs.set_note import SetNote

T = TypeVar("T")


def carry(flow: Flow[T], note: SetNote, known: Sequence[str]) -> Flow[T]:
    """Run a flow that saves and loads the intent of one job of a set.

    :param flow: of the job that ``note`` is beside.
    :param known: of the flow's intents. It is not stored, and added again to what the flow loads.
    """
    known_text = "".join(known)
    answer: Any = None
    failure: Exception | None = None
    try:
        while True:
            effect = advance(flow, answer, failure)
            if isinstance(effect, End):
                return effect.value
            if isinstance(effect, SaveState):
                effect = SaveState(note.stored_with(effect.value))
            answer = failure = None
            try:
                answer = yield effect
            except Exception as error:  # noqa: BLE001 - whatever the driver throws in, the flow has to get
                failure = error
            if isinstance(answer, SavedState) and _is_beside(note, answer.value):
                answer = replace(answer, value=without_set(answer.value) | {"known": known_text})
    finally:
        # Where this is closed, or its process is to end, so is the flow.
        flow.close()


def _is_beside(note: SetNote, value: Any) -> bool:
    """Whether a note was stored with just this part. Where another try has gone on, the flow must see a difference."""
    return isinstance(value, dict) and value == note.stored_with(without_set(value))
