"""A later step never refuses what a sample Dag's form and first step accept."""

from __future__ import annotations

import copy
import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
from airflow.exceptions import ParamValidationError

from airflow_provider_tuya_ota import forms
from airflow_provider_tuya_ota.core.actions import QueryOTAJob
from airflow_provider_tuya_ota.core.actions.texts import NAME
from airflow_provider_tuya_ota.core.errors import ConfigurationError, InvalidParameterError, NotFoundError
from airflow_provider_tuya_ota.core.texts import HIDDEN
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.runtime.arguments import parse_source
from tests.provider.conftest import CONNECTION
from tests.provider.dags.test_dags import SAMPLES, load
from tests.provider.operators.test_upgrade_operator import PRODUCT, seed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow.sdk import DAG

    from tests.provider.conftest import Service

LOG = logging.getLogger("tests.forms")
WORDS = ["None", "null", "undefined", "<leave out>"]
INVISIBLE = ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u3164", "\u2800", "\ufe0f", "\U000e0041", "\u202e"]
HOSTILE = [
    *("", " ", "\n", "178\n", "a\n\n", " a", "a ", "a\tb", "a\nb", "\xa0a", "1.5", "1e+5", "x" * 257, "x" * 65),
    *("None\n", " None", "null ", "\x00", "a\x7fb", "\u0378", "a\u0301", "[1]", "{{ x }}", "'", '"', "\\", "\\n"),
    *WORDS,
    *(f"dev{char}ice" for char in INVISIBLE),
    *INVISIBLE,
]
READERS: dict[str, Callable[[Any], Any]] = {
    "upload": lambda task: (task._request(), parse_source(task.source)),
    **dict.fromkeys(("verify", "upgrade", "share", "everybody"), lambda task: task._request()),
    **dict.fromkeys(("cancel", "wait_for_job"), lambda task: QueryOTAJob(job_id=task.job_id)),
}
"""How each step of the samples reads what it is given, before it sends anything."""
FILLED: dict[str, Any] = {
    "product_key": "pk",
    "firmware_id": "178",
    "job_id": "9001",
    "version": "1.1",
    "source": "/fw.bin",
    "device_names": ["a"],
}


class Before:
    """A task instance whose upstream tasks gave an id, or a report."""

    def xcom_pull(self, **_: Any) -> Any:
        return "178"


def let_through(dag: DAG, filled: dict[str, Any], field: str) -> bool:
    """Whether the form and the first step take the values; a refusal of the step has to name the field."""
    try:
        for name, value in filled.items():
            copy.deepcopy(dag.params.get_param(name)).resolve(value)
    except ParamValidationError:
        return False
    if "check" not in dag.task_ids:
        return True
    problem = ""
    try:
        forms.require_form(filled)
    except ConfigurationError as error:
        problem = str(error)
    assert not problem or field in problem[:100]
    return not problem


def refused_later(dag: DAG, filled: dict[str, Any]) -> list[str]:
    """Name the steps that refuse, the first one apart: it refuses before anything is sent."""
    found = []
    steps = [name for name in dag.task_ids if name in READERS]
    first = "" if "check" in dag.task_ids else steps[0]
    for name in steps:
        step: Any = copy.copy(dag.get_task(name))
        try:
            step.render_template_fields({"params": filled, "ti": Before()})
            READERS[name](step)
        except InvalidParameterError:
            found += [name] if name != first else []
    return found


@pytest.mark.airflow
@pytest.mark.parametrize("name", SAMPLES)
def test_what_the_form_and_the_first_step_let_through_no_later_step_refuses(airflow_database: None, name: str) -> None:
    dag = load(name)
    texts = [field for field in dag.params if field in {*FILLED, "pilots"}]
    usual = {field: FILLED.get(field, dag.params.get_param(field).value) for field in dag.params}
    if name == "verify_and_upgrade":
        usual |= {"target": "SPECIFIC"}
    assert let_through(dag, usual, "")
    assert refused_later(dag, usual) == []
    assert texts

    for field in texts:
        for hostile in HOSTILE:
            filled = usual | {field: [hostile] if isinstance(usual[field], list) else hostile}
            if let_through(dag, filled, field):
                assert refused_later(dag, filled) == [], (field, hostile)


@pytest.mark.airflow
@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("hostile", [*WORDS, "178\n", "9001\n", *(f"a{char}" for char in INVISIBLE)])
def test_every_form_refuses_words_for_nothing_line_ends_and_what_nobody_sees(
    airflow_database: None, name: str, hostile: str
) -> None:
    dag = load(name)
    for field in dag.params:
        param: Any = dag.params.get_param(field)
        if field in {*FILLED, "pilots"} - {"source"} or (field == "source" and hostile in {*WORDS, "178\n"}):
            value = [hostile] if param.schema["type"] == "array" else hostile
            with pytest.raises(ParamValidationError):
                copy.deepcopy(param).resolve(value)


