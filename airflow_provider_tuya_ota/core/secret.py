"""A secret text that can be used but neither printed nor stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from airflow_provider_tuya_ota.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

Error = TypeVar("Error", bound=BaseException)

MASK: Final = "***"
"""Shown and stored in place of a secret."""


class Secret:
    """Keep a text out of everything that prints, copies or stores the object that contains it.

    ``repr``, ``str``, formatting, ``dataclasses.asdict``, ``pickle``, JSON encoders and Airflow's XCom get ``***``. No
    attribute contains the text, so that code which lists attributes does not find it. A secret that was stored in XCom
    or a pickle is read back without its text: its :meth:`reveal` raises.

    :param value: the text; read it with :meth:`reveal` only where it is sent.
    """

    __slots__ = ("_read",)

    def __init__(self, value: str) -> None:
        self._read: Callable[[], str] = lambda: value

    def reveal(self) -> str:
        """Give the text itself.

        :raises ConfigurationError: this object was stored, and the text was not.
        """
        return self._read()

    def serialize(self) -> str:
        """Give Airflow what it may write into XCom."""
        return MASK

    @staticmethod
    def deserialize(data: object, version: int) -> Secret:  # noqa: ARG004 - Airflow's signature
        """Give what Airflow finds in XCom: a secret without its text."""
        return _without_text()

    def __repr__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._comparable() == other._comparable()

    def __hash__(self) -> int:
        return hash(self._comparable())

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        # dataclasses.asdict copies values this way.
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _without_text, ()

    def _comparable(self) -> str | None:
        return None if self._read is _refuse else self._read()


def as_secret(value: str | Secret) -> Secret:
    """Wrap a text that is not wrapped yet."""
    return value if isinstance(value, Secret) else Secret(value)


def without_frames(error: Error) -> Error:
    """Remove the traceback, cause and context of an error.

    The locals of their frames contain what was sent or read, and tools that report errors with locals would show it.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _refuse() -> str:
    raise ConfigurationError(
        "This secret was not stored with the object that contains it (in XCom or a pickle). Read the object"
        " again from the platform in the task that needs the secret, and call reveal() there."
    )


def _without_text() -> Secret:
    secret = Secret("")
    secret._read = _refuse  # noqa: SLF001 - its own module
    return secret
