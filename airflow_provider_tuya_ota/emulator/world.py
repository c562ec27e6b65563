"""Everything that exists: products, packages, jobs, objects."""

from __future__ import annotations

import uuid
from random import Random
from typing import TYPE_CHECKING, Protocol, TypeVar

from airflow_provider_tuya_ota.emulator.jobs import Engine, Job
from airflow_provider_tuya_ota.emulator.messages import BusinessError
from airflow_provider_tuya_ota.emulator.packages import Packages
from airflow_provider_tuya_ota.emulator.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_tuya_ota.emulator.clock import Clock
    from airflow_provider_tuya_ota.emulator.fleet import Device, Product
    from airflow_provider_tuya_ota.emulator.scenario import Scenario


class Created(Protocol):
    """Anything that was made at a time."""

    @property
    def created(self) -> float:
        """Seconds since the epoch."""


Made = TypeVar("Made", bound=Created)


class World:
    """The platform's state, made from a scenario.

    :param scenario: products, quirks and seed.
    :param clock: both clocks.
    """

    def __init__(self, scenario: Scenario, clock: Clock) -> None:
        # Separate streams: how often somebody asks must change neither what devices do nor which calls faults hit.
        self._ids, self.chance, jitter = (
            Random(f"{scenario.seed} {use}")  # noqa: S311 - a simulation, repeatable by its seed
            for use in ("ids", "chance", "jitter")
        )
        self.quirks = scenario.quirks
        self.quotas = scenario.quotas
        self.products: dict[str, Product] = scenario.build_products(clock.world())
        self.storage = Storage(clock, self.new_uuid)
        self.packages = Packages(clock, self.products, self.storage)
        self.engine = Engine(clock, jitter)
        self.seed = scenario.seed
        self.birth = clock.world()
        self.number_requests_from(0)
        self._clock = clock
        self._by_iot_id: dict[str, Device] = {}

    def shown(self, things: Iterable[Made]) -> list[Made]:
        """Leave out what is too new to stand in a list."""
        until = self._clock.world() - self.quirks.list_delay
        return [thing for thing in things if thing.created <= until]

    def number_requests_from(self, start: int) -> None:
        """Let request ids differ from those that the emulator gave before it was started again."""
        self._requests = Random(f"{self.seed} requests {start}")  # noqa: S311 - as above

    def new_request_id(self) -> str:
        """Give a request's id; how many are asked for changes nothing else."""
        return str(uuid.UUID(int=self._requests.getrandbits(128), version=4))

    def new_uuid(self) -> str:
        """Give a lower-case UUID; the same ones for the same seed."""
        return str(uuid.UUID(int=self._ids.getrandbits(128), version=4))

    def product(self, product_key: str) -> Product:
        """Find a product.

        :raises BusinessError: there is none.
        """
        if product_key not in self.products:
            raise BusinessError("iot.prod.NotExistedProduct", "The product does not exist.")
        return self.products[product_key]

    def device(self, product_key: str, name: str) -> Device:
        """Find a device by product and name.

        :raises BusinessError: there is none.
        """
        device = self.product(product_key).devices.get(name)
        if device is None:
            raise BusinessError("iot.device.NotExistedDevice", f"The device {name} does not exist.")
        return device

    def device_by_iot_id(self, iot_id: str) -> Device:
        """Find a device by the id that is unique in the account.

        :raises BusinessError: there is none.
        """
        if not self._by_iot_id:
            self._by_iot_id = {
                device.iot_id: device for product in self.products.values() for device in product.devices.values()
            }
        if iot_id in self._by_iot_id:
            return self._by_iot_id[iot_id]
        raise BusinessError("iot.device.InvalidIoTId", "The IotId is not known.")

    def job(self, job_id: str) -> Job:
        """Find a job.

        :raises BusinessError: there is none.
        """
        if job_id not in self.engine.jobs:
            raise BusinessError("iot.firmware.InvalidOTAJobId", "The job does not exist.")
        return self.engine.jobs[job_id]
