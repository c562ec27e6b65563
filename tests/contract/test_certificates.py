from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.client import AsyncTuyaOTAClient, TuyaOTAClient
from airflow_provider_tuya_ota.core.errors import Delivery, TransportError
from airflow_provider_tuya_ota.emulator.server import EmulatorServer
from airflow_provider_tuya_ota.emulator.web.certificates import KINDS
from tests.contract.worlds import VirtualWorld, settings

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.settings import Settings


def with_requests(where: Settings) -> str:
    with TuyaOTAClient(where, runtime=VirtualWorld()) as client:
        return client.query_product(product_key="k1demoproduct").product_key


def with_aiohttp(where: Settings) -> str:
    async def talk() -> str:
        async with AsyncTuyaOTAClient(where, runtime=VirtualWorld()) as client:
            return (await client.query_product(product_key="k1demoproduct")).product_key

    return asyncio.run(talk())


@pytest.mark.parametrize("talk", [with_requests, with_aiohttp])
@pytest.mark.parametrize("kind", KINDS)
def test_only_the_right_certificate_is_talked_to(kind: str, talk: object) -> None:
    assert callable(talk)
    with EmulatorServer(tls=kind) as server:
        # Time is virtual for the client, so the emulator's gateway has to live in the same one.
        server.emulator.clock.gateway_offset = VirtualWorld().now - server.emulator.clock.gateway()
        where = settings(server.url, ca_bundle=server.ca_bundle)
        if kind == "trusted":
            assert talk(where) == "k1demoproduct"
        else:
            with pytest.raises(TransportError) as caught:
                talk(where)
            assert caught.value.delivery is Delivery.NEVER_SENT
            assert list(server.emulator.log) == []