@pytest.mark.airflow
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"device_names": ["device-001", "a\u0378"]}, "device_names"),
        ({"webhook_conn_id": " "}, "webhook_conn_id: ' ' is blank"),
        ({"webhook_conn_id": "None"}, "webhook_conn_id: 'None' is how a missing value is written"),
        ({"webhook_conn_id": "hook\n"}, "webhook_conn_id"),
        ({"product_key": "1.5"}, "product_key (ProductKey): '1.5' is a fraction"),
    ],
)
def test_a_release_is_refused_before_anything_is_uploaded(
    airflow_database: None, service: Service, firmware: Path, changes: dict[str, Any], said: str
) -> None:
    seed(service)

    run = load("release_firmware").test(run_conf={"version": "1.1.0", "source": str(firmware), **changes})

    assert {ti.task_id: ti.state for ti in run.get_task_instances()} == {
        "check": "failed",
        "upload": "upstream_failed",
        "verify": "upstream_failed",
        "notify": "failed" if "webhook_conn_id" in changes else "success",
    }
    assert service.actions == []
    assert said in run.get_task_instance("notify").xcom_pull(task_ids="notify")[:120]


@pytest.mark.airflow
@pytest.mark.parametrize("changes", [{"product_key": "nope"}, {"device_names": ["device-001", "ghost-1"]}])
def test_a_release_for_what_the_platform_does_not_know_is_refused_before_anything_is_uploaded(
    airflow_database: None, service: Service, firmware: Path, changes: dict[str, Any]
) -> None:
    seed(service)

    run = load("release_firmware").test(run_conf={"version": "1.1.0", "source": str(firmware), **changes})

    assert {ti.task_id: ti.state for ti in run.get_task_instances()} == {
        "check": "failed",
        "upload": "upstream_failed",
        "verify": "upstream_failed",
        "notify": "success",
    }
    assert service.actions == ["BatchGetDeviceState"]
    assert run.get_task_instance("notify").xcom_pull(task_ids="notify").startswith("Step check was refused")


def test_devices_that_the_platform_knows_are_accepted_fifty_at_a_time(service: Service) -> None:
    seed(service, devices=60)
    forms.require_devices(PRODUCT, [f"device-{n:03d}" for n in range(1, 61)], log=LOG)

    assert service.actions == ["BatchGetDeviceState"] * 2


def test_a_product_or_a_device_that_does_not_exist_is_refused(service: Service) -> None:
    seed(service)
    with pytest.raises(NotFoundError, match="NotExistedProduct"):
        forms.require_devices("nope", ["device-001"], log=LOG)
    with pytest.raises(NotFoundError, match="ghost-1"):
        forms.require_devices(PRODUCT, ["device-001", "ghost-1"], log=LOG)


@pytest.mark.parametrize(("unknown", "more"), [(2, ""), (12, " and 2 more")])
def test_a_device_without_a_state_is_refused_by_its_name(
    service: Service, monkeypatch: pytest.MonkeyPatch, unknown: int, more: str
) -> None:
    monkeypatch.setattr(TuyaOTAHook, "batch_get_device_state", lambda *_, **__: [])
    with pytest.raises(InvalidParameterError, match=rf"^device_names: the platform gives no state of 'd0', .*{more}\."):
        forms.require_devices(PRODUCT, [f"d{n}" for n in range(unknown)], log=LOG)


def test_a_platform_that_cannot_be_asked_is_left_to_the_later_steps(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv(CONNECTION)
    forms.require_devices(PRODUCT, ["ghost-1"], log=LOG)

    assert "Whether the platform knows the devices could not be read" in caplog.text


@pytest.mark.airflow
@pytest.mark.parametrize("blank", [None, ""])
def test_no_webhook_connection_means_the_log_alone(airflow_database: None, service: Service, blank: str | None) -> None:
    conf = {"version": "1.1.0", "source": "/nowhere.bin", "webhook_conn_id": blank}

    run = load("release_firmware").test(run_conf=conf)

    assert run.get_task_instance("notify").state == "success"


def test_a_percentage_with_a_fraction_is_refused_as_the_operator_would() -> None:
    # For JSON Schema 10.0 is a whole number; in a template it is "10.0".
    with pytest.raises(InvalidParameterError, match=r"^percent: '10.0' is not a whole number"):
        forms.require_form({"percent": 10.0})


def test_fields_of_the_dag_itself_and_empty_lists_are_left_to_the_form() -> None:
    forms.require_form({"device_names": [], "target": "None", "percent": 10, "webhook_conn_id": None})


@pytest.mark.parametrize("pattern", [forms.ID, forms.JOB_ID, forms.VERSION, forms.DEVICE, forms.SOURCE])
def test_a_pattern_takes_nothing_behind_its_end(pattern: str) -> None:
    assert re.search(pattern, "178")
    assert not re.search(pattern, "178\n")
    assert json.loads(json.dumps(pattern)) == pattern


def test_every_hidden_character_is_refused_in_a_name_and_letters_of_all_scripts_are_taken() -> None:
    hidden = re.compile(f"[{HIDDEN}]")
    for number in [*range(0xD800), *range(0xE000, 0x30000), *range(0xE0000, 0xE1000)]:
        char = chr(number)
        if hidden.match(char):
            assert NAME.problem(f"a{char}b"), hex(number)
        if char.isalnum() and char not in "\u115f\u1160\u3164\uffa0":
            assert not hidden.match(char), hex(number)
            assert NAME.problem(char) is None, hex(number)
