"""What the API server answers the UI about the connection type."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.settings import EXTRA_FIELDS


@pytest.fixture(scope="module")
def form(migrated_database: None) -> dict[str, Any]:
    from airflow.api_fastapi.app import create_app, get_auth_manager  # noqa: PLC0415 - starts a whole API server
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser  # noqa: PLC0415 - starts a whole API server
    from starlette.testclient import TestClient  # noqa: PLC0415 - starts a whole API server

    app = create_app("core")
    user: Any = SimpleAuthManagerUser(username="admin", role="ADMIN")
    token = get_auth_manager().generate_jwt(user)
    with TestClient(app, headers={"Authorization": f"Bearer {token}"}) as client:
        answer = client.get("/ui/connections/hook_meta")
    assert answer.status_code == 200
    (found,) = [item for item in answer.json() if item["connection_type"] == "tuya_ota"]
    return found  # type: ignore[no-any-return] # parsed JSON


@pytest.mark.airflow
def test_the_type_has_a_name_and_the_hook_behind_it(form: dict[str, Any]) -> None:
    assert form["hook_name"] == "Tuya OTA"
    assert form["hook_class_name"].endswith(".TuyaOTAHook")


@pytest.mark.airflow
def test_host_port_key_and_secret_are_called_what_the_console_calls_them(form: dict[str, Any]) -> None:
    fields = form["standard_fields"]

    assert {name: fields[name]["title"] for name in ("host", "port", "login", "password")} == {
        "host": "API host",
        "port": "API port",
        "login": "AccessKey ID",
        "password": "AccessKey secret",
    }
    assert fields["url_schema"]["hidden"] is True


@pytest.mark.airflow
def test_every_extra_is_shown_with_a_label_and_help(form: dict[str, Any]) -> None:
    extras = form["extra_fields"]

    assert set(extras) == set(EXTRA_FIELDS)
    assert all(field["schema"]["title"] and field["description"] for field in extras.values())
