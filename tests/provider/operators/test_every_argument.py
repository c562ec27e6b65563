"""Every argument of every operator and sensor accepts a value with its exact meaning, or is refused by its name."""

from __future__ import annotations

import asyncio
import json
from inspect import signature
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import BaseSensorOperator
from airflow.sdk.exceptions import AirflowException, TaskDeferred

from airflow_provider_tuya_ota.core.errors import ConfigurationError, TuyaOTAError
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator
from tests.core.zoo import ZOO, require_plain
from tests.provider.operators.test_rendered_arguments import OPERATORS, named

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import FakeTask, Service

ANIMALS = {animal: make for animal, make in ZOO.items() if animal != "itself"}  # Airflow's own search for XComs loops
TEXT = {"odd text", "enum text", "underscored digits", "zero in front"}
IDS = TEXT | {"plus"}
VERSIONS = TEXT | {"fraction text"}
NAMES = IDS | {"other digits", "wide digits", "fraction text", "exponent text", "template"}
LISTS_AS_TEXT = {"list of None text", "list of numbers text", "dict text"}
ONE_BY_LINE = NAMES | {"padded", "line end", "two lines"}
WORDS = ONE_BY_LINE | LISTS_AS_TEXT | {"null text", "undefined text", "bidi", "no-break space", "filler"}
SECONDS = {"odd number", "half", "version number", "whole float"}
PERHAPS_NONE = SECONDS | {"zero", "minus zero"}
TRUE = {"true"}
ONE = {"odd number"}
EMPTY = {"empty list"}
NOTHING: set[str] = set()
TAKEN: dict[str, set[str]] = {
    **dict.fromkeys(("firmware_id", "product_key", "job_id", "group_id"), IDS),
    **dict.fromkeys(("version", "module_name", "src_version", "alias_name"), VERSIONS),
    "firmware_name": TEXT,
    **dict.fromkeys(("firmware_desc", "udi", "desc"), WORDS),
    **dict.fromkeys(("device_names", "source_versions"), ONE_BY_LINE),
    **dict.fromkeys(("task_ids", "job_ids"), IDS | {"padded", "line end", "two lines"}),
    **dict.fromkeys(("need_to_verify", "need_push", "need_confirm", "missing_ok"), TRUE),
    **dict.fromkeys(("cancel_queued", "cancel_notified", "cancel_unconfirmed"), TRUE),
    **dict.fromkeys(("wait_for_completion", "deferrable"), TRUE),
    "timeout_in_minutes": {"padded", "line end", "odd number"},
    "sample": {"padded", "line end", "odd number"},
    "retry_interval": {"zero"},
    **dict.fromkeys(("gray_percent", "retry_count", "at_least"), ONE),
    **dict.fromkeys(("poll_interval", "timeout", "requests_per_second"), SECONDS),
    **dict.fromkeys(("poll_error_tolerance", "poke_interval"), PERHAPS_NONE),
    "notifiers": EMPTY,
    "recheck_after": EMPTY | {"list of a number"},
    **dict.fromkeys(("source", "sign_method", "file_suffix", "if_verified", "download_protocol"), NOTHING),
    **dict.fromkeys(
        (
            "target_selection",
            "statuses",
            "failing_statuses",
            "state",
            "on_cancel",
            "on_failed_job",
            "on_mismatch",
        ),
        NOTHING,
    ),
    "source_conn_id": NAMES | LISTS_AS_TEXT,
    "tuya_ota_conn_id": NOTHING,
}
BESIDE: dict[str, dict[str, Any]] = {
    "group_id": {"target_selection": "GROUP"},
    "gray_percent": {"target_selection": "GRAY"},
    "retry_interval": {"retry_count": 1},
}
"""What an argument needs beside it."""


def arguments_of(operator: type[Any]) -> list[str]:
    own = [
        name
        for kind in operator.__mro__
        if kind.__module__.startswith("airflow_provider_tuya_ota") and "__init__" in vars(kind)
        for name in signature(vars(kind)["__init__"]).parameters
    ]
    return [*dict.fromkeys(own + ["timeout"] * issubclass(operator, BaseSensorOperator))]


CASES = [
    (operator, name) for operator in OPERATORS for name in arguments_of(operator) if name not in {"self", "kwargs"}
]


