from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import IncompleteListError
from airflow_provider_tuya_ota.rollout.plan.read_candidates import CandidateListing, read_candidates
from tests.core.script import SETTINGS, Script, ok, refused

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.wire.http import Response
    from tests.core.script import Sent

PRODUCT = "k1demoproduct"


class Platform:
    """A platform with some devices, firmware, jobs and device tasks, whose lists are short."""

    def __init__(self) -> None:
        self.versions: dict[str, dict[str, str] | None] = {}
        self.firmwares: list[dict[str, Any]] = [{"FirmwareId": "f1", "ProductKey": PRODUCT}]
        self.jobs: dict[str, list[tuple[str, str]]] = {}
        self.tasks: dict[str, list[tuple[str, str]]] = {}
        self.totals: dict[str, int] = {}
        self.doubled = ""
        self.script = Script(self.answer)

    def read(self, module: str = "default") -> CandidateListing:
        return self.script.run(read_candidates(SETTINGS, PRODUCT, module))

    def busy(self) -> dict[str, str | None]:
        return {one.name: one.busy_job for one in self.read().candidates}

    def answer(self, sent: Sent) -> Response:
        asked = sent.parameters
        match sent.action:
            case "QueryDevice":
                return self._page(
                    sent, "Data", [{"DeviceName": name, "DeviceStatus": "ONLINE"} for name in self.versions]
                )
            case "ListOTAModuleVersionsByDevice":
                versions = self.versions[asked["DeviceName"]]
                if versions is None:
                    return refused("iot.device.NotExistedDevice")
                rows = [{"ModuleName": name, "ModuleVersion": version} for name, version in versions.items()]
                return self._page(sent, "Data", [{"DeviceName": asked["DeviceName"], **row} for row in rows])
            case "ListOTAFirmware":
                shown = {"FirmwareName": "x", "DestVersion": "1", "Status": 1}
                return self._page(sent, "FirmwareInfo", [shown | one for one in self.firmwares])
            case "ListOTAJobByFirmware":
                jobs = self.jobs.get(asked["FirmwareId"], [])
                return self._page(
                    sent,
                    "Data",
                    [
                        {
                            "JobId": job,
                            "JobStatus": status,
                            "JobType": "UPGRADE_FIRMWARE",
                            "FirmwareId": asked["FirmwareId"],
                        }
                        for job, status in jobs
                    ],
                )
            case "ListOTATaskByJob":
                wanted = asked.get("TaskStatus")
                return self._page(
                    sent,
                    "Data",
                    [
                        {"TaskId": f"t-{name}", "DeviceName": name, "TaskStatus": status, "JobId": asked["JobId"]}
                        for name, status in self.tasks.get(asked["JobId"], [])
                        if wanted in {None, status}
                    ],
                )
        raise AssertionError(sent.action)

    def _page(self, sent: Sent, key: str, rows: list[dict[str, Any]]) -> Response:
        size, page = int(sent.parameters["PageSize"]), int(sent.parameters["CurrentPage"])
        total = self.totals.get(sent.action, len(rows))
        if sent.action == self.doubled:
            rows = [rows[0], *rows[:-1]]
        return ok(**{key: rows[(page - 1) * size : page * size], "Total": total})


@pytest.fixture
def platform() -> Platform:
    found = Platform()
    found.versions = {"a": {"default": "1.0", "radio": "7"}, "b": {"default": "1.1"}}
    return found


def test_candidates_are_devices_with_the_version_of_the_module(platform: Platform) -> None:
    platform.versions["new"] = {}

    listing = platform.read()

    assert [(one.name, one.version, one.busy_job) for one in listing.candidates] == [
        ("a", "1.0", None),
        ("b", "1.1", None),
        ("new", None, None),
    ]
    assert {(one.product_key, one.module_name) for one in listing.candidates} == {(PRODUCT, "default")}
    assert listing.unclear_jobs == ()
    assert [one.version for one in platform.read("radio").candidates] == ["7", None, None]


