"""The canary campaign within one process: nothing secret in log, output and database after careless tasks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.campaigns.canary import DAGS, EXPECTED, TOKENS, open_ground
from tests.provider.dags.test_dags import load
from tests.transports.conftest import recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.campaigns.canary import Ground

pytestmark = pytest.mark.airflow


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    with open_ground(tmp_path) as ground:
        for name, connection in ground.connections().items():
            monkeypatch.setenv(name, connection)
        yield ground


@pytest.mark.usefixtures("airflow_database")
def test_nothing_secret_is_anywhere_after_careless_tasks(ground: Ground, capfd: pytest.CaptureFixture[str]) -> None:
    with recording() as log:
        run = load("canary", DAGS).test(run_conf={"source": str(ground.firmware)})
    output = capfd.readouterr()

    states = {ti.task_id: ti.state for ti in run.get_task_instances()}
    assert {name: states[name] for name in EXPECTED} == EXPECTED
    assert all(any(token in path for path in ground.receiver.paths) for token in TOKENS[:3])
    assert len(ground.emulator.handed_out) > 20
    ground.search("output", f"{output.out} {output.err}".encode("utf-8", "replace"))
    ground.search("log", "\n".join(log.lines).encode("utf-8", "replace"))
    for path in Path(os.environ["AIRFLOW_HOME"]).rglob("*"):
        if path.is_file():
            ground.search(path.name, path.read_bytes())
    assert ground.found == {}
    assert "urllib3" in output.out or any("POST" in line for line in log.lines)
