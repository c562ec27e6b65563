"""What a code means to the reader of a task log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.errors import ApiError


class Meaning(NamedTuple):
    """Class and advice.

    :param kind: who has to act, and whether repeating helps.
    :param advice: what to do next, one sentence.
    """

    kind: type[ApiError]
    advice: str = ""


LATER: Final = "The platform is busy or broken; try again later, and report the request id if it stays so."
SLOWER: Final = "Lower requests_per_second of the connection, or let fewer tasks ask at the same time."
CHECK_KEY: Final = "Check AccessKey ID and AccessKey secret of the connection against the console's key management."
"""Advice that several codes share."""
