from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.emulator.emulator import Emulator
from airflow_provider_tuya_ota.emulator.faults.fault import ODD_IDS
from airflow_provider_tuya_ota.emulator.faults.hostile_texts import FREE, TEXTS
from airflow_provider_tuya_ota.emulator.faults.strange_answers import ENDLESS, INEXISTENT
from airflow_provider_tuya_ota.emulator.messages import Response
from tests.emulator.test_control import Dropped, fault

if TYPE_CHECKING:
    from tests.emulator.plain_client import PlainClient

ONE, TWO = "device-001", "device-002"
PAGE = {"CurrentPage": "1", "PageSize": "10"}


def raw(client: PlainClient, action: str, **own: str) -> tuple[int, dict[str, str], bytes]:
    return client.send("GET", f"/?{client.sign('GET', client.parameters(action, **own))}", {}, b"")


def jobs(client: PlainClient) -> list[str]:
    return [job["JobId"] for job in client.control("GET", "state")["jobs"]]


def test_one_client_s_create_is_lost_while_another_s_succeeds(client: PlainClient) -> None:
    firmware_id = client.create_firmware(NeedToVerify="false")
    where = {"FirmwareId": firmware_id, "TargetDeviceName": TWO}
    fault(client, "drop_before", action="CreateOTAStaticUpgradeJob", where=where, nth=1)

    made = client.upgrade(firmware_id, ONE)
    with pytest.raises(Dropped):
        client.upgrade(firmware_id, "device-003", TWO)
    assert jobs(client) == [made]

    again = client.upgrade(firmware_id, TWO)
    assert jobs(client) == [made, again]


def test_a_fault_counts_only_the_calls_that_it_fits(client: PlainClient) -> None:
    fault(client, "status", where={"PageSize": "7"}, nth=2)

    sizes = ["7", "10", "10", "7", "7"]
    assert [raw(client, "ListOTAFirmware", CurrentPage="1", PageSize=size)[0] for size in sizes] == [
        200,
        200,
        200,
        503,
        200,
    ]


def test_a_client_is_known_by_its_user_agent(client: PlainClient) -> None:
    fault(client, "status", where={"User-Agent": "first"})
    query = "/?{}"

    statuses = [
        client.send(
            "GET",
            query.format(client.sign("GET", client.parameters("ListOTAFirmware", **PAGE))),
            {"User-Agent": agent},
            b"",
        )[0]
        for agent in ("first", "second")
    ]

    assert statuses == [503, 200]


@pytest.mark.parametrize("create", ["verification", "firmware"])
def test_a_create_says_yes_without_the_id(client: PlainClient, create: str) -> None:
    if create == "firmware":
        fault(client, "no_id", action="CreateOTAFirmware")
        with pytest.raises(KeyError):
            client.create_firmware()
        assert len(client.control("GET", "state")["firmwares"]) == 1
    else:
        firmware_id = client.create_firmware()
        fault(client, "no_id", action="CreateOTAVerifyJob")
        with pytest.raises(KeyError):
            client.verify(firmware_id, ONE)
        assert len(jobs(client)) == 1


@pytest.mark.parametrize("about", ["existing", "inexistent"])
def test_queries_answer_about_something_else(client: PlainClient, about: str) -> None:
    one, two = client.create_firmware("1.1.0", b"a"), client.create_firmware("1.2.0", b"b")
    asked, other = client.verify(one, ONE), client.verify(two, TWO)
    fault(client, "other_id", action="*", about=about)
    firmware_id = two if about == "existing" else INEXISTENT["FirmwareId"]
    job = other if about == "existing" else INEXISTENT["JobId"]

    assert client.ask("QueryOTAJob", JobId=asked)[1]["data"]["jobId"] == job
    assert client.ask("QueryOTAFirmware", FirmwareId=one)[1]["firmwareInfo"]["firmwareId"] == firmware_id
    (task,) = client.ask("ListOTATaskByJob", JobId=asked)[1]["data"]
    assert (task["jobId"], task["deviceName"]) == (job, TWO if about == "existing" else ONE)
    (listed,) = client.ask("ListOTAJobByFirmware", FirmwareId=one, **PAGE)[1]["data"]
    assert listed["firmwareId"] == firmware_id


