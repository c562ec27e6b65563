"""A platform whose lists end too early: capped pages, useless totals, later pages that are empty or repeated."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.core.actions import CreateOTAStaticUpgradeJob
from tests.core.script import firmware, job, lost, ok, task

if TYPE_CHECKING:
    from tests.core.script import Answer, Sent

UPGRADE = "UPGRADE_FIRMWARE"
GRAY = CreateOTAStaticUpgradeJob(firmware_id="178", product_key="pk", target_selection="GRAY", gray_percent="10")
NAMED = replace(GRAY, target_selection="SPECIFIC", gray_percent=None, target_device_name=["a", "b"])
TOTALS = ["true", "absent", "zero", "of_page"]
"""What Total is where every page can be read."""
LOSING = ["empty", "repeated"]
"""What later pages are where Total is true."""


@dataclass
class Platform:
    """A platform of one firmware that shows few items on a page, whatever it is asked for."""

    way: str
    cap: int = 20
    jobs: list[dict[str, Any]] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    filters: bool = True
    loses_creates: int = 0
    creates: int = 0

    def __call__(self, sent: Sent) -> Answer:
        return getattr(self, sent.action)(sent.parameters)  # type: ignore[no-any-return] # by name

    def page(self, asked: dict[str, str], items: list[dict[str, Any]], key: str = "data") -> Answer:
        number, size = int(asked["CurrentPage"]), min(self.cap, int(asked["PageSize"]))
        number = 1 if self.way == "repeated" else number
        shown = [] if self.way == "empty" and number > 1 else items[(number - 1) * size : number * size]
        totals = {"absent": {}, "zero": {"total": 0}, "of_page": {"total": len(shown)}}
        return ok(**{key: shown}, **totals.get(self.way, {"total": len(items)}))

    def ListOTAJobByFirmware(self, asked: dict[str, str]) -> Answer:  # noqa: N802 - as on the wire
        return self.page(asked, self.jobs)

    def ListOTATaskByJob(self, asked: dict[str, str]) -> Answer:  # noqa: N802 - as on the wire
        names = [value for name, value in asked.items() if name.startswith("DeviceNames.")]
        found = [one for one in self.tasks if one.get("jobId", asked["JobId"]) == asked["JobId"]]
        if self.filters:
            found = [one for one in found if asked.get("TaskStatus") in {one["taskStatus"], None}]
            found = [one for one in found if not names or one["deviceName"] in names]
        return self.page(asked, found)

    def QueryOTAJob(self, asked: dict[str, str]) -> Answer:  # noqa: N802 - as on the wire
        return ok(data=next(one for one in self.jobs if one["jobId"] == asked["JobId"]))

    def QueryOTAFirmware(self, _: dict[str, str]) -> Answer:  # noqa: N802 - as on the wire
        return ok(firmwareInfo=firmware(status=1))

    def CreateOTAStaticUpgradeJob(self, asked: dict[str, str]) -> Answer:  # noqa: N802 - as on the wire
        self.creates += 1
        names = [value for name, value in asked.items() if name.startswith("TargetDeviceName.")]
        made = upgrade(f"new{self.creates}", "IN_PROGRESS", asked["TargetSelection"], utcCreate="2026-03-01T12:00:01Z")
        self.jobs.append(made | ({"grayPercent": asked["GrayPercent"]} if "GrayPercent" in asked else {}))
        self.tasks += [task(name, "QUEUED", jobId=made["jobId"]) for name in names]
        return lost() if self.creates <= self.loses_creates else ok(data={"jobId": made["jobId"]})

    def CancelOTATaskByJob(self, _: dict[str, str]) -> Answer:  # noqa: N802 - as on the wire
        for one in self.tasks:
            if one["taskStatus"] == "QUEUED":
                one["taskStatus"] = "CANCELED"
        return ok()

    def ConfirmOTATask(self, asked: dict[str, str]) -> Answer:  # noqa: N802 - as on the wire
        ids = {value for name, value in asked.items() if name.startswith("TaskId.")}
        for one in self.tasks:
            if one["taskId"] in ids:
                one["taskStatus"] = "QUEUED"
        return ok()


def upgrade(job_id: str, status: str = "COMPLETED", selection: str = "SPECIFIC", **fields: Any) -> dict[str, Any]:
    old = {"utcCreate": "2026-02-01T12:00:00Z"}
    return job(job_id, status, UPGRADE, targetSelection=selection, **(old | fields))


def tasks(number: int, status: str, last: str = "", few: int = 0) -> list[dict[str, Any]]:
    return [task(f"d{at}", last if at >= number - few else status) for at in range(number)]
