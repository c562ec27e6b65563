from __future__ import annotations

import json

import pytest

from airflow_provider_tuya_ota.core.errors import LandedVersionError
from airflow_provider_tuya_ota.rollout.landed.result import LandedVersions
from airflow_provider_tuya_ota.rollout.record.finish import LandedCheck, VersionFound
from tests.rollout.record.forgery import first, found
from tests.rollout.record.story import good, story


def versions(
    elsewhere: int = 0,
    not_known: int = 0,
    on_target: int = 90,
    *,
    reported: int | None = None,
    rows: tuple[VersionFound, ...] = (),
) -> LandedVersions:
    made = tuple(VersionFound(device=f"d{number}", version=f"1.{number % 30}") for number in range(elsewhere))
    return LandedVersions(
        version="2.0.0",
        module_name="default",
        reported=on_target + elsewhere + not_known if reported is None else reported,
        on_target=on_target,
        elsewhere=rows or made,
        not_known=tuple(one.device for one in rows) or tuple(f"n{number}" for number in range(not_known)),
    )


def test_a_summary_is_small_whatever_was_found() -> None:
    long = tuple(VersionFound(device="d" * 250 + str(number), version="1" * 64) for number in range(60_000))
    summary = versions(reported=120_090, rows=long).summary()

    assert (summary["elsewhere"], summary["not_known"]) == (60_000, 60_000)
    assert len(json.dumps(summary)) < 40_000
    assert len(summary["elsewhere_devices"]) == len(summary["not_known_devices"]) == 50


def test_a_summary_has_all_numbers_and_some_names() -> None:
    summary = versions(elsewhere=75, not_known=3, reported=1000).summary()

    assert {name: summary[name] for name in ("reported", "checked", "is_sample", "on_target")} == {
        "reported": 1000,
        "checked": 168,
        "is_sample": True,
        "on_target": 90,
    }
    assert (summary["version"], summary["module_name"]) == ("2.0.0", "default")
    assert (summary["elsewhere"], summary["not_known"]) == (75, 3)
    assert len(summary["elsewhere_by_version"]) == 20
    assert sum(summary["elsewhere_by_version"].values()) + summary["elsewhere_on_further_versions"] == 75
    assert summary["elsewhere_by_version"]["1.0"] == 3
    assert summary["elsewhere_devices"][0] == {"device": "d0", "version": "1.0"}
    assert summary["not_known_devices"] == ["n0", "n1", "n2"]


def test_what_has_landed_is_no_error() -> None:
    landed = versions()

    landed.require_landed()
    assert landed.has_landed
    assert str(landed) == "90 of 90 checked devices run version 2.0.0"


@pytest.mark.parametrize(
    ("found_", "said"),
    [
        (
            versions(elsewhere=7, not_known=1),
            (
                "8 devices reported success and do not run the version: 90 of 98 checked devices run version 2.0.0;"
                " 7 run another one: d0 (1.0), d1 (1.1), d2 (1.2), d3 (1.3), d4 (1.4) and 2 more;"
                " of 1 no version is known: n0"
            ),
        ),
        (
            versions(elsewhere=1, reported=500),
            (
                "1 devices reported success and do not run the version: 90 of 91 checked devices (a sample of 500) run"
                " version 2.0.0; 1 run another one: d0 (1.0)"
            ),
        ),
        (versions(on_target=0), "no device has reported success, so none was asked for its version"),
    ],
)
def test_what_has_not_landed_is_an_error_that_names_devices(found_: LandedVersions, said: str) -> None:
    with pytest.raises(LandedVersionError) as caught:
        found_.require_landed()

    assert str(caught.value) == said


def test_the_entry_of_a_record_is_verified() -> None:
    check: LandedCheck = first(good(), LandedCheck)
    told = story(600, lambda rank: "bad" if rank % 100 == 7 else "liar" if rank % 50 == 3 else "good")
    found_ = LandedVersions(
        version="2.0.0",
        module_name="default",
        reported=check.checked,
        on_target=check.on_target,
        elsewhere=check.elsewhere,
        not_known=(),
    )

    assert found_.entry(delay=3600.0) == check
    assert found(told.tell().seal(None)) == []


def test_an_entry_names_the_devices_of_each_class() -> None:
    entry = versions(elsewhere=1, not_known=2, reported=500).entry(delay=60.0)

    assert entry.elsewhere == (VersionFound(device="d0", version="1.0"),)
    assert entry.not_known == ("n0", "n1")
    assert (entry.checked, entry.on_target, entry.is_sample, entry.delay) == (93, 90, True, 60.0)
