from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from airflow_provider_tuya_ota.emulator.gateway.signing import rpc_signature
from airflow_provider_tuya_ota.emulator.messages import Request

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.emulator.emulator import Emulator
    from tests.emulator.plain_client import PlainClient

PAGE = {"CurrentPage": "1", "PageSize": "10"}


def test_the_vendors_worked_example_is_signed_as_printed() -> None:
    parameters = {
        "AccessKeyId": "testid",
        "MessageContent": "aGVsbG93b3JsZA=",
        "Action": "Pub",
        "Timestamp": "2017-10-02T09:39:41Z",
        "SignatureVersion": "1.0",
        "ServiceCode": "iot",
        "Format": "XML",
        "Qos": "0",
        "SignatureNonce": "0715a395-aedf-4a41-bab7-746b43d38d88",
        "Version": "2017-04-20",
        "SignatureMethod": "HMAC-SHA1",
        "RegionId": "cn-shanghai",
        "ProductKey": "12345abcdeZ",
        "TopicFullName": "/productKey/testdevice/get",
    }

    assert rpc_signature("GET", parameters, "testsecret") == "Y9eWn4nF8QPh3c4zAFkM/k/u7eA="


def test_lists_spaces_and_marks_are_signed_as_the_rules_say() -> None:
    parameters = {
        "AccessKeyId": "testid",
        "Action": "CreateOTAVerifyJob",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "9e6189124f5a4716ad2de849467b0000",
        "Timestamp": "2024-11-19T09:47:43Z",
        "FirmwareId": "167",
        "ProductKey": "k1nhvyl0000",
        "TimeoutInMinutes": "1440",
        "TargetDeviceName.1": "dev-1",
        "TargetDeviceName.2": "dev 2*~",
    }

    assert rpc_signature("GET", parameters, "testsecret") == "1Y4VyxDAhaoZPecweRW7XUcn1Hc="


@pytest.mark.parametrize(("method", "in_body"), [("GET", False), ("POST", False), ("POST", True)])
def test_get_and_post_are_served_wherever_the_parameters_stand(
    client: PlainClient,
    method: str,
    in_body: bool,
) -> None:
    status, answer = client.ask_with(client.parameters("ListOTAFirmware", **PAGE), method=method, in_body=in_body)

    assert (status, answer["code"], answer["success"]) == (200, "", True)


def test_unknown_common_parameters_are_signed_and_ignored(client: PlainClient) -> None:
    client.extra = {"RegionId": "cn-shanghai", "SignatureType": "", "ServiceCode": "iot", "IotInstanceId": "x"}

    assert client.ask("ListOTAFirmware", **PAGE)[1]["success"] is True


def test_a_wrong_secret_is_refused_without_saying_what_was_expected(client: PlainClient) -> None:
    client.secret = "another"

    status, answer = client.ask("ListOTAFirmware", **PAGE)

    assert (status, answer["Code"]) == (403, "SignatureDoesNotMatch")
    assert "demo-access-key-secret" not in str(answer)
    assert "AccessKeyId" not in answer["Message"]


def test_a_signature_for_another_method_is_refused(client: PlainClient) -> None:
    query = client.sign("POST", client.parameters("ListOTAFirmware", **PAGE))

    status, _, body = client.send("GET", f"/?{query}", {}, b"")

    assert status == 403
    assert b"SignatureDoesNotMatch" in body


def test_an_unknown_key_is_refused(client: PlainClient) -> None:
    client.key_id = "somebody"

    assert client.ask("ListOTAFirmware", **PAGE)[1]["Code"] == "InvalidAccessKeyId.NotFound"


def test_a_nonce_used_twice_is_refused(client: PlainClient) -> None:
    parameters = client.parameters("ListOTAFirmware", **PAGE)

    first, second = client.ask_with(parameters), client.ask_with(parameters)

    assert first[0] == 200
    assert (second[0], second[1]["Code"]) == (400, "SignatureNonceUsed")


