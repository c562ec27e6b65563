"""Whatever ends a flow, its frames show nothing secret; tests/transports/test_frames.py shows it over sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_provider_tuya_ota.core.errors import TuyaOTAError
from airflow_provider_tuya_ota.core.upload import ensure_firmware
from airflow_provider_tuya_ota.core.wire.http import Response
from tests.core.frames import shown_of
from tests.core.script import SECRET, SETTINGS, Script, answered, by_action, gateway, lost, ok, refused
from tests.core.test_upload import ACTION, FILE, STORED, ticket

if TYPE_CHECKING:
    from tests.core.script import Answer

ECHO = f"server string is GET&{SECRET}&Signature=canary-proof"
FAILURES: dict[str, Answer] = {
    "refused at the door": gateway("SignatureDoesNotMatch", 403, ECHO),
    "refused": refused("iot.firmware.NoSuch", message=ECHO),
    "no reply": Response(404, {"location": f"https://host/?Signature={SECRET}"}, ECHO.encode()),
    "half a reply": answered(b'{"success": true, "data": {"policy": "canary-policy-1'),
    "an odd reply": ok(data=[{"jobId": ECHO}, "canary-policy-1"]),
    "a ticket with blanks": ok(data={"host": "h", "key": "k", "ossAccessKeyId": "i", "policy": "canary-policy-1 "}),
    "lost": lost(),
}
GOOD: dict[str, Answer] = {"ListOTAFirmware": ok(data=[]), "GenerateOTAUploadURL": ticket(), "POST": STORED}
STORAGE_SAYS = Response(403, {}, b"<Error><Code>No</Code><Message>canary-policy-1 canary-signature-1</Message></Error>")
STORIES: dict[str, dict[str, Answer]] = {
    f"{action}, {name}": GOOD | {action: failure}
    for action in ("ListOTAFirmware", "GenerateOTAUploadURL", "CreateOTAFirmware")
    for name, failure in FAILURES.items()
} | {
    "the upload is refused": GOOD | {"POST": STORAGE_SAYS},
    "the upload is lost": GOOD | {"POST": lost()},
    "the bucket is presigned": GOOD | {"GenerateOTAUploadURL": ticket(host="https://b/?Signature=canary-presigned")},
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_flow_that_fails_shows_nothing_secret(story: dict[str, Answer]) -> None:
    with pytest.raises(TuyaOTAError) as caught:
        Script(by_action(story)).run(ensure_firmware(SETTINGS, ACTION, FILE))

    assert [text for text in shown_of(caught.value) if "canary" in text] == []
