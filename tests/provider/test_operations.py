from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient
from airflow_provider_tuya_ota.core import actions
from airflow_provider_tuya_ota.core.actions import ALL_ACTIONS
from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.emulator.scenario import read
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.operations import AsyncMethod, AsyncOperations, Method, Operations

if TYPE_CHECKING:
    from tests.provider.conftest import Service

BLOCKING = {name: method for name, method in vars(Operations).items() if isinstance(method, Method)}
IN_LOOP = {name: method for name, method in vars(AsyncOperations).items() if isinstance(method, AsyncMethod)}


def test_every_operation_is_a_method_both_ways() -> None:
    assert {method._load() for method in BLOCKING.values()} == set(ALL_ACTIONS.values())
    assert {f"a{name}": method._load() for name, method in BLOCKING.items()} == {
        name: method._load() for name, method in IN_LOOP.items()
    }


@pytest.mark.parametrize("name", BLOCKING)
def test_a_method_is_called_like_its_operation(name: str) -> None:
    words = re.findall("[A-Z][a-z]+", BLOCKING[name]._load().__name__.replace("OTA", "").replace("URL", "Url"))

    assert [word.removesuffix("s") for word in name.split("_")] == [word.lower().removesuffix("s") for word in words]


def test_a_hook_s_methods_take_parameters_and_give_typed_results(service: Service) -> None:
    hook = TuyaOTAHook()

    product = hook.query_product(product_key="k1demoproduct")

    assert product.product_key == "k1demoproduct"
    assert service.actions == ["QueryProduct"]
    assert (hook.query_product.__doc__ or "").startswith("Read")


async def test_a_hook_s_coroutines_do_the_same(service: Service) -> None:
    product = await TuyaOTAHook().aquery_product(product_key="k1demoproduct")

    assert (product.product_key, service.actions) == ("k1demoproduct", ["QueryProduct"])


async def test_an_asynchronous_client_s_methods_are_coroutines(service: Service) -> None:
    async with AsyncTuyaOTAClient(await TuyaOTAHook().aget_settings()) as client:
        page = await client.list_firmware(current_page=1, page_size=10)

    assert (page.items, service.actions) == ([], ["ListOTAFirmware"])


def test_a_wrong_parameter_is_refused_before_anything_is_sent(service: Service) -> None:
    with pytest.raises(InvalidParameterError, match="job_id"):
        TuyaOTAHook().query_job(job_id="")

    assert service.actions == []


def test_a_long_list_is_given_item_by_item_over_numbers_and_tokens(service: Service) -> None:
    service.emulator.reset(read({"products": [{"devices": 10_020}], "quotas": {"enabled": False}}))
    first = actions.QueryDevice(product_key="k1demoproduct", current_page=199, page_size=50)

    with TuyaOTAHook().get_conn() as client:
        names = [device.device_name for device in client.iterate(first)]

    assert names == [f"device-{number:05d}" for number in range(9901, 10_021)]
    assert service.actions == ["QueryDevice"] * 3


@pytest.mark.parametrize("totals", ["present", "absent"])
async def test_a_list_whose_page_behind_the_last_one_is_refused_is_given_whole(service: Service, totals: str) -> None:
    service.emulator.world.quirks = service.emulator.world.quirks.changed({"totals": totals, "later_pages": "refused"})
    first = actions.QueryProductList(current_page=1, page_size=1)

    with TuyaOTAHook().get_conn() as client:
        keys = [product.product_key for product in client.iterate(first)]
    async with AsyncTuyaOTAClient(await TuyaOTAHook().aget_settings()) as client:
        in_a_loop = [product.product_key async for product in client.iterate(first)]

    assert keys == in_a_loop == ["k1demoproduct"]


async def test_a_long_list_is_given_item_by_item_in_a_loop_too(service: Service) -> None:
    first = actions.QueryDevice(product_key="k1demoproduct", current_page=1, page_size=40)

    async with AsyncTuyaOTAClient(await TuyaOTAHook().aget_settings()) as client:
        names = [device.device_name async for device in client.iterate(first)]

    assert len(set(names)) == len(names) == 100
    assert service.actions == ["QueryDevice"] * 3
