from __future__ import annotations

import hashlib
from inspect import signature
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import ConfigurationError, FirmwareVersionTakenError, InvalidParameterError
from airflow_provider_tuya_ota.hooks.tuya_ota import TuyaOTAHook
from airflow_provider_tuya_ota.operators.firmware import TuyaOTAUploadFirmwareOperator
from airflow_provider_tuya_ota.runtime.firmware_name import default_name
from tests.provider.operators.test_verify_operator import FailingNotifier, RecordingNotifier

if TYPE_CHECKING:
    from pathlib import Path

    from tests.provider.conftest import FakeTask, Service


def upload(source: Path | str, **changes: Any) -> TuyaOTAUploadFirmwareOperator:
    arguments = {"source": str(source), "version": "1.1.0", "product_key": "k1demoproduct"} | changes
    return TuyaOTAUploadFirmwareOperator(task_id="upload", **arguments)


def test_a_file_becomes_a_firmware(service: Service, context: Any, ti: FakeTask, firmware: Path) -> None:
    firmware_id = upload(firmware).execute(context)

    (stored_firmware,) = service.emulator.world.firmwares.by_id.values()
    digest = hashlib.sha256(firmware.read_bytes()).hexdigest()
    assert firmware_id == stored_firmware.firmware_id
    assert (stored_firmware.version, stored_firmware.sign, stored_firmware.sign_method, stored_firmware.size) == (
        "1.1.0",
        digest,
        "SHA256",
        3000,
    )
    assert ti.xcom.pop("ota_release")["firmware_id"] == firmware_id
    assert ti.xcom | {"utc_create": "", "request_id": ""} == {
        "firmware_id": firmware_id,
        "firmware": f"firmware {firmware_id}, version 1.1.0",
        "sha256": digest,
        "size": 3000,
        "utc_create": "",
        "request_id": "",
    }