def test_a_nonce_is_remembered_as_long_as_its_timestamp_is_good(client: PlainClient) -> None:
    parameters = client.parameters("ListOTAFirmware", **PAGE)
    parameters["Timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 14 * 60))
    first = client.ask_with(parameters)
    client.control("POST", "clock", {"gateway_offset": 28 * 60})

    assert (first[0], client.ask_with(parameters)[1]["Code"]) == (200, "SignatureNonceUsed")


def test_a_nonce_is_free_again_once_no_timestamp_of_its_day_is_good(client: PlainClient) -> None:
    parameters = client.parameters("ListOTAFirmware", **PAGE)
    client.ask_with(parameters)
    client.control("POST", "clock", {"gateway_offset": 31 * 60})
    parameters["Timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 31 * 60))

    assert client.ask_with(parameters)[0] == 200


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_timestamp_within_a_quarter_of_an_hour_is_accepted(client: PlainClient, minutes: int) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + minutes * 60))

    assert client.ask("ListOTAFirmware", Timestamp=stamp, **PAGE)[0] == 200


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_timestamp_beyond_a_quarter_of_an_hour_is_refused(client: PlainClient, minutes: int) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + minutes * 60))

    assert client.ask("ListOTAFirmware", Timestamp=stamp, **PAGE)[1]["Code"] == "InvalidTimeStamp.Expired"


@pytest.mark.parametrize("stamp", ["2024-11-19 09:47:43", "yesterday", "2024-13-40T99:99:99Z"])
def test_a_timestamp_of_another_form_is_refused(client: PlainClient, stamp: str) -> None:
    assert client.ask("ListOTAFirmware", Timestamp=stamp, **PAGE)[1]["Code"] == "IllegalTimestamp"


@pytest.mark.parametrize("name", ["Action", "AccessKeyId", "SignatureMethod", "SignatureNonce", "Timestamp"])
def test_each_missing_common_parameter_is_named(client: PlainClient, name: str) -> None:
    parameters = client.parameters("ListOTAFirmware", **PAGE)
    del parameters[name]

    assert client.ask_with(parameters)[1]["Code"] == f"Missing{name}"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Format": "YAML"}, "InvalidParameter"),
        ({"SignatureVersion": "2.0"}, "InvalidParameter"),
        ({"SignatureMethod": "HMAC-SHA256"}, "InvalidParameter"),
        ({"Version": "2020-01-01"}, "InvalidVersion"),
    ],
)
def test_values_that_the_documents_do_not_list_are_refused(
    client: PlainClient, change: dict[str, str], code: str
) -> None:
    assert client.ask("ListOTAFirmware", **PAGE | change)[1]["Code"] == code


def test_an_unknown_action_is_not_found(client: PlainClient) -> None:
    status, answer = client.ask("FlashEverything")

    assert (status, answer["Code"]) == (404, "InvalidAction.NotFound")


def test_a_missing_required_parameter_is_named(client: PlainClient) -> None:
    status, answer = client.ask("QueryOTAFirmware")

    assert (status, answer["Code"], answer["Message"]) == (
        400,
        "MissingFirmwareId",
        "FirmwareId is mandatory for this action.",
    )


def test_the_english_tables_spelling_is_refused_with_the_right_one(client: PlainClient) -> None:
    status, answer = client.ask("QueryOTAFirmware", FirmwareID="178")

    assert (status, answer["Code"]) == (400, "InvalidParameter")
    assert "FirmwareId" in answer["Message"]


def test_no_representation_shows_a_secret_a_signature_or_a_policy(client: PlainClient, emulator: Emulator) -> None:
    ticket = emulator.world.storage.ticket("bin", "http://emulator.test")
    query = client.sign("GET", client.parameters("GenerateOTAUploadURL"))
    request = Request("GET", "/", query, body=query.encode(), form=[("policy", ticket["Policy"])])

    shown = f"{emulator.key} {request} {emulator.handle(Request('GET', '/', query))}"

    for hidden in (emulator.key.access_key_secret, "Signature", ticket["Policy"], "policy"):
        assert hidden not in shown


def test_a_request_without_a_signature_is_incomplete(client: PlainClient) -> None:
    query = client.sign("GET", client.parameters("ListOTAFirmware", **PAGE)).partition("&Signature=")[0]

    status, _, body = client.send("GET", f"/?{query}", {}, b"")

    assert (status, json.loads(body)["Code"]) == (400, "IncompleteSignature")


