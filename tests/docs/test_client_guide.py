"""The guide to the client, as printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.configuration import conf

from airflow_provider_tuya_ota import exceptions
from airflow_provider_tuya_ota.core.actions import ALL_ACTIONS
from airflow_provider_tuya_ota.operations import AsyncOperations, Operations

if TYPE_CHECKING:
    import pytest

    from airflow_provider_tuya_ota.pytest_plugin import RunningEmulator

GUIDE = (Path(__file__).parents[2] / "docs/client.md").read_text(encoding="utf-8")


def test_its_examples_run_one_after_the_other(
    tuya_ota_emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tuya_ota_emulator.seed({"products": [{"devices": 70, "device": {"device-003": {"online": False}}}]})
    monkeypatch.setenv("TUYA_OTA_HOST", tuya_ota_emulator.url)
    monkeypatch.setenv("TUYA_OTA_ACCESS_KEY_ID", tuya_ota_emulator.emulator.key.access_key_id)
    monkeypatch.setenv("TUYA_OTA_ACCESS_KEY_SECRET", tuya_ota_emulator.emulator.key.access_key_secret)
    names: dict[str, Any] = {}
    # Airflow prints once a process that it has read its configuration.
    conf.get("core", "dags_folder")
    capsys.readouterr()

    for block in re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE):
        exec(block, names)  # noqa: S102 - the guide's own examples

    assert capsys.readouterr().out.splitlines() == [
        "k1demoproduct 70",
        "1 devices are offline",
        "k1demoproduct",
        "['1.0.0', '1.0.0']",
        "0 requests were sent again",
    ]


def test_its_table_has_every_list_with_its_largest_page() -> None:
    documented = {name: int(size) for name, size in re.findall(r"^\| `(\w+)` \| (\d+) \|$", GUIDE, re.MULTILINE)}

    assert documented == {
        name: action.largest_page for name, action in ALL_ACTIONS.items() if hasattr(action, "largest_page")
    }


def test_its_names_are_methods() -> None:
    named = set(re.findall(r"`((?:a?query|create|list|confirm)_\w+)`", GUIDE))

    assert len(named) >= 6
    assert named <= {*vars(Operations), *vars(AsyncOperations)}


def test_its_table_of_errors_is_the_tree_of_errors() -> None:
    rows = re.findall(r"^\| (· )?`(\w+Error)` \|", GUIDE, re.MULTILINE)
    parents, parent = {}, ""
    for dot, name in rows:
        parents[name] = parent if dot else "TuyaOTAError"
        parent = parent if dot else name

    kinds = {name: getattr(exceptions, name) for name in exceptions.__all__ if name not in {"Delivery", "TuyaOTAError"}}
    assert parents == {name: kind.__base__.__name__ for name, kind in kinds.items()}
