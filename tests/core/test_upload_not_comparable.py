"""A listed firmware whose digest is not shown, or of another method: nobody can say that it holds other bytes."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import FirmwareVersionTakenError, ProtocolError, TransportError
from airflow_provider_tuya_ota.core.flows.eventually import GRACE_PAUSES
from tests.core.script import Answer, gateway, lost, ok, refused
from tests.core.test_upload import OURS, SHA256, ensure, listing, script_for, ticket

NO_DIGEST = {"firmwareSign": "", "signMethod": ""}
WITHOUT = [NO_DIGEST, {"firmwareSign": ""}, {"firmwareSign": "ef" * 64, "signMethod": "SHA512"}]
OTHER = OURS | {"firmwareId": "1", "firmwareSign": "ef" * 32}
BY_HAND = f"Compare it in the vendor's console with lamp.bin, 4 bytes, SHA256 {SHA256}. If they are the same"


@pytest.mark.parametrize("shown", WITHOUT)
@pytest.mark.parametrize("answer", [lost(), gateway("", 500), ok(data={})], ids=["lost", "failed", "unnamed"])
def test_after_a_lost_answer_nobody_says_that_nothing_was_created(answer: Answer, shown: dict[str, Any]) -> None:
    script = script_for(lists=[listing(), *[listing(OURS | shown)] * 20], tickets=ticket(), create=answer)

    with pytest.raises(ProtocolError) as caught:
        ensure(script)

    text = str(caught.value)
    assert text.startswith("whether this task created firmware 178 (lamp) is not known: it is version 1.1 of module")
    assert BY_HAND in text
    assert "othing was created" not in text
    assert caught.value.in_doubt
    assert caught.value.__cause__ is not None
    assert script.sleeps == list(GRACE_PAUSES)


def test_a_digest_that_is_shown_later_is_waited_for() -> None:
    late = [listing(), listing(OURS | NO_DIGEST), listing(OURS | NO_DIGEST), listing(OURS)]
    script = script_for(lists=late, tickets=ticket(), create=lost())

    assert ensure(script).firmware_id == "178"
    assert len(script.sleeps) == 2


def test_a_digest_of_other_bytes_that_is_shown_later_says_so() -> None:
    late = [listing(), listing(OURS | NO_DIGEST), listing(OTHER)]
    script = script_for(lists=late, tickets=ticket(), create=lost())

    with pytest.raises(FirmwareVersionTakenError, match="with other bytes"):
        ensure(script)


def test_a_firmware_that_was_shown_and_is_gone_leaves_the_lost_answer() -> None:
    seen = [listing(), listing(OURS | NO_DIGEST), *[listing()] * 20]
    script = script_for(lists=seen, tickets=ticket(), create=lost())

    with pytest.raises(TransportError):
        ensure(script)


def test_one_of_several_that_cannot_be_compared_is_enough_for_the_doubt() -> None:
    both = [listing(), *[listing(OTHER, OURS | NO_DIGEST)] * 20]
    script = script_for(lists=both, tickets=ticket(), create=lost())

    with pytest.raises(ProtocolError, match="created firmware 178"):
        ensure(script)


@pytest.mark.parametrize("shown", WITHOUT)
def test_where_the_platform_refused_the_request_nothing_was_created(shown: dict[str, Any]) -> None:
    refusal = refused("iot.firmware.AlreadyExistedFirmwareVersion")
    script = script_for(lists=[listing(), *[listing(OURS | shown)] * 9], tickets=ticket(), create=refusal)

    with pytest.raises(FirmwareVersionTakenError, match=r"no digest of it to compare lamp\.bin with\. Nothing"):
        ensure(script)


@pytest.mark.parametrize("shown", WITHOUT)
def test_before_anything_is_sent_a_version_that_cannot_be_compared_is_not_said_to_hold_other_bytes(
    shown: dict[str, Any],
) -> None:
    script = script_for(lists=listing(OURS | shown))

    with pytest.raises(FirmwareVersionTakenError) as caught:
        ensure(script)

    assert "other bytes" not in str(caught.value)
    assert BY_HAND in str(caught.value)
    assert set(script.actions) == {"ListOTAFirmware"}
