"""The simulated state: products, firmware, jobs, objects."""

from __future__ import annotations

import uuid
from random import Random
from typing import TYPE_CHECKING

from airflow_provider_tuya_ota.emulator.messages import BusinessError
from airflow_provider_tuya_ota.emulator.simulation.engine import Engine
from airflow_provider_tuya_ota.emulator.simulation.firmwares import Firmwares
from airflow_provider_tuya_ota.emulator.simulation.lag import Lag, Made, Thing
from airflow_provider_tuya_ota.emulator.simulation.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_tuya_ota.emulator.clock import Clock
    from airflow_provider_tuya_ota.emulator.fleet import Device, Product
    from airflow_provider_tuya_ota.emulator.scenario import Scenario
    from airflow_provider_tuya_ota.emulator.simulation.firmwares import Firmware
    from airflow_provider_tuya_ota.emulator.simulation.jobs import Job, Task


class World:
    """The state of the platform, built from a scenario.

    :param scenario: products, quirks and seed.
    :param clock: both clocks.
    """

    def __init__(self, scenario: Scenario, clock: Clock) -> None:
        # Separate streams: the number of requests must not change what devices do or which calls faults hit.
        self._ids, self.chance, jitter = (
            Random(f"{scenario.seed} {use}")  # noqa: S311 - a simulation, repeatable by its seed
            for use in ("ids", "chance", "jitter")
        )
        self.birth = clock.world()
        self.quirks = scenario.quirks
        self.quotas = scenario.quotas
        self.products: dict[str, Product] = scenario.build_products(clock.world())
        self.storage = Storage(clock, self.new_uuid)
        self.firmwares = Firmwares(clock, self.products, self.storage)
        self.engine = Engine(clock, jitter, self.note, self.birth)
        self._lag = Lag(scenario.seed, clock)
        self.seed = scenario.seed
        self.number_requests_from(0)
        self._by_iot_id: dict[str, Device] = {}

    def note(self, thing: Made) -> None:
        """Record the state of an entity, if lists may show old states."""
        if self.quirks.list_order == "any_order":
            self._lag.note(thing, self.engine.now)

    def listed(self, things: Iterable[Firmware] | Iterable[Job]) -> list[Thing]:
        """Give the firmware or jobs that lists show."""
        return self._lag.shown(things, self.quirks.list_delay, self.quirks.list_order)

    def listed_tasks(self, tasks: Iterable[Task]) -> list[Thing]:
        """Give the device tasks that lists show."""
        return self._lag.shown(tasks, self.quirks.task_list_delay, self.quirks.list_order)

    def found_firmware(self, firmware_id: str) -> Thing:
        """Give the state of a firmware that a query shows.

        :raises BusinessError: it does not exist, or is not shown yet.
        """
        found = self._lag.shown([self.firmwares.get(firmware_id)], self.quirks.query_delay, self.quirks.list_order)
        if not found:
            raise BusinessError("iot.firmware.FirmwareNotFound", "The firmware does not exist.")
        return found[0]

    def found_job(self, job_id: str) -> Thing:
        """Give the state of a job that a query shows.

        :raises BusinessError: it does not exist, or is not shown yet.
        """
        found = self._lag.shown([self.job(job_id)], self.quirks.query_delay, self.quirks.list_order)
        if not found:
            raise BusinessError("iot.firmware.InvalidOTAJobId", "The job does not exist.")
        return found[0]

    def number_requests_from(self, start: int) -> None:
        """Start the request ids of one start of the emulator; no other start has the same."""
        self._requests = Random(f"{self.seed} requests {start}")  # noqa: S311 - a simulation, repeatable by its seed

    def new_request_id(self) -> str:
        """Give a new request id; does not affect any other random value."""
        return str(uuid.UUID(int=self._requests.getrandbits(128), version=4))

    def new_uuid(self) -> str:
        """Give a lower-case UUID; the sequence follows from the seed."""
        return str(uuid.UUID(int=self._ids.getrandbits(128), version=4))

    def product(self, product_key: str) -> Product:
        """Find a product.

        :raises BusinessError: it does not exist.
        """
        if product_key not in self.products:
            raise BusinessError("iot.prod.NotExistedProduct", "The product does not exist.")
        return self.products[product_key]

    def device(self, product_key: str, name: str) -> Device:
        """Find a device by product and name.

        :raises BusinessError: it does not exist.
        """
        device = self.product(product_key).devices.get(name)
        if device is None:
            raise BusinessError("iot.device.NotExistedDevice", f"The device {name} does not exist.")
        return device

    def device_by_iot_id(self, iot_id: str) -> Device:
        """Find a device by the id that is unique in the account.

        :raises BusinessError: it does not exist.
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

        :raises BusinessError: it does not exist.
        """
        if job_id not in self.engine.jobs:
            raise BusinessError("iot.firmware.InvalidOTAJobId", "The job does not exist.")
        return self.engine.jobs[job_id]
