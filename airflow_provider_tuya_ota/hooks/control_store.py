"""The state store of the asset ``ota-control``, as tasks and triggers reach it.

The messages are sent as they are, and not by Airflow's accessor. That passes each value through ``[workers]
state_store_backend``, which would read files in the event loop of the triggerer, and which the public API ignores.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType

from airflow_provider_tuya_ota.core.errors import StateUnavailableError
from airflow_provider_tuya_ota.hooks.airflow_api import arepeat, repeat, supervisor_comms
from airflow_provider_tuya_ota.rollout.control.release_control import ControlState, merge_stored
from airflow_provider_tuya_ota.rollout.control.release_id import ASSET_NAME

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.control.release_control import ReleaseControl
    from airflow_provider_tuya_ota.rollout.control.release_id import ReleaseId

ANSWERED_WITHIN: Final = 10.0
"""Seconds for a value that a trigger asks for; it takes milliseconds, but all triggers share one connection."""
_GIVE: Final = "give the control note of the release"
_TAKE: Final = f"take the control note; a Dag has to name the asset {ASSET_NAME} in its inlets"


class ControlStore:
    """The store for a worker."""

    def read(self, key: str) -> Any:
        """Give a stored value; None where there is none, or no Dag names the asset.

        :raises StateUnavailableError: Airflow's API did not give it.
        """
        from airflow.sdk.execution_time.comms import GetAssetStateStoreByName  # noqa: PLC0415 - operators import the hook

        message = GetAssetStateStoreByName(name=ASSET_NAME, key=key)
        answer = repeat(lambda: _checked(supervisor_comms().send(message)), _GIVE)
        return None if answer is None else answer.value

    def write(self, key: str, value: Any) -> None:
        """Store a value.

        :raises StateUnavailableError: Airflow's API did not take it; also where no Dag names the asset.
        """
        from airflow.sdk.execution_time.comms import SetAssetStateStoreByName  # noqa: PLC0415 - operators import the hook

        message = SetAssetStateStoreByName(name=ASSET_NAME, key=key, value=value)
        repeat(lambda: _checked(supervisor_comms().send(message)), _TAKE)


async def aread_control(release: ReleaseId) -> ReleaseControl:
    """Read what people ask of a release now, in the event loop of a triggerer.

    A halt that can be read decides, even where the other note was not given.

    :raises StateUnavailableError: Airflow's API did not give a note.
    """
    try:
        run_value = await _aread(release.note_key)
    except StateUnavailableError:
        halted = merge_stored(release, None, await _aread(release.halt_key))
        if halted.state is not ControlState.HALT:
            raise
        return halted
    return merge_stored(release, run_value, await _aread(release.halt_key))


async def _aread(key: str) -> Any:
    from airflow.sdk.execution_time.comms import GetAssetStateStoreByName  # noqa: PLC0415 - operators import the hook

    async def request() -> Any:
        return _checked(await supervisor_comms().asend(GetAssetStateStoreByName(name=ASSET_NAME, key=key)))

    try:
        async with asyncio.timeout(ANSWERED_WITHIN):
            answer = await arepeat(request, _GIVE)
    except TimeoutError:
        raise StateUnavailableError(_GIVE, reason=f"none within {ANSWERED_WITHIN:.0f} s") from None
    return None if answer is None else answer.value


def _checked(answer: Any) -> Any:
    """Give an answer; None where the store has no such key.

    :raises AirflowRuntimeError: the answer is another error.
    """
    from airflow.sdk.execution_time.comms import ErrorResponse  # noqa: PLC0415 - operators import the hook

    if not isinstance(answer, ErrorResponse):
        return answer
    if answer.error is ErrorType.ASSET_STORE_NOT_FOUND:
        return None
    raise AirflowRuntimeError(answer)
