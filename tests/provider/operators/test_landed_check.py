from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from airflow_provider_tuya_ota.core.errors import InvalidParameterError, LandedVersionError, NotFoundError
from airflow_provider_tuya_ota.operators.landed import TuyaOTALandedCheckOperator
from tests.provider.operators.test_upgrade_operator import PRODUCT, seed, upgrade, upload

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import FakeTask, Service

VERSION = "1.1.0"
FALLS = {"device-003", "device-007"}


@pytest.fixture
def job_id(service: Service, context: Any, firmware: Path) -> str:
    """A job of ten devices, of which two fail, and two run their old version again some time after their success."""
    scripts: dict[str, Any] = {name: {"outcome": "falls_back", "fallback_seconds": 60} for name in FALLS}
    scripts |= {name: {"outcome": "fails"} for name in ("device-001", "device-002")}
    seed(service, device=scripts)
    started = upgrade(upload(context, firmware), wait_for_completion=False).execute(context)
    service.emulator.clock.advance(600)
    service.emulator.world.engine.run()
    service.emulator.log.clear()
    return str(started)


def check(**arguments: Any) -> TuyaOTALandedCheckOperator:
    fast = {"requests_per_second": 1000.0}
    return TuyaOTALandedCheckOperator(task_id="t", product_key=PRODUCT, version=VERSION, **fast | arguments)