@pytest.mark.parametrize("about", ["existing", "inexistent"])
def test_a_create_answers_the_id_of_something_else(client: PlainClient, about: str) -> None:
    firmware_id = client.create_firmware(NeedToVerify="false")
    first = client.upgrade(firmware_id, ONE)
    fault(client, "other_id", action="CreateOTAStaticUpgradeJob", about=about)

    assert client.upgrade(firmware_id, TWO) == (first if about == "existing" else INEXISTENT["JobId"])
    assert len(jobs(client)) == 2


@pytest.mark.parametrize("status", [429, 405, 500])
def test_a_success_stands_under_a_status_that_denies_it(client: PlainClient, status: int) -> None:
    firmware_id = client.create_firmware()
    fault(client, "wrong_status", action="CreateOTAVerifyJob", status=status)
    named = {"ProductKey": "k1demoproduct", "TargetDeviceName.1": ONE}

    answered, answer = client.ask("CreateOTAVerifyJob", FirmwareId=firmware_id, **named)

    assert (answered, answer["success"], jobs(client)) == (status, True, [answer["data"]["jobId"]])


ODD: dict[str, Any] = {
    "number": 178,
    "float": 178.0,
    "exponent": 178.0,
    "bool": True,
    "padded": " 178\n",
    "surrogate": "178\ud800",
    "list": ["178"],
}


@pytest.mark.parametrize("text", ODD_IDS)
def test_ids_come_as_something_else(client: PlainClient, text: str) -> None:
    client.create_firmware()
    fault(client, "odd_ids", action="QueryOTAFirmware", text=text)

    body = raw(client, "QueryOTAFirmware", FirmwareId="178")[2]

    shown = json.loads(body)["firmwareInfo"]["firmwareId"]
    assert (shown, type(shown)) == (ODD[text], type(ODD[text]))
    assert (b": 178e0" in body) is (text == "exponent")


@pytest.mark.parametrize("text", TEXTS)
def test_texts_of_a_device_are_hostile_in_json(client: PlainClient, text: str) -> None:
    job = client.verify(client.create_firmware(), ONE)
    fault(client, "hostile_texts", action="ListOTATaskByJob", text=text)

    status, answer = client.ask("ListOTATaskByJob", JobId=job)

    assert status == 200
    assert answer["data"][0]["taskDesc"] == answer["requestId"] == TEXTS[text]
    assert answer["data"][0]["taskStatus"] == "QUEUED"


def test_refusals_are_hostile_too_and_any_field_can_be_chosen(client: PlainClient) -> None:
    fault(client, "hostile_texts", action="QueryOTAJob", text="boo\x00", fields=["ErrorMessage", "Code"])
    answer = client.ask("QueryOTAJob", JobId="1")[1]
    assert (answer["code"], answer["errorMessage"], answer["success"]) == ("boo\x00", "boo\x00", False)

    fault(client, "hostile_texts", action="QueryOTAFirmware", text="\ud800", fields=["*"])
    client.create_firmware()
    shown = client.ask("QueryOTAFirmware", FirmwareId="178")[1]["firmwareInfo"]
    assert {shown[name] for name in ("firmwareId", "destVersion", "productKey", "utcCreate")} == {"\ud800"}
    assert shown["status"] == 0

    client.secret = "wrong"
    fault(client, "hostile_texts", action="ListOTAModuleByProduct", text="bidi")
    answer = client.ask("ListOTAModuleByProduct", ProductKey="k1demoproduct")[1]
    assert (answer["Code"], answer["Message"]) == ("SignatureDoesNotMatch", TEXTS["bidi"])


def test_a_device_of_the_scenario_says_anything_that_json_can_hold(client: PlainClient) -> None:
    client.script(ONE, outcome="fails", reason=TEXTS["everything"])
    job = client.verify(client.create_firmware(), ONE)
    client.advance(60)

    assert client.tasks(job)[ONE]["taskDesc"] == f"step -1: {TEXTS['everything']}"
    assert client.control("GET", "state")["tasks"][0]["TaskDesc"].endswith(TEXTS["everything"])


