from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.emulator.scenario import read

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.fleet import Device
    from tests.emulator.plain_client import PlainClient

ONE = "device-001"


def fleet(**product: Any) -> list[Device]:
    (made,) = read({"seed": 7, "products": [{"devices": 1000, **product}]}).build_products().values()
    return list(made.devices.values())


def version(client: PlainClient, device: str = ONE) -> str:
    _, answer = client.ask(
        "ListOTAModuleVersionsByDevice",
        ProductKey="k1demoproduct",
        DeviceName=device,
        CurrentPage="1",
        PageSize="10",
    )
    (module,) = answer["data"]
    found: str = module["moduleVersion"]
    return found


def test_a_device_that_falls_back_has_succeeded_and_runs_the_old_version(client: PlainClient) -> None:
    client.script(ONE, outcome="falls_back", fallback_seconds=300)
    job = client.verify(client.create_firmware(), ONE)

    client.advance(60)
    assert (client.tasks(job)[ONE]["taskStatus"], version(client)) == ("SUCCEEDED", "1.1.0")
    client.advance(300)

    assert (client.tasks(job)[ONE]["taskStatus"], version(client)) == ("SUCCEEDED", "1.0.0")
    assert client.job_status(job) == "COMPLETED"


def test_the_old_version_is_known_once_the_device_is_online_again(client: PlainClient) -> None:
    client.script(ONE, outcome="falls_back", fallback_seconds=300)
    client.verify(client.create_firmware(), ONE)
    client.advance(60)
    client.script(ONE, online=False)
    client.advance(3600)
    assert version(client) == "1.1.0"

    client.script(ONE, online=True)
    client.advance(1)

    assert version(client) == "1.0.0"


def test_a_later_update_is_not_undone_by_the_fallback_of_an_earlier_one(client: PlainClient) -> None:
    client.script(ONE, outcome="falls_back", fallback_seconds=300)
    client.verify(client.create_firmware("1.1.0"), ONE)
    client.advance(60)
    client.script(ONE, outcome="succeeds")
    later = client.verify(client.create_firmware("1.2.0", b"other"), ONE)

    client.advance(600)

    assert (client.tasks(later)[ONE]["taskStatus"], version(client)) == ("SUCCEEDED", "1.2.0")


def test_an_update_that_runs_is_not_disturbed_by_a_fallback(client: PlainClient) -> None:
    client.script(ONE, outcome="falls_back", fallback_seconds=300)
    client.verify(client.create_firmware("1.1.0"), ONE)
    client.advance(60)
    client.script(ONE, outcome="succeeds", flash_seconds=3600)
    client.verify(client.create_firmware("1.2.0", b"other"), ONE)
    client.advance(600)

    assert version(client) == "1.1.0"


@pytest.mark.parametrize(
    ("outcome", "status"), [("succeeds", "SUCCEEDED"), ("fails", "FAILED"), ("wrong_version", "FAILED")]
)
def test_the_end_of_an_update_may_be_reported_late(client: PlainClient, outcome: str, status: str) -> None:
    client.script(ONE, outcome=outcome, report_seconds=3600)
    job = client.verify(client.create_firmware(), ONE)

    client.advance(3600)
    assert client.tasks(job)[ONE]["taskStatus"] == "IN_PROGRESS"
    client.advance(60)

    assert client.tasks(job)[ONE]["taskStatus"] == status


def test_a_late_report_does_not_hold_up_the_timeout(client: PlainClient) -> None:
    client.script(ONE, outcome="fails", report_seconds=3600)
    job = client.verify(client.create_firmware(), ONE, TimeoutInMinutes="5")

    client.advance(7200)

    assert client.tasks(job)[ONE]["taskDesc"] == "timeout"


def test_delays_of_reports_are_dealt_by_outcome() -> None:
    devices = fleet(
        fails=[{"share": 0.1}],
        falls_back=0.2,
        fallback={"distribution": "uniform", "seconds": 600, "spread": 60},
        reports={"fails": {"seconds": 3600}, "succeeds": {"seconds": 480}},
    )

    assert {(device.behaviour.outcome, device.behaviour.report_seconds) for device in devices} == {
        ("fails", 3600.0),
        ("succeeds", 480.0),
        ("falls_back", 0.0),
    }
    back = [device.behaviour.fallback_seconds for device in devices if device.behaviour.outcome == "falls_back"]
    assert len(back) == 200
    assert 540 <= min(back) < max(back) <= 660
    assert {one.behaviour.fallback_seconds for one in devices if one.behaviour.outcome != "falls_back"} == {60.0}


def test_delays_do_not_change_what_else_a_seed_deals() -> None:
    plain = fleet(fails=[{"share": 0.1}], offline=0.2, flash={"distribution": "uniform", "seconds": 20, "spread": 5})
    late = fleet(
        fails=[{"share": 0.1}],
        offline=0.2,
        flash={"distribution": "uniform", "seconds": 20, "spread": 5},
        reports={"fails": {"distribution": "uniform", "seconds": 20, "spread": 5}},
    )

    for one, other in zip(plain, late, strict=True):
        assert (one.online, one.behaviour.outcome, one.behaviour.flash_seconds) == (
            other.online,
            other.behaviour.outcome,
            other.behaviour.flash_seconds,
        )
