from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import (
    AuthenticationError,
    IncompleteListError,
    NotFoundError,
    TransportError,
)
from airflow_provider_tuya_ota.rollout.landed.check import MOST_FAILURES, PAUSE, check_landed, list_successes
from airflow_provider_tuya_ota.rollout.landed.events import LandedReadFailed
from airflow_provider_tuya_ota.rollout.landed.request import LandedRequest
from airflow_provider_tuya_ota.rollout.record.finish import VersionFound
from tests.core.script import SETTINGS, Script, gateway, lost, ok, refused, task
from tests.rollout.halt.field import SETTINGS as IN_MEMORY
from tests.rollout.halt.field import Field

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.rollout.landed.result import LandedVersions
    from tests.core.script import Answer, Sent

REQUEST = LandedRequest(product_key="pk", version="2.0.0", requests_per_second=4.0)


def modules(device: str, **versions: str) -> list[dict[str, Any]]:
    return [{"deviceName": device, "moduleName": name, "moduleVersion": text} for name, text in versions.items()]


class Platform:
    """Devices and the versions of their modules; None: the platform does not know the device.

    :ivar failures: number of answers that are lost, by device.
    """

    def __init__(self, **devices: dict[str, str] | None) -> None:
        self.devices = devices
        self.failures: dict[str, int] = {}
        self.asked: list[str] = []
        self.page_cap = 100

    def __call__(self, sent: Sent) -> Answer:
        assert sent.action == "ListOTAModuleVersionsByDevice"
        name = sent.parameters["DeviceName"]
        if self.failures.get(name):
            self.failures[name] -= 1
            return lost()
        self.asked.append(name)
        versions = self.devices[name]
        if versions is None:
            return refused("iot.device.NotExistedDevice")
        first = (int(sent.parameters["CurrentPage"]) - 1) * self.page_cap
        return ok(data=modules(name, **versions)[first : first + self.page_cap])


def check(platform: Platform, request: LandedRequest = REQUEST) -> tuple[LandedVersions, Script]:
    script = Script(platform)
    return script.run(check_landed(SETTINGS, request, list(platform.devices))), script


def test_each_device_is_in_one_class() -> None:
    found, script = check(
        Platform(
            a={"default": "2.0.0"},
            b={"default": "1.0.0", "mcu": "2.0.0"},
            c={"mcu": "2.0.0"},
            d=None,
            e={"default": "2.0.0", "mcu": "1.0"},
            f={"default": ""},
        )
    )

    assert (found.reported, found.checked, found.is_sample, found.on_target) == (6, 6, False, 2)
    assert found.elsewhere == (VersionFound(device="b", version="1.0.0"),)
    assert found.not_known == ("c", "d", "f")
    assert script.warnings == [
        "Device b reported success and runs version 1.0.0",
        "Device c reported success, and the platform knows no version of it",
        "Device d reported success, and the platform knows no version of it",
        "Device f reported success, and the platform knows no version of it",
    ]
    assert script.lines[0] == ("Asking all 6 devices that reported success for their version; this takes at least 1 s")


def test_the_version_of_another_module_is_read_where_that_was_upgraded() -> None:
    request = LandedRequest(product_key="pk", version="2.0.0", module_name="mcu")
    found, _ = check(Platform(a={"default": "1.0.0", "mcu": "2.0.0"}, b={"default": "2.0.0", "mcu": "1.0"}), request)

    assert (found.on_target, [one.device for one in found.elsewhere]) == (1, ["b"])


def test_one_request_for_a_device_and_no_more_of_them_per_second_than_allowed() -> None:
    platform = Platform(**{f"d{number}": {"default": "2.0.0"} for number in range(21)})
    _, script = check(platform)

    assert len(script.sent) == 21
    assert script.sleeps == [0.25] * 20


def test_a_sample_is_said_to_be_one() -> None:
    platform = Platform(**{f"d{number}": {"default": "2.0.0"} for number in range(10)})
    found, script = check(platform, LandedRequest(product_key="pk", version="2.0.0", sample=3))

    assert (found.reported, found.checked, found.is_sample, len(platform.asked)) == (10, 3, True, 3)
    assert script.lines[0].startswith("Asking 3 of the 10 devices")


