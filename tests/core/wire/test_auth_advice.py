"""Refused at the door: what the error says about key and clock."""

from __future__ import annotations

import pytest

from airflow_provider_tuya_ota.core.actions import QueryOTAJob
from airflow_provider_tuya_ota.core.errors import ApiError, AuthenticationError
from airflow_provider_tuya_ota.core.flows.calls import call
from tests.core.script import SETTINGS, Script, gateway

QUERY = QueryOTAJob(job_id="9001")


def refusal(code: str, date: str | None = None) -> ApiError:
    answer = gateway(code) if date is None else gateway(code, date=date)
    with pytest.raises(AuthenticationError) as caught:
        Script([answer]).run(call(SETTINGS, QUERY))
    return caught.value


def test_a_wrong_secret_names_the_key_only_masked() -> None:
    text = str(refusal("SignatureDoesNotMatch"))

    assert "AccessKey ID cana***" in text
    assert "The AccessKey secret is wrong" in text
    assert SETTINGS.credentials.access_key_id.reveal() not in text


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("Sun, 01 Mar 2026 11:40:00 GMT", "1200 s ahead of"),
        ("Sun, 01 Mar 2026 12:20:00 -0000", "1200 s behind"),
        ("Sun, 01 Mar 2026 13:20:00 +0100", "1200 s behind"),
        ("yesterday", "does not say by how much"),
        ("", "does not say by how much"),
    ],
)
@pytest.mark.parametrize("code", ["InvalidTimeStamp.Expired", "IllegalTimestamp"])
def test_a_wrong_clock_is_named_with_its_error(code: str, date: str, words: str) -> None:
    assert words in str(refusal(code, date=date))


def test_a_missing_date_leaves_the_skew_open() -> None:
    assert "does not say by how much" in str(refusal("InvalidTimeStamp.Expired"))


@pytest.mark.parametrize(
    "date",
    [
        "Sun, 01 Mar 99999 12:00:00 GMT",
        f"Sun, 01 Mar {10**30} 12:00:00 GMT",
        "Sun, 01 Mar 2026 25:61:00 GMT",
        "Sun, 01 Mar 2026 12:00:00 +999999",
        "\ud800",
    ],
)
def test_a_date_that_no_calendar_has_leaves_the_skew_open(date: str) -> None:
    assert "does not say by how much" in str(refusal("InvalidTimeStamp.Expired", date=date))
