"""Write the tables under ``docs/reference`` from the code: ``python docs/generate.py``."""

from __future__ import annotations

import inspect
import json
import re
import typing
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from airflow_provider_tuya_ota.core.actions import ALL_ACTIONS, Action
from airflow_provider_tuya_ota.core.codes.firmware import FIRMWARE
from airflow_provider_tuya_ota.core.codes.gateway import GATEWAY
from airflow_provider_tuya_ota.core.codes.module import MODULE
from airflow_provider_tuya_ota.core.codes.platform import PLATFORM
from airflow_provider_tuya_ota.core.policy.retry import Repeat, RetryPolicy
from airflow_provider_tuya_ota.core.status.report import LONGEST_TEXT, ReleaseReport
from airflow_provider_tuya_ota.emulator.fidelity import BEHAVIOURS, REFUSALS
from airflow_provider_tuya_ota.emulator.gateway.quotas import UPSTREAM_QUOTAS
from airflow_provider_tuya_ota.operations import Method, Operations
from airflow_provider_tuya_ota.operators.control import TuyaOTAControlReleaseOperator
from airflow_provider_tuya_ota.operators.firmware import (
    TuyaOTADeleteFirmwareOperator,
    TuyaOTAModifyFirmwareOperator,
    TuyaOTAUploadFirmwareOperator,
)
from airflow_provider_tuya_ota.operators.job import TuyaOTACreateVerifyJobOperator
from airflow_provider_tuya_ota.operators.landed import TuyaOTALandedCheckOperator
from airflow_provider_tuya_ota.operators.module import (
    TuyaOTACreateModuleOperator,
    TuyaOTADeleteModuleOperator,
    TuyaOTAUpdateModuleOperator,
)
from airflow_provider_tuya_ota.operators.task import (
    TuyaOTACancelDeviceTasksOperator,
    TuyaOTACancelJobOperator,
    TuyaOTAConfirmTasksOperator,
)
from airflow_provider_tuya_ota.operators.upgrade import TuyaOTACreateUpgradeJobOperator
from airflow_provider_tuya_ota.sensors.device import TuyaOTADeviceStateSensor
from airflow_provider_tuya_ota.sensors.firmware import TuyaOTAFirmwareStatusSensor
from airflow_provider_tuya_ota.sensors.job import TuyaOTAJobSensor

if typing.TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.errors import ApiError

FOLDER = Path(__file__).parent / "reference"
KINDS = {str: "text", int: "whole number", bool: "True or False", list: "list of texts"}
WRITTEN = "This page is written by `make docs` from the code."
ABOUT_OPERATIONS = f"""# Operations

{WRITTEN} There are {len(ALL_ACTIONS)} operations. Each is a method of `TuyaOTAClient`, `AsyncTuyaOTAClient` and
`TuyaOTAHook` (there also as a coroutine whose name begins with `a`), with the parameters below by keyword:
`hook.query_job(job_id="1836…")`. `client.iterate(…)` turns the pages of a list, `hook.call("Name", {{…}})` signs any
other operation.

*Sent again*: whether a request whose answer was lost is repeated. *Quota*: requests per second and account of
Alibaba Cloud IoT (the upstream API); the vendor publishes none.

| Operation | Method | What it does | Sent again | Quota |
|---|---|---|---|---|
"""
ABOUT_ERRORS = f"""# Errors

{WRITTEN} For a code that is not listed, the longest listed beginning of it counts; without one, the HTTP status.
A create that is refused with a code that is not listed may have been carried out: `error.in_doubt` is True.
The advice is part of the message in the task log. [The client](../client.md#errors) says what each error class means.

*Repeated*: whether the client sends the request again; `reads`: only requests that create nothing.
"""
FAMILIES = {"Gateway": GATEWAY, "Platform": PLATFORM, "Firmwares, jobs and devices": FIRMWARE, "Modules": MODULE}
OPERATORS = (
    TuyaOTAUploadFirmwareOperator,
    TuyaOTACreateVerifyJobOperator,
    TuyaOTACreateUpgradeJobOperator,
    TuyaOTACancelJobOperator,
    TuyaOTACancelDeviceTasksOperator,
    TuyaOTAConfirmTasksOperator,
    TuyaOTALandedCheckOperator,
    TuyaOTAModifyFirmwareOperator,
    TuyaOTADeleteFirmwareOperator,
    TuyaOTACreateModuleOperator,
    TuyaOTAUpdateModuleOperator,
    TuyaOTADeleteModuleOperator,
    TuyaOTAControlReleaseOperator,
    TuyaOTAJobSensor,
    TuyaOTAFirmwareStatusSensor,
    TuyaOTADeviceStateSensor,
)
ABOUT_OPERATORS = f"""# Operators and sensors

{WRITTEN} Arguments marked ⟨t⟩ are templates: they take Jinja expressions and the values of a trigger form. How the
operators for verification and upgrade create one job for one intent, and what killing them does, is described in
[operators](../operators.md).
"""
ABOUT_FIDELITY = f"""# How true the emulator is

{WRITTEN} *Documented*: the vendor, or Alibaba Cloud IoT (the *upstream API*), says so. *Inferred*: it follows from what
they say, or is the stricter of two readings. *Invented*: they do not say, and something had to be chosen.
"""
PARAMETERS = """| Parameter | On the wire | Value | Refused unless | Warned about unless | Meaning |
|---|---|---|---|---|---|
"""


