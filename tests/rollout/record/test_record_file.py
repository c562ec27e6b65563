from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.record import record_file
from airflow_provider_tuya_ota.rollout.record.begin import FrozenPlan, ReleaseBegun
from airflow_provider_tuya_ota.rollout.record.canonical import canonical_bytes
from airflow_provider_tuya_ota.rollout.record.course import JobCreated
from airflow_provider_tuya_ota.rollout.record.finish import HaltReceipt
from airflow_provider_tuya_ota.rollout.record.record_file import read_record
from airflow_provider_tuya_ota.rollout.record.unreadable import RecordUnreadableError
from tests.rollout.record.story import good, halted

RECORD = good(200)
DATA = RECORD.seal(None)
LINES = DATA.splitlines()


def with_line(number: int, line: bytes) -> bytes:
    return b"".join(one + b"\n" for one in [*LINES[:number], line, *LINES[number + 1 :]])


def with_values(line: int, **values: Any) -> bytes:
    return with_line(line, canonical_bytes(json.loads(LINES[line]) | values))


@pytest.mark.parametrize("record", [RECORD, halted(300)], ids=["good", "halted"])
def test_a_record_is_read_back_as_it_was_written(record: Any) -> None:
    file = read_record(record.seal(None))

    assert [entry.to_bytes() for entry in file.entries] == record.to_bytes().splitlines()
    assert file.digests[-1] == record.head
    assert file.seal is not None
    assert file.seal.digest == record.head
    assert (file.not_canonical, file.is_seal_canonical) == ((), True)


def test_entries_are_found_by_their_kind() -> None:
    file = read_record(DATA)
    jobs = file.of(JobCreated)

    assert [LINES[place].count(b'"kind":"job"') for place, _ in jobs] == [1] * len(jobs)
    assert file.first(ReleaseBegun) == RECORD.entries[0].content
    assert file.first(HaltReceipt) is None
    assert not read_record(RECORD.to_bytes()).is_seal_canonical
    assert isinstance(file.first(FrozenPlan), FrozenPlan)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "it is empty"),
        (DATA[:-1], "ends in the middle of a line"),
        (b"\n", "line 1: it is no JSON"),
        (LINES[-1] + b"\n", "it has no entry"),
        (DATA + LINES[0] + b"\n", f"line {len(LINES) + 1}: it follows the seal"),
        (with_line(2, b"\xff"), "line 3: it is not UTF-8"),
        (with_line(2, b"\xef\xbb\xbf" + LINES[2]), "line 3: it is no JSON"),
        (with_line(2, LINES[2][:-1]), "line 3: it is no JSON"),
        (with_line(2, b"[]"), r"line 3: \[\] is no entry: it needs at, body, kind"),
        (with_line(2, b"[" * 100_000 + b"]" * 100_000), "line 3: its values are nested too deeply"),
        (with_line(2, b'{"a":' * 100_000 + b"1" + b"}" * 100_000), "line 3: its values are nested too deeply"),
        (with_line(2, b'{"a":1,"a":2}'), "line 3: the name 'a' is twice in one object"),
        (with_line(2, b'{"b":1,"a":1,"a":2}'), "line 3: the name 'a' is twice in one object"),
        (with_line(2, b'{"a":NaN}'), "line 3: NaN is no number in JSON"),
        (with_line(2, b'{"a":-Infinity}'), "line 3: -Infinity is no number in JSON"),
        (with_line(2, b'{"a":1e999}'), "line 3: it has a number or a text without a form in RFC 8785"),
        (with_line(2, b'{"a":' + b"9" * 4000 + b"}"), "line 3: it has a number or a text without a form"),
        (with_line(2, b'{"a":' + b"9" * 5000 + b"}"), "line 3: "),
        (with_line(2, b'{"a":"\\ud800"}'), "line 3: it has a number or a text without a form in RFC 8785"),
        (with_values(2, kind="rumour"), "line 3: entries of the kind 'rumour' are not known here"),
        (with_values(2, kind=["gate"]), r"line 3: entries of the kind \['gate'\] are not known here"),
        (with_values(2, version=2), "line 3: version 2 of the kind 'gate' is not known here, only 1"),
        (with_values(2, version=True), "line 3: version True of the kind 'gate'"),
        (with_values(2, more=1), "line 3: .* is no entry"),
        (with_values(2, number=-1), "line 3: number: -1 is not a whole number"),
        (with_values(2, at="yesterday"), "line 3: at: 'yesterday' is not a time"),
        (with_values(2, previous="0" * 63), "line 3: previous: "),
        (with_values(2, body={}), "line 3: gate: the names"),
        (with_values(len(LINES) - 1, version=2), "version 2 of a seal is not known here"),
    ],
)
def test_what_is_no_record_is_refused_with_its_line(data: bytes, problem: str) -> None:
    with pytest.raises(RecordUnreadableError, match=f"release record.*{problem}") as caught:
        read_record(data)

    assert isinstance(caught.value, ConfigurationError)
    assert len(str(caught.value)) < 500