def test_a_module_on_a_later_page_is_found() -> None:
    platform = Platform(a={"ble": "1", "default": "2.0.0"})
    platform.page_cap = 1
    found, _ = check(platform)

    assert found.has_landed


def test_a_device_that_cannot_be_asked_is_asked_again_after_all_others() -> None:
    platform = Platform(a={"default": "2.0.0"}, b={"default": "2.0.0"}, c={"default": "1.0.0"})
    platform.failures["a"] = 6
    found, script = check(platform)

    assert platform.asked == ["b", "c", "a"]
    assert (found.on_target, found.checked) == (2, 3)
    assert [event.device for event in script.events if isinstance(event, LandedReadFailed)] == ["a"]
    assert PAUSE == 30.0
    assert PAUSE in script.sleeps


def test_there_is_no_result_with_a_device_that_cannot_be_asked() -> None:
    platform = Platform(a={"default": "2.0.0"}, b={"default": "2.0.0"})
    platform.failures["a"] = 10_000
    script = Script(platform)

    with pytest.raises(TransportError):
        script.run(check_landed(SETTINGS, REQUEST, ["a", "b"]))

    assert sum(isinstance(event, LandedReadFailed) for event in script.events) == MOST_FAILURES
    assert platform.asked == ["b"]


def test_ten_failures_in_a_row_end_the_check() -> None:
    platform = Platform(a={"default": "2.0.0"})
    platform.failures["a"] = 10_000
    script = Script(platform)

    with pytest.raises(TransportError):
        script.run(check_landed(SETTINGS, REQUEST, ["a"]))

    # The tenth is the error.
    assert sum(isinstance(event, LandedReadFailed) for event in script.events) == 9


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (gateway("InvalidAccessKeyId.NotFound", 404), AuthenticationError),
        (refused("iot.prod.NotExistedProduct"), NotFoundError),
    ],
)
def test_a_refusal_ends_the_check_at_once(answer: Answer, kind: type[Exception]) -> None:
    script = Script([answer])

    with pytest.raises(kind):
        script.run(check_landed(SETTINGS, REQUEST, ["a", "b"]))


def test_successes_of_several_jobs_are_listed_once() -> None:
    shown = {"1": [task("a", "SUCCEEDED"), task("b", "SUCCEEDED"), task("c", "FAILED")], "2": [task("b", "SUCCEEDED")]}

    def answer(sent: Sent) -> Answer:
        assert sent.parameters["TaskStatus"] == "SUCCEEDED"
        rows = shown[sent.parameters["JobId"]] if sent.parameters["CurrentPage"] == "1" else []
        return ok(data=rows, total=len(shown[sent.parameters["JobId"]]))

    assert Script(answer).run(list_successes(SETTINGS, ["1", "2"])) == ("a", "b")


def test_successes_that_are_not_all_listed_are_none() -> None:
    def answer(sent: Sent) -> Answer:
        return ok(data=[task("a", "SUCCEEDED")] if sent.parameters["CurrentPage"] == "1" else [], total=5)

    with pytest.raises(IncompleteListError):
        Script(answer).run(list_successes(SETTINGS, ["1"]))


def test_devices_that_fell_back_are_found_by_name_and_exactly_they() -> None:
    field = Field(
        {"devices": 100, "falls_back": 0.02, "fails": [{"share": 0.1}], "fallback": {"seconds": 3600}}, (60, 40), seed=7
    )
    field.sleep(600)
    successes = field.run(list_successes(IN_MEMORY, list(field.jobs)))
    request = LandedRequest(product_key="k1demoproduct", version="2.0.0", requests_per_second=100.0)
    early = field.run(check_landed(IN_MEMORY, request, successes))
    field.sleep(3600)

    late = field.run(check_landed(IN_MEMORY, request, successes))

    devices = field.emulator.world.products["k1demoproduct"].devices
    fallen = [name for name in successes if devices[name].behaviour.outcome == "falls_back"]
    assert (len(successes), len(fallen)) == (90, 2)
    assert early.has_landed
    assert [one.device for one in late.elsewhere] == fallen
    assert {one.version for one in late.elsewhere} == {"1.0.0"}
    assert (late.on_target, late.not_known) == (88, ())