def operations() -> str:
    """Render every operation with its parameters."""
    methods = {method._load(): name for name, method in vars(Operations).items() if isinstance(method, Method)}
    text = ABOUT_OPERATIONS
    for name, action in ALL_ACTIONS.items():
        cells = (
            f"[`{name}`](#{name.lower()})",
            f"`{methods[action]}`",
            _summary(action),
            "yes" if action.repeat is Repeat.HARMLESS else "no: it might create twice",
            str(UPSTREAM_QUOTAS[name]),
        )
        text += f"| {' | '.join(cells)} |\n"
    for name, action in ALL_ACTIONS.items():
        text += f"\n## {name}\n\n{_summary(action)} Gives {_result(action)}.{_source(action)}\n\n{PARAMETERS}"
        text += "".join(f"| {' | '.join(cells)} |\n" for cells in _rows(action))
    return text


def errors() -> str:
    """Render every code with its class and advice."""
    text = ABOUT_ERRORS
    for title, codes in FAMILIES.items():
        text += f"\n## {title}\n\n| Code | Error | Repeated | What to do |\n|---|---|---|---|\n"
        for code, (kind, advice) in codes.items():
            text += f"| `{code}` | `{kind.__name__}` | {_repeated(kind)} | {advice} |\n"
    return text


def operators() -> str:
    """Render every operator and sensor from its docstring."""
    text = ABOUT_OPERATORS
    for operator in OPERATORS:
        summary, _, rest = inspect.cleandoc(operator.__doc__ or "").partition("\n\n")
        prose, _, listed = rest.partition("\n:param ")
        arguments = re.findall(r":param (\w+): (.*?)(?=\n:|\n\n|\Z)", f":param {listed}", re.DOTALL)
        errors_ = re.findall(r":raises (\w+): (.*?)(?=\n:|\n\n|\Z)", listed, re.DOTALL)
        text += f"\n## `{operator.__name__}`\n\n`{operator.__module__}`. {_plain(summary)}\n\n{_paragraphs(prose)}\n\n"
        text += "| Argument | Meaning | Default |\n|---|---|---|\n"
        for name, meaning in arguments:
            text += f"| `{name}`{_template(operator, name)} | {_plain(meaning)} | {_default(operator, name)} |\n"
        text += "".join(f"\n- raises `{name}`: {_plain(meaning)}" for name, meaning in errors_) + "\n"
    return text


def fidelity() -> str:
    """Render what the emulator does, and how that is known."""
    text = ABOUT_FIDELITY
    for area in dict.fromkeys(behaviour.area for behaviour in BEHAVIOURS):
        text += f"\n## {area}\n\n| Behaviour | Mark | Source |\n|---|---|---|\n"
        for row in (behaviour for behaviour in BEHAVIOURS if behaviour.area == area):
            text += f"| {_plain(row.what)} | {row.mark} | {row.source} |\n"
    text += "\n## Refusals\n\n`Missing…` of a required parameter is documented for the upstream API's gateway.\n"
    for mark, source in dict.fromkeys(REFUSALS.values()):
        codes = sorted(code for code, documented in REFUSALS.items() if documented == (mark, source))
        text += f"\n**{mark}** ({source}): {', '.join(f'`{code}`' for code in codes)}\n"
    return text


