"""Arguments as the Dag author gave them, or as a template rendered them: what each is read as, and what is refused."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.missing import LEAVE_OUT
from airflow_provider_tuya_ota.runtime.arguments import (
    named_as,
    parse_bool,
    parse_choice,
    parse_int,
    parse_names,
    parse_source,
    parse_text,
    require_any,
    require_flag,
)

if TYPE_CHECKING:
    from collections.abc import Callable

OPTIONAL: list[Callable[[str, Any], object]] = [parse_int, parse_bool, parse_text, parse_names]
ALL = [*OPTIONAL, partial(parse_choice, choices=("a", "b"), default="b")]


@pytest.mark.parametrize("value", [None, LEAVE_OUT, f" {LEAVE_OUT}\n"])
def test_what_is_left_out_is_its_default(value: Any) -> None:
    assert [parse("n", value) for parse in OPTIONAL] == [None] * len(OPTIONAL)
    assert parse_bool("n", value, default=True) is True
    assert parse_choice("n", value, ("a", "b"), default="b") == "b"


@pytest.mark.parametrize("value", ["", " ", "None", " None\n"])
@pytest.mark.parametrize("parse", ALL)
def test_what_was_given_and_rendered_to_nothing_is_refused(parse: Callable[[str, Any], object], value: str) -> None:
    with pytest.raises(
        InvalidParameterError, match=r"^n: .* is what a missing value renders to\. Allowed: a value, or"
    ):
        parse("n", value)


@pytest.mark.parametrize(
    ("value", "switch"), [(True, True), (False, False), ("true", True), (" FALSE\n", False), ("True", True)]
)
def test_true_and_false_are_a_switch_also_as_text(value: Any, switch: bool) -> None:
    assert parse_bool("n", value) is switch


@pytest.mark.parametrize("value", ["yes", "0", 0, 1, [True]])
def test_what_only_means_true_or_false_is_no_switch(value: Any) -> None:
    for parse in (parse_bool, require_flag):
        with pytest.raises(InvalidParameterError, match=r"^n: .* is not a switch\. Allowed: True, False"):
            parse("n", value)


def test_a_text_that_says_true_is_no_flag() -> None:
    require_flag("n", False)  # noqa: FBT003 - the value of an argument
    with pytest.raises(InvalidParameterError, match=r"^n: 'true' is not a switch"):
        require_flag("n", "true")


def test_a_choice_is_one_of_those_that_there_are() -> None:
    assert parse_choice("n", "a", ("a", "b"), default="b") == "a"
    for value in ("c", 5, None):
        with pytest.raises(InvalidParameterError, match=r"^n: .* is not allowed\. Allowed: a, b"):
            parse_choice("n", value, ("a", "b"))


@pytest.mark.parametrize(
    "value",
    [["a", "b"], ("a", "b"), "a, b", "a\n b\n", "['a', 'b']", " ['a', 'b'] ", "('a', 'b')", " ('a', 'b') "],
)
def test_names_are_a_list_or_a_text_that_lists_them(value: Any) -> None:
    assert parse_names("n", value) == ["a", "b"]


@pytest.mark.parametrize("value", [5, b"ab", range(2), {"a": 1}, "{'a': 1}", "[oops", "[a", "['a'"])
def test_what_lists_no_names_is_refused(value: Any) -> None:
    with pytest.raises(
        InvalidParameterError, match=r"^n: .* is not a list\. Allowed: a list of names, or text with one"
    ):
        parse_names("n", value)


def test_a_set_that_a_template_rendered_is_a_list_of_names() -> None:
    assert sorted(parse_names("n", "{'a', 'b'}") or ()) == ["a", "b"]
    assert parse_names("n", "('a',)") == ["a"]


@pytest.mark.parametrize("value", ["(a)\n{b}", "(a), {b}", "(a,{b}"])
def test_a_name_may_have_brackets(value: str) -> None:
    assert [name.strip("()") for name in parse_names("n", value) or ()] == ["a", "{b}"]


@pytest.mark.parametrize("value", [["a", LEAVE_OUT], f"a, {LEAVE_OUT}"])
def test_the_word_that_leaves_a_list_out_is_no_name_in_it(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^n: .* stands in the list\. Allowed: names, or the word instead"):
        parse_names("n", value)


def test_a_change_in_which_nothing_is_given_is_refused() -> None:
    require_any(one=None, two=False)
    with pytest.raises(InvalidParameterError, match=r"^one, two: none of them is given\. Allowed: at least one"):
        require_any(one=None, two=None)


def test_an_error_names_the_argument_instead_of_the_parameter() -> None:
    def refuse(field: str) -> None:
        raise InvalidParameterError(field=field, problem="is odd", allowed="even ones")

    said = r"^names \(Names\): is odd\. Allowed: even ones"
    with pytest.raises(InvalidParameterError, match=said), named_as(device_names="names"):
        refuse("device_names (Names)")
    with pytest.raises(InvalidParameterError, match=r"^other: is odd"), named_as(device_names="names"):
        refuse("other")


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("7", 7), (" 60\n", 60), ("-5", -5), ("1440", 1440), ("9" * 18, 10**18 - 1)]
)
def test_digits_are_a_whole_number(text: str, number: int) -> None:
    assert parse_int("n", text) == number


@pytest.mark.parametrize(
    "text",
    ["+5", "1_0", "007", "-0", "--1", "1.0", "1e3", "0x10", "\u0663", "\uff13", "\xa05", "5 5", "9" * 19, "five"],
)
def test_what_only_looks_like_a_whole_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameterError, match=r"^n: .* is not a whole number"):
        parse_int("n", text)


def test_the_largest_whole_number_is_the_platform_s_longest() -> None:
    assert parse_int("n", 2**63 - 1) == 2**63 - 1
    with pytest.raises(InvalidParameterError, match=r"^n: .* is not a whole number"):
        parse_int("n", 2**63)


@pytest.mark.parametrize("value", [None, 5, "", " "])
def test_a_source_that_is_none_is_refused_by_its_name(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^source: "):
        parse_source(value)
