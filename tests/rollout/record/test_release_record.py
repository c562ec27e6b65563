from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError
from airflow_provider_tuya_ota.rollout.record.begin import LONGEST_REASON, ReleaseBegun, frozen_plan_of
from airflow_provider_tuya_ota.rollout.record.canonical import digest_of_bytes, digest_of_devices
from airflow_provider_tuya_ota.rollout.record.course import ControlNote, ControlVerb
from airflow_provider_tuya_ota.rollout.record.finish import ReleaseEnded, ReleaseOutcome
from airflow_provider_tuya_ota.rollout.record.record_file import read_record
from airflow_provider_tuya_ota.rollout.record.release_record import ReleaseRecord
from tests.rollout.plan.small import plan
from tests.rollout.record.story import START, good

BEGUN = ReleaseBegun(
    release_id="r-1", triggered_by="ada", product_key="k1", module_name="default", version="2.0.0", size=3
)
NOTE = ControlNote(verb=ControlVerb.HOLD, who="ada", why="a customer called")
END = ReleaseEnded(outcome=ReleaseOutcome.NOT_STARTED, reason="no", planned=0, in_no_job=0, counts={})


def test_each_entry_holds_the_digest_of_the_one_before() -> None:
    record = ReleaseRecord().append(BEGUN, at=START).append(NOTE, at=START)
    lines = record.to_bytes().splitlines()

    assert [entry.previous for entry in record.entries] == ["", digest_of_bytes(lines[0])]
    assert record.head == digest_of_bytes(lines[1]) == record.entries[1].digest()
    assert [entry.number for entry in record.entries] == [0, 1]
    assert [entry.kind for entry in record.entries] == ["begun", "control note"]


def test_the_written_form_of_an_entry_stays_as_it_is() -> None:
    record = ReleaseRecord().append(BEGUN, at=START)

    assert record.to_bytes() == (
        b'{"at":"2026-03-02T09:00:00+00:00","body":{"digests":{},"module_name":"default","product_key":"k1",'
        b'"release_id":"r-1","size":3,"source":"","triggered_by":"ada","version":"2.0.0"},"kind":"begun","number":0,'
        b'"previous":"","version":1}\n'
    )


def test_appending_leaves_the_earlier_record_as_it_was() -> None:
    record = ReleaseRecord().append(BEGUN, at=START)
    longer = record.append(NOTE, at=START)

    assert len(record.entries) == 1
    assert longer.to_bytes().startswith(record.to_bytes())


def test_the_secrets_of_an_address_do_not_enter_the_record() -> None:
    source = "https://ada:secret@host.example/fw.bin?Signature=secret"

    assert replace(BEGUN, source=source).source == "https://[removed]@host.example/fw.bin?[removed]"


def test_a_record_begins_once_and_ends_once() -> None:
    record = ReleaseRecord().append(BEGUN, at=START)

    with pytest.raises(ConfigurationError, match="its first entry, and no other"):
        ReleaseRecord().append(NOTE, at=START)
    with pytest.raises(ConfigurationError, match="its first entry, and no other"):
        record.append(BEGUN, at=START)
    with pytest.raises(ConfigurationError, match="it has no end yet"):
        record.seal(None)
    with pytest.raises(ConfigurationError, match="it has no end yet"):
        ReleaseRecord().seal(None)
    with pytest.raises(ConfigurationError, match="it has ended"):
        record.append(END, at=START).append(NOTE, at=START)


def test_the_time_of_an_entry_has_a_zone_and_is_stored_in_utc() -> None:
    local = datetime(2026, 3, 2, 10, tzinfo=timezone(timedelta(hours=1)))

    assert ReleaseRecord().append(BEGUN, at=local).to_bytes() == ReleaseRecord().append(BEGUN, at=START).to_bytes()
    with pytest.raises(ConfigurationError, match="needs a zone"):
        ReleaseRecord().append(BEGUN, at=START.replace(tzinfo=None))


def test_what_could_not_be_read_again_is_not_written() -> None:
    record = ReleaseRecord().append(BEGUN, at=START)

    with pytest.raises(ConfigurationError, match=r"the entry cannot be written: control note\.why: "):
        record.append(replace(NOTE, why="y" * (LONGEST_REASON + 1)), at=START)
    with pytest.raises(ConfigurationError, match="without a form in RFC 8785"):
        record.append(replace(NOTE, why="\ud800"), at=START)
    with pytest.raises(ConfigurationError, match="'begun' would be read back as another one"):
        ReleaseRecord().append(_with_address(), at=START)


def _with_address() -> ReleaseBegun:
    begun = replace(BEGUN)
    object.__setattr__(begun, "source", "https://host.example/?Signature=secret")
    return begun


def test_a_record_that_is_open_can_be_continued_from_its_file() -> None:
    whole = good(200)
    part = ReleaseRecord.from_file(read_record(b"".join(whole.to_bytes().splitlines(keepends=True)[:9])))
    for entry in whole.entries[9:]:
        part = part.append(entry.content, at=entry.at)

    assert part.seal(None) == whole.seal(None)


def test_a_record_that_was_changed_or_sealed_is_not_continued() -> None:
    whole = good(200)
    lines = whole.to_bytes().splitlines(keepends=True)[:9]

    with pytest.raises(ConfigurationError, match="it is sealed"):
        ReleaseRecord.from_file(read_record(whole.seal(None)))
    for changed in (lines[1:], [*lines[:4], *lines[5:]], [lines[0].replace(b",", b", ", 1), *lines[1:]]):
        with pytest.raises(ConfigurationError, match="it was changed after it was written"):
            ReleaseRecord.from_file(read_record(b"".join(changed)))


def test_the_entry_of_a_plan_has_its_waves_counts_and_digests() -> None:
    found = plan(1000)
    entry = frozen_plan_of(found)

    names = [name for wave in found.waves for pulse in wave.pulses for name in pulse.devices]
    assert (entry.plan_digest, entry.cohort_digest) == (found.digest, found.cohort_digest)
    assert entry.names_digest == digest_of_devices(names)
    assert (entry.candidates, entry.devices, entry.planned, entry.excluded) == (1000, 1000, 1000, {})
    assert [(wave.text, wave.total, wave.jobs, wave.size) for wave in entry.waves] == [
        ("1%", 10, 1, 10),
        ("10%", 100, 2, 90),
        ("100%", 1000, 6, 900),
    ]
    assert entry.waves[1].pulses == (50, 40)
    assert entry.wave(2) == entry.waves[1]
    assert entry.wave(4) is None
