"""Records whose chain is right and that do not tell the truth: each kind of lie is noticed wherever it is told."""

from __future__ import annotations

from itertools import islice
from typing import Final

import pytest

from airflow_provider_tuya_ota.rollout.record.verify import verify_record
from tests.rollout.record.lies import LIES, told
from tests.rollout.record.story import good, halted, story

MOST: Final = 2
"""Places of one record at which one lie is told."""
RECORDS: Final = {
    "good": good(200),
    "halted": halted(200),
    "clean": story(410).tell(),
    "small": story(40).tell(),
    "late": story(200, lambda rank: "liar" if rank % 3 else "good").tell(),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_without_a_lie_is_true(name: str) -> None:
    assert verify_record(RECORDS[name].seal(None)).findings == ()


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_noticed_wherever_it_is_told(lie: str) -> None:
    forged = [(name, data) for name, record in RECORDS.items() for data in islice(told(record, lie), MOST)]
    believed = [
        name for name, data in forged if LIES[lie][0] not in {finding.kind for finding in verify_record(data).findings}
    ]

    assert forged
    assert believed == []
