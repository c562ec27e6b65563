"""Write the schema of a line of a release record, and draw two records: ``python -m docs.generate_record``."""

from __future__ import annotations

import inspect
import json
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final

from airflow_provider_tuya_ota.rollout.gate.gate import COUNTABLE, READABLE, Confidence, Gate
from airflow_provider_tuya_ota.rollout.record.entry import KINDS, VERSION
from airflow_provider_tuya_ota.rollout.record.picture import draw_record
from airflow_provider_tuya_ota.rollout.record.record_file import read_record
from airflow_provider_tuya_ota.rollout.record.signature import ALGORITHM, Seal
from airflow_provider_tuya_ota.rollout.record.values import LARGEST, LONGEST_TEXT
from tests.rollout.record.story import story

ROOT: Final = Path(__file__).parents[1]
DIGEST: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
TIME: Final = {"type": "string", "format": "date-time", "pattern": "\\+00:00$"}
TEXTS: Final = {"type": "array", "items": {"type": "string"}}
GATE: Final[dict[str, dict[str, Any]]] = {
    "ceiling": {"type": "string"},
    "confidence": {
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {one.name: {"type": "string"} for one in fields(Confidence)},
                "required": [one.name for one in fields(Confidence)],
                "additionalProperties": False,
            },
        ]
    },
    "silent_after": {"type": "number"},
    "min_soak": {"type": "number"},
    "min_evidence": {"type": ["string", "integer"]},
    "stall_after": {"type": "number"},
    "counts": {"type": "array", "items": {"enum": [outcome.value for outcome in COUNTABLE]}},
    "texts": {"type": "object", "additionalProperties": {"enum": [outcome.value for outcome in READABLE]}},
    "red_stratum": {"enum": ["hold", "halt"]},
    "outside": TEXTS,
    "observe_only": {"type": "boolean"},
}
FEW: Final = (*["good"] * 40, "bad", *["good"] * 59)
FATES: Final = ("bad", *["good"] * 6, "slow", "good", "waits")


def schema() -> str:
    """Render the schema of one line."""
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Line of a release record",
        "description": "A release record has one JSON object a line: its entries, and a seal as the last one.",
        "oneOf": [*map(_entry, KINDS), {"$ref": "#/$defs/seal"}],
        "$defs": {**{name: _object(kind) for name, kind in KINDS.items()}, "seal": _seal()},
    }
    return json.dumps(document, indent=2) + "\n"


def pictures() -> dict[str, str]:
    """Draw a release that ends well and one that is halted."""
    records = {
        "record-complete.svg": story(2000, lambda rank: FEW[rank % 100]).tell(),
        "record-halted.svg": story(5000, lambda rank: FATES[rank % 10]).tell(),
    }
    return {name: draw_record(read_record(record.seal(None))) + "\n" for name, record in records.items()}


def _entry(name: str) -> dict[str, Any]:
    return _closed(
        {
            "at": {**TIME, "description": "When it was written."},
            "body": {"$ref": f"#/$defs/{name.replace(' ', '%20')}"},
            "kind": {"const": name},
            "number": {"type": "integer", "minimum": 0, "description": "Its place, from 0."},
            "previous": {
                "type": "string",
                "pattern": "^([0-9a-f]{64})?$",
                "description": "SHA-256 of the line of the entry before; empty for the first one.",
            },
            "version": {"const": VERSION},
        }
    )


def _seal() -> dict[str, Any]:
    meanings = _meanings(Seal)
    common = {
        "digest": {**DIGEST, "description": meanings["digest"]},
        "kind": {"const": "seal"},
        "version": {"const": 1},
    }
    signed = {
        "algorithm": {"const": ALGORITHM},
        "key_id": {**DIGEST, "description": meanings["key_id"]},
        "public_key": {**DIGEST, "description": meanings["public_key"]},
        "signature": {"type": "string", "pattern": "^[0-9a-f]{128}$", "description": meanings["signature"]},
    }
    return {"oneOf": [_closed(common | {"signature": {"type": "null"}}), _closed(common | signed)]}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _object(kind: Any) -> dict[str, Any]:
    if kind is Gate:
        meanings = _meanings(Gate)
        return _closed({name: {**one, "description": meanings[name]} for name, one in GATE.items()})
    types_ = typing.get_type_hints(kind, localns={"Mapping": Mapping})
    meanings = _meanings(kind)
    properties: dict[str, Any] = {}
    for one in fields(kind):
        if one.init:
            limits = {name: f"^({value})$" if name == "pattern" else value for name, value in one.metadata.items()}
            said = {"description": meanings[one.name]} if one.name in meanings else {}
            properties[one.name] = {**_type(types_[one.name]), **limits, **said}
    summary = _plain(inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0])
    return {"description": summary, **_closed(properties)}


def _type(kind: Any) -> dict[str, Any]:  # noqa: PLR0911 - one for each kind of type
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        return {"anyOf": [_type(parts[0]), {"type": "null"}]}
    if origin is tuple and parts[-1] is not ...:
        size = len(parts)
        return {"type": "array", "prefixItems": [_type(one) for one in parts], "minItems": size, "maxItems": size}
    if origin is tuple:
        return {"type": "array", "items": _type(parts[0])}
    if origin is not None:
        return {"type": "object", "additionalProperties": _type(parts[1])}
    if is_dataclass(kind):
        return _object(kind)
    if issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    plain: dict[Any, dict[str, Any]] = {
        str: {"type": "string", "maxLength": LONGEST_TEXT},
        int: {"type": "integer", "minimum": 0, "maximum": LARGEST},
        float: {"type": "number"},
        bool: {"type": "boolean"},
        datetime: TIME,
    }
    return plain[kind]


def _meanings(kind: type[Any]) -> dict[str, str]:
    found = re.findall(r":param (\w+): (.*?)(?=\n:|\n\n|\Z)", inspect.cleandoc(kind.__doc__ or ""), re.DOTALL)
    return {name: _plain(meaning) for name, meaning in found}


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("``", "`")


def files() -> dict[str, str]:
    """Give the content of each generated file."""
    return {
        "docs/reference/release-record.schema.json": schema(),
        **{f"docs/images/{name}": drawn for name, drawn in pictures().items()},
    }


if __name__ == "__main__":
    for path, content in files().items():
        (ROOT / path).write_text(content, encoding="utf-8")
