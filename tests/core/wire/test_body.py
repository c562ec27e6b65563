from __future__ import annotations

import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from airflow_provider_tuya_ota.core.errors import NotFoundError, ProtocolError
from airflow_provider_tuya_ota.core.secret import Secret
from airflow_provider_tuya_ota.core.wire.body import MOST_SIGNS, read_body, safely
from airflow_provider_tuya_ota.core.wire.xml import DEEPEST

if TYPE_CHECKING:
    from collections.abc import Callable


def nested(depth: int, form: str) -> bytes:
    if form == "list":
        return b'{"a":' + b"[" * depth + b"]" * depth + b"}"
    if form == "object":
        return b'{"a":' * depth + b"1" + b"}" * depth
    return b"<a>" * depth + b"<b>1</b>" + b"</a>" * depth


@pytest.mark.parametrize("form", ["list", "object", "xml"])
@pytest.mark.parametrize("depth", [DEEPEST + 2, 600, 900, 1100, 100_000])
def test_what_is_nested_deeper_than_any_reply_is_no_reply(form: str, depth: int) -> None:
    assert read_body(nested(depth, form)) is None


@pytest.mark.parametrize("form", ["list", "object", "xml"])
def test_what_is_nested_as_a_reply_may_be_is_read(form: str) -> None:
    assert read_body(nested(10, form)) is not None


@pytest.mark.parametrize(
    "value",
    [
        "\ud800",
        {"\udfff": "\udc00"},
        ["\x00", {"k" * 1000: "\x1b"}],
        10**400,
        -(2**63) - 1,
        float("inf"),
        float("nan"),
        1.5,
        True,
        None,
    ],
)
def test_whatever_was_sent_can_be_encoded(value: Any) -> None:
    record = read_body(json.dumps({"data": value}).encode())

    assert record is not None
    json.dumps(record.plain(), ensure_ascii=False, allow_nan=False).encode()
    msgspec.msgpack.encode(record.plain())


@pytest.mark.parametrize(
    ("body", "secret"),
    [
        pytest.param(b'{"a":"is canary-7Kq1 known"}', "canary-7Kq1", id="plain"),
        pytest.param(b'{"a":"is canary7Kq1Zx known"}', "canary7Kq1Zx", id="a word"),
        pytest.param(b'{"a":"is \\u0063anary7Kq1Zx known"}', "canary7Kq1Zx", id="escaped"),
        pytest.param(b"<R><a>canary7&#75;q1Zx</a></R>", "canary7Kq1Zx", id="a character of XML by its number"),
        pytest.param(b"<R><a>canary7<!-- -->Kq1Zx</a></R>", "canary7Kq1Zx", id="cut by a comment"),
        pytest.param(b'{"a":"ended by canary7Kq1"}', "canary7Kq1Zx", id="its beginning"),
        pytest.param(b'{"a":"pass  word  of  two"}', "pass word of two", id="a text with blanks"),
        pytest.param('{"a":"can\u200bary7Kq1"}'.encode(), "can\ufffdary7Kq1", id="what stands for the invisible"),
        pytest.param(b'{"a":"is pw"}', "pw", id="short"),
        pytest.param(b'{"a":12345678e10}', "1234567800000", id="digits of a number"),
        pytest.param(b'{"a":0.000012345678}', "2345678e", id="a number with an e"),
    ],
)
def test_a_known_secret_is_in_no_text_however_the_answer_writes_it(body: bytes, secret: str) -> None:
    record = read_body(body, [Secret("LTAI4FoClientTest"), Secret(secret)])

    assert record is not None
    assert secret not in record.text("a")
    assert secret[:8] not in record.text("a")


def test_line_breaks_of_a_text_stay_where_nobody_shows_it() -> None:
    record = read_body(b'{"desc": "a\\r\\n\\tb\\u2028"}')

    assert record is not None
    assert record.plain() == {"desc": "a\r\n\tb\ufffd"}


def failing(error: Exception) -> Callable[[], None]:
    def read() -> None:
        raise error

    return read


@pytest.mark.parametrize(
    "error",
    [
        ValueError("canary"),
        OverflowError("canary"),
        RecursionError("canary"),
        KeyError("canary"),
        UnicodeDecodeError("utf-8", b"canary", 0, 1, "canary"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_is_odd_about_an_answer_is_a_typed_error_that_quotes_nothing(error: Exception) -> None:
    with pytest.raises(ProtocolError) as caught:
        safely("QueryOTAJob", failing(error))

    assert str(caught.value) == f"QueryOTAJob: the answer cannot be read ({type(error).__name__})"
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize(
    "error",
    [
        AttributeError("x"),
        AssertionError("x"),
        NotFoundError(action="A", code="", message="", request_id="", http_status=404),
    ],
)
def test_mistakes_in_the_code_and_typed_errors_pass(error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        safely("QueryOTAJob", failing(error))

    assert caught.value is error


def test_a_typed_error_leaves_the_reading_without_what_was_read() -> None:
    def read() -> None:
        policy = "canary-policy"
        try:
            int(policy)
        except ValueError:
            raise ProtocolError("Policy should have no blanks") from None

    with pytest.raises(ProtocolError, match="no blanks") as caught:
        safely("GenerateOTAUploadURL", read)

    assert [frame.name for frame in caught.traceback][-1] == "safely"
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize("item", [b"{}", b"[]", b"1", b'{"a":{}}', b'""', b"0.1"])
def test_reading_the_largest_answer_takes_little_memory(item: bytes) -> None:
    size = 2 * 1024 * 1024
    body = b'{"data":[' + b",".join([item] * (size // (len(item) + 1))) + b"]}"
    few = b'{"data":[' + b",".join([item] * ((MOST_SIGNS - 10) // (1 + item.count(b"{") + item.count(b"[")))) + b"]}"
    tracemalloc.start()
    try:
        assert read_body(body) is None
        record = read_body(few)
        assert record is not None
        assert record["data"]
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_page_of_two_hundred_jobs_is_far_below_the_bound() -> None:
    item = {f"field{number}": "x" * 40 for number in range(25)}

    assert read_body(json.dumps({"data": [item] * 200}).encode()) is not None


@pytest.mark.parametrize(
    "start",
    [
        '<r xmlns="%s">' % ("u" * 1_000_000),
        "<r xmlns = '%s'>" % ("u" * 1_000_000),
        '<r xmlns:{}="{}">'.format("p" * 300, "u" * 1_000_000),
        "<r {}>".format(" ".join(f'xmlns:n{number}="{"u" * 200}"' for number in range(500))),
    ],
)
def test_a_namespace_multiplies_nothing(start: str) -> None:
    """The parser puts it before every name: a megabyte of it and a thousand names would be a gigabyte."""
    body = f"{start}{''.join(f'<a{number}/>' for number in range(2000))}</r>".encode()

    tracemalloc.start()
    try:
        assert read_body(body) is None
        assert tracemalloc.get_traced_memory()[1] < 2 * len(body)
    finally:
        tracemalloc.stop()


def test_a_documented_answer_with_a_namespace_is_read() -> None:
    body = b'<QueryOTAJobResponse xmlns="http://iot.example/2018-01-20"><Success>true</Success></QueryOTAJobResponse>'

    record = read_body(body)

    assert record is not None
    assert record.text("Success") == "true"
