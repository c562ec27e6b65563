from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_tuya_ota.core.codes.lookup import MEANINGS, api_error, meaning_of
from airflow_provider_tuya_ota.core.errors import ApiError, InvalidRequestError

DOCUMENTED = (Path(__file__).parent / "documented_codes.txt").read_text(encoding="utf-8").split()


def entry(code: str) -> str:
    """Give the longest entry that a code begins with."""
    return max((known for known in MEANINGS if code.lower().startswith(known.lower())), key=len, default="")


@pytest.mark.parametrize("code", DOCUMENTED)
def test_a_documented_code_has_an_entry_of_its_own_a_class_and_advice(code: str) -> None:
    own = {code, code.partition(".")[0], "Missing"} if "iot." not in code else {code}
    kind, advice = meaning_of(code, 200)

    assert entry(code) in own
    assert kind is not ApiError
    assert advice.endswith(".")


def test_no_code_is_documented_twice() -> None:
    assert len(set(DOCUMENTED)) == len(DOCUMENTED) > 150


def test_the_advice_is_part_of_what_a_person_reads() -> None:
    error = api_error(
        action="CreateOTAVerifyJob",
        code="iot.firmware.NonVersionedDeviceInArray",
        message="m",
        request_id="r",
        http_status=200,
    )

    assert str(error).endswith("A device has never reported a version; let it report one first.")


@pytest.mark.parametrize(
    ("code", "kind"), [("iot.firmware.BrandNew", InvalidRequestError), ("iot.new.Thing", ApiError)]
)
def test_an_unknown_code_falls_back_to_its_family(code: str, kind: type[ApiError]) -> None:
    assert meaning_of(code, 200).kind is kind
