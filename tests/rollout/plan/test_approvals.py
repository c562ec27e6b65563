from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.rollout.plan.approval import Approvals, Approver
from tests.rollout.plan.small import schedule


def approvals(waves: list[Any] | None = None, **changes: Any) -> Approvals:
    return schedule(waves=waves or ["1%", "500", ["a"], ["b"], "rest", "platform ALL"], **changes).approvals


def test_a_text_names_the_wave_that_waits_for_an_approval() -> None:
    assert approvals().before == ()
    assert approvals(approve=["100%", "1 %", "500 devices"]).before == (1, 2, 5)
    assert approvals(approve=["rest", "wave 3", "platform ALL"]).before == (3, 5, 6)
    assert approvals(approve=["10.0%"], waves=["10%", "rest"]).before == (1,)
    assert approvals(approve=["1 named device"], waves=[["a"], "rest"]).before == (1,)


@pytest.mark.parametrize("value", [None, True, "10%", [], [None], [""], [1], ["{{ params.x }}"], ["50%"], ["wave 7"]])
def test_what_names_no_wave_is_refused_with_the_texts_that_do(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^approve: .* Allowed: texts of waves: 1%, 500 devices, 1 named"):
        approvals(approve=value)


def test_a_text_that_names_several_waves_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"^approve: '1 named device' names several waves"):
        approvals(approve=["1 named device"])


def test_a_wave_that_is_named_twice_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"^approve: names a wave twice"):
        approvals(approve=["1%", "wave 1"])


def test_approvers_are_users_by_id_or_by_id_and_name() -> None:
    found = approvals(approve=["1%"], approvers=["alice", {"id": "42", "name": "Bob"}], two_person=True)

    assert found.approvers == (Approver("alice", "alice"), Approver("42", "Bob"))
    assert found.to_dict() == {
        "before": [1],
        "approvers": [{"id": "alice", "name": "alice"}, {"id": "42", "name": "Bob"}],
        "two_person": True,
    }
    assert not approvals(approve=["1%"]).two_person


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, "alice", [], [None], [True], [7], [""], ["None"], ["{{ params.who }}"], ["a", "a"], [["a"]]),
        *(
            [{"id": "a"}],
            [{"id": "a", "name": ""}],
            [{"id": 7, "name": "a"}],
            [{"id": "a", "name": "a", "x": 1}],
            {"id": "a"},
        ),
        ["a", {"id": "a", "name": "Alice"}],
    ],
)
def test_an_approver_of_another_form_is_refused(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^approvers: "):
        approvals(approve=["1%"], approvers=value)


def test_approvers_whom_nobody_would_ask_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match=r"^approvers: is given, and no wave needs an approval"):
        approvals(approvers=["alice"])
    with pytest.raises(InvalidParameterError, match=r"^two_person: is given, and no wave needs an approval"):
        approvals(two_person=True)


@pytest.mark.parametrize("value", [None, "yes", 1, "True"])
def test_the_rule_of_two_persons_is_a_switch(value: Any) -> None:
    with pytest.raises(InvalidParameterError, match=r"^two_person: .* is not a switch"):
        approvals(approve=["1%"], two_person=value)
