"""The error class and the advice that belong to a code of the platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from airflow_provider_tuya_ota.core.errors import ApiError


class Meaning(NamedTuple):
    """Error class and advice for a code.

    :param kind: class of the error: it says who has to act, and whether repeating helps.
    :param advice: what to do next, in one sentence; empty where nothing is known.
    """

    kind: type[ApiError]
    advice: str = ""


LATER: Final = "The platform is busy or out of order. Try again later; report the request id if this continues."
SLOWER: Final = "Lower requests_per_second of the connection, or run fewer tasks at the same time."
CHECK_KEY: Final = "Check AccessKey ID and AccessKey secret of the connection against the console's key management."
"""Advice that several codes share."""
