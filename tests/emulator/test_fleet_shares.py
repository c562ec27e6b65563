from __future__ import annotations

import statistics
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.emulator.scenario import read

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.fleet import Device
    from tests.emulator.plain_client import PlainClient

MIXED = {
    "product_key": "pk",
    "devices": 1000,
    "versions": {"1.1.0": 0.25, "0.9.0": 0.15},
    "offline": 0.02,
    "silent": 0.01,
    "lies": 0.005,
    "fails": [{"share": 0.03, "step": -2}, {"share": 0.01, "step": -4, "at_progress": 60, "reason": "worn flash"}],
    "flash": {"distribution": "lognormal", "seconds": 30, "spread": 0.5},
    "modules": {"mcu": {"share": 0.4, "versions": {"2.0": 0.5, "2.1": 0.5}}},
}


def fleet(product: dict[str, Any], seed: int = 7) -> list[Device]:
    (made,) = read({"seed": seed, "products": [product]}).build_products().values()
    return list(made.devices.values())


def test_every_share_is_dealt_exactly() -> None:
    devices = fleet(MIXED)

    assert Counter(device.versions["default"] for device in devices) == {"1.0.0": 600, "1.1.0": 250, "0.9.0": 150}
    assert Counter(device.online for device in devices) == {True: 980, False: 20}
    assert Counter(
        (device.behaviour.outcome, device.behaviour.step, device.behaviour.reason) for device in devices
    ) == {
        ("succeeds", -1, ""): 945,
        ("fails", -2, ""): 30,
        ("fails", -4, "worn flash"): 10,
        ("silent", -1, ""): 10,
        ("lies", -1, ""): 5,
    }
    assert Counter(device.versions.get("mcu") for device in devices) == {None: 600, "2.0": 200, "2.1": 200}


def test_the_same_seed_deals_the_same_and_another_one_otherwise() -> None:
    def dealt(seed: int) -> list[tuple[Any, ...]]:
        return [(device.online, device.behaviour, tuple(device.versions.items())) for device in fleet(MIXED, seed)]

    assert dealt(7) == dealt(7)
    assert dealt(7) != dealt(8)


@pytest.mark.parametrize(
    ("flash", "middle", "least", "most"),
    [
        ({"seconds": 20}, 20, 20, 20),
        ({"distribution": "uniform", "seconds": 20, "spread": 5}, 20, 15, 25),
        ({"distribution": "normal", "seconds": 20, "spread": 5}, 20, 0, 60),
        ({"distribution": "lognormal", "seconds": 20, "spread": 0.5}, 20, 1, 400),
    ],
)
def test_flash_times_follow_their_distribution(flash: dict[str, Any], middle: float, least: float, most: float) -> None:
    times = [device.behaviour.flash_seconds for device in fleet({"devices": 5000, "flash": flash})]

    assert statistics.median(times) == pytest.approx(middle, rel=0.05)
    assert least <= min(times) <= max(times) <= most


def test_a_named_device_is_as_it_is_said_to_be_whatever_its_share() -> None:
    named = {"device-0001": {"outcome": "silent"}, "device-0002": {"online": False, "version": ""}}
    devices = {device.name: device for device in fleet({"devices": 1000, "lies": 1.0, "offline": 1.0, "device": named})}

    assert (devices["device-0001"].behaviour.outcome, devices["device-0001"].online) == ("silent", True)
    assert (devices["device-0002"].behaviour.outcome, devices["device-0002"].versions) == ("succeeds", {})
    assert (devices["device-0003"].behaviour.outcome, devices["device-0003"].online) == ("lies", False)


@pytest.mark.parametrize(
    ("product", "said"),
    [
        ({"offline": 1.2}, "offline 1.2 is not from 0 to 1"),
        ({"silent": 0.6, "lies": 0.6}, "fails, silent, lies and falls_back make 1.2"),
        ({"fails": [{"share": 0.7}, {"share": 0.7}]}, "make 1.4"),
        ({"fails": [{"step": -1}]}, "share missing"),
        ({"fails": [{"share": 0.1, "step": -9}]}, "step -9 is not one of"),
        ({"versions": {"1": 0.7, "2": 0.7}}, "versions make 1.4"),
        ({"versions": {"1": "half"}}, "is not a number"),
        ({"flash": {"distribution": "poisson"}}, "distribution 'poisson' is not one of fixed, uniform"),
        ({"modules": {"mcu": {"versions": {"1": 2}}}}, "module mcu: versions: 1 2 is not"),
        ({"modules": {"mcu": {"part": 1}}}, "unknown part"),
        ({"versions": {"": 0.5}}, "versions: '' is not of the form"),
        ({"modules": {"m c u": {}}}, "modules: 'm c u' is not of the form"),
        ({"product_key": ""}, "product_key '' is not of the form"),
        ({"product_key": "a b"}, "product_key 'a b' is not of the form"),
        ({"version": "1 0"}, "version '1 0' is not of the form"),
        ({"device": {"": {}}}, "a device has no name"),
        ({"device": {"d": {"reports": "1/0"}}}, "device d: reports '1/0' is not of the form"),
        ({"lies": 0.6, "falls_back": 0.6}, "fails, silent, lies and falls_back make 1.2"),
        ({"fallback": {"distribution": "poisson"}}, "fallback: distribution 'poisson' is not one of fixed, uniform"),
        ({"reports": {"silent": {"seconds": 5}}}, "reports: unknown silent"),
        ({"reports": {"fails": {"seconds": -5}}}, "reports: fails: seconds -5 is not from 0"),
        ({"colour": "red"}, "unknown colour"),
    ],
)
def test_shares_that_make_no_sense_are_refused_by_name(product: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read({"products": [product]})


def test_a_device_that_lies_is_at_a_hundred_percent_and_never_succeeds(client: PlainClient) -> None:
    seed = {"products": [{"devices": 2, "lies": 1.0}], "quotas": {"enabled": False}}
    client.control("POST", "seed", seed)
    job = client.verify(client.create_firmware(), "device-001", TimeoutInMinutes="5")

    client.advance(120)
    (task,) = client.tasks(job).values()
    assert (task["taskStatus"], task["progress"]) == ("IN_PROGRESS", "100")
    client.advance(300)

    (task,) = client.tasks(job).values()
    assert (task["taskStatus"], task["taskDesc"]) == ("FAILED", "timeout")


def test_a_module_of_the_mix_can_be_upgraded_where_devices_have_it(client: PlainClient) -> None:
    product = {"devices": 100, "modules": {"mcu": {"share": 0.4, "versions": {"2.0": 1.0}}}}
    client.control("POST", "seed", {"products": [product], "quotas": {"enabled": False}})
    firmware_id = client.create_firmware(ModuleName="mcu", NeedToVerify="false")

    _, answer = client.ask(
        "CreateOTAStaticUpgradeJob", FirmwareId=firmware_id, ProductKey="k1demoproduct", TargetSelection="ALL"
    )

    assert len(client.tasks(answer["data"]["jobId"])) == 40
