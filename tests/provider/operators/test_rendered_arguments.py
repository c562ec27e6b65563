"""A missing value never widens what is done, whatever made it missing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any
from unittest.mock import create_autospec

import pytest
from airflow.sdk import DAG, BaseOperator, BaseSensorOperator, task
from airflow.sdk.api.datamodels._generated import DagRun
from airflow.sdk.exceptions import AirflowException
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from airflow_provider_tuya_ota.core.errors import InvalidParameterError, TuyaOTAError
from airflow_provider_tuya_ota.operators.firmware import (
    TuyaOTADeleteFirmwareOperator,
    TuyaOTAModifyFirmwareOperator,
    TuyaOTAUploadFirmwareOperator,
)
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator
from airflow_provider_tuya_ota.operators.landed import TuyaOTALandedCheckOperator
from airflow_provider_tuya_ota.operators.module import TuyaOTACreateModuleOperator, TuyaOTAUpdateModuleOperator
from airflow_provider_tuya_ota.operators.task import (
    TuyaOTACancelDeviceTasksOperator,
    TuyaOTACancelJobOperator,
    TuyaOTAConfirmTasksOperator,
)
from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator
from airflow_provider_tuya_ota.sensors.device import TuyaOTADeviceStateSensor
from airflow_provider_tuya_ota.sensors.firmware import TuyaOTAFirmwareStatusSensor
from airflow_provider_tuya_ota.sensors.job import TuyaOTAJobSensor
from tests.provider.operators.test_upgrade_operator import seed, upgrade, upload

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import FakeTask, Service

JOB = "183634077921266001"
"""Id of the emulator's first job; that of its first firmware is 178."""
PRODUCT = {"product_key": "k1demoproduct"}
OPERATORS: dict[type[Any], dict[str, Any]] = {
    TuyaOTAUploadFirmwareOperator: {"source": "FILE", "version": "1.1.0", **PRODUCT},
    TuyaOTACreateVerifyJobOperator: {"firmware_id": "178", **PRODUCT},
    TuyaOTACreateUpgradeJobOperator: {"firmware_id": "178", "target_selection": "ALL", **PRODUCT},
    TuyaOTACancelJobOperator: {"job_id": JOB, "cancel_queued": True},
    TuyaOTACancelDeviceTasksOperator: {"firmware_id": "178", "device_names": ["device-001"], **PRODUCT},
    TuyaOTAConfirmTasksOperator: {"job_id": JOB},
    TuyaOTAModifyFirmwareOperator: {"firmware_id": "178", "udi": "u", "firmware_desc": "d"},
    TuyaOTADeleteFirmwareOperator: {"firmware_id": "178"},
    TuyaOTACreateModuleOperator: {"module_name": "mcu", **PRODUCT},
    TuyaOTAUpdateModuleOperator: {"module_name": "mcu", "desc": "d", "alias_name": "a", **PRODUCT},
    TuyaOTALandedCheckOperator: {"version": "1.0.0", "device_names": ["device-001"], **PRODUCT},
    TuyaOTAFirmwareStatusSensor: {"firmware_id": "178"},
    TuyaOTADeviceStateSensor: {"device_names": ["d1"], **PRODUCT},
    TuyaOTAJobSensor: {"job_id": JOB},
}
FIELDS = [(operator, name) for operator in OPERATORS for name in operator.template_fields]


def named(operator: type[Any], name: str) -> str:
    return f"{operator.__name__.removeprefix('TuyaOTA')}-{name}"


def is_needed(operator: type[Any], name: str) -> bool:
    declared = [signature(vars(kind)["__init__"]).parameters for kind in operator.__mro__ if "__init__" in vars(kind)]
    own = next(parameters[name] for parameters in declared if name in parameters)
    return name == "tuya_ota_conn_id" or own.default is Parameter.empty


EVERY_FIELD = pytest.mark.parametrize(("operator", "name"), FIELDS, ids=[named(*field) for field in FIELDS])


@pytest.fixture
def arguments(firmware: Path) -> dict[type[Any], dict[str, Any]]:
    return OPERATORS | {
        TuyaOTAUploadFirmwareOperator: OPERATORS[TuyaOTAUploadFirmwareOperator] | {"source": str(firmware)}
    }