def test_a_huge_file_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert record_file.MOST_BYTES == 64 * 1024 * 1024
    monkeypatch.setattr(record_file, "MOST_BYTES", len(DATA) - 1)
    with pytest.raises(RecordUnreadableError, match="it has more than 0 MiB"):
        read_record(DATA)
    monkeypatch.setattr(record_file, "MOST_BYTES", len(DATA))
    assert read_record(DATA).seal
    monkeypatch.undo()
    with pytest.raises(RecordUnreadableError, match="it has more than 100,000 lines"):
        read_record(b"\n" * 100_001)


@pytest.mark.parametrize(
    ("limit", "marks", "problem"),
    [
        ("MOST_VALUES", (b",",), "it has more than [0-9,]+ values"),
        ("MOST_GROUPS", (b"[", b"{"), "it has more than [0-9,]+ lists and objects"),
    ],
)
def test_a_file_of_too_many_values_is_refused_before_it_is_parsed(
    limit: str, marks: tuple[bytes, ...], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = sum(map(DATA.count, marks))
    monkeypatch.setattr(record_file, limit, number)
    assert read_record(DATA).seal
    monkeypatch.setattr(record_file, limit, number - 1)
    with pytest.raises(RecordUnreadableError, match=problem):
        read_record(DATA)


def test_a_large_file_of_brackets_is_refused_at_once() -> None:
    with pytest.raises(RecordUnreadableError, match="it has more than 2,500,000 lists and objects"):
        read_record(b"[]," * 1_300_000 + b"[" * 1_300_000 + b"\n")
    with pytest.raises(RecordUnreadableError, match="it has more than 10,000,000 values"):
        read_record(b"," * 10_000_001 + b"\n")


def test_a_double_behind_many_names_is_found_at_once() -> None:
    names = b",".join(b'"%d":0' % number for number in range(60_000))
    began = time.perf_counter()
    with pytest.raises(RecordUnreadableError, match="the name '59999' is twice in one object"):
        read_record(b"{" + names + b',"59999":1}\n')

    assert time.perf_counter() - began < 5  # a search of all names for each one takes a minute


@pytest.mark.parametrize("change", [b" {", b'{ "at"', b'{"\\u0061t"'])
def test_a_line_in_another_form_is_noticed(change: bytes) -> None:
    changed = LINES[2].replace(b'{"at"', change + (b'"at"' if change == b" {" else b""), 1)

    assert read_record(with_line(2, changed)).not_canonical == (2,)
    assert not read_record(with_line(len(LINES) - 1, LINES[-1].replace(b",", b" ,"))).is_seal_canonical


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_the_typed_error(data: bytes) -> None:
    with pytest.raises(RecordUnreadableError):
        read_record(data + b"\n")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.integers(0, len(LINES) - 1), st.data())
def test_any_value_anywhere_is_read_or_refused_with_the_typed_error(number: int, data: st.DataObject) -> None:
    values = json.loads(LINES[number])
    inside = [values, *(one for one in values.values() if isinstance(one, dict))]
    target = data.draw(st.sampled_from(inside))
    target[data.draw(st.sampled_from(sorted(target)))] = data.draw(JSON)
    with suppress(RecordUnreadableError):
        read_record(with_line(number, json.dumps(values).encode()))
