"""Client and emulator read the same documents independently; here the two readings meet."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import pytest

from airflow_provider_tuya_ota.core.actions import ALL_ACTIONS, Action
from airflow_provider_tuya_ota.emulator.gateway.tables import ACTIONS
from airflow_provider_tuya_ota.emulator.operations import HANDLERS

STRICTER = {
    # The English page leaves these open, the Chinese page and the original require them.
    "CreateOTAFirmware": {"FirmwareSign", "FirmwareUrl", "ProductKey"},
}
"""What the emulator requires and the vendor's page calls optional."""
KINDS = {str: {"text"}, int: {"whole", "text"}, bool: {"flag"}, list: {"list"}}


def parameters(action: type[Action[Any]]) -> dict[str, tuple[type, bool]]:
    return {
        item.metadata["parameter"].wire: (item.metadata["parameter"].kind, item.default is MISSING)
        for item in fields(action)
    }


def test_both_know_the_same_operations() -> None:
    assert set(ALL_ACTIONS) == set(ACTIONS) == set(HANDLERS)


@pytest.mark.parametrize("name", ALL_ACTIONS)
def test_both_spell_the_same_parameters(name: str) -> None:
    assert set(parameters(ALL_ACTIONS[name])) == {parameter.name for parameter in ACTIONS[name]}


@pytest.mark.parametrize("name", ALL_ACTIONS)
def test_both_require_the_same_but_for_what_is_stated(name: str) -> None:
    ours = {wire for wire, (_, required) in parameters(ALL_ACTIONS[name]).items() if required}
    theirs = {parameter.name for parameter in ACTIONS[name] if parameter.required}

    assert theirs - ours == STRICTER.get(name, set())
    assert ours <= theirs


@pytest.mark.parametrize("name", ALL_ACTIONS)
def test_both_mean_the_same_kind_of_value(name: str) -> None:
    theirs = {parameter.name: parameter.kind for parameter in ACTIONS[name]}

    for wire, (kind, _) in parameters(ALL_ACTIONS[name]).items():
        assert theirs[wire] in KINDS[kind], wire