def test_only_lists_are_read_and_each_device_costs_one_request(platform: Platform) -> None:
    platform.versions = {f"d{at:03}": {"default": "1.0"} for at in range(120)}

    platform.read()

    actions = [sent.action for sent in platform.script.sent]
    assert all(action.startswith(("List", "Query")) for action in actions)
    assert actions.count("ListOTAModuleVersionsByDevice") == 120
    assert actions.count("QueryDevice") <= 4
    of_a_product = [sent for sent in platform.script.sent if sent.action != "ListOTAJobByFirmware"]
    assert {sent.parameters.get("ProductKey") for sent in of_a_product} == {PRODUCT}


def test_a_device_that_was_deleted_meanwhile_has_no_version(platform: Platform) -> None:
    platform.versions["gone"] = None

    assert [one.version for one in platform.read().candidates] == ["1.0", "1.1", None]


@pytest.mark.parametrize(
    ("job", "task", "is_busy"),
    [
        ("IN_PROGRESS", "QUEUED", True),
        ("IN_PROGRESS", "NOTIFIED", True),
        ("IN_PROGRESS", "IN_PROGRESS", True),
        ("PLANNED", "CONFIRM", True),
        ("IN_PROGRESS", "PAUSED", True),
        ("SOMETHING_NEW", "QUEUED", True),
        ("IN_PROGRESS", "SUCCEEDED", False),
        ("IN_PROGRESS", "FAILED", False),
        ("IN_PROGRESS", "CANCELED", False),
        ("CANCELED", "IN_PROGRESS", True),
        ("CANCELED", "CANCELED", False),
        ("COMPLETED", "SUCCEEDED", False),
    ],
)
def test_a_device_is_busy_while_its_task_may_go_on(platform: Platform, job: str, task: str, is_busy: bool) -> None:
    platform.jobs["f1"] = [("j1", job)]
    platform.tasks["j1"] = [("a", task)]

    assert platform.busy() == {"a": "j1" if is_busy else None, "b": None}


def test_a_completed_job_costs_no_further_request(platform: Platform) -> None:
    platform.jobs["f1"] = [("j1", "COMPLETED")]

    platform.read()

    assert "ListOTATaskByJob" not in [sent.action for sent in platform.script.sent]


def test_jobs_of_all_firmware_of_the_product_hold_devices_and_those_of_others_do_not(platform: Platform) -> None:
    platform.firmwares = [
        {"FirmwareId": "f1", "ProductKey": PRODUCT},
        {"FirmwareId": "f2", "ModuleName": "radio"},
        {"FirmwareId": "f3", "ProductKey": "other"},
    ]
    platform.jobs = {"f2": [("j2", "IN_PROGRESS")], "f3": [("j3", "IN_PROGRESS")]}
    platform.tasks = {"j2": [("b", "IN_PROGRESS")], "j3": [("a", "IN_PROGRESS")]}

    assert platform.busy() == {"a": None, "b": "j2"}


def test_an_unfinished_job_without_device_tasks_is_unclear(platform: Platform) -> None:
    platform.jobs["f1"] = [("j1", "PLANNED"), ("j2", "CANCELED"), ("j3", "IN_PROGRESS")]
    platform.tasks["j3"] = [("a", "SUCCEEDED")]

    assert platform.read().unclear_jobs == ("j1",)


@pytest.mark.parametrize("action", ["QueryDevice", "ListOTAFirmware", "ListOTAJobByFirmware", "ListOTATaskByJob"])
def test_a_list_with_fewer_items_than_its_total_stops_the_plan(platform: Platform, action: str) -> None:
    platform.jobs["f1"] = [("j1", "IN_PROGRESS")]
    platform.tasks["j1"] = [("a", "QUEUED")]
    platform.totals[action] = 9

    with pytest.raises(IncompleteListError, match=action):
        platform.read()


@pytest.mark.parametrize("action", ["QueryDevice", "ListOTAFirmware", "ListOTAJobByFirmware", "ListOTATaskByJob"])
def test_a_list_that_shows_one_item_in_the_place_of_another_stops_the_plan(platform: Platform, action: str) -> None:
    platform.firmwares += [{"FirmwareId": "f2", "ProductKey": PRODUCT}]
    platform.jobs["f1"] = [("j1", "IN_PROGRESS"), ("j2", "IN_PROGRESS")]
    platform.tasks["j1"] = [("a", "QUEUED"), ("b", "QUEUED")]
    platform.doubled = action

    with pytest.raises(IncompleteListError, match=f"{action}: the list shows 1 items twice on one page"):
        platform.read()