def refused(operator: BaseOperator, context: Any, service: Service, name: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        operator.execute(context)
    assert name in str(caught.value)[:100]
    assert service.actions == []


@EVERY_FIELD
@pytest.mark.parametrize("native", [False, True], ids=["text", "native"])
@pytest.mark.parametrize("rendered", ["{{ missing }}", "{{ '' }}", " {{ ' ' }} "], ids=["none", "empty", "blank"])
def test_what_renders_to_nothing_is_refused(
    service: Service, arguments: Any, operator: type[Any], name: str, rendered: str, native: bool
) -> None:
    # As Python objects even digits that are written out become a number, which is no id.
    texts = {key: {"178": "f178", JOB: "j9"}.get(str(value), value) for key, value in arguments[operator].items()}
    with DAG("d", schedule=None, render_template_as_native_obj=native):
        asked = operator(task_id="t", **texts | {name: rendered})
    context: Any = {"ti": None, "missing": None}

    asked.render_template_fields(context)

    refused(asked, context, service, name)


@EVERY_FIELD
def test_a_callable_that_gives_nothing_is_refused(
    service: Service, arguments: Any, operator: type[Any], name: str
) -> None:
    with DAG("d", schedule=None):
        asked = operator(task_id="t", **arguments[operator] | {name: lambda **_: None})
    context: Any = {"ti": None}

    asked.render_template_fields(context)

    refused(asked, context, service, name)


@EVERY_FIELD
def test_an_element_that_holds_nothing_is_refused(
    service: Service, ti: FakeTask, arguments: Any, operator: type[Any], name: str
) -> None:
    written = {key: value for key, value in arguments[operator].items() if key != name}
    with DAG("d", schedule=None):
        mapped = operator.partial(task_id="t", **written).expand_kwargs([{name: "1"}, {name: None}])
    ti.map_index = 1
    context: Any = {"ti": ti, "dag": mapped.dag, "dag_run": DagRun.model_construct(conf={})}

    mapped.render_template_fields(context)

    refused(context["task"], context, service, name)


@EVERY_FIELD
@pytest.mark.parametrize("way", ["expand", "expand_kwargs"])
def test_an_element_that_holds_nothing_is_refused_beside_a_default_of_nothing(
    service: Service, ti: FakeTask, arguments: Any, operator: type[Any], name: str, way: str
) -> None:
    written = {key: value for key, value in arguments[operator].items() if key != name}
    with DAG("d", schedule=None, default_args={name: None}):
        partial = operator.partial(task_id="t", **written)
        mapped = partial.expand(**{name: [None]}) if way == "expand" else partial.expand_kwargs([{name: None}])
    ti.map_index = 0
    context: Any = {"ti": ti, "dag": mapped.dag, "dag_run": DagRun.model_construct(conf={})}

    mapped.render_template_fields(context)

    refused(context["task"], context, service, name)


MANDATORY = [(operator, name) for operator, name in FIELDS if is_needed(operator, name)]


@pytest.mark.parametrize(("operator", "name"), MANDATORY, ids=[named(*field) for field in MANDATORY])
@pytest.mark.parametrize("word", ["None", "null", "undefined", "<leave out>", " <leave out>\n"])
def test_a_word_for_nothing_is_refused_where_a_value_is_needed(
    service: Service, arguments: Any, operator: type[Any], name: str, word: str
) -> None:
    with DAG("d", schedule=None):
        asked = operator(task_id="t", **arguments[operator] | {name: f"{{{{ {word!r} }}}}"})
    context: Any = {"ti": None}

    asked.render_template_fields(context)

    refused(asked, context, service, name)


OPTIONAL = [(operator, name) for operator, name in FIELDS if name not in {*OPERATORS[operator], "tuya_ota_conn_id"}]


@dataclass
class Trial:
    """Runs operators, each in a world of its own that has a firmware and a job."""

    service: Service
    context: Any
    file: Path

    def sent_by(self, operator: BaseOperator) -> list[dict[str, Any]]:
        """Give what an operator sends, but for what differs from request to request."""
        is_verify = isinstance(operator, TuyaOTACreateVerifyJobOperator)
        self.service.emulator.clock.freeze(frozen=True)
        seed(self.service, groups={"g1": ["device-009"]})
        if not isinstance(operator, TuyaOTAUploadFirmwareOperator):
            firmware_id = upload(self.context, self.file, need_to_verify=is_verify)
        if "job_id" in operator.template_fields or "task_ids" in operator.template_fields:
            upgrade(firmware_id, wait_for_completion=False, need_confirm=True).execute(self.context)
        self.service.emulator.log.clear()
        with suppress(TuyaOTAError, AirflowException):
            operator.execute(self.context)
        own = {"SignatureNonce", "Signature", "Timestamp"}
        sent = [
            {key: value for key, value in entry["parameters"].items() if key not in own}
            for entry in self.service.emulator.log
            if entry["action"] != "PostObject"
        ]
        assert sent
        return sent


@pytest.fixture
def trial(service: Service, context: Any, firmware: Path) -> Trial:
    return Trial(service, context, firmware)


@pytest.mark.parametrize(("operator", "name"), OPTIONAL, ids=[named(*field) for field in OPTIONAL])
def test_what_is_left_out_is_as_if_it_had_not_been_written(
    trial: Trial, arguments: Any, operator: type[Any], name: str
) -> None:
    written = arguments[operator] | {"task_id": "t"}
    if "wait_for_completion" in signature(operator).parameters:
        written["wait_for_completion"] = False
    if issubclass(operator, BaseSensorOperator):
        written |= {"poke_interval": 0, "timeout": 0}
    unwritten = trial.sent_by(operator(**written))

    for word in (None, "<leave out>", "{{ '<leave out>' }}", " <leave out>\n"):
        with DAG("d", schedule=None):
            asked = operator(**written | {name: word})
        asked.render_template_fields({})
        assert without_urls(trial.sent_by(asked)) == without_urls(unwritten)


def without_urls(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in request.items() if name != "FirmwareUrl"} for request in sent]