def test_a_file_url_and_md5_work_too(service: Service, context: Any, ti: FakeTask, firmware: Path) -> None:
    upload(firmware.as_uri(), sign_method="MD5").execute(context)

    assert ti.xcom["sha256"] == hashlib.sha256(firmware.read_bytes()).hexdigest()
    (stored_firmware,) = service.emulator.world.firmwares.by_id.values()
    assert stored_firmware.sign == hashlib.md5(firmware.read_bytes(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("source", "advice"),
    [
        ("s3://bucket/firmware.bin", "amazon"),
        ("gs://bucket/firmware.bin", "google"),
        ("nowhere://bucket/firmware.bin", "provider of this storage"),
    ],
)
def test_a_storage_that_airflow_does_not_know_is_reported_with_what_brings_it(
    service: Service, context: Any, source: str, advice: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"source: '{source}' cannot be opened.*{advice}"):
        upload(source).execute(context)

    assert service.actions == []


@pytest.mark.parametrize("first", ["SHA256", "MD5"])
def test_a_second_run_adopts_the_firmware_whatever_its_digest(
    service: Service, context: Any, firmware: Path, capsys: pytest.CaptureFixture[str], first: str
) -> None:
    one = upload(firmware, sign_method=first).execute(context)
    service.emulator.log.clear()

    two = upload(firmware).execute(context)

    assert one == two
    assert service.actions == ["ListOTAFirmware"]
    assert "existed and is used; it was created" in capsys.readouterr().out


def test_the_same_version_with_other_bytes_is_refused_and_nothing_is_created(
    service: Service, context: Any, firmware: Path
) -> None:
    upload(firmware).execute(context)
    firmware.write_bytes(b"other bytes")
    service.emulator.log.clear()

    with pytest.raises(FirmwareVersionTakenError, match=r"1\.1\.0 .* exists as firmware 178 .* with other bytes"):
        upload(firmware).execute(context)

    # The next page shows that no other firmware of this version holds the file.
    assert service.actions == ["ListOTAFirmware"] * 2


def test_another_module_may_have_the_same_version(service: Service, context: Any, firmware: Path) -> None:
    upload(firmware).execute(context)
    firmware.write_bytes(b"other bytes")
    TuyaOTAHook().call("CreateOTAModule", {"ModuleName": "mcu", "ProductKey": "k1demoproduct"})

    upload(firmware, module_name="mcu").execute(context)

    assert len(service.emulator.world.firmwares.by_id) == 2


@pytest.mark.parametrize("kind", ["drop_after", "truncate", "garbage", "status"])
def test_a_lost_answer_never_makes_a_second_firmware(service: Service, context: Any, firmware: Path, kind: str) -> None:
    service.emulator.faults.add({"action": "CreateOTAFirmware", "kind": kind, "nth": 1})

    if kind == "status":
        with pytest.raises(Exception, match="CreateOTAFirmware was refused"):
            upload(firmware).execute(context)
        assert service.emulator.world.firmwares.by_id == {}
    else:
        assert upload(firmware).execute(context) == "178"
        assert len(service.emulator.world.firmwares.by_id) == 1
    assert service.actions.count("CreateOTAFirmware") == 1


@pytest.mark.parametrize("kind", ["drop_before", "status", "drop_after"])
def test_a_failed_upload_is_repeated_with_fresh_upload_data(
    service: Service, context: Any, firmware: Path, kind: str
) -> None:
    service.emulator.faults.add({"action": "PostObject", "kind": kind, "nth": 1})

    upload(firmware).execute(context)

    assert service.actions.count("GenerateOTAUploadURL") == 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": ""}, r"version \(DestVersion\): is empty"),
        ({"version": 1.1}, r"version \(DestVersion\): 1.1 is not a text; a number does not keep its digits"),
        ({"product_key": 7}, r"product_key \(ProductKey\): 7 is not a text"),
        ({"notifiers": "mail"}, r"notifiers: .mail. is no notifier"),
        ({"version": "1 0"}, r"DestVersion.*1 to 64 of the characters"),
        ({"version": "v" * 65}, r"DestVersion.*1 to 64"),
        ({"firmware_name": "n" * 41}, r"FirmwareName.*1 to 40"),
        ({"firmware_name": "_x"}, r"FirmwareName.*beginning with a letter or digit"),
        ({"firmware_desc": "d" * 101}, r"FirmwareDesc.*at most 100 characters"),
        ({"sign_method": "Md5"}, r"SignMethod.*MD5, SHA256"),
        ({"module_name": "a/b"}, r"ModuleName"),
        ({"src_version": "1.1.0"}, r"SrcVersion.*other than the one"),
        ({"product_key": ""}, r"product_key \(ProductKey\): is empty"),
        ({"need_to_verify": "perhaps"}, r"need_to_verify: 'perhaps' is not a switch"),
        ({"source": ""}, r"source: is empty"),
        ({"source": "/no/such/file.bin"}, r"cannot be read \(No such file"),
        ({"source": "/"}, r"is a directory"),
        ({"source": "/etc/passwd"}, r"has no suffix"),
        ({"source": "nope://x/y.bin"}, r"cannot be opened"),
    ],
)
def test_bad_input_is_named_before_anything_is_sent(
    service: Service, context: Any, firmware: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        upload(**{"source": firmware} | changes).execute(context)

    assert service.actions == []


def test_an_empty_file_is_refused(service: Service, context: Any, tmp_path: Path) -> None:
    (tmp_path / "empty.bin").touch()

    with pytest.raises(InvalidParameterError, match=r"is empty. Allowed: 1 to 1,048,576,000 bytes"):
        upload(tmp_path / "empty.bin").execute(context)

    assert service.actions == []


def test_a_file_over_the_limit_is_refused(service: Service, context: Any, tmp_path: Path) -> None:
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(1_048_576_001)

    with pytest.raises(InvalidParameterError, match=r"too large. Allowed: at most 1,048,576,000 bytes"):
        upload(tmp_path / "large.bin").execute(context)

    assert service.actions == []


@pytest.mark.parametrize(
    ("name", "suffix"), [("a.bin", "bin"), ("A.BIN", "bin"), ("a.tar.gz", "tar.gz"), ("a.gz", "gz"), ("a.b.zip", "zip")]
)
def test_the_kind_of_file_is_read_off_its_name(
    service: Service, context: Any, tmp_path: Path, name: str, suffix: str
) -> None:
    (tmp_path / name).write_bytes(b"x")

    upload(tmp_path / name).execute(context)

    (asked,) = [entry for entry in service.emulator.log if entry["action"] == "GenerateOTAUploadURL"]
    assert asked["parameters"]["FileSuffix"] == suffix


def test_another_suffix_needs_a_word(service: Service, context: Any, tmp_path: Path) -> None:
    (tmp_path / "image.img").write_bytes(b"x")

    with pytest.raises(InvalidParameterError, match="say file_suffix='bin'"):
        upload(tmp_path / "image.img").execute(context)
    upload(tmp_path / "image.img", file_suffix="bin").execute(context)

    assert len(service.emulator.world.firmwares.by_id) == 1


def test_every_argument_that_a_form_could_give_is_a_template() -> None:
    arguments = set(signature(TuyaOTAUploadFirmwareOperator.__init__).parameters) - {"self", "kwargs"}

    assert arguments - set(TuyaOTAUploadFirmwareOperator.template_fields) == {"notifiers"}


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (("p", None, "1.1_0"), ("p", None, "1.1.0")),
        (("p", None, "1" * 60), ("p", None, "1" * 61)),
        (("p", "mcu", "1.0"), ("p", None, "1.0")),
        (("p", None, "1_0"), ("p", None, "1.0")),
    ],
)
def test_two_versions_never_get_one_name(one: tuple[str, str | None, str], two: tuple[str, str | None, str]) -> None:
    names = {default_name(*one), default_name(*two)}

    assert len(names) == 2
    assert all(len(name) <= 40 for name in names)


def test_an_ordinary_name_says_what_it_is() -> None:
    assert default_name("k1demoproduct", "default", "1.1.0") == "k1demoproduct-1_1_0"


def test_notifiers_hear_of_the_firmware_and_cannot_break_the_upload(
    service: Service, context: Any, firmware: Path
) -> None:
    RecordingNotifier.calls.clear()
    notifiers = [FailingNotifier(), RecordingNotifier("{{ ota_release.event }} {{ ota_release.firmware_id }}")]

    upload(firmware, notifiers=notifiers).execute(context)

    ((text, release),) = RecordingNotifier.calls
    assert text == "uploaded 178"
    assert release["text"].startswith("OTA firmware 178 for version 1.1.0 of product k1demoproduct created")
