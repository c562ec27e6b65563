from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import ProtocolError
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.wire.record import Record
from airflow_provider_tuya_ota.core.wire.xml import read_xml

A, B = {"taskId": "1"}, {"TaskID": "2"}


def ids(value: Any) -> list[str]:
    return [item.text("TaskId") for item in Record({"data": value}).items_of("Data", item_key="TaskId")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param([A, B], ["1", "2"], id="flat"),
        pytest.param([], [], id="flat and empty"),
        pytest.param({"simpleOTATaskInfo": [A, B]}, ["1", "2"], id="wrapped"),
        pytest.param({"SimpleOTATaskInfo": []}, [], id="wrapped and empty"),
        pytest.param({"SimpleOTATaskInfo": None}, [], id="wrapped null"),
        pytest.param({"SimpleOTATaskInfo": ""}, [], id="wrapped empty text"),
        pytest.param({"SimpleOTATaskInfo": A}, ["1"], id="wrapped single object"),
        pytest.param({"Total": 2, "List": [A, B]}, ["1", "2"], id="wrapped beside a number"),
        pytest.param({"Outer": {"Inner": [A]}}, ["1"], id="wrapped twice"),
        pytest.param(A, ["1"], id="single object"),
        pytest.param({}, [], id="empty object"),
        pytest.param(None, [], id="null"),
        pytest.param("", [], id="empty text"),
    ],
)
def test_lists_are_read_in_every_plausible_form(value: Any, expected: list[str]) -> None:
    assert ids(value) == expected


def test_an_absent_list_is_empty() -> None:
    assert Record({}).items_of("Data", item_key="TaskId") == []


@pytest.mark.parametrize("value", [17, "text", True, ["text"], [{"x": 1}], {"x": 1}, {"a": [A], "b": [B]}, [[A]]])
def test_anything_else_is_no_list(value: Any) -> None:
    with pytest.raises(ProtocolError, match="Data should be a list of objects with TaskId"):
        ids(value)


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        (b"<R><Data><I><TaskId>1</TaskId></I><I><TaskId>2</TaskId></I></Data></R>", ["1", "2"]),
        (b"<R><Data><I><TaskId>1</TaskId></I></Data></R>", ["1"]),
        (
            b"<R><Data><I><TaskId>1</TaskId></I><I><TaskId>2</TaskId></I><I><TaskId>3</TaskId></I></Data></R>",
            ["1", "2", "3"],
        ),
        (b'<R xmlns="urn:x"><Data><I><TaskId>1</TaskId></I></Data></R>', ["1"]),
        (b"<R><Data/><RequestId>r</RequestId></R>", []),
        (b"<R><Data>\n  </Data></R>", []),
        (b"<R><Data>\n <I/>\n</Data></R>", []),
        (b"<R><Data>\n <I>\n </I>\n</Data></R>", []),
    ],
)
def test_lists_are_read_from_xml(xml: bytes, expected: list[str]) -> None:
    assert [item.text("TaskId") for item in Record(read_xml(xml)).items_of("Data", item_key="TaskId")] == expected


def test_keys_are_found_in_any_case_and_iterated_as_sent() -> None:
    record = Record({"OSSAccessKeyId": "k", "jobID": "j"})

    assert record["ossaccesskeyid"] == "k"
    assert "JobId" in record
    assert not record.__contains__(7)
    assert list(record) == ["OSSAccessKeyId", "jobID"]
    assert len(record) == 2
    assert record.plain() == {"OSSAccessKeyId": "k", "jobID": "j"}


def test_two_spellings_of_a_key_may_agree_but_not_disagree() -> None:
    assert Record({"jobId": "1", "JobId": "1"})["JOBID"] == "1"
    with pytest.raises(ProtocolError, match="different values"):
        Record({"jobId": "1", "JobId": "2"})


def test_a_value_that_does_not_equal_itself_is_no_contradiction() -> None:
    assert Record({"progress": float("nan")}).text("Progress") == "nan"