class Trial:
    """Gives one argument one value after the other."""

    def __init__(self, service: Service, ti: FakeTask, operator: type[Any], name: str, **others: Any) -> None:
        self.service = service
        self.context: Any = {"ti": ti}
        self.operator = operator
        self.name = name
        self.others = others

    def takes(self, animal: str) -> bool:
        """Whether the value is taken; a refusal is held against what it has to be."""
        value = ANIMALS[animal]()
        self.service.emulator.log.clear()
        try:
            self.operator(task_id="t", **self.others | {self.name: value}).execute(self.context)
        except ConfigurationError as error:
            self.judge(str(error), value)
            return False
        except TaskDeferred as deferred:
            json.dumps(deferred.trigger.serialize())
        except (TuyaOTAError, AirflowException):
            assert self.service.actions
        return True

    def judge(self, said: str, value: Any) -> None:
        """Hold a refusal against what it has to be."""
        names = {"tuya_ota_conn_id": "Connection "}
        assert self.name in said[:100] or names.get(self.name, self.name) in said[:100], said
        assert self.service.actions == [], said
        # A path is worth its length.
        require_plain(said, hostile="" if self.name == "source" else value)


@pytest.mark.parametrize(("operator", "name"), CASES, ids=[named(*case) for case in CASES])
def test_an_argument_means_what_it_says_or_is_refused_by_name(
    service: Service, ti: FakeTask, firmware: Path, operator: type[Any], name: str
) -> None:
    others = dict(OPERATORS[operator])
    if "source" in others:
        others["source"] = str(firmware)
    if name == "task_ids":
        del others["job_id"]
    if name == "job_ids":
        del others["device_names"]
    is_sensor = issubclass(operator, BaseSensorOperator)
    others |= BESIDE.get(name, {}) | ({"poke_interval": 0.01, "timeout": 0.01} if is_sensor else {})
    if operator is TuyaOTACreateUpgradeJobOperator and name == "device_names":
        others["target_selection"] = "SPECIFIC"
    expected = TAKEN[name] | ({"zero", "minus zero"} if is_sensor and name == "timeout" else set())

    trial = Trial(service, ti, operator, name, **others)

    assert {animal for animal in ANIMALS if trial.takes(animal)} == expected


ADDRESS = "https://user:sekret-password@host/firmware.bin?sig=sekret-signature"


FORMS = [
    ADDRESS,
    ADDRESS.replace("host/", "host/my "),
    ADDRESS.replace("firmware.bin", "f"),
    [ADDRESS],
    ADDRESS.encode(),
]


@pytest.mark.parametrize("value", FORMS)
@pytest.mark.parametrize(("operator", "name"), CASES, ids=[named(*case) for case in CASES])
def test_an_address_in_the_wrong_argument_shows_its_secrets_nowhere(
    service: Service, ti: FakeTask, firmware: Path, operator: type[Any], name: str, value: Any
) -> None:
    others = OPERATORS[operator] | {"source": str(firmware)} if "source" in OPERATORS[operator] else OPERATORS[operator]
    quick = {"poke_interval": 0.01, "timeout": 0.01} if issubclass(operator, BaseSensorOperator) else {}
    said = ""
    try:
        operator(task_id="t", **others | BESIDE.get(name, {}) | quick | {name: value}).execute({"ti": ti})
    except (TuyaOTAError, AirflowException, TaskDeferred) as error:
        said = str(error)

    assert "sekret" not in said + json.dumps(ti.xcom.get("ota_release"))


DEFERRED = [case for case in CASES if issubclass(case[0], BaseSensorOperator) and case[1] != "deferrable"]


@pytest.mark.parametrize(("operator", "name"), DEFERRED, ids=[named(*case) for case in DEFERRED])
def test_a_sensor_that_defers_refuses_the_same(service: Service, ti: FakeTask, operator: type[Any], name: str) -> None:
    others = OPERATORS[operator] | {"poke_interval": 1, "timeout": 1, "deferrable": True}
    trial = Trial(service, ti, operator, name, **others)

    taken = {animal for animal in ANIMALS if trial.takes(animal)}

    if name == "tuya_ota_conn_id" and "job_id" in others:
        # Whether the connection exists is found by the triggerer.
        taken -= NAMES | LISTS_AS_TEXT
    assert taken <= TAKEN[name] | ({"zero", "minus zero"} if name == "timeout" else set())


@pytest.mark.parametrize("animal", ANIMALS)
def test_an_id_of_a_connection_is_one(animal: str) -> None:
    value = ANIMALS[animal]()
    hook = TuyaOTAHook(value)

    for read in (hook.get_settings, lambda: asyncio.run(hook.aget_settings())):
        with pytest.raises(ConfigurationError) as caught:
            read()
        assert "onnection" in str(caught.value)[:100] or "tuya_ota_conn_id" in str(caught.value)[:100]
        require_plain(str(caught.value), hostile=value)
