"""The base of all operations: parameters with rules, whether it may be repeated, and how its answer is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from airflow_provider_tuya_ota.core.actions.rules import Parameter, check
from airflow_provider_tuya_ota.core.policy.rate import RateLimitGroup
from airflow_provider_tuya_ota.core.policy.retry import Repeat
from airflow_provider_tuya_ota.core.secret import as_secret

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.wire.encoding import Value
    from airflow_provider_tuya_ota.core.wire.reply import Reply

Result_co = TypeVar("Result_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(ABC, Generic[Result_co]):
    """One call of one operation.

    :raises InvalidParameterError: on construction, for any value the vendor documents as refused.
    """

    name: ClassVar[str]
    """The operation on the wire."""
    repeat: ClassVar[Repeat] = Repeat.HARMLESS
    """The effect of sending it twice."""
    rate_limit_group: ClassVar[RateLimitGroup] = RateLimitGroup.CALLS
    """The budget of requests that it counts against."""

    def __post_init__(self) -> None:
        for python_name, parameter, value in self._parameters():
            object.__setattr__(self, python_name, check(python_name, parameter, value))

    @classmethod
    def require(cls, python_name: str, value: Any, *, called: str = "") -> None:
        """Refuse a value that the operation would refuse, without building the operation.

        :param python_name: name of the parameter in Python.
        :param called: name of the value for the error, where it has another one; that of the parameter by default.
        :raises InvalidParameterError: the value is invalid; names it.
        """
        parameter = next(item.metadata["parameter"] for item in fields(cls) if item.name == python_name)
        check(called or python_name, parameter, value)

    def _parameters(self) -> list[tuple[str, Parameter, Any]]:
        return [(name, parameter, getattr(self, name)) for name, parameter in _declared(type(self))]

    def wire(self) -> dict[str, Value]:
        """Give the operation's own parameters under their names on the wire."""
        return {
            parameter.wire: as_secret(value) if parameter.is_secret and value is not None else value
            for _, parameter, value in self._parameters()
        }

    def advisories(self) -> list[str]:
        """Warn of values that only Alibaba Cloud IoT, the upstream API, refuses by its documents; they are sent."""
        return [
            f"{self.name}: {parameter.label(python_name)} is outside what Alibaba Cloud IoT, the upstream API,"
            f" accepts ({rule.allowed}); it is sent nevertheless"
            for python_name, parameter in _advised(type(self))
            if (value := getattr(self, python_name)) is not None
            for rule in parameter.advisory
            if rule.problem(value)
        ]

    @abstractmethod
    def parse(self, reply: Reply) -> Result_co:
        """Read a successful answer.

        :raises ProtocolError: the answer lacks a field that is needed, or is about something else.
        """


@cache
def _declared(action: type[Action[Any]]) -> tuple[tuple[str, Parameter], ...]:
    return tuple((item.name, item.metadata["parameter"]) for item in fields(action))


@cache
def _advised(action: type[Action[Any]]) -> tuple[tuple[str, Parameter], ...]:
    return tuple((name, parameter) for name, parameter in _declared(action) if parameter.advisory)