def test_the_repr_names_keys_only() -> None:
    assert repr(Record({"firmwareUrl": "https://canary"})) == "Record(firmwareUrl)"


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), (7, "7"), (0, "0"), (1.5, "1.5"), (True, "true"), (False, "false"), (None, "-"), ("", "")],
)
def test_scalars_are_read_as_text(value: Any, text: str) -> None:
    assert Record({"v": value}).text("V", "-") == text


@pytest.mark.parametrize("value", [[1], {"a": 1}, [], {}])
def test_a_list_or_object_is_no_name_and_reads_as_empty_where_nothing_is_decided(value: Any) -> None:
    with pytest.raises(ProtocolError, match="V should be a single value"):
        Record({"v": value}).name("V")
    assert (Record({"v": value}).text("V", "-"), Record({"v": value}).shown("V")) == ("-", "")


@pytest.mark.parametrize(("value", "text"), [(50, "50"), ("50.00", "50.00"), (True, "true"), (None, "")])
def test_what_is_only_shown_is_read_as_a_name(value: Any, text: str) -> None:
    assert Record({"v": value}).shown("V") == text


@pytest.mark.parametrize(("value", "number"), [(7, 7), ("7", 7), (" -1 ", -1), ("", None), (None, None)])
def test_whole_numbers_may_come_as_text(value: Any, number: int | None) -> None:
    assert Record({"v": value}).whole("V") == number


@pytest.mark.parametrize("value", ["seven", 7.5, "1e3", True, "9" * 5000])
def test_anything_else_is_no_whole_number(value: Any) -> None:
    with pytest.raises(ProtocolError, match="V should be a whole number"):
        Record({"v": value}).whole("V")


@pytest.mark.parametrize(("value", "flag"), [(True, True), ("TRUE", True), ("false", False), ("", None), (None, None)])
def test_booleans_may_come_as_text(value: Any, flag: bool | None) -> None:
    assert Record({"v": value}).flag("V") is flag


@pytest.mark.parametrize("value", [1, 0, "yes"])
def test_anything_else_is_no_boolean(value: Any) -> None:
    with pytest.raises(ProtocolError, match="V should be true or false"):
        Record({"v": value}).flag("V")


@pytest.mark.parametrize("value", [{"x": "1"}, [{"x": "1"}]])
def test_a_list_of_one_object_counts_as_that_object(value: Any) -> None:
    assert Record({"v": value}).record("V").text("X") == "1"


@pytest.mark.parametrize(
    ("value", "kind"), [(None, "nothing"), ([], "a list"), ([{}, {}], "a list"), ("x", "str"), ([1], "int")]
)
def test_anything_else_is_no_object(value: Any, kind: str) -> None:
    with pytest.raises(ProtocolError, match=f"V should be an object, the answer has {kind}"):
        Record({"v": value}).record("V")


@pytest.mark.parametrize(
    ("value", "kind"),
    [({"x": 7}, "an object with x"), ([{}], "a list"), (17, "int"), ({"": {"": 1}}, "an object with")],
)
def test_a_refused_list_is_described_by_its_kind_and_keys_only(value: Any, kind: str) -> None:
    with pytest.raises(ProtocolError, match=f"the answer has {kind}"):
        Record({"v": value}).items_of("V", item_key="Id")


@pytest.mark.parametrize(
    "name", ["policy:01", "secret:unit-7", "d" * 256, "a name with blanks", "x" * 40 + "/1", "灯-1", ""]
)
def test_a_device_has_the_name_that_it_has(name: str) -> None:
    assert Record({"deviceName": name}).device("DeviceName") == name


@pytest.mark.parametrize(
    "name",
    [
        "a\nb",
        "d" * 257,
        "https://h/p?Signature=canary-canary",
        "k=canary&Signature=canary-canary",
        "secret: canary-canary",
    ],
)
def test_what_is_no_device_name_is_made_safe(name: str) -> None:
    shown = Record({"deviceName": name}).device("DeviceName")

    assert shown != name
    assert "canary-canary" not in shown
    assert "\n" not in shown


def test_an_odd_id_that_holds_a_known_secret_is_not_quoted() -> None:
    record = Record({"JobId": "s3cretValue12345 x"}, [Secret("s3cretValue12345")])

    with pytest.raises(ProtocolError) as failure:
        record.id("JobId")

    assert "s3cret" not in str(failure.value)
