from __future__ import annotations

import pendulum
import pytest

from airflow_provider_tuya_ota.runtime.timestamps import ago, parse_timestamp

NOW = pendulum.datetime(2024, 11, 22, 8, 50)


@pytest.mark.parametrize(
    ("text", "zone", "read"),
    [
        ("2024-11-20T08:50:00.239Z", "UTC", "2024-11-20T08:50:00.239000Z"),
        ("2024-11-20T08:50:00Z", "Asia/Shanghai", "2024-11-20T08:50:00Z"),
        ("2024-11-20T16:50:00+08:00", "UTC", "2024-11-20T08:50:00Z"),
        ("2024-11-11T07:36Z", "UTC", "2024-11-11T07:36:00Z"),
        ("Wed, 20 Nov 2024 08:50:00 GMT", "Asia/Shanghai", "2024-11-20T08:50:00Z"),
        ("1732092600239", "Asia/Shanghai", "2024-11-20T08:50:00.239000Z"),
        ("2024-11-20 16:50:00", "Asia/Shanghai", "2024-11-20T08:50:00Z"),
        ("2024-07-01 10:00:00", "Europe/Berlin", "2024-07-01T08:00:00Z"),
        ("2024-12-01 09:00:00", "Europe/Berlin", "2024-12-01T08:00:00Z"),
    ],
)
def test_every_form_of_the_platform_is_the_same_moment_in_utc(text: str, zone: str, read: str) -> None:
    moment = parse_timestamp(text, zone=zone)

    assert moment is not None
    assert moment.in_timezone("UTC").isoformat().replace("+00:00", "Z") == read


def test_a_moment_that_names_no_zone_is_one_of_utc_unless_another_zone_is_said() -> None:
    moment = parse_timestamp("2024-11-20 08:50:00")

    assert moment is not None
    assert moment.isoformat() == "2024-11-20T08:50:00+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "12:30",
        "P1D",
        "2024",
        "2024-13-01T00:00Z",
        "2024-02-30 00:00:00",
        "Xyz, 20 Abc 2024 08:50:00 GMT",
        "\ud800",
    ],
)
def test_what_is_no_moment_is_none(text: str) -> None:
    assert parse_timestamp(text) is None


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (NOW.subtract(days=2), "2 days ago (2024-11-20 08:50:00 UTC)"),
        (NOW.subtract(hours=3).in_timezone("Asia/Shanghai"), "3 hours ago (2024-11-22 05:50:00 UTC)"),
        (NOW.add(seconds=30), "a few seconds ago (2024-11-22 08:50:30 UTC)"),
    ],
)
def test_a_moment_is_reported_by_its_distance_and_in_utc(moment: pendulum.DateTime, said: str) -> None:
    assert ago(moment, NOW) == said


def test_the_clock_is_read_where_no_moment_is_given() -> None:
    assert ago(pendulum.now("Asia/Shanghai").subtract(days=3)).startswith("3 days ago (")