def test_a_device_that_fell_back_after_its_success_fails_the_task_by_name(
    context: Any, ti: FakeTask, job_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(LandedVersionError) as caught:
        check(job_ids=[job_id]).execute(context)

    assert str(caught.value).startswith("2 devices reported success and do not run the version: 6 of 8 checked devices")
    assert "device-003 (1.0.0), device-007 (1.0.0)" in str(caught.value)
    assert ti.xcom["landed_check"]["elsewhere_devices"] == [
        {"device": name, "version": "1.0.0"} for name in sorted(FALLS)
    ]
    assert ti.xcom["ota_release"]["event"] == "failed"
    printed = capsys.readouterr().out
    assert all(f"Device {name} reported success and runs version 1.0.0" in printed for name in FALLS)


def test_a_report_ends_well_and_returns_what_it_pushes(context: Any, ti: FakeTask, job_id: str) -> None:
    found = check(job_ids=job_id, on_mismatch="report").execute(context)

    assert found == ti.xcom["landed_check"]
    assert {name: found[name] for name in ("reported", "checked", "on_target", "elsewhere", "not_known")} == {
        "reported": 8,
        "checked": 8,
        "on_target": 6,
        "elsewhere": 2,
        "not_known": 0,
    }
    report = ti.xcom["ota_release"]
    assert (report["event"], report["version"], report["product_key"]) == ("succeeded", VERSION, PRODUCT)
    assert "6 of 8 checked devices run version 1.1.0" in report["text"]


def test_a_device_that_falls_back_after_the_first_check_is_found_by_the_next_one(
    service: Service, context: Any, ti: FakeTask, firmware: Path
) -> None:
    seed(service, device={"device-003": {"outcome": "falls_back", "fallback_seconds": 7200}})
    started = upgrade(upload(context, firmware), wait_for_completion=False).execute(context)
    service.emulator.clock.advance(600)
    operator = check(job_ids=[started], recheck_after=["1h", 86400.0])
    began = datetime.now(UTC)

    with pytest.raises(TaskDeferred) as first:
        operator.execute(context)
    assert (ti.xcom["landed_check"]["on_target"], ti.xcom["landed_check"]["checks"]) == (10, 3)
    assert ti.xcom["ota_release"]["event"] == "waiting"
    service.emulator.clock.advance(3600)
    with pytest.raises(TaskDeferred) as second:
        operator.recheck(context, None, **first.value.kwargs or {})
    service.emulator.clock.advance(86400)
    with pytest.raises(LandedVersionError, match=r"9 of 10 checked devices .* device-003 \(1.0.0\)"):
        operator.recheck(context, None, **second.value.kwargs or {})

    assert (ti.xcom["landed_check"]["check"], ti.xcom["ota_release"]["event"]) == (3, "failed")
    moments = [moment_of(deferred.value) - began for deferred in (first, second)]
    assert [round(moment.total_seconds(), -1) for moment in moments] == [3600, 86400]
    assert {deferred.value.method_name for deferred in (first, second)} == {"recheck"}


def moment_of(deferred: TaskDeferred) -> datetime:
    path, arguments = deferred.trigger.serialize()
    assert path == "airflow.providers.standard.triggers.temporal.DateTimeTrigger"
    return datetime.fromisoformat(arguments["target_time"])


def test_the_last_check_returns_its_result(context: Any, job_id: str) -> None:
    operator = check(job_ids=[job_id], recheck_after=["1h"], on_mismatch="report")
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(context)

    found = operator.recheck(context, None, **deferred.value.kwargs or {})

    assert (found["check"], found["checks"], found["elsewhere"]) == (2, 2, 2)


def test_a_check_that_fails_does_not_wait_for_another_one(context: Any, job_id: str) -> None:
    with pytest.raises(LandedVersionError):
        check(job_ids=[job_id], recheck_after=["1h"]).execute(context)


def test_named_devices_are_asked_with_one_request_each(service: Service, context: Any, job_id: str) -> None:
    found = check(device_names="device-004\ndevice-005").execute(context)

    assert (found["checked"], found["on_target"], found["is_sample"]) == (2, 2, False)
    assert service.actions == ["ListOTAModuleVersionsByDevice"] * 2


def test_a_sample_may_be_rendered_and_asks_no_more_devices(service: Service, context: Any, job_id: str) -> None:
    found = check(job_ids=[job_id], sample="3", on_mismatch="report").execute(context)

    assert (found["reported"], found["checked"], found["is_sample"]) == (8, 3, True)
    assert service.actions.count("ListOTAModuleVersionsByDevice") == 3


def test_devices_without_the_module_are_not_known(context: Any, job_id: str) -> None:
    with pytest.raises(LandedVersionError, match="of 2 no version is known: device-004, device-999"):
        check(device_names=["device-004", "device-999"], module_name="mcu").execute(context)


def test_jobs_in_which_nothing_succeeded_are_no_good_result(service: Service, context: Any, firmware: Path) -> None:
    seed(service, devices=3, fails=[{"share": 1.0}])
    started = upgrade(upload(context, firmware), wait_for_completion=False).execute(context)
    service.emulator.clock.advance(600)

    with pytest.raises(LandedVersionError, match="no device has reported success"):
        check(job_ids=[started]).execute(context)


def test_a_job_or_product_that_does_not_exist_is_named(context: Any, job_id: str) -> None:
    with pytest.raises(NotFoundError, match="job does not exist"):
        check(job_ids=["1836"]).execute(context)
    with pytest.raises(NotFoundError, match="product does not exist"):
        TuyaOTALandedCheckOperator(
            task_id="t", product_key="other", version=VERSION, device_names=["device-001"]
        ).execute(context)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "device_names, job_ids: are both given, or neither"),
        ({"device_names": ["a"], "job_ids": ["1"]}, "device_names, job_ids: are both given, or neither"),
        ({"device_names": []}, "device_names (DeviceName): is an empty list"),
        ({"job_ids": []}, "job_ids: is an empty list"),
        ({"device_names": ["a"], "on_mismatch": "ignore"}, "on_mismatch: 'ignore' is not allowed"),
        ({"device_names": ["a"], "sample": "few"}, "sample: 'few' is not a whole number"),
        ({"device_names": ["a"], "sample": 0}, "sample: 0 is not possible"),
        ({"device_names": ["a"], "requests_per_second": 0}, "requests_per_second: 0 is not allowed"),
        ({"device_names": ["a"], "recheck_after": "24h"}, "recheck_after: '24h' is no list"),
        ({"device_names": ["a"], "recheck_after": ["24h", "1h"]}, "recheck_after: ['24h', '1h'] does not rise"),
        ({"device_names": ["a"], "recheck_after": ["1h", 3600]}, "recheck_after: ['1h', 3600] does not rise"),
        ({"device_names": ["a"], "recheck_after": [0]}, "recheck_after: 0 is not allowed"),
        ({"device_names": ["a"], "version": "1 1"}, "version (DestVersion): '1 1' is not allowed"),
    ],
)
def test_arguments_that_ask_for_nothing_are_refused_before_anything_is_sent(
    service: Service, context: Any, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidParameterError, match=re.escape(said)):
        TuyaOTALandedCheckOperator(task_id="t", **{"product_key": PRODUCT, "version": VERSION, **arguments}).execute(
            context
        )

    assert service.actions == []
