"""The control plane under ``/_emulator/``: commands that change and read the simulation.

Its requests are not signed. It listens where the emulator does, on loopback by default.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow_provider_tuya_ota.emulator import scenario
from airflow_provider_tuya_ota.emulator.documents import DECADE, Entry, read_table
from airflow_provider_tuya_ota.emulator.messages import Request, Response
from airflow_provider_tuya_ota.emulator.scenario import DeviceScript

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.emulator.account import Account

PREFIX = "/_emulator/"
RECORDED = frozenset({"quirks", "quotas", "devices", "confirm", "clock"})
"""Commands that the recorder writes; faults are not written."""
MOST_TASKS = 1000
"""Device tasks of each job in the state; those of a large fleet would take seconds to encode."""
_CLOCK = {
    "speed": Entry(float, 0.001, 100_000),
    "freeze": Entry(bool),
    "advance": Entry(float, 0, DECADE),
    "gateway_offset": Entry(float, -DECADE, DECADE),
}
_CONFIRM = {"job_id": Entry(str), "task_ids": Entry(list)}


class _MissingError(LookupError):
    """An entity that a command names does not exist."""


def handle(account: Account, request: Request) -> Response:
    """Carry out one command."""
    name, *rest = request.path.removeprefix(PREFIX).strip("/").split("/")
    command = _COMMANDS.get((request.method, name))
    if command is None:
        return _answer(404, {"error": f"there is no command {request.method} {name}"})
    try:
        values = _read(request.body)
        result = command(account, values, rest)
        if account.recorder is not None and request.method == "POST" and name in RECORDED:
            account.recorder.controlled(account.world, name, values, rest)
        return _answer(200, result)
    except _MissingError as error:
        return _answer(404, {"error": str(error)})
    except ValueError as error:
        return _answer(400, {"error": str(error)})


def _read(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from None


def carry_out(account: Account, name: str, values: Any, rest: list[str]) -> None:
    """Repeat a recorded command."""
    _COMMANDS["POST", name](account, values, rest)


def _reset(account: Account, _: Any, __: list[str]) -> Any:
    account.reset()
    if account.recorder is not None:
        account.recorder.began_again(account.world)
    return {}


def _seed(account: Account, values: Any, _: list[str]) -> Any:
    account.reset(scenario.read(values))
    if account.recorder is not None:
        account.recorder.began(account.world, values)
    return {"product_keys": list(account.world.products)}


def _clear_faults(account: Account, _: Any, __: list[str]) -> Any:
    account.faults.clear()
    return []


def _change_quirks(account: Account, values: Any, _: list[str]) -> Any:
    account.world.quirks = account.world.quirks.changed(values)
    return account.world.quirks.as_dict()


def _change_quotas(account: Account, values: Any, _: list[str]) -> Any:
    account.world.quotas = account.world.quotas.changed(values)
    return account.world.quotas.as_dict()


def _change_clock(account: Account, values: Any, _: list[str]) -> Any:
    _set_clock(account, values)
    return _clock(account)


def _change_device(account: Account, values: Any, rest: list[str]) -> Any:
    if len(rest) != 2:  # noqa: PLR2004 - product and device
        raise ValueError("devices: the path is devices/PRODUCT/DEVICE")
    product_key, name = rest
    return _script_device(account, product_key, name, values)


def _clock(account: Account) -> dict[str, Any]:
    clock = account.clock
    return {
        "world": clock.world(),
        "gateway": clock.gateway(),
        "speed": clock.speed,
        "frozen": clock.frozen,
        "gateway_offset": clock.gateway_offset,
    }


def _set_clock(account: Account, values: Any) -> None:
    known = read_table(values, "clock", _CLOCK)
    if "speed" in known:
        account.clock.set_speed(known["speed"])
    if "freeze" in known:
        account.clock.freeze(frozen=known["freeze"])
    if "advance" in known:
        account.clock.advance(known["advance"])
    if "gateway_offset" in known:
        account.clock.gateway_offset = known["gateway_offset"]
    account.world.engine.run()


def _state(account: Account) -> dict[str, Any]:
    world = account.world
    return {
        "firmwares": [firmware.describe() for firmware in world.firmwares.by_id.values()],
        "jobs": [
            job.describe() | {"counts": {status: number for status, number in job.counts.items() if number}}
            for job in world.engine.jobs.values()
        ],
        "tasks": [task.describe() for job in world.engine.jobs.values() for task in job.tasks[:MOST_TASKS]],
    }


def _confirm(account: Account, values: Any) -> int:
    known = read_table(values, "confirm", _CONFIRM)
    if not known:
        raise ValueError("confirm: job_id or task_ids is needed")
    job_id, wanted = known.get("job_id"), known.get("task_ids", [])
    named = [
        task
        for job in account.world.engine.jobs.values()
        for task in job.tasks
        if job.job_id == job_id or task.task_id in wanted
    ]
    missing = [wish for wish in wanted if wish not in {task.task_id for task in named}]
    if job_id is not None and job_id not in account.world.engine.jobs:
        raise _MissingError(f"there is no job {job_id}")
    if missing:
        raise _MissingError(f"there is no device task {', '.join(map(str, missing))}")
    waiting = [task for task in named if task.status == "CONFIRM"]
    for task in waiting:
        account.world.engine.confirm(task)
    return len(waiting)


def _script_device(account: Account, product_key: str, name: str, values: Any) -> dict[str, Any]:
    product = account.world.products.get(product_key)
    if product is None:
        raise _MissingError(f"there is no product {product_key}; there are {', '.join(account.world.products)}")
    device = product.devices.get(name)
    if device is None:
        raise _MissingError(f"product {product_key} has no device {name}")
    script = scenario.script(values, DeviceScript(device.online, None, device.behaviour))
    device.behaviour = script.behaviour
    script.give_version(device)
    if script.online != device.online:
        account.world.engine.set_online(device, online=script.online)
    account.world.engine.reconsider(device)
    return {"name": device.name, "online": device.online, "versions": device.versions} | asdict(device.behaviour)


def _answer(status: int, values: Any) -> Response:
    return Response(status, json.dumps(values).encode())


_COMMANDS: dict[tuple[str, str], Callable[[Account, Any, list[str]], Any]] = {
    ("POST", "reset"): _reset,
    ("POST", "seed"): _seed,
    ("GET", "clock"): lambda account, _, __: _clock(account),
    ("POST", "clock"): _change_clock,
    ("GET", "faults"): lambda account, _, __: [asdict(fault) for fault in account.faults.list],
    ("POST", "faults"): lambda account, values, _: asdict(account.faults.add(values)),
    ("DELETE", "faults"): _clear_faults,
    ("GET", "quirks"): lambda account, _, __: account.world.quirks.as_dict(),
    ("POST", "quirks"): _change_quirks,
    ("GET", "quotas"): lambda account, _, __: account.world.quotas.as_dict(),
    ("POST", "quotas"): _change_quotas,
    ("GET", "requests"): lambda account, _, __: list(account.log),
    ("GET", "state"): lambda account, _, __: _state(account),
    ("POST", "confirm"): lambda account, values, _: {"confirmed": _confirm(account, values)},
    ("POST", "devices"): _change_device,
}