def test_only_get_and_post_are_served(client: PlainClient) -> None:
    query = client.sign("PUT", client.parameters("ListOTAFirmware", **PAGE))

    status, _, body = client.send("PUT", f"/?{query}", {}, b"")

    assert (status, json.loads(body)["Code"]) == (405, "UnsupportedHTTPMethod")


def test_the_api_is_at_the_root_only(client: PlainClient) -> None:
    query = client.sign("GET", client.parameters("ListOTAFirmware", **PAGE))

    assert client.send("GET", f"/v1?{query}", {}, b"")[0] == 404


@pytest.mark.parametrize(
    ("version", "root"), [("2018-01-20", "QueryOTAJobResponse"), ("2022-01-01", "Response"), (None, "Error")]
)
def test_refusals_are_xml_too_where_it_is_asked_for(client: PlainClient, version: str | None, root: str) -> None:
    own = {"Version": version, "JobId": "17"} if version else {}
    query = client.sign("GET", client.parameters("QueryOTAJob", Format="XML", **own))

    _, _, body = client.send("GET", f"/?{query}", {}, b"")

    answer = ET.fromstring(body)  # noqa: S314 - the emulator's own XML
    assert answer.tag == root
    assert answer.findtext("Code") == ("iot.firmware.InvalidOTAJobId" if version else "MissingJobId")


def test_a_parameter_given_twice_is_refused(client: PlainClient) -> None:
    query = client.sign("GET", client.parameters("ListOTAFirmware", **PAGE))

    _, _, body = client.send("GET", f"/?{query}&CurrentPage=2", {}, b"")

    assert b"InvalidParameter" in body


@pytest.mark.parametrize("names", [{"TargetDeviceName": "a"}, {"TargetDeviceName.2": "a"}, {"TargetDeviceName.0": "a"}])
def test_lists_count_from_one_without_gaps(client: PlainClient, names: dict[str, str]) -> None:
    answer = client.ask("CreateOTAVerifyJob", FirmwareId="178", ProductKey="k1demoproduct", **names)[1]

    assert answer["Code"] == "InvalidParameter"


def test_xml_comes_when_it_is_asked_for_and_not_otherwise(client: PlainClient) -> None:
    query = client.sign("GET", client.parameters("ListOTAFirmware", Format="XML", **PAGE))

    _, headers, body = client.send("GET", f"/?{query}", {}, b"")

    assert headers["content-type"].startswith("application/xml")
    assert b"<ListOTAFirmwareResponse>" in body
    assert b"<Success>true</Success>" in body


@pytest.mark.parametrize(
    ("asked", "answered"), [("json", "json"), ("Json", "json"), ("xml", "xml"), ("Xml", "xml"), ("JSON", "json")]
)
def test_formats_are_taken_in_any_case(client: PlainClient, asked: str, answered: str) -> None:
    query = client.sign("GET", client.parameters("ListOTAFirmware", Format=asked, **PAGE))

    status, headers, _ = client.send("GET", f"/?{query}", {}, b"")

    assert (status, headers["content-type"].partition(";")[0]) == (200, f"application/{answered}")


def test_every_answer_carries_the_gateways_date(client: PlainClient) -> None:
    client.control("POST", "clock", {"gateway_offset": 86400})
    query = client.sign("GET", client.parameters("ListOTAFirmware", **PAGE))

    _, headers, _ = client.send("GET", f"/?{query}", {}, b"")

    assert headers["date"].startswith(time.strftime("%a, %d %b", time.gmtime(time.time() + 86400)))


def test_the_log_reports_who_asked_what_without_secrets(client: PlainClient, emulator: Emulator) -> None:
    client.ask("QueryOTAJob", JobId="17")

    (entry,) = client.control("GET", "requests")

    assert (entry["action"], entry["parameters"]["JobId"]) == ("QueryOTAJob", "17")
    assert entry["outcome"] == "iot.firmware.InvalidOTAJobId"
    assert not {"Signature", "AccessKeyId"} & set(entry["parameters"])
    assert emulator.key.access_key_secret not in str(entry)
