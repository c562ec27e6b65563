"""Every parameter of every operation either takes a value as it is, or refuses it under its own name."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.actions import (
    ALL_ACTIONS,
    CreateOTAFirmware,
    CreateOTAVerifyJob,
    DeleteOTAFirmware,
    QueryOTAJob,
)
from airflow_provider_tuya_ota.core.actions.texts import ID, IDS, NAME, NAMES
from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.flows.calls import call, require_operation
from airflow_provider_tuya_ota.core.jobs.target import fingerprint_of
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.core.wire.encoding import canonical_query, to_wire
from tests.core.actions.test_rules import MINIMAL
from tests.core.script import SETTINGS, Script
from tests.core.zoo import ZOO, Member, require_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_tuya_ota.core.actions.rules import Parameter

PARAMETERS = [
    (name, item.name, item.metadata["parameter"]) for name, action in ALL_ACTIONS.items() for item in fields(action)
]
EVERY_PARAMETER = pytest.mark.parametrize(
    ("action", "field", "parameter"), PARAMETERS, ids=[f"{name}-{field}" for name, field, _ in PARAMETERS]
)


def attempt(action: str, field: str, value: Any) -> Any:
    """Give what is sent, or the error."""
    try:
        return ALL_ACTIONS[action](**MINIMAL[action] | {field: value}).wire()
    except InvalidParameterError as error:
        return error


@EVERY_PARAMETER
@pytest.mark.parametrize("animal", ZOO)
def test_a_value_is_sent_as_it_is_or_refused_by_name(
    action: str, field: str, parameter: Parameter, animal: str
) -> None:
    value = ZOO[animal]()

    found = attempt(action, field, value)

    if isinstance(found, InvalidParameterError):
        assert field in str(found)[:100]
        require_plain(str(found), hostile=value)
        return
    sent = found[parameter.wire]
    if parameter.is_secret:
        assert isinstance(sent, Secret)
        sent = sent.reveal()
    assert type(sent) in {str, int, bool, list, tuple}
    items = sent if isinstance(sent, list | tuple) else [sent]
    assert all(type(item) in {str, int, bool} for item in items)
    canonical_query(to_wire(found)).encode()
    assert isinstance(value, parameter.kind if parameter.kind is not list else list)
    assert sent == (str.__str__(value) if isinstance(value, str) else value)


# What is neither refused by its kind nor by a rule of the vendor, so that a rule that goes missing is noticed.
TEXT = {"odd text", "enum text"}
DIGITS = {"zero in front", "underscored digits"}
TAKEN: dict[str, set[str]] = {
    "ID": TEXT | DIGITS | {"plus"},
    "NAME": TEXT
    | DIGITS
    | {"plus", "other digits", "wide digits", "fraction text", "exponent text", "template"}
    | {"list of None text", "list of numbers text", "dict text"},
    "IDS": set(),
    "NAMES": set(),
}


NAMED = [
    (action, field, kind)
    for action, field, parameter in PARAMETERS
    for kind, rule in {"ID": ID, "NAME": NAME, "IDS": IDS, "NAMES": NAMES}.items()
    if rule in parameter.rules
]
SELECTIONS = {"group_id": "GROUP", "target_device_name": "SPECIFIC"}


@pytest.mark.parametrize(("action", "field", "kind"), NAMED)
def test_an_id_is_nothing_but_an_id(action: str, field: str, kind: str) -> None:
    given = MINIMAL[action]
    if action == "CreateOTAStaticUpgradeJob" and field in SELECTIONS:
        given = given | {"target_selection": SELECTIONS[field]}

    taken = set()
    for animal, make in ZOO.items():
        with suppress(InvalidParameterError):
            ALL_ACTIONS[action](**given | {field: make()})
            taken.add(animal)

    assert taken == TAKEN[kind]


@pytest.mark.parametrize(
    "field", ["firmware_id", "job_id", "product_key", "group_id", "device_name", "task_id", "iot_id"]
)
def test_whatever_names_something_is_an_id_or_a_name(field: str) -> None:
    declared = {action for action, name, _ in PARAMETERS if name == field}

    assert declared
    assert declared == {action for action, name, _ in NAMED if name == field}


@pytest.mark.parametrize(
    "id_", ["", "None", "null", "undefined", " 178", "178 ", "1 78", "178.0", "1e+2", "1\ud800", "\uff11"]
)
def test_no_firmware_is_deleted_under_an_id_that_is_none(id_: str) -> None:
    with pytest.raises(InvalidParameterError, match=r"firmware_id \(FirmwareId\)"):
        DeleteOTAFirmware(firmware_id=id_)


@pytest.mark.parametrize("field", ["job_id", "firmware_id", "product_key"])
def test_a_missing_id_does_not_become_every_job(field: str) -> None:
    with pytest.raises(InvalidParameterError, match=f"^{field} .*'None' is how a missing value is written"):
        ALL_ACTIONS["CancelOTATaskByDevice"](**MINIMAL["CancelOTATaskByDevice"] | {field: "None"})


def test_what_is_sent_is_what_was_checked() -> None:
    names = ["d1"]
    action = CreateOTAVerifyJob(firmware_id=Member.ONLY, product_key="pk", target_device_name=names)
    names.append("d2")

    assert to_wire(action.wire()) == {"FirmwareId": "only", "ProductKey": "pk", "TargetDeviceName.1": "d1"}
    assert fingerprint_of(action) == fingerprint_of(
        CreateOTAVerifyJob(firmware_id="only", product_key="pk", target_device_name=("d1",))
    )


def test_an_address_that_may_be_secret_is_not_shown() -> None:
    with pytest.raises(InvalidParameterError) as caught:
        CreateOTAFirmware(dest_version="1", firmware_name="a", firmware_url="https://canary\ud800")

    assert "canary" not in str(caught.value)


# --- operations by their names, of which nothing else is checked ---


def refusal(of: Callable[[], Any]) -> str:
    """Give an error's text; empty where there is none."""
    try:
        of()
    except InvalidParameterError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("animal", ZOO)
