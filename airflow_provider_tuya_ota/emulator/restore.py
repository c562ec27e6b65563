"""Restore an account from its journal."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.emulator import control, scenario
from airflow_provider_tuya_ota.emulator.messages import BusinessError
from airflow_provider_tuya_ota.emulator.operations import HANDLERS
from airflow_provider_tuya_ota.emulator.recorder import Recorder
from airflow_provider_tuya_ota.emulator.simulation.storage import StoredObject

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.account import Account
    from airflow_provider_tuya_ota.emulator.journal import Change, Journal


def restore(account: Account, journal: Journal, document: Any) -> Recorder:
    """Repeat every change that the journal holds, so that the account continues where it was.

    While no emulator runs, no time passes in the world.

    :param document: scenario of a new journal; a journal that exists holds its own.
    :returns: the recorder that writes what happens from here on.
    :raises ValueError: the journal was begun with another scenario, or holds a change that cannot be repeated.
    """
    recorder = Recorder(journal, account.clock)
    begun = journal.scenario
    if begun is None:
        recorder.began(account.world, document or {})
        return recorder
    if document is not None and document != begun:
        raise ValueError("the state was begun with another scenario; leave --scenario out, or choose another --state")
    try:
        _repeat_all(account, journal, begun)
    except (BusinessError, LookupError, TypeError, AttributeError, ValueError, sqlite3.Error) as error:
        why = f"{type(error).__name__}: {error}"
        raise ValueError(f"state {journal.path} cannot be restored ({why}). Choose another file") from None
    return recorder


def _repeat_all(account: Account, journal: Journal, begun: Any) -> None:
    world, gateway = journal.birth
    with account.clock.pinned(world, gateway):
        account.reset(scenario.read(begun))
    for change in journal.changes():
        with account.clock.pinned(change.world, change.gateway):
            account.world.engine.run()
            _repeat(account, change)
    reached, starts = journal.start_again()
    with account.clock.pinned(reached):
        account.world.engine.run()
    account.clock.advance(reached - account.clock.world())
    account.world.number_requests_from(starts)
    account.gateway.remember(journal.nonces())


def _repeat(account: Account, change: Change) -> None:
    arguments = change.arguments
    match change.kind:
        case "call":
            HANDLERS[arguments["action"]](account.world, arguments["values"], arguments["origin"])
        case "object":
            account.world.storage.objects[arguments["key"]] = StoredObject(**arguments, content=change.content)
        case _:
            control.carry_out(account, arguments["name"], arguments["values"], arguments["rest"])