def test_hostile_texts_reach_xml_as_they_can(client: PlainClient) -> None:
    fault(client, "hostile_texts", action="QueryOTAJob", text="<b>\ud800&")

    assert b"&lt;b&gt;&#55296;&amp;" in raw(client, "QueryOTAJob", JobId="1", Format="XML")[2]


def test_free_fields_are_none_that_anything_is_decided_by() -> None:
    assert not FREE & {"Code", "JobId", "JobStatus", "TaskStatus", "Status", "DestVersion", "DeviceName", "ProductKey"}


@pytest.mark.parametrize(("action", "key"), [("ListOTATaskByJob", "taskId"), ("QueryDevice", "deviceName")])
def test_a_list_has_no_end_and_one_new_thing_on_every_page(client: PlainClient, action: str, key: str) -> None:
    job = client.verify(client.create_firmware(), ONE)
    fault(client, "endless_list", action=action)
    own = {"JobId": job} if action == "ListOTATaskByJob" else {"ProductKey": "k1demoproduct"}
    pages = [client.ask(action, CurrentPage=page, PageSize="10", **own)[1] for page in ("1", "2", "3", "900")]

    assert {page["total"] for page in pages} == {ENDLESS}
    assert [page["currentPage"] for page in pages] == [1, 2, 3, 900]
    assert len({entry[key] for page in pages for entry in page["data"]}) == 4


def test_lists_that_stand_deeper_have_no_end_either(client: PlainClient) -> None:
    fault(client, "endless_list", action="QueryProductList")

    answer = client.ask("QueryProductList", CurrentPage="5", PageSize="10")[1]["data"]

    assert (answer["total"], answer["currentPage"]) == (ENDLESS, 5)


def test_answers_are_huge_or_deep(client: PlainClient) -> None:
    fault(client, "huge", size=3_000_000, nth=1)
    fault(client, "deep", size=5000, nth=2)
    sent = [raw(client, "ListOTAFirmware", **PAGE)[2] for _ in range(2)]

    assert len(json.loads(sent[0])["stuffing"]) == 3_000_000
    assert b"[" * 5000 + b"]" * 5000 in sent[1]
    fault(client, "deep", size=3, nth=1)
    assert b"<Stuffing><Stuffing><Stuffing>" in raw(client, "ListOTAFirmware", Format="XML", **PAGE)[2]


@pytest.mark.parametrize("kind", ["throttle", "status", "outage"])
def test_a_fault_may_send_retry_after(client: PlainClient, kind: str) -> None:
    fault(client, kind, retry_after="Fri, 31 Dec 9999 23:59:59 GMT")

    assert raw(client, "ListOTAFirmware", **PAGE)[1]["retry-after"] == "Fri, 31 Dec 9999 23:59:59 GMT"


def test_a_throttled_answer_has_retry_after_where_the_quirk_says_so(client: PlainClient) -> None:
    client.control("POST", "quotas", {"enabled": True, "ListOTAFirmware": 1})
    raw(client, "ListOTAFirmware", **PAGE)
    assert "retry-after" not in raw(client, "ListOTAFirmware", **PAGE)[1]

    client.control("POST", "quirks", {"retry_after": 2})
    assert raw(client, "ListOTAFirmware", **PAGE)[1]["retry-after"] == "2"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kind": "no_id", "text": "x"}, "a no_id takes no text"),
        ({"kind": "odd_ids", "text": "round"}, "not one of number, float"),
        ({"kind": "odd_fields", "text": "round"}, "not one of list, object"),
        ({"kind": "odd_ids"}, "not one of number, float"),
        ({"kind": "hostile_texts", "fields": [1]}, "hold texts"),
        ({"kind": "status", "where": {"PageSize": 7}}, "hold texts"),
        ({"kind": "no_id", "action": "PostObject"}, "answers nothing"),
        ({"kind": "drip", "part": "tail"}, "not one of status_line"),
        ({"kind": "deep", "size": 0}, "not from 1"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Emulator().faults.add({"action": "*"} | values)


def test_in_memory_an_answer_shows_how_long_it_takes() -> None:
    good = Response(200, b"x" * 100)

    assert replace(good, drip=("continue", 0.1)).duration == math.inf
    assert replace(good, drip=("body", 0.1), delay=2).duration == pytest.approx(12)
    assert good.duration == 0
