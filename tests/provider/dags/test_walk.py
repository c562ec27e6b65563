"""docs/architecture.md shows the way of a request from operator to wire as the code goes it."""

from __future__ import annotations

import inspect
import re
import runpy
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.transports.requests_transport import RequestsTransport
from tests.provider.operators.test_verify_operator import make_firmware, verify

if TYPE_CHECKING:
    from types import FrameType

    import pytest

    from airflow_provider_tuya_ota.core.wire.http import Request, Response
    from tests.provider.conftest import Service

ROOT = Path(__file__).parents[3]
FIRMWARE = ROOT / "airflow_provider_tuya_ota"
NOT_ON_THE_PAGE = {"client.py"}
"""It only hands the flow to the driver."""


def shown() -> list[str]:
    section = (ROOT / "docs/architecture.md").read_text("utf-8").partition("## From a Dag to the wire")[2]
    return re.findall(r"^\| \d+ \| \[`([^`]+)`\]", section.partition("\n## ")[0], re.MULTILINE)


def walked(frame: FrameType | None) -> list[str]:
    """Name the files between operator and driver, those of the flow, and then driver and transport."""
    stack, flow = [], None
    while frame is not None:
        stack.append(Path(frame.f_code.co_filename))
        if frame.f_code.co_name == "drive":
            flow = frame.f_locals["flow"]
        frame = frame.f_back
    *above, driver = [str(path.relative_to(FIRMWARE)) for path in reversed(stack) if path.is_relative_to(FIRMWARE)]
    files = above
    while inspect.isgenerator(flow):
        files.append(str(Path(flow.gi_code.co_filename).relative_to(FIRMWARE)))
        flow = flow.gi_yieldfrom
    return list(dict.fromkeys([*files, driver, "transports/requests_transport.py"]))


def climbs(files: list[str]) -> list[str]:
    """Name the steps that lead to a higher layer."""
    layers = runpy.run_path(str(ROOT / "docs/generate_architecture.py"))["layers"]
    levels = {
        name: (outer, inner)
        for inside, container in enumerate(("airflow_provider_tuya_ota", "airflow_provider_tuya_ota.core"))
        for level, names in enumerate(layers(container))
        for name in names
        for outer, inner in [(99, level) if inside else (level, 0)]
    }
    at = {file: levels[file.removeprefix("core/").removesuffix(".py").partition("/")[0]] for file in files}
    return [f"{before} to {after}" for before, after in pairwise(files) if at[after] < at[before]]


def test_the_page_shows_the_files_that_a_create_goes_through(
    service: Service, context: Any, firmware: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    firmware_id = make_firmware(service, context, firmware)
    walks: list[list[str]] = []
    send = RequestsTransport.send

    def watched(self: RequestsTransport, request: Request) -> Response:
        frame = inspect.currentframe()
        walks.append(walked(frame.f_back if frame else None))
        return send(self, request)

    monkeypatch.setattr(RequestsTransport, "send", watched)
    verify(firmware_id, deferrable=False, wait_for_completion=False).execute(context)
    create = dict(zip(service.actions, walks, strict=True))["CreateOTAVerifyJob"]

    on_the_way = [file for file in create if file not in NOT_ON_THE_PAGE]
    assert [file for file in shown() if file in on_the_way] == on_the_way
    assert "core/jobs/create.py" in on_the_way
    assert len(climbs(create)) <= 2, climbs(create)


def test_the_walk_of_the_page_climbs_twice_at_most() -> None:
    assert 5 < len(shown()) < 13
    assert len(climbs(shown())) <= 2, climbs(shown())