def test_what_a_mapped_task_is_not_mapped_over_may_be_left_out(trial: Trial, ti: FakeTask) -> None:
    with DAG("d", schedule=None, default_args={"need_push": None}):
        mapped = TuyaOTACreateVerifyJobOperator.partial(task_id="t", device_names=None, **PRODUCT).expand(
            firmware_id=["178", "179"]
        )
    ti.map_index = 1
    context: Any = {"ti": ti, "dag": mapped.dag, "dag_run": DagRun.model_construct(conf={})}

    mapped.render_template_fields(context)

    assert trial.sent_by(context["task"])[0]["FirmwareId"] == "179"


@pytest.mark.parametrize("selection", ["SPECIFIC", "GRAY", "GROUP"])
@pytest.mark.parametrize("nothing", ["None", "", " "])
def test_a_choice_that_belongs_to_another_selection_may_come_to_nothing(
    trial: Trial, selection: str, nothing: str
) -> None:
    own: dict[str, dict[str, Any]] = {
        "SPECIFIC": {"device_names": ["device-001"]},
        "GRAY": {"gray_percent": 5},
        "GROUP": {"group_id": "g1"},
    }
    others = {name: nothing for values in own.values() for name in values}
    chosen = {"target_selection": selection, **others, **own[selection], "wait_for_completion": False}

    sent = trial.sent_by(
        TuyaOTACreateUpgradeJobOperator(task_id="t", **OPERATORS[TuyaOTACreateUpgradeJobOperator] | chosen)
    )

    assert [request["TargetSelection"] for request in sent if "TargetSelection" in request] == [selection]


@EVERY_FIELD
def test_a_task_before_it_that_returned_nothing_gives_no_value(
    service: Service, arguments: Any, operator: type[Any], name: str
) -> None:
    with DAG("d", schedule=None):

        @task
        def chosen() -> None:
            return None

        asked = operator(task_id="t", **arguments[operator] | {name: chosen()})
    ti = create_autospec(RuntimeTaskInstance, instance=True)
    ti.xcom_pull.return_value, ti.task = None, asked

    asked.render_template_fields({"ti": ti})

    refused(asked, {"ti": ti}, service, name)