def report_schema() -> str:
    """Render the JSON schema of a release report from its dataclass."""
    schema = _object_schema(ReleaseReport)
    for name, more in {"text": {"maxLength": LONGEST_TEXT}, "failing": {}}.items():
        derived = vars(ReleaseReport)[name].fget
        schema["properties"][name] = {
            **_type_schema(typing.get_type_hints(derived)["return"]),
            "description": _plain(inspect.getdoc(derived) or ""),
            **more,
        }
        schema["required"].append(name)
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"


PAGES = {
    "operations.md": operations,
    "errors.md": errors,
    "operators.md": operators,
    "fidelity.md": fidelity,
    "release-report.schema.json": report_schema,
}


def _object_schema(kind: type[Any]) -> dict[str, Any]:
    summary, _, rest = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")
    meanings = dict(re.findall(r":param (\w+): (.*?)(?=\n:|\n\n|\Z)", rest, re.DOTALL))
    types = typing.get_type_hints(kind)
    properties = {
        one.name: {**_type_schema(types[one.name]), "description": _plain(meanings[one.name]), **one.metadata}
        for one in fields(kind)
    }
    return {
        "title": kind.__name__,
        "description": _plain(summary),
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }


def _type_schema(kind: Any) -> dict[str, Any]:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return {"type": "array", "items": _type_schema(parts[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type_schema(parts[1])}
    if origin is typing.Literal:
        return {"enum": list(parts)}
    if is_dataclass(kind) and isinstance(kind, type):
        return _object_schema(kind)
    if issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    plain: dict[Any, dict[str, Any]] = {
        str: {"type": "string"},
        int: {"type": "integer", "minimum": 0},
        float: {"type": "number"},
    }
    return plain[kind]


def _paragraphs(prose: str) -> str:
    return "\n\n".join(_plain(part) for part in prose.strip().split("\n\n"))


def _template(operator: type, name: str) -> str:
    return " ⟨t⟩" if name in getattr(operator, "template_fields", ()) else ""


def _default(operator: type, name: str) -> str:
    for base in operator.__mro__:
        own = vars(base).get("__init__")
        parameter = inspect.signature(own).parameters.get(name) if own is not None else None
        if parameter is not None:
            break
    else:
        return ""
    if name == "deferrable":
        return "`[operators] default_deferrable`"
    return "required" if parameter.default is parameter.empty else f"`{parameter.default!r}`"


def _summary(action: type[Action[Any]]) -> str:
    text = (action.__doc__ or "").strip().partition("\n\n")[0]
    return re.sub(r"\s+", " ", text).replace("``", "`")


def _source(action: type[Action[Any]]) -> str:
    found = re.search(r"Source: (https?\S+)", action.__doc__ or "")
    return f" [Source]({found[1]})." if found else ""


def _result(action: type[Action[Any]]) -> str:
    result = typing.get_args(vars(action)["__orig_bases__"][0])[0]
    if result in {None, type(None)}:
        return "nothing"
    text = result.__forward_arg__ if isinstance(result, typing.ForwardRef) else str(result)
    if isinstance(result, type) and not typing.get_origin(result):
        text = result.__name__
    name = re.sub(r"[\w.]+\.", "", text)
    return f"`{name}`"


def _rows(action: type[Action[Any]]) -> list[tuple[str, ...]]:
    documented = dict(re.findall(r":param (\w+): (.*?)(?=\n\s*:|\n\s*\n|\Z)", action.__doc__ or "", re.DOTALL))
    rows: list[tuple[str, ...]] = []
    for item in fields(action):
        parameter = item.metadata["parameter"]
        optional = "" if parameter.required else " (optional)"
        wire = f"{parameter.wire}.N" if parameter.kind is list else parameter.wire
        rows.append(
            (
                f"`{item.name}`{optional}",
                f"`{wire}`",
                KINDS[parameter.kind],
                _plain(" and ".join(rule.allowed for rule in parameter.rules)),
                _plain(" and ".join(rule.allowed for rule in parameter.advisory)),
                _plain(documented.get(item.name, "")),
            )
        )
    return rows


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("``", "`").replace("|", "\\|")


def _repeated(kind: type[ApiError]) -> str:
    error = kind(action="", code="", message="", request_id="", http_status=400, advice="")
    reads, creates = (
        RetryPolicy().delay(error, repeat, attempt=1, jitter=0.0) is not None
        for repeat in (Repeat.HARMLESS, Repeat.DUPLICATES)
    )
    return "always" if creates else "reads" if reads else "no"


def main() -> None:
    """Write every page."""
    FOLDER.mkdir(exist_ok=True)
    for name, render in PAGES.items():
        (FOLDER / name).write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
