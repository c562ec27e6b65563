"""The page about records, its schema and its pictures are those of the code."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.rollout.gate.gate import Confidence, Gate
from airflow_provider_tuya_ota.rollout.record.entry import KINDS
from airflow_provider_tuya_ota.rollout.record.finding import FindingKind
from airflow_provider_tuya_ota.rollout.record.record_file import MOST_BYTES, MOST_ENTRIES
from airflow_provider_tuya_ota.rollout.record.signing_key import parse_signing_key
from tests.rollout.record.story import good, halted, story

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/records.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "docs/reference/release-record.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
KEY = parse_signing_key(Secret("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))
GATE = Gate(confidence=Confidence(halt="99%"), min_evidence=20, texts={"battery low": "declined"})


def first_cells(mark: str) -> list[str]:
    table = TEXT.partition(f"<!-- {mark} -->")[2].partition("\n|---")[2].partition("\n")[2].partition("\n\n")[0]
    return [line.split(" | ")[0].strip("| `") for line in table.splitlines()]


def test_what_is_generated_is_up_to_date() -> None:
    generated = runpy.run_path(str(ROOT / "docs/generate_record.py"))["files"]()

    assert [name for name, content in generated.items() if (ROOT / name).read_text("utf-8") != content] == []


def test_every_kind_and_every_finding_is_explained() -> None:
    assert first_cells("kinds") == list(KINDS)
    assert first_cells("findings") == [kind.value for kind in FindingKind]


def test_the_limits_are_those_of_the_code() -> None:
    assert f"at most {MOST_BYTES // 2**20} MiB and {MOST_ENTRIES:,} lines" in TEXT


@pytest.mark.parametrize(
    "data",
    [good(200).seal(None), halted(200).seal(KEY), story(60, gate=GATE).tell().seal(KEY)],
    ids=["good", "halted", "other gate"],
)
def test_every_line_is_what_the_schema_describes(data: bytes) -> None:
    found = [error.message[:300] for line in data.splitlines() for error in VALIDATOR.iter_errors(json.loads(line))]

    assert found == []


@pytest.mark.parametrize(
    "change", [{"number": -1}, {"kind": "rumour"}, {"version": 2}, {"previous": "0"}, {"more": 1}, {"at": "now"}]
)
def test_the_schema_refuses_what_the_reader_refuses(change: dict[str, Any]) -> None:
    values = json.loads(good(60).to_bytes().splitlines()[3])

    assert not VALIDATOR.is_valid(values | change)


def test_the_signed_value_is_the_one_of_the_page() -> None:
    (said,) = re.findall(r"canonical form of `(\{.*?\})`", TEXT)
    seal = json.loads(halted(200).seal(KEY).splitlines()[-1])
    written = said.replace('"digest": …', f'"digest": "{seal["digest"]}"').replace(
        '"key_id": …', f'"key_id": "{seal["key_id"]}"'
    )

    KEY.public_key.verify(
        bytes.fromhex(seal["signature"]),
        json.dumps(json.loads(written), sort_keys=True, separators=(",", ":")).encode(),
    )
