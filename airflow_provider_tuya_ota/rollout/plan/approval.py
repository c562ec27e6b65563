"""Which waves need a person's approval before they start, and who may give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from airflow_provider_tuya_ota.core.errors import InvalidParameterError
from airflow_provider_tuya_ota.core.short_repr import short_repr
from airflow_provider_tuya_ota.rollout.plan.intent_text import (
    NOT_GIVEN,
    NotGiven,
    require_list,
    require_switch,
    require_text,
)
from airflow_provider_tuya_ota.rollout.plan.wave import Wave, normal_text

APPROVERS: Final = 'ids of Airflow users, as ["alice", {"id": "42", "name": "Bob"}]'


@dataclass(frozen=True, slots=True)
class Approver:
    """A user of Airflow who may approve.

    :param user_id: as the auth manager knows the user.
    :param name: how the user is shown.
    """

    user_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """The approvals of a release.

    :param before: numbers of the waves that start only after an approval.
    :param approvers: who may give it; none for everybody whom Airflow lets answer.
    :param two_person: whether the person who triggered the release may not approve it.
    """

    before: tuple[int, ...]
    approvers: tuple[Approver, ...]
    two_person: bool

    def to_dict(self) -> dict[str, Any]:
        """Give canonical values."""
        return {
            "before": list(self.before),
            "approvers": [{"id": one.user_id, "name": one.name} for one in self.approvers],
            "two_person": self.two_person,
        }


def parse_approvals(
    waves: Sequence[Wave], approve: Any | NotGiven, approvers: Any | NotGiven, *, two_person: Any
) -> Approvals:
    """Read which waves need an approval.

    :param approve: texts of waves as they are in ``waves``, or ``wave 2`` for the second one; none if left out.
    :raises InvalidParameterError: a text names no wave or several; an approver has another form; there are approvers or
        the rule of two persons without a wave to approve.
    """
    listed = () if approve is NOT_GIVEN else require_list("approve", approve, _allowed(waves))
    before = [_find_wave(waves, text) for text in listed]
    if len(set(before)) != len(before):
        raise InvalidParameterError(field="approve", problem="names a wave twice", allowed=_allowed(waves))
    persons = () if approvers is NOT_GIVEN else require_list("approvers", approvers, APPROVERS)
    two = require_switch("two_person", two_person)
    if (persons or two) and not before:
        name = "approvers" if persons else "two_person"
        raise InvalidParameterError(
            field=name, problem="is given, and no wave needs an approval", allowed="approve too"
        )
    return Approvals(before=tuple(sorted(before)), approvers=_parse_approvers(persons), two_person=two)


def _find_wave(waves: Sequence[Wave], value: Any) -> int:
    text = normal_text(require_text("approve", value, _allowed(waves)))
    found = [wave.number for wave in waves if text in {wave.text, f"wave {wave.number}"}]
    if len(found) != 1:
        problem = f"{short_repr(text)} names {'several waves' if found else 'no wave'}"
        raise InvalidParameterError(field="approve", problem=problem, allowed=_allowed(waves))
    return found[0]


def _allowed(waves: Sequence[Wave]) -> str:
    return f"texts of waves: {', '.join(wave.text for wave in waves)}; or wave 1 to wave {len(waves)}"


def _parse_approvers(persons: Sequence[Any]) -> tuple[Approver, ...]:
    found = tuple(map(_parse_approver, persons))
    if len({one.user_id for one in found}) != len(found):
        raise InvalidParameterError(field="approvers", problem="names a user twice", allowed=APPROVERS)
    return found


def _parse_approver(value: Any) -> Approver:
    if isinstance(value, str):
        user_id = require_text("approvers", value, APPROVERS)
        return Approver(user_id, user_id)
    if isinstance(value, Mapping) and set(value) == {"id", "name"}:
        return Approver(*(require_text("approvers", value[key], APPROVERS) for key in ("id", "name")))
    raise InvalidParameterError(field="approvers", problem=f"{short_repr(value)} is no user", allowed=APPROVERS)