def test_a_parameter_of_any_operation_is_sent_as_it_is_or_refused(animal: str) -> None:
    value = ZOO[animal]()

    if said := refusal(lambda: to_wire({"Name": value})):
        assert said.startswith("Name: ")
        require_plain(said, hostile=value)
        return
    wire = to_wire({"Name": value})
    canonical_query(wire).encode()
    assert all(type(sent) is str for sent in wire.values())
    assert not isinstance(value, str) or wire == {"Name": str.__str__(value)}


@pytest.mark.parametrize("animal", ZOO)
def test_what_is_no_name_of_an_operation_or_a_parameter_is_refused(animal: str) -> None:
    value = ZOO[animal]()
    nameless: Any = {id(value): value}
    refusals = [refusal(lambda: require_operation(value)), refusal(lambda: to_wire(nameless))]

    assert refusals[1].startswith("params: ")
    assert refusals[0].startswith("action: ") or isinstance(value, str)
    for said in refusals:
        require_plain(said or "-", hostile=value)


@pytest.mark.parametrize("name", ["", " ", "A b", "A\n", "A&B=c", "A=b", "1", "\u00c4", "Query-OTAJob", "A" * 129])
def test_an_empty_or_odd_name_of_an_operation_is_refused(name: str) -> None:
    assert refusal(lambda: require_operation(name)).startswith("action: ")


@pytest.mark.parametrize("name", [*ALL_ACTIONS, "SomethingNew2"])
def test_an_operation_that_nobody_knows_yet_may_be_called(name: str) -> None:
    require_operation(name)


@pytest.mark.parametrize("animal", ["object", "list of None", "half", "bytes", "many digits"])
def test_parameters_that_are_no_mapping_are_refused(animal: str) -> None:
    with pytest.raises(InvalidParameterError, match=r"^params: "):
        to_wire(ZOO[animal]())


def test_a_long_name_of_a_parameter_is_shown_in_part() -> None:
    with pytest.raises(InvalidParameterError) as caught:
        to_wire({"x" * 5000: b"secret"})

    require_plain(str(caught.value), hostile="x" * 5000)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("animal", ZOO)
def test_what_is_no_operation_is_not_carried_out(animal: str) -> None:
    script = Script()
    with pytest.raises(InvalidParameterError, match=r"^action: .* is no operation"):
        script.run(call(SETTINGS, ZOO[animal]()))
    assert script.sent == []


def test_an_operation_is_carried_out_by_its_value_alone() -> None:
    assert QueryOTAJob(job_id="9").wire() == {"JobId": "9"}


# --- showing ---


@pytest.mark.parametrize("animal", ZOO)
def test_anything_is_shown_on_one_line(animal: str) -> None:
    value = ZOO[animal]()

    for thing in (value, [value, value], {"k": value}):
        text = short_repr(thing)
        text.encode()
        assert text.isprintable()
        assert 0 < len(text) <= 80
